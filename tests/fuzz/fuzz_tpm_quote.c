/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte says which structure: 0 TPMS_ATTEST, 1 TPMT_SIGNATURE, 2 TPMT_PUBLIC. */
#include "attestation/tpm/tpm_quote.h"
#include "common/crypto/key.h"

static void fuzz_public(struct span bytes)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct tpm_public pub;
	uint8_t name[TPM_NAME_MAX];
	size_t len;
	struct err e;

	if (tpm_public_parse(bytes, &pub, &e) < 0)
		return;
	if (tpm_public_key(&pub, &key, &e) == 0 && !key)
		__builtin_trap();
	if (tpm_public_name(&pub, name, &len, &e) == 0 && len > sizeof(name))
		__builtin_trap();
	(void)!tpm_public_check_ak(&pub, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span rest = { bytes + 1, len - 1 };
	struct tpm_attest attest;
	struct tpm_signature signature;
	struct err e;

	if (len == 0)
		return 0;
	if (bytes[0] == 0 && tpm_attest_parse(rest, &attest, &e) == 0) {
		uint32_t any = 0;

		for (size_t i = 0; i < attest.selection_count; i++)
			any |= attest.selections[i].pcrs;
		if (!any || any >> TPM_PCR_COUNT)
			__builtin_trap();
	} else if (bytes[0] == 1) {
		(void)!tpm_signature_parse(rest, &signature, &e);
	} else if (bytes[0] == 2) {
		fuzz_public(rest);
	}
	return 0;
}
