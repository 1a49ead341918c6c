/* SPDX-License-Identifier: Apache-2.0 */
/* Files of ACPI tables in a log's events, beside those that a policy names. */
#include "attestation/logs/event_files.h"
#include "tests/unit.h"

#include <string.h>

enum { RTMR0 = 1, RTMR1 = 2, EVENTS = 8, MANY = EVENT_FILES_MAX };

static const char acpi[] = "ACPI DATA";

/* A digest that begins with this byte, four times. */
static const uint8_t *digest_of(uint8_t byte)
{
	static uint8_t digests[256][SHA384_LEN];

	memset(digests[byte], byte, 4);
	return digests[byte];
}

static struct event event(uint32_t pcr, uint32_t type, const char *data, size_t len, uint8_t byte)
{
	return (struct event){ .pcr = pcr,
			       .type = type,
			       .digests = { digest_of(byte) },
			       .data = { (const uint8_t *)data, len } };
}

static struct event of_a_file(uint8_t byte)
{
	return event(RTMR0, EVENT_PLATFORM_CONFIG_FLAGS, acpi, strlen(acpi), byte);
}

static const struct event_file files[] = {
	{ "etc/table-loader", { 0x11, 0x11, 0x11, 0x11 } },
	{ "etc/acpi/rsdp", { 0x22, 0x22, 0x22, 0x22 } },
	{ "etc/acpi/tables", { 0x33, 0x33, 0x33, 0x33 } },
};

static bool account(const struct event *events, size_t count, char fault[EVENT_FILES_FAULT_MAX])
{
	struct event copy[EVENTS];
	const struct event_log log = {
		.cc = true,
		.bank_count = 1,
		.banks = { { .size = SHA384_LEN, .known = true, .kind = DIGEST_SHA384 } },
		.count = count,
		.events = copy,
	};

	assert_true(count <= EVENTS);
	if (count)
		memcpy(copy, events, count * sizeof(*events));
	memset(fault, 'x', EVENT_FILES_FAULT_MAX);
	return event_files_account(&(struct event_files){ files, ARRAY_LEN(files) }, DIGEST_SHA384,
				   &log, RTMR0, fault);
}

static void the_files_of_the_policy_are_taken(void **state)
{
	/* Events of other kinds, in between and in other registers, are none of files. */
	const struct event events[] = {
		event(RTMR0, EVENT_SEPARATOR, "\0\0\0", 4, 0x44),
		of_a_file(0x11),
		event(RTMR1, EVENT_PLATFORM_CONFIG_FLAGS, acpi, strlen(acpi), 0x55),
		of_a_file(0x22),
		event(RTMR0, EVENT_PLATFORM_CONFIG_FLAGS, "BootMenu", 8, 0x66),
		event(RTMR0, EVENT_SEPARATOR, acpi, strlen(acpi), 0x77),
		of_a_file(0x33),
	};
	char fault[EVENT_FILES_FAULT_MAX];

	assert_true(account(events, ARRAY_LEN(events), fault));
	assert_string_equal(fault, "");
}

static void what_differs_is_named(void **state)
{
	static const struct {
		uint8_t bytes[4];
		size_t count;
		const char *fault;
	} rows[] = {
		{ { 0x11, 0x22, 0x34 },
		  3,
		  "etc/acpi/tables (event 3) is 34343434…, not 33333333…" },
		{ { 0x10, 0x22, 0x33 },
		  3,
		  "etc/table-loader (event 1) is 10101010…, not 11111111…" },
		{ { 0x11, 0x23, 0x34 },
		  3,
		  "etc/acpi/rsdp (event 2) is 23232323…, not 22222222…, etc/acpi/tables (event 3) is "
		  "34343434…, not 33333333…" },
		{ { 0x11, 0x33, 0x22 },
		  3,
		  "etc/acpi/rsdp (event 2) is 33333333…, not 22222222…, etc/acpi/tables (event 3) is "
		  "22222222…, not 33333333…" },
		{ { 0x11, 0x22 }, 2, "etc/acpi/tables is in no event" },
		{ { 0x11, 0x22, 0x33, 0x44 }, 4, "event 4 is of a file more" },
		{ { 0x11, 0x22, 0x33, 0x33 }, 4, "event 4 is of a file more" },
		{ { 0 },
		  0,
		  "etc/table-loader is in no event, etc/acpi/rsdp is in no event, etc/acpi/tables is in "
		  "no event" },
	};
	char fault[EVENT_FILES_FAULT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct event events[4];

		for (size_t k = 0; k < rows[i].count; k++)
			events[k] = of_a_file(rows[i].bytes[k]);
		assert_false(account(events, rows[i].count, fault));
		assert_string_equal(fault, rows[i].fault);
	}
}

