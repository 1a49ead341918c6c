/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/provider/provider_tpm_ak.h"

#include "attestation/formats/pb.h"
#include "attestation/provider/provider_tpm_state.h"
#include "attestation/tpm/tpm_attest.h"
#include "common/crypto/digest.h"

#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>

enum { NO_HANDLE = 0 };

/* Where clouds keep an attestation key's certificate, and how the key itself is found again: from its
 * template, in the endorsement hierarchy, or at its persistent handle. */
static const struct platform {
	const char *name;
	TPM2_HANDLE cert, template_area, handle;
} platforms[] = {
	{ "Google, ECC", 0x01c10002, 0x01c10003, NO_HANDLE },
	{ "Google, RSA", 0x01c10000, 0x01c10001, NO_HANDLE },
	{ "Azure", 0x01c101d0, NO_HANDLE, 0x81000003 },
};

/* Part 2, 12.2.4. The random `unique` makes it another key each time. */
static int own_template(TPM2B_PUBLIC *area, struct err *e)
{
	*area = (TPM2B_PUBLIC){
		.publicArea = {
			.type = TPM2_ALG_ECC,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
					    TPMA_OBJECT_SENSITIVEDATAORIGIN |
					    TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
					    TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT,
			.parameters.eccDetail = {
				.symmetric.algorithm = TPM2_ALG_NULL,
				.scheme = { .scheme = TPM2_ALG_ECDSA,
					    .details.ecdsa.hashAlg = TPM2_ALG_SHA256 },
				.curveID = TPM2_ECC_NIST_P256,
				.kdf.scheme = TPM2_ALG_NULL,
			},
			.unique.ecc = { .x.size = 32, .y.size = 32 },
		},
	};
	return random_bytes(area->publicArea.unique.ecc.x.buffer, 32, e);
}

static int create_primary(struct provider_tpm *tpm, const TPM2B_PUBLIC *area, struct err *e)
{
	const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	const TPM2B_DATA outside = { 0 };
	const TPML_PCR_SELECTION pcrs = { 0 };
	TSS2_RC code = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
					  ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, area, &outside,
					  &pcrs, &tpm->ak, &tpm->ak_public, NULL, NULL, NULL);

	if (code == TSS2_RC_SUCCESS)
		return 0;
	tpm->ak = ESYS_TR_NONE;
	return provider_tpm_fault(e, code, "make an attestation key");
}

static int load_template(struct provider_tpm *tpm, TPM2_HANDLE index, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	TPM2B_PUBLIC area = { 0 };
	size_t len = 0, at = 0;

	if (provider_tpm_nv_read(tpm, index, &bytes, &len, e) < 0)
		return err_code(e);
	TSS2_RC code = Tss2_MU_TPMT_PUBLIC_Unmarshal(bytes, len, &at, &area.publicArea);
	if (code != TSS2_RC_SUCCESS)
		return provider_tpm_fault(e, code, "the platform's key template");
	return create_primary(tpm, &area, e);
}

static int load_handle(struct provider_tpm *tpm, TPM2_HANDLE handle, struct err *e)
{
	TSS2_RC code = Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE,
					     ESYS_TR_NONE, &tpm->ak);

	if (code == TSS2_RC_SUCCESS) {
		tpm->ak_persistent = true;
		code = Esys_ReadPublic(tpm->esys, tpm->ak, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				       &tpm->ak_public, NULL, NULL);
	}
	if (code != TSS2_RC_SUCCESS)
		provider_tpm_drop_ak(tpm);
	return code == TSS2_RC_SUCCESS ? 0 : provider_tpm_fault(e, code, "the platform's key");
}

/* True where a certificate is there; its key has to be, then. */
static int find_platform(struct provider_tpm *tpm, bool *found, struct err *e)
{
	*found = false;
	for (size_t i = 0; i < ARRAY_LEN(platforms) && !*found; i++) {
		const struct platform *p = &platforms[i];
		int failed =
			provider_tpm_nv_read(tpm, p->cert, &tpm->ak_cert, &tpm->ak_cert_len, e);

		if (err_is(failed, ERR_NOT_FOUND))
			continue;
		if (!failed)
			failed = p->handle ? load_handle(tpm, p->handle, e)
					   : load_template(tpm, p->template_area, e);
		if (failed)
			return err_wrap(e, "AK certificate of %s", p->name);
		*found = true;
	}
	return 0;
}

int provider_tpm_need_ak(struct provider_tpm *tpm, struct err *e)
{
	TPM2B_PUBLIC area;
	bool found;

	if (tpm->ak != ESYS_TR_NONE)
		return 0;
	if (find_platform(tpm, &found, e) < 0)
		return err_code(e);
	if (found)
		return 0;
	if (own_template(&area, e) < 0)
		return err_code(e);
	return create_primary(tpm, &area, e);
}

