/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware images, and what they say of a TD's launch. */
#include "attestation/measure/tdvf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct tdvf t;
	struct err e;

	if (tdvf_parse((struct span){ bytes, len }, &t, &e) < 0)
		return 0;
	for (size_t i = 0; i < t.count; i++)
		if (t.sections[i].data.len > t.sections[i].len || t.sections[i].len == 0 ||
		    !tdvf_type_name(t.sections[i].type) ||
		    t.sections[i].data.bytes + t.sections[i].data.len > bytes + len)
			__builtin_trap();
	return 0;
}
