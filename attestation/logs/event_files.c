/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/logs/event_files.h"

#include "attestation/logs/event_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What firmware writes behind such an event (edk2, EV_POSTCODE_INFO_ACPI_DATA). */
static const char tells[] = "ACPI DATA";

/* What was found so far; whole sentences, and a mark in place of those that don't fit. */
struct faults {
	char *text;
	size_t len;
	bool full;
};

__attribute__((format(printf, 2, 3))) static void add(struct faults *f, const char *fmt, ...)
{
	static const char more[] = ", …";
	size_t room = EVENT_FILES_FAULT_MAX - sizeof(more) - f->len;
	char one[EVENT_FILES_FAULT_MAX];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(one, sizeof(one), fmt, args);
	va_end(args);
	if (f->full)
		return;
	f->full = len < 0 || (size_t)len + 2 >= room;
	if (f->full)
		len = snprintf(f->text + f->len, sizeof(more), "%s", f->len ? more : more + 2);
	else
		len = snprintf(f->text + f->len, room, "%s%s", f->len ? ", " : "", one);
	f->len += (size_t)len;
}

static bool is_of_a_file(const struct event *event, uint32_t pcr)
{
	return event->pcr == pcr && event->type == EVENT_PLATFORM_CONFIG_FLAGS &&
	       event->data.len == strlen(tells) &&
	       memcmp(event->data.bytes, tells, strlen(tells)) == 0;
}

static void compare(const struct event_file *file, const uint8_t *found, size_t number, size_t len,
		    struct faults *f)
{
	const uint8_t *wanted = file->digest;

	if (memcmp(found, wanted, len) != 0)
		add(f, "%s (event %zu) is %02x%02x%02x%02x…, not %02x%02x%02x%02x…", file->name,
		    number, found[0], found[1], found[2], found[3], wanted[0], wanted[1], wanted[2],
		    wanted[3]);
}

bool event_files_account(const struct event_files *files, enum digest_kind bank,
			 const struct event_log *log, uint32_t log_pcr,
			 char fault[EVENT_FILES_FAULT_MAX])
{
	struct faults f = { .text = fault };
	int at = event_log_bank(log, bank);
	size_t place = 0;

	*fault = '\0';
	if (at < 0) {
		add(&f, "the log has no bank of %s", digest_name(bank));
		return false;
	}
	for (size_t i = 0; i < log->count; i++) {
		const struct event *event = &log->events[i];

		if (!is_of_a_file(event, log_pcr))
			continue;
		if (place < files->count)
			compare(&files->files[place], event->digests[at], i + 1, digest_len(bank),
				&f);
		else
			add(&f, "event %zu is of a file more", i + 1);
		place++;
	}
	for (; place < files->count; place++)
		add(&f, "%s is in no event", files->files[place].name);
	return f.len == 0;
}
