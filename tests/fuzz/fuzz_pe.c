/* SPDX-License-Identifier: Apache-2.0 */
/* UEFI programs and their Authenticode digest. */
#include "attestation/formats/pe.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint8_t out[DIGEST_MAX];
	struct pe pe;
	struct err e;

	if (pe_parse((struct span){ bytes, len }, &pe, &e) < 0)
		return 0;
	/* What is left out is little, and in the file. */
	if (pe.checksum_at + 4 > pe.end || pe.end > len ||
	    (pe.certificates_at && pe.certificates_at + 8 > pe.end) ||
	    pe_digest(&pe, DIGEST_SHA256, out, &e) < 0)
		__builtin_trap();
	return 0;
}
