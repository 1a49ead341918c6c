/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/provider/provider_tpm.h"

#include "attestation/provider/provider_tpm_state.h"
#include "common/crypto/digest.h"

#include <stdbool.h>
#include <string.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tcti_device.h>
#include <tss2/tss2_tctildr.h>

int provider_tpm_fault(struct err *e, TSS2_RC code, const char *what)
{
	return err_set(e, ERR_UNAVAILABLE, "TPM: %s: %s", what, Tss2_RC_Decode(code));
}

static int open_device(struct provider_tpm *tpm, const char *path, struct err *e)
{
	size_t size = 0;
	TSS2_RC code = Tss2_Tcti_Device_Init(NULL, &size, path);

	if (code != TSS2_RC_SUCCESS)
		return provider_tpm_fault(e, code, path);
	TSS2_TCTI_CONTEXT *tcti = calloc(1, size);
	if (!tcti)
		return err_nomem(e);
	code = Tss2_Tcti_Device_Init(tcti, &size, path);
	if (code != TSS2_RC_SUCCESS) {
		free(tcti);
		return provider_tpm_fault(e, code, path);
	}
	tpm->tcti = tcti;
	return 0;
}

static int open_tcti(struct provider_tpm *tpm, const char *words, struct err *e)
{
	if (words) {
		TSS2_RC code = Tss2_TctiLdr_Initialize(words, &tpm->tcti);

		tpm->from_loader = true;
		return code == TSS2_RC_SUCCESS ? 0 : provider_tpm_fault(e, code, words);
	}
	if (access("/dev/tpmrm0", F_OK) == 0)
		return open_device(tpm, "/dev/tpmrm0", e);
	if (access("/dev/tpm0", F_OK) == 0)
		return open_device(tpm, "/dev/tpm0", e);
	return err_set(e, ERR_UNAVAILABLE,
		       "TPM: neither /dev/tpmrm0 nor /dev/tpm0 is there: give the machine a TPM "
		       "2.0 (a developer's host without one needs --development)");
}

bool provider_tpm_is_there(void)
{
	return access("/dev/tpmrm0", F_OK) == 0 || access("/dev/tpm0", F_OK) == 0;
}

int provider_tpm_open(const struct provider_tpm_options *options, struct provider_tpm **out,
		      struct err *e)
{
	CLEANUP(provider_tpm_close) struct provider_tpm *tpm = calloc(1, sizeof(*tpm));

	if (!tpm)
		return err_nomem(e);
	tpm->needed = options->registers;
	tpm->ak = ESYS_TR_NONE;
	if (open_tcti(tpm, options->tcti, e) < 0)
		return err_code(e);
	TSS2_RC code = Esys_Initialize(&tpm->esys, tpm->tcti, NULL);
	if (code != TSS2_RC_SUCCESS)
		return provider_tpm_fault(e, code, "initialise");
	if (provider_tpm_check(tpm, e) < 0)
		return err_code(e);
	*out = TAKE_PTR(tpm);
	return 0;
}

void provider_tpm_close(struct provider_tpm *tpm)
{
	if (!tpm)
		return;
	provider_tpm_drop_ak(tpm);
	free(tpm->ek_public);
	free(tpm->ek_cert);
	if (tpm->esys)
		Esys_Finalize(&tpm->esys);
	if (tpm->tcti && tpm->from_loader)
		Tss2_TctiLdr_Finalize(&tpm->tcti);
	else if (tpm->tcti)
		Tss2_Tcti_Finalize(tpm->tcti);
	if (!tpm->from_loader)
		free(tpm->tcti);
	free(tpm);
}

static bool selects(const TPMS_PCR_SELECTION *bank, uint32_t needed)
{
	uint32_t there = 0;

	for (uint32_t i = 0; i < bank->sizeofSelect && i < sizeof(there); i++)
		there |= (uint32_t)bank->pcrSelect[i] << (8 * i);
	return (there & needed) == needed;
}

static bool bank_is_active(const TPML_PCR_SELECTION *banks, TPMI_ALG_HASH hash, uint32_t needed)
{
	for (uint32_t i = 0; i < banks->count && i < TPM2_NUM_PCR_BANKS; i++)
		if (banks->pcrSelections[i].hash == hash &&
		    selects(&banks->pcrSelections[i], needed))
			return true;
	return false;
}

/* Part 3, section 30.2; an inactive bank is listed with an empty selection or not at all. */
int provider_tpm_check(struct provider_tpm *tpm, struct err *e)
{
	static const struct {
		TPMI_ALG_HASH hash;
		const char *name;
	} banks[] = { { TPM2_ALG_SHA256, "SHA-256" }, { TPM2_ALG_SHA384, "SHA-384" } };
	CLEANUP(esys) TPMS_CAPABILITY_DATA *data = NULL;
	TPMI_YES_NO more;
	TSS2_RC code = Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					  TPM2_CAP_PCRS, 0, TPM2_NUM_PCR_BANKS, &more, &data);

	if (code != TSS2_RC_SUCCESS)
		return provider_tpm_fault(e, code, "list banks");
	if (data->capability != TPM2_CAP_PCRS)
		return err_set(e, ERR_UNAVAILABLE, "TPM: answers another question than asked");
	for (size_t i = 0; i < ARRAY_LEN(banks); i++)
		if (!bank_is_active(&data->data.assignedPCR, banks[i].hash, tpm->needed))
			return err_set(e, ERR_PRECONDITION,
				       "TPM: bank %s is not active: the domain must activate "
				       "SHA-256 and SHA-384",
				       banks[i].name);
	return 0;
}

