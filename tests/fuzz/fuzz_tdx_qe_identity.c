/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's QE identity. */
#include "attestation/tdx/tdx_collateral.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(tdx_qe_identity_free) struct tdx_qe_identity *identity = NULL;
	struct err e;

	if (tdx_qe_identity_parse((struct span){ bytes, len }, &identity, &e) < 0)
		return 0;
	for (size_t i = 0; i < identity->level_count; i++)
		if (identity->levels[i].status > TDX_REVOKED)
			__builtin_trap();
	return 0;
}
