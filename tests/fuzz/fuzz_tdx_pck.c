/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's extensions of a PCK certificate. */
#include "attestation/tdx/tdx_pck.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct tdx_pck pck;
	struct err e;

	if (tdx_pck_parse((struct span){ bytes, len }, &pck, &e) < 0)
		return 0;
	if (pck.sgx_type > 2)
		__builtin_trap();
	return 0;
}
