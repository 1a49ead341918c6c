/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's TCB info. */
#include "attestation/tdx/tdx_collateral.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(tdx_tcb_info_free) struct tdx_tcb_info *info = NULL;
	struct err e;

	if (tdx_tcb_info_parse((struct span){ bytes, len }, &info, &e) < 0)
		return 0;
	if (info->level_count < 1 || info->level_count > TDX_LEVELS_MAX ||
	    info->document.body.bytes < bytes ||
	    info->document.body.bytes + info->document.body.len > bytes + len ||
	    info->document.body.bytes[0] != '{' ||
	    info->document.body.bytes[info->document.body.len - 1] != '}')
		__builtin_trap();
	return 0;
}
