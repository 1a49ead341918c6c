/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/tpm/tpm_pcrs.h"

#include "common/base/log.h"

#include <string.h>

enum { PCR_COUNT = 24, DIGITS_MAX = 2 };

static bool is_set_back_by_anybody(unsigned pcr)
{
	return pcr == 16 || pcr == 23;
}

static const struct bank {
	const char *name; /* with its colon */
	TPMI_ALG_HASH hash;
	UINT16 len;
} banks[] = {
	{ "sha256:", TPM2_ALG_SHA256, TPM2_SHA256_DIGEST_SIZE },
	{ "sha384:", TPM2_ALG_SHA384, TPM2_SHA384_DIGEST_SIZE },
};

static int refuse(const char *words, struct err *e)
{
	return err_set(e, ERR_INVALID,
		       "pcrs=%s is not sha256: or sha384: and registers of 0 to 15 and 17 to 22, "
		       "each once, such as sha256:7,14",
		       log_quote(words).text);
}

/* Digits alone, which strtoul() does not insist on. */
static bool take_register(const char **at, TPMS_PCR_SELECTION *bank)
{
	const size_t digits = strspn(*at, "0123456789");
	unsigned pcr = 0;

	if (digits < 1 || digits > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < digits; i++)
		pcr = 10 * pcr + (unsigned)((*at)[i] - '0');
	*at += digits;
	if (pcr >= PCR_COUNT || is_set_back_by_anybody(pcr) ||
	    bank->pcrSelect[pcr / 8] & 1U << pcr % 8)
		return false;
	bank->pcrSelect[pcr / 8] |= (BYTE)(1U << pcr % 8);
	return true;
}

static bool take_registers(const char *at, TPMS_PCR_SELECTION *bank)
{
	while (take_register(&at, bank)) {
		if (!*at)
			return true;
		if (*at++ != ',')
			return false;
	}
	return false;
}

int tpm_pcrs_read(const char *words, TPML_PCR_SELECTION *pcrs, struct err *e)
{
	TPML_PCR_SELECTION read = { .count = 1 };

	for (size_t i = 0; i < ARRAY_LEN(banks); i++) {
		const size_t len = strlen(banks[i].name);

		if (strncmp(words, banks[i].name, len) != 0)
			continue;
		read.pcrSelections[0].hash = banks[i].hash;
		read.pcrSelections[0].sizeofSelect = PCR_COUNT / 8;
		if (!take_registers(words + len, &read.pcrSelections[0]))
			break;
		*pcrs = read;
		return 0;
	}
	return refuse(words, e);
}

/* ---- whether they are there ---- */

static int check_one(ESYS_CONTEXT *esys, const struct bank *bank, unsigned pcr, struct err *e)
{
	TPML_PCR_SELECTION one = { .count = 1 };
	CLEANUP(esys) TPML_PCR_SELECTION *got = NULL;
	CLEANUP(esys) TPML_DIGEST *values = NULL;
	UINT32 counter;
	TSS2_RC code;

	one.pcrSelections[0].hash = bank->hash;
	one.pcrSelections[0].sizeofSelect = PCR_COUNT / 8;
	one.pcrSelections[0].pcrSelect[pcr / 8] = (BYTE)(1U << pcr % 8);
	code = Esys_PCR_Read(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &one, &counter, &got,
			     &values);
	if (code != TSS2_RC_SUCCESS)
		return tpm_fault(e, code, "read a PCR");
	if (values->count == 1 && values->digests[0].size == bank->len)
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "TPM: it has no PCR %u of %.6s: name a bank of those that 'tpm2_pcrread' "
		       "lists in pcrs=",
		       pcr, bank->name);
}

int tpm_pcrs_check(ESYS_CONTEXT *esys, const TPML_PCR_SELECTION *pcrs, struct err *e)
{
	const TPMS_PCR_SELECTION *chosen = &pcrs->pcrSelections[0];

	for (size_t i = 0; pcrs->count && i < ARRAY_LEN(banks); i++)
		for (unsigned pcr = 0; banks[i].hash == chosen->hash && pcr < PCR_COUNT; pcr++)
			if (chosen->pcrSelect[pcr / 8] & 1U << pcr % 8 &&
			    check_one(esys, &banks[i], pcr, e) < 0)
				return err_code(e);
	return 0;
}
