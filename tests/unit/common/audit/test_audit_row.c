/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a chained audit log. The lines and digests are audit_book.py's, which was written from the page. */
#include "common/audit/audit_row.h"
#include "common/base/encode.h"
#include "common/base/writer.h"
#include "tests/unit.h"

#include <stdio.h>

static const char first[] =
	"{\"number\":1,\"time\":1795000000123,\"who\":\"user alice\",\"from\":\"127.0.0.1:4000\","
	"\"what\":\"computations.ComputationService/Stop\",\"object\":\"computation c-1\","
	"\"about\":\"{\\\"cvm\\\":\\\"x\\\"}\",\"before\":\"Running\",\"after\":\"Cancelled\","
	"\"outcome\":\"OK\",\"cause\":\"\",\"digest\":"
	"\"ee3f2792b307077ab5c06d852d4b73f3aed4e3f5b3f7bcbdc63c3f792bcccd79\"}";
static const char second[] =
	"{\"number\":2,\"time\":1795000000124,\"who\":\"uid 0\",\"from\":\"\","
	"\"what\":\"w\\u003c\\u2028\xc3\xa9\\u0001\",\"object\":\"\",\"about\":\"\",\"before\":\"\","
	"\"after\":\"\",\"outcome\":\"NOT_FOUND\",\"cause\":\"no \\\"c\\\"\",\"digest\":"
	"\"93ecec1e69a2582ee61cc51a119c7b0aeb70b4e3c20142128f9b67835dfc2670\"}";

static void follow(struct audit_head *head, const char *line, struct audit_row *row,
		   struct json **json)
{
	struct err e;

	assert_ok(audit_row_follow(head, line, strlen(line), json, row, &e), e);
}

static void rows_are_those_of_the_page(void **state)
{
	struct audit_row rows[] = { { .time = 1795000000123,
				      .who = "user alice",
				      .from = "127.0.0.1:4000",
				      .what = "computations.ComputationService/Stop",
				      .object = "computation c-1",
				      .about = "{\"cvm\":\"x\"}",
				      .before = "Running",
				      .after = "Cancelled",
				      .outcome = AUDIT_OK },
				    { .time = 1795000000124,
				      .who = "uid 0",
				      .what = "w<\xe2\x80\xa8\xc3\xa9\x01",
				      .outcome = "NOT_FOUND",
				      .cause = "no \"c\"" } };
	const char *const lines[] = { first, second };
	struct audit_head made = { .number = 0 }, read = { .number = 0 };
	struct err e;

	for (size_t i = 0; i < 2; i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(AUDIT_ROW_LINE_MAX);
		struct audit_row row;
		struct json *json;

		assert_ok(audit_row_chain(&rows[i], &made, &e), e);
		audit_row_write(&rows[i], made.digest, &w);
		writer_u8(&w, 0);
		assert_string_equal((char *)w.bytes, lines[i]);
		follow(&read, lines[i], &row, &json);
		assert_memory_equal(&read, &made, sizeof(read));
		assert_string_equal(row.what, rows[i].what);
		assert_string_equal(row.cause, rows[i].cause ? rows[i].cause : "");
		json_free(json);
	}
}

static void no_row_follows_another_one(void **state)
{
	struct audit_head head = { .number = 0 }, other = { .number = 1, .digest = { 1 } };
	struct audit_row row;
	struct json *json;
	struct err e;

	assert_refused(audit_row_follow(&head, second, strlen(second), &json, &row, &e), e,
		       ERR_DATA_LOSS, "row 2 stands where row 1 has to");
	assert_int_equal(head.number, 0);
	assert_refused(audit_row_follow(&other, second, strlen(second), &json, &row, &e), e,
		       ERR_DATA_LOSS, "row 2 does not fit");
}

static void every_truncation_is_refused(void **state)
{
	for (size_t len = 0; len < strlen(first); len++) {
		struct audit_head head = { .number = 0 };
		struct audit_row row;
		struct json *json;
		struct err e;

		assert_refused(audit_row_follow(&head, first, len, &json, &row, &e), e,
			       ERR_DATA_LOSS, "row 1 can't be read");
	}
}

/* What says the same in other bytes. */
static void there_is_one_form(void **state)
{
	static const struct {
		const char *from, *to;
	} edits[] = {
		{ "\"number\":1,", "\"number\": 1," },
		{ "ee3f", "EE3F" },
		{ "user alice", "user \\u0061lice" },
		{ "\"cause\":\"\",", "\"cause\":\"\",\"more\":\"\"," },
		{ "\"cause\":\"\",", "\"cause\":\"\",\"cause\":\"\"," },
		{ "\"cause\":\"\",", "" },
		{ "\"cause\":\"\",", "\"cause\":null," },
		{ "\"number\":1,", "\"number\":0," },
		{ "\"number\":1,", "\"number\":9223372036854775808," },
		{ "\"time\":1795", "\"time\":99999999991795" },
	};

	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		const char *at = strstr(first, edits[i].from);
		struct audit_head head = { .number = 0 };
		struct audit_row row;
		struct json *json;
		char line[1024];
		struct err e;

		snprintf(line, sizeof(line), "%.*s%s%s", (int)(at - first), first, edits[i].to,
			 at + strlen(edits[i].from));
		assert_refused(audit_row_follow(&head, line, strlen(line), &json, &row, &e), e,
			       ERR_DATA_LOSS, "row 1 can't be read");
	}
}

