/* SPDX-License-Identifier: Apache-2.0 */
/* NV, the endorsement key, and credential activation: what ties an attestation key to one TPM. */
#include "attestation/provider/provider_tpm_ak.h"
#include "attestation/provider/provider_tpm_state.h"

#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>

enum {
	NV_PIECE = 512,             /* every TPM reads that much at once */
	EK_CERT_INDEX = 0x01c00002, /* TCG EK Credential Profile 2.5, 2.2.1.4: RSA 2048 */
};

static int nv_read(struct provider_tpm *tpm, ESYS_TR index, uint16_t size, bool by_owner,
		   uint8_t *bytes, struct err *e)
{
	for (uint16_t at = 0; at < size;) {
		uint16_t want = size - at < NV_PIECE ? (uint16_t)(size - at) : NV_PIECE;
		CLEANUP(esys) TPM2B_MAX_NV_BUFFER *piece = NULL;
		TSS2_RC code = Esys_NV_Read(tpm->esys, by_owner ? ESYS_TR_RH_OWNER : index, index,
					    ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, want, at,
					    &piece);

		if (code != TSS2_RC_SUCCESS)
			return provider_tpm_fault(e, code, "read NV");
		if (piece->size != want)
			return err_set(e, ERR_DATA_LOSS, "TPM: NV gives %u bytes of %u",
				       piece->size, want);
		memcpy(bytes + at, piece->buffer, want);
		at = (uint16_t)(at + want);
	}
	return 0;
}

/* Is it defined? Asking for a handle that is not fills the log of tpm2-tss with errors. */
static int nv_is_defined(struct provider_tpm *tpm, TPM2_HANDLE index, bool *defined, struct err *e)
{
	CLEANUP(esys) TPMS_CAPABILITY_DATA *data = NULL;
	TPMI_YES_NO more;
	TSS2_RC code = Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					  TPM2_CAP_HANDLES, index, 1, &more, &data);

	if (code != TSS2_RC_SUCCESS)
		return provider_tpm_fault(e, code, "list NV");
	*defined = data->capability == TPM2_CAP_HANDLES && data->data.handles.count == 1 &&
		   data->data.handles.handle[0] == index;
	return 0;
}

int provider_tpm_nv_read(struct provider_tpm *tpm, TPM2_HANDLE index, uint8_t **out, size_t *len,
			 struct err *e)
{
	CLEANUP(esys) TPM2B_NV_PUBLIC *area = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	ESYS_TR handle = ESYS_TR_NONE;
	bool defined = false;
	int failed;

	if (nv_is_defined(tpm, index, &defined, e) < 0)
		return err_code(e);
	if (!defined)
		return err_set(e, ERR_NOT_FOUND, "TPM: no NV index 0x%08x", index);
	TSS2_RC code = Esys_TR_FromTPMPublic(tpm->esys, index, ESYS_TR_NONE, ESYS_TR_NONE,
					     ESYS_TR_NONE, &handle);
	if (code == TSS2_RC_SUCCESS)
		code = Esys_NV_ReadPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE,
					  ESYS_TR_NONE, &area, NULL);
	if (code != TSS2_RC_SUCCESS)
		return provider_tpm_fault(e, code, "NV index");
	uint16_t size = area->nvPublic.dataSize;
	if (size == 0 || size > TPM_CERT_MAX || !(bytes = malloc(size)))
		failed = err_set(e, ERR_EXHAUSTED, "TPM: NV index 0x%08x of %u bytes", index, size);
	else
		failed = nv_read(tpm, handle, size, !(area->nvPublic.attributes & TPMA_NV_AUTHREAD),
				 bytes, e);
	Esys_TR_Close(tpm->esys, &handle);
	if (failed)
		return failed;
	*out = TAKE_PTR(bytes);
	*len = size;
	return 0;
}

/* Template L-1 (TCG EK Credential Profile 2.5, B.3.3), whose policy is TPM2_PolicySecret of the
 * endorsement hierarchy. */
static const TPM2B_PUBLIC ek_template = {
	.publicArea = {
		.type = TPM2_ALG_RSA,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				    TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY |
				    TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT,
		.authPolicy = { .size = 32, .buffer = {
			0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc,
			0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52,
			0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa } },
		.parameters.rsaDetail = {
			.symmetric = { .algorithm = TPM2_ALG_AES, .keyBits.aes = 128,
				       .mode.aes = TPM2_ALG_CFB },
			.scheme.scheme = TPM2_ALG_NULL,
			.keyBits = 2048,
		},
		.unique.rsa.size = 256,
	},
};

static int make_ek(struct provider_tpm *tpm, ESYS_TR *handle, TPM2B_PUBLIC **area, struct err *e)
{
	const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	const TPM2B_DATA outside = { 0 };
	const TPML_PCR_SELECTION pcrs = { 0 };
	TSS2_RC code = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
					  ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &ek_template,
					  &outside, &pcrs, handle, area, NULL, NULL, NULL);

	return code == TSS2_RC_SUCCESS ? 0 : provider_tpm_fault(e, code, "the endorsement key");
}

