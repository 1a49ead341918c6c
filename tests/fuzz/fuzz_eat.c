/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/eat.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct eat t;
	struct err e;

	if (eat_parse(bytes, len, &t, &e) < 0)
		return 0;
	if (t.nonce.len < EAT_NONCE_MIN || !t.raw_report.len)
		__builtin_trap();
	(void)!eat_check_time(&t, INT64_MAX / 2, UINT32_MAX, &e);
	eat_done(&t);
	return 0;
}
