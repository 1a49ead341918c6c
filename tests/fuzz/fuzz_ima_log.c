/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's list of measured files. */
#include "attestation/logs/ima_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct ima_log log CLEANUP_IMA_LOG = { .count = 0 };
	uint8_t value[SHA256_LEN] = { 0 };
	struct err e;
	size_t count;

	if (ima_log_parse(bytes, len, &log, &e) < 0)
		return 0;
	/* For any other value the whole log is extended. */
	(void)!ima_log_replay(&log, DIGEST_SHA256, IMA_PCR, value, &count, &e);
	return 0;
}
