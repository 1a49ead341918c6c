/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of either form. */
#include "attestation/policy/policy_show.h"
#include "common/base/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct policy_file file = { "input", bytes, len };
	CLEANUP_WRITER struct writer w = writer_up_to(8 << 20);
	struct policy p;
	struct err e;

	if (policy_parse(&file, 1, &p, &e) < 0)
		return 0;
	/* Some things that no document may cause. */
	if (!(p.snp.guest_policy & SNP_POLICY_RESERVED_ONE) || !p.tdx.statuses ||
	    p.tdx.statuses & 1u << TDX_REVOKED)
		__builtin_trap();
	if (policy_show(&file, &w, &e) < 0 && e.code != ERR_EXHAUSTED)
		__builtin_trap();
	policy_done(&p);
	return 0;
}