/* Each bit of a digest counts, not only what is shown of it. */
static void every_bit_of_a_digest_counts(void **state)
{
	uint8_t changed[SHA384_LEN];
	struct event events[] = { of_a_file(0x11), of_a_file(0x22), of_a_file(0x33) };
	char fault[EVENT_FILES_FAULT_MAX];

	events[2].digests[0] = changed;
	for (size_t bit = 0; bit < 8 * SHA384_LEN; bit++) {
		memcpy(changed, digest_of(0x33), SHA384_LEN);
		changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(account(events, ARRAY_LEN(events), fault));
	}
}

/* A text that is not exactly firmware's names no file. */
static void another_text_is_of_no_file(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} texts[] = { { "ACPI DATA", 10 }, { "ACPI DATB", 9 }, { "ACPI DAT", 8 }, { "", 0 } };
	char fault[EVENT_FILES_FAULT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct event events[] = { of_a_file(0x11), of_a_file(0x22),
						event(RTMR0, EVENT_PLATFORM_CONFIG_FLAGS,
						      texts[i].text, texts[i].len, 0x33) };

		assert_false(account(events, ARRAY_LEN(events), fault));
		assert_string_equal(fault, "etc/acpi/tables is in no event");
	}
}

static void a_log_of_other_digests_is_refused(void **state)
{
	const struct event_log log = {
		.bank_count = 1,
		.banks = { { .size = SHA256_LEN, .known = true, .kind = DIGEST_SHA256 } },
	};
	char fault[EVENT_FILES_FAULT_MAX];

	assert_false(event_files_account(&(struct event_files){ files, ARRAY_LEN(files) },
					 DIGEST_SHA384, &log, RTMR0, fault));
	assert_string_equal(fault, "the log has no bank of SHA-384");
}

/* Whole sentences, and a mark in place of the others; with names of every length. */
static void more_than_fits_is_marked(void **state)
{
	static struct event_file many[MANY];
	const struct event_log log = {
		.bank_count = 1,
		.banks = { { .size = SHA384_LEN, .known = true, .kind = DIGEST_SHA384 } },
	};
	char fault[EVENT_FILES_FAULT_MAX + 1];

	for (size_t len = 1; len < EVENT_FILE_NAME_MAX; len++) {
		const char *end;

		for (size_t i = 0; i < MANY; i++) {
			memset(many[i].name, 'a' + (int)i, len);
			many[i].name[len] = '\0';
		}
		fault[EVENT_FILES_FAULT_MAX] = 'x';
		assert_false(event_files_account(&(struct event_files){ many, MANY }, DIGEST_SHA384,
						 &log, RTMR0, fault));
		assert_int_equal(fault[EVENT_FILES_FAULT_MAX], 'x');
		end = strstr(fault, ", …");
		assert_non_null(end);
		assert_string_equal(end, ", …");
		assert_memory_equal(end - strlen("is in no event"), "is in no event",
				    strlen("is in no event"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_files_of_the_policy_are_taken),
		cmocka_unit_test(what_differs_is_named),
		cmocka_unit_test(every_bit_of_a_digest_counts),
		cmocka_unit_test(another_text_is_of_no_file),
		cmocka_unit_test(a_log_of_other_digests_is_refused),
		cmocka_unit_test(more_than_fits_is_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