void provider_tpm_drop_ak(struct provider_tpm *tpm)
{
	if (tpm->ak != ESYS_TR_NONE && tpm->ak_persistent)
		Esys_TR_Close(tpm->esys, &tpm->ak);
	else if (tpm->ak != ESYS_TR_NONE)
		Esys_FlushContext(tpm->esys, tpm->ak);
	tpm->ak = ESYS_TR_NONE;
	tpm->ak_persistent = false;
	Esys_Free(TAKE_PTR(tpm->ak_public));
	free(TAKE_PTR(tpm->ak_cert));
	tpm->ak_cert_len = 0;
}

int provider_tpm_ak_public(struct provider_tpm *tpm, struct writer *out, struct err *e)
{
	uint8_t bytes[sizeof(TPMT_PUBLIC)];
	size_t len = 0;

	if (provider_tpm_need_ak(tpm, e) < 0)
		return err_code(e);
	TSS2_RC code = Tss2_MU_TPMT_PUBLIC_Marshal(&tpm->ak_public->publicArea, bytes,
						   sizeof(bytes), &len);
	if (code != TSS2_RC_SUCCESS)
		return provider_tpm_fault(e, code, "the key's public area");
	writer_bytes(out, bytes, len);
	return writer_check(out, "AK", e);
}

struct span provider_tpm_ak_cert(const struct provider_tpm *tpm)
{
	return (struct span){ tpm->ak_cert, tpm->ak_cert_len };
}

/* ---- quotes ---- */

static const struct {
	TPMI_ALG_HASH alg;
	enum digest_kind kind;
} banks[] = { { TPM2_ALG_SHA256, DIGEST_SHA256 }, { TPM2_ALG_SHA384, DIGEST_SHA384 } };

static TPML_PCR_SELECTION selection(TPMI_ALG_HASH alg, uint32_t pcrs)
{
	TPML_PCR_SELECTION s = { .count = 1 };

	s.pcrSelections[0].hash = alg;
	s.pcrSelections[0].sizeofSelect = 3;
	for (size_t i = 0; i < 3; i++)
		s.pcrSelections[0].pcrSelect[i] = (uint8_t)(pcrs >> (8 * i));
	return s;
}

/* TPM2_PCR_Read gives eight values at most; what it gave is in its own selection. */
static int read_some(struct provider_tpm *tpm, size_t bank, uint32_t wanted, struct tpm_pcrs *pcrs,
		     uint32_t *got, struct err *e)
{
	const TPML_PCR_SELECTION ask = selection(banks[bank].alg, wanted);
	CLEANUP(esys) TPML_PCR_SELECTION *given = NULL;
	CLEANUP(esys) TPML_DIGEST *values = NULL;
	TSS2_RC code = Esys_PCR_Read(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &ask,
				     NULL, &given, &values);
	uint32_t n = 0;

	if (code != TSS2_RC_SUCCESS)
		return provider_tpm_fault(e, code, "read registers");
	*got = 0;
	for (size_t i = 0; given->count == 1 && i < given->pcrSelections[0].sizeofSelect && i < 3;
	     i++)
		*got |= (uint32_t)given->pcrSelections[0].pcrSelect[i] << (8 * i);
	if (!*got || (*got & ~wanted))
		return err_set(e, ERR_DATA_LOSS, "TPM: reads other registers than asked");
	for (uint32_t pcr = 0; pcr < TPM_PCR_COUNT; pcr++) {
		if (!(*got & (UINT32_C(1) << pcr)))
			continue;
		if (n == values->count)
			return err_set(e, ERR_DATA_LOSS, "TPM: fewer values than registers");
		const struct span value = { values->digests[n].buffer, values->digests[n].size };
		if (tpm_pcrs_add(pcrs, banks[bank].kind, pcr, value, e) < 0)
			return err_code(e);
		n++;
	}
	return 0;
}

static int read_values(struct provider_tpm *tpm, size_t bank, struct tpm_pcrs *pcrs, struct err *e)
{
	uint32_t wanted = PROVIDER_TPM_QUOTED, got = 0;

	*pcrs = (struct tpm_pcrs){ 0 };
	while (wanted) {
		if (read_some(tpm, bank, wanted, pcrs, &got, e) < 0)
			return err_code(e);
		wanted &= ~got;
	}
	return 0;
}

/* One quote as bytes. */
struct quote {
	uint8_t signature[sizeof(TPMT_SIGNATURE)];
	size_t signature_len;
	TPM2B_ATTEST *attest;
};

static int sign_quote(struct provider_tpm *tpm, size_t bank, struct span nonce, struct quote *q,
		      struct err *e)
{
	const TPML_PCR_SELECTION pcrs = selection(banks[bank].alg, PROVIDER_TPM_QUOTED);
	const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
	CLEANUP(esys) TPMT_SIGNATURE *signature = NULL;
	TPM2B_DATA data = { .size = (uint16_t)nonce.len };

