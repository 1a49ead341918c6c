/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte says which message: 0 attest.Attestation, 1 sevsnp.Attestation. */
#include "attestation/envelope/tpm_attestation.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) struct tpm_evidence *a = malloc(sizeof(*a));
	struct sevsnp_attestation s;
	struct err e;

	if (len == 0 || !a)
		return 0;
	if (bytes[0] == 0 &&
	    tpm_attestation_parse((struct span){ bytes + 1, len - 1 }, a, &e) == 0 &&
	    (a->quote_count < 1 || a->quote_count > TPM_QUOTES_MAX))
		__builtin_trap();
	if (bytes[0] == 1)
		(void)!sevsnp_attestation_parse((struct span){ bytes + 1, len - 1 }, &s, &e);
	return 0;
}
