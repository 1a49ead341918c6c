/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte is the mode, with its highest bit what follows is Azure's report. */
#include "attestation/endorse/endorse_need.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(evidence_parts_free) struct evidence_parts *parts = NULL;
	CLEANUP(free) struct verify_input *in = calloc(1, sizeof(*in));
	struct endorse_need need;
	struct err e;

	if (!in || !len)
		return 0;
	in->mode = (enum evidence_kind)(bytes[0] % (EVIDENCE_EAT + 1));
	in->evidence = (struct span){ bytes + 1, len - 1 };
	if (bytes[0] & 0x80)
		in->hcl_report = in->evidence;
	if (evidence_parts_new(in, &parts, &e) < 0)
		return 0;
	endorse_need_of(in, parts, &need);
	if (need.snp && need.tdx)
		__builtin_trap();
	return 0;
}