/* One register of one bank: more might come in several answers. */
static int read_bank(struct provider_tpm *tpm, uint32_t pcr, TPMI_ALG_HASH hash, uint8_t *out,
		     size_t len, struct err *e)
{
	TPML_PCR_SELECTION wanted = { .count = 1 };
	CLEANUP(esys) TPML_DIGEST *values = NULL;

	wanted.pcrSelections[0].hash = hash;
	wanted.pcrSelections[0].sizeofSelect = 3;
	wanted.pcrSelections[0].pcrSelect[pcr / 8] = (uint8_t)(1u << (pcr % 8));
	TSS2_RC code = Esys_PCR_Read(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &wanted,
				     NULL, NULL, &values);
	if (code != TSS2_RC_SUCCESS)
		return provider_tpm_fault(e, code, "read register");
	if (values->count != 1 || values->digests[0].size != len)
		return err_set(e, ERR_DATA_LOSS,
			       "TPM: PCR%u reads as %u values, not one of %zu bytes", pcr,
			       values->count, len);
	memcpy(out, values->digests[0].buffer, len);
	return 0;
}

int provider_tpm_read(struct provider_tpm *tpm, uint32_t pcr, struct provider_digests *values,
		      struct err *e)
{
	struct provider_digests got;

	if (read_bank(tpm, pcr, TPM2_ALG_SHA256, got.sha256, sizeof(got.sha256), e) < 0 ||
	    read_bank(tpm, pcr, TPM2_ALG_SHA384, got.sha384, sizeof(got.sha384), e) < 0)
		return err_code(e);
	*values = got;
	return 0;
}

static bool same(const struct provider_digests *a, const struct provider_digests *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static int expect(struct provider_tpm *tpm, uint32_t pcr, const struct provider_digests *wanted,
		  struct err *e)
{
	struct provider_digests now;

	if (provider_tpm_read(tpm, pcr, &now, e) < 0)
		return err_code(e);
	if (!same(&now, wanted))
		return err_set(e, ERR_DATA_LOSS,
			       "TPM: PCR%u does not hold what was just put into it", pcr);
	return 0;
}

/* Part 1, section 17.2: new = H(old ‖ digest). */
static int extended(const struct provider_digests *old, const struct provider_digests *by,
		    struct provider_digests *result, struct err *e)
{
	const struct digest_part in256[] = { { old->sha256, 32 }, { by->sha256, 32 } };
	const struct digest_part in384[] = { { old->sha384, 48 }, { by->sha384, 48 } };

	if (digest_parts(DIGEST_SHA256, in256, 2, result->sha256, e) < 0 ||
	    digest_parts(DIGEST_SHA384, in384, 2, result->sha384, e) < 0)
		return err_code(e);
	return 0;
}

int provider_tpm_extend(struct provider_tpm *tpm, uint32_t pcr,
			const struct provider_digests *digests, struct err *e)
{
	struct provider_digests before, after;
	TPML_DIGEST_VALUES values = { .count = 2 };

	if (provider_tpm_read(tpm, pcr, &before, e) < 0 ||
	    extended(&before, digests, &after, e) < 0)
		return err_code(e);
	values.digests[0].hashAlg = TPM2_ALG_SHA256;
	memcpy(values.digests[0].digest.sha256, digests->sha256, sizeof(digests->sha256));
	values.digests[1].hashAlg = TPM2_ALG_SHA384;
	memcpy(values.digests[1].digest.sha384, digests->sha384, sizeof(digests->sha384));
	TSS2_RC code = Esys_PCR_Extend(tpm->esys, ESYS_TR_PCR0 + pcr, ESYS_TR_PASSWORD,
				       ESYS_TR_NONE, ESYS_TR_NONE, &values);
	if (code != TSS2_RC_SUCCESS)
		return provider_tpm_fault(e, code, "extend register");
	return expect(tpm, pcr, &after, e);
}

int provider_tpm_reset(struct provider_tpm *tpm, uint32_t pcr, struct err *e)
{
	const struct provider_digests zeros = { 0 };
	TSS2_RC code = Esys_PCR_Reset(tpm->esys, ESYS_TR_PCR0 + pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				      ESYS_TR_NONE);

	if (code != TSS2_RC_SUCCESS)
		return provider_tpm_fault(e, code, "reset register");
	return expect(tpm, pcr, &zeros, e);
}