/* The longest text, of what takes most room in a line, and one byte more. */
static void texts_have_a_limit(void **state)
{
	for (size_t len = AUDIT_ROW_TEXT_MAX; len <= AUDIT_ROW_TEXT_MAX + 1; len++) {
		CLEANUP_WRITER struct writer w = writer_up_to(AUDIT_ROW_LINE_MAX);
		struct audit_head head = { .number = 0 };
		char text[AUDIT_ROW_TEXT_MAX + 2] = "";
		struct audit_row row = { .who = text,
					 .from = text,
					 .what = text,
					 .object = text,
					 .about = text,
					 .before = text,
					 .after = text,
					 .outcome = text,
					 .cause = text };
		uint8_t digest_is[SHA3_256_LEN] = { 0 };
		struct json *json;
		struct err e;

		memset(text, 1, len);
		row.number = 1;
		if (len > AUDIT_ROW_TEXT_MAX) {
			assert_refused(audit_row_chain(&row, &head, &e), e, ERR_EXHAUSTED, "row");
			row.from = row.what = row.object = row.about = row.before = NULL;
			audit_row_write(&row, digest_is, &w);
			assert_refused(
				audit_row_read((char *)w.bytes, w.len, &json, &row, digest_is, &e),
				e, ERR_INVALID, "who: more than 1024 bytes");
			continue;
		}
		assert_ok(audit_row_chain(&row, &head, &e), e);
		audit_row_write(&row, head.digest, &w);
		assert_ok(writer_check(&w, "line", &e), e);
		assert_ok(audit_row_read((char *)w.bytes, w.len, &json, &row, digest_is, &e), e);
		json_free(json);
	}
}

static void lines_have_a_limit(void **state)
{
	CLEANUP(free) char *line = calloc(1, AUDIT_ROW_LINE_MAX + 1);
	uint8_t digest_is[SHA3_256_LEN];
	struct audit_row row;
	struct json *json;
	struct err e;

	memset(line, ' ', AUDIT_ROW_LINE_MAX + 1);
	assert_refused(audit_row_read(line, AUDIT_ROW_LINE_MAX + 1, &json, &row, digest_is, &e), e,
		       ERR_INVALID, "a line of 65537 bytes");
	assert_refused(audit_row_read(line, AUDIT_ROW_LINE_MAX, &json, &row, digest_is, &e), e,
		       ERR_INVALID, "json");
}

static void heads_have_one_form(void **state)
{
	static const char zeros[] =
		"0000000000000000000000000000000000000000000000000000000000000000";
	static const char *const bad[] = {
		"", "1", ":", "01:", "+1:", " 1:", "1 :", "x:", "99999999999999999999:"
	};
	struct audit_head head = { .number = 7 };
	char text[128], again[AUDIT_HEAD_TEXT_MAX + 1];
	struct err e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", bad[i], zeros);
		assert_refused(audit_head_parse(text, &head, &e), e, ERR_INVALID, "NUMBER:DIGEST");
	}
	snprintf(text, sizeof(text), "1:%s", zeros + 1);
	assert_refused(audit_head_parse(text, &head, &e), e, ERR_INVALID, "64 digits");
	snprintf(text, sizeof(text), "1:%s0", zeros);
	assert_refused(audit_head_parse(text, &head, &e), e, ERR_INVALID, "64 digits");
	snprintf(text, sizeof(text), "1:A%s", zeros + 1);
	assert_refused(audit_head_parse(text, &head, &e), e, ERR_INVALID, "0-9 a-f");
	assert_int_equal(head.number, 7);
	snprintf(text, sizeof(text), "120:%s", zeros);
	assert_ok(audit_head_parse(text, &head, &e), e);
	assert_int_equal(head.number, 120);
	audit_head_text(&head, again);
	assert_string_equal(again, text);
}

static void texts_of_others_are_cleaned(void **state)
{
	char clean[AUDIT_ROW_TEXT_MAX + 1], text[AUDIT_ROW_TEXT_MAX + 3];

	audit_row_clean(NULL, clean);
	assert_string_equal(clean, "");
	audit_row_clean("a\xff\xc3\xa9\xc3", clean);
	assert_string_equal(clean, "a?\xc3\xa9?");
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	audit_row_clean(text, clean);
	assert_int_equal(strlen(clean), AUDIT_ROW_TEXT_MAX);
	memcpy(text + AUDIT_ROW_TEXT_MAX - 1, "\xc3\xa9", 3); /* no half of a character */
	audit_row_clean(text, clean);
	assert_int_equal(strlen(clean), AUDIT_ROW_TEXT_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_those_of_the_page),
		cmocka_unit_test(no_row_follows_another_one),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(there_is_one_form),
		cmocka_unit_test(texts_have_a_limit),
		cmocka_unit_test(lines_have_a_limit),
		cmocka_unit_test(heads_have_one_form),
		cmocka_unit_test(texts_of_others_are_cleaned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
