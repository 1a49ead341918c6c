/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tpm/tpm_pcrs.h"

#include <string.h>

const struct tpm_pcr_bank *tpm_pcrs_bank(const struct tpm_pcrs *pcrs, enum digest_kind kind)
{
	for (size_t i = 0; i < pcrs->count; i++)
		if (pcrs->banks[i].kind == kind)
			return &pcrs->banks[i];
	return NULL;
}

static struct tpm_pcr_bank *bank_for(struct tpm_pcrs *pcrs, enum digest_kind kind)
{
	for (size_t i = 0; i < pcrs->count; i++)
		if (pcrs->banks[i].kind == kind)
			return &pcrs->banks[i];
	if (pcrs->count == ARRAY_LEN(pcrs->banks))
		return NULL;

	struct tpm_pcr_bank *bank = &pcrs->banks[pcrs->count++];

	memset(bank, 0, sizeof(*bank));
	bank->kind = kind;
	return bank;
}

int tpm_pcrs_add(struct tpm_pcrs *pcrs, enum digest_kind kind, uint32_t index, struct span value,
		 struct err *e)
{
	struct tpm_pcr_bank *bank;

	if (index >= TPM_PCR_COUNT)
		return err_set(e, ERR_INVALID, "PCR %u, which there is not", index);
	if (value.len != digest_len(kind))
		return err_set(e, ERR_INVALID, "PCR %u of %s has %zu bytes, wanted %zu", index,
			       digest_name(kind), value.len, digest_len(kind));
	bank = bank_for(pcrs, kind);
	if (!bank)
		return err_set(e, ERR_INVALID, "PCRs of more banks than %zu",
			       ARRAY_LEN(pcrs->banks));
	if (bank->present & (UINT32_C(1) << index))
		return err_set(e, ERR_INVALID, "PCR %u of %s twice", index, digest_name(kind));
	memcpy(bank->values[index], value.bytes, value.len);
	bank->present |= UINT32_C(1) << index;
	return 0;
}