	if (nonce.len > sizeof(data.buffer))
		return err_set(e, ERR_INVALID, "TPM: a nonce of %zu bytes", nonce.len);
	memcpy(data.buffer, nonce.bytes, nonce.len);
	TSS2_RC code = Esys_Quote(tpm->esys, tpm->ak, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
				  &data, &scheme, &pcrs, &q->attest, &signature);
	if (code != TSS2_RC_SUCCESS)
		return provider_tpm_fault(e, code, "quote");
	q->signature_len = 0;
	code = Tss2_MU_TPMT_SIGNATURE_Marshal(signature, q->signature, sizeof(q->signature),
					      &q->signature_len);
	return code == TSS2_RC_SUCCESS ? 0 : provider_tpm_fault(e, code, "signature");
}

/* Is it over the values that were read? */
static int covers(const struct quote *q, const struct tpm_pcrs *pcrs, size_t bank, bool *same,
		  struct err *e)
{
	const struct tpm_pcr_bank *values = &pcrs->banks[0];
	struct digest_part parts[TPM_PCR_COUNT];
	struct tpm_signature signature;
	struct tpm_attest attest;
	uint8_t found[DIGEST_MAX];
	enum digest_kind kind;
	size_t count = 0;

	if (tpm_attest_parse((struct span){ q->attest->attestationData, q->attest->size }, &attest,
			     e) < 0 ||
	    tpm_signature_parse((struct span){ q->signature, q->signature_len }, &signature, e) < 0)
		return err_code(e);
	if (!tpm_alg_digest(signature.hash, &kind))
		return err_set(e, ERR_DATA_LOSS, "TPM: signs with hash 0x%04x", signature.hash);
	for (size_t pcr = 0; pcr < TPM_PCR_COUNT; pcr++)
		if (values->present & (UINT32_C(1) << pcr))
			parts[count++] = (struct digest_part){ values->values[pcr],
							       digest_len(banks[bank].kind) };
	if (digest_parts(kind, parts, count, found, e) < 0)
		return err_code(e);
	*same = attest.pcr_digest.len == digest_len(kind) &&
		memcmp(attest.pcr_digest.bytes, found, attest.pcr_digest.len) == 0;
	return 0;
}

/* attest.proto: Quote { quote = 1, raw_sig = 2, pcrs = 3 { hash = 1, map<uint32, bytes> pcrs = 2 } } */
static void write_quote(const struct quote *q, const struct tpm_pcrs *pcrs, size_t bank,
			struct writer *out)
{
	CLEANUP_WRITER struct writer values = writer_up_to(PROVIDER_TPM_ATTESTATION_MAX);
	CLEANUP_WRITER struct writer quote = writer_up_to(PROVIDER_TPM_ATTESTATION_MAX);
	const struct tpm_pcr_bank *from = &pcrs->banks[0];

	pb_put_number(&values, 1, banks[bank].alg);
	for (uint32_t pcr = 0; pcr < TPM_PCR_COUNT; pcr++) {
		CLEANUP_WRITER struct writer entry = writer_up_to(128);

		if (!(from->present & (UINT32_C(1) << pcr)))
			continue;
		pb_put_number(&entry, 1, pcr);
		pb_put_bytes(&entry, 2, from->values[pcr], digest_len(from->kind));
		pb_put_bytes(&values, 2, entry.bytes, entry.len);
		values.bad |= entry.bad;
	}
	pb_put_bytes(&quote, 1, q->attest->attestationData, q->attest->size);
	pb_put_bytes(&quote, 2, q->signature, q->signature_len);
	pb_put_bytes(&quote, 3, values.bytes, values.len);
	pb_put_bytes(out, 2, quote.bytes, quote.len);
	out->bad |= quote.bad | values.bad;
}

static int quote_bank(struct provider_tpm *tpm, size_t bank, struct span nonce, struct writer *out,
		      struct err *e)
{
	struct tpm_pcrs pcrs;

	for (int i = 0; i < PROVIDER_TPM_QUOTE_ATTEMPTS; i++) {
		struct quote q = { 0 };
		bool same = false;
		int failed = read_values(tpm, bank, &pcrs, e);

		if (!failed)
			failed = sign_quote(tpm, bank, nonce, &q, e);
		if (!failed)
			failed = covers(&q, &pcrs, bank, &same, e);
		if (!failed && same)
			write_quote(&q, &pcrs, bank, out);
		Esys_Free(q.attest);
		if (failed || same)
			return failed;
	}
	return err_set(e, ERR_UNAVAILABLE, "TPM: registers change faster than they are quoted");
}

int provider_tpm_quote(struct provider_tpm *tpm, const uint8_t *nonce, size_t len,
		       struct writer *out, struct err *e)
{
	CLEANUP_WRITER struct writer ak = writer_up_to(sizeof(TPMT_PUBLIC));

	if (provider_tpm_ak_public(tpm, &ak, e) < 0)
		return err_code(e);
	pb_put_bytes(out, 1, ak.bytes, ak.len);
	for (size_t i = 0; i < ARRAY_LEN(banks); i++)
		if (quote_bank(tpm, i, (struct span){ nonce, len }, out, e) < 0)
			return err_code(e);
	if (tpm->ak_cert_len)
		pb_put_bytes(out, 6, tpm->ak_cert, tpm->ak_cert_len);
	return writer_check(out, "TPM evidence", e);
}
