/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte says which form: bit 0 a CC log, bit 1 separators optional. What was read is compared with
 * files of ACPI tables. */
#include "attestation/logs/event_files.h"
#include "attestation/logs/event_log.h"

#include <string.h>

static bool is_of_a_table(const struct event *event)
{
	return event->pcr == 1 && event->type == EVENT_PLATFORM_CONFIG_FLAGS &&
	       event->data.len == 9 && memcmp(event->data.bytes, "ACPI DATA", 9) == 0;
}

/* The files that the log tells of are accounted for; with one of them changed, one more, or one less, they
 * are not, and a text says which. */
static void compare_tables(const struct event_log *log, enum digest_kind kind)
{
	static struct event_file files[EVENT_FILES_MAX];
	struct event_files wanted = { files, 0 };
	char fault[EVENT_FILES_FAULT_MAX];
	int bank = event_log_bank(log, kind);
	size_t count = 0;

	for (size_t i = 0; i < log->count; i++)
		if (is_of_a_table(&log->events[i]) && count++ < EVENT_FILES_MAX)
			memcpy(files[count - 1].digest, log->events[i].digests[bank],
			       digest_len(kind));
	for (size_t i = 0; i < EVENT_FILES_MAX; i++)
		memcpy(files[i].name, "etc/acpi/tables", sizeof("etc/acpi/tables"));
	for (; wanted.count <= EVENT_FILES_MAX; wanted.count++) {
		bool same = event_files_account(&wanted, kind, log, 1, fault);

		if (same != (wanted.count == count) || same == (*fault != 0) ||
		    strnlen(fault, sizeof(fault)) == sizeof(fault))
			__builtin_trap();
	}
	for (wanted.count = count; count <= EVENT_FILES_MAX && count-- > 0;) {
		files[count].digest[0] ^= 1;
		if (event_files_account(&wanted, kind, log, 1, fault) || !*fault)
			__builtin_trap();
		files[count].digest[0] ^= 1;
	}
}

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
	for (size_t i = 0; i < log.bank_count; i++) {
		if (!log.banks[i].known)
			continue;
		if (event_log_replay(&log, log.banks[i].kind, &replay, &e) < 0)
			__builtin_trap();
		compare_tables(&log, log.banks[i].kind);
	}
	return 0;
}
