/* SPDX-License-Identifier: Apache-2.0 */
/* CoRIMs, and whether their values agree with a report or quote. */
#include "attestation/corim/corim_values.h"
#include "common/base/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct corim corim;
	CLEANUP_WRITER struct writer w = writer_up_to(32 << 20);
	struct corim_values values;
	struct err e;

	if (corim_values_read((struct span){ bytes, len }, NULL, 1000, &values, &e) == 0 &&
	    values.problem[0] && values.count)
		__builtin_trap();
	corim_values_done(&values);
	if (corim_parse(bytes, len, NULL, 1000, &corim, &e) < 0)
		return 0;
	corim_show(&corim, &w);
	corim_done(&corim);
	return 0;
}