static int ask_ek(struct provider_tpm *tpm, struct err *e)
{
	CLEANUP(esys) TPM2B_PUBLIC *area = NULL;
	CLEANUP(free) uint8_t *bytes = malloc(sizeof(TPMT_PUBLIC));
	ESYS_TR handle = ESYS_TR_NONE;
	size_t len = 0;

	if (!bytes)
		return err_nomem(e);
	if (make_ek(tpm, &handle, &area, e) < 0)
		return err_code(e);
	Esys_FlushContext(tpm->esys, handle);
	TSS2_RC code =
		Tss2_MU_TPMT_PUBLIC_Marshal(&area->publicArea, bytes, sizeof(TPMT_PUBLIC), &len);
	if (code != TSS2_RC_SUCCESS)
		return provider_tpm_fault(e, code, "the endorsement key's public area");
	int failed = provider_tpm_nv_read(tpm, EK_CERT_INDEX, &tpm->ek_cert, &tpm->ek_cert_len, e);
	if (failed && !err_is(failed, ERR_NOT_FOUND))
		return failed;
	tpm->ek_public = TAKE_PTR(bytes);
	tpm->ek_public_len = len;
	return 0;
}

int provider_tpm_ek(struct provider_tpm *tpm, struct provider_tpm_ek *ek, struct err *e)
{
	if (!tpm->ek_public && ask_ek(tpm, e) < 0)
		return err_code(e);
	ek->public_area = (struct span){ tpm->ek_public, tpm->ek_public_len };
	ek->cert = (struct span){ tpm->ek_cert, tpm->ek_cert_len };
	return 0;
}

static int start_policy(struct provider_tpm *tpm, ESYS_TR *session, struct err *e)
{
	const TPMT_SYM_DEF none = { .algorithm = TPM2_ALG_NULL };
	TSS2_RC code = Esys_StartAuthSession(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					     ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_POLICY,
					     &none, TPM2_ALG_SHA256, session);

	if (code != TSS2_RC_SUCCESS)
		return provider_tpm_fault(e, code, "start a session");
	code = Esys_PolicySecret(tpm->esys, ESYS_TR_RH_ENDORSEMENT, *session, ESYS_TR_PASSWORD,
				 ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL, NULL, 0, NULL, NULL);
	return code == TSS2_RC_SUCCESS ? 0 : provider_tpm_fault(e, code, "the endorsement policy");
}

static int activate(struct provider_tpm *tpm, ESYS_TR ek, ESYS_TR session,
		    const TPM2B_ID_OBJECT *blob, const TPM2B_ENCRYPTED_SECRET *secret,
		    TPM2B_DIGEST **out, struct err *e)
{
	TSS2_RC code = Esys_ActivateCredential(tpm->esys, tpm->ak, ek, ESYS_TR_PASSWORD, session,
					       ESYS_TR_NONE, blob, secret, out);

	if (code == TSS2_RC_SUCCESS)
		return 0;
	provider_tpm_fault(e, code, "activate the credential");
	e->code = ERR_DENIED; /* it is for another key or TPM, or no credential at all */
	return err_code(e);
}

int provider_tpm_activate(struct provider_tpm *tpm, struct span blob, struct span secret,
			  uint8_t out[PROVIDER_TPM_SECRET_MAX], size_t *len, struct err *e)
{
	CLEANUP(esys) TPM2B_PUBLIC *area = NULL;
	CLEANUP(esys) TPM2B_DIGEST *result = NULL;
	TPM2B_ID_OBJECT id = { .size = (uint16_t)blob.len };
	TPM2B_ENCRYPTED_SECRET encrypted = { .size = (uint16_t)secret.len };
	ESYS_TR ek = ESYS_TR_NONE, session = ESYS_TR_NONE;
	int failed;

	if (blob.len == 0 || blob.len > sizeof(id.credential) || secret.len == 0 ||
	    secret.len > sizeof(encrypted.secret))
		return err_set(e, ERR_INVALID, "no credential has %zu and %zu bytes", blob.len,
			       secret.len);
	memcpy(id.credential, blob.bytes, blob.len);
	memcpy(encrypted.secret, secret.bytes, secret.len);
	failed = provider_tpm_need_ak(tpm, e);
	if (!failed)
		failed = make_ek(tpm, &ek, &area, e);
	if (!failed)
		failed = start_policy(tpm, &session, e);
	if (!failed)
		failed = activate(tpm, ek, session, &id, &encrypted, &result, e);
	if (session != ESYS_TR_NONE)
		Esys_FlushContext(tpm->esys, session);
	if (ek != ESYS_TR_NONE)
		Esys_FlushContext(tpm->esys, ek);
	if (failed)
		return failed;
	if (result->size > PROVIDER_TPM_SECRET_MAX)
		return err_set(e, ERR_DATA_LOSS, "TPM: a secret of %u bytes", result->size);
	memcpy(out, result->buffer, result->size);
	*len = result->size;
	return 0;
}
