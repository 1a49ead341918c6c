/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's list of measured files: it comes to the value that a register has behind it, and to no other. */
#include "attestation/logs/ima_log.h"
#include "tests/forge/must.h"

#include <string.h>

/* As the kernel has it: PCR = SHA-256(PCR || SHA-256(data)), and ones for what was open for writing. */
static void extend(const struct ima_entry *entry, uint8_t value[SHA256_LEN])
{
	uint8_t both[2 * SHA256_LEN];
	struct err e;

	memcpy(both, value, SHA256_LEN);
	memset(both + SHA256_LEN, 0xff, SHA256_LEN);
	if (!entry->violation)
		MUST(digest(DIGEST_SHA256, entry->data.bytes, entry->data.len, both + SHA256_LEN,
			    &e) == 0);
	MUST(digest(DIGEST_SHA256, both, sizeof(both), value, &e) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct ima_log log CLEANUP_IMA_LOG = { .count = 0 };
	uint8_t value[SHA256_LEN] = { 0 };
	struct err e;
	size_t count, extended = 0;

	if (ima_log_parse(bytes, len, &log, &e) < 0)
		return 0;
	for (size_t i = 0; i < log.count; i++)
		if (log.entries[i].pcr == IMA_PCR) {
			extend(&log.entries[i], value);
			extended = i + 1;
		}
	if (extended)
		MUST(ima_log_replay(&log, DIGEST_SHA256, IMA_PCR, value, &count, &e) == 0 &&
		     count == extended);
	value[len % SHA256_LEN] ^= 1;
	MUST(ima_log_replay(&log, DIGEST_SHA256, IMA_PCR, value, &count, &e) == -ERR_DENIED);
	return 0;
}
