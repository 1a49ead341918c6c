/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte says which form: bit 0 a CC log, bit 1 separators optional. */
#include "attestation/logs/event_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP_EVENT_LOG struct event_log log = { 0 };
	struct event_replay replay;
	struct err e;

	if (len == 0 ||
	    event_log_parse((struct span){ bytes + 1, len - 1 },
			    (struct event_log_form){ .cc = bytes[0] & 1,
						     .separators_optional = bytes[0] & 2 },
			    &log, &e) < 0)
		return 0;
	if (log.end > len - 1)
		__builtin_trap();
	for (size_t i = 0; i < log.bank_count; i++)
		if (log.banks[i].known &&
		    event_log_replay(&log, log.banks[i].kind, &replay, &e) < 0)
			__builtin_trap();
	return 0;
}
