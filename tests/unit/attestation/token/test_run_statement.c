/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/token/run_statement.h"
#include "common/base/writer.h"
#include "tests/unit.h"

static struct run_statement example(void)
{
	return (struct run_statement){
		.computation = "c-1",
		.boot = { 1 },
		.manifest = { 2 },
		.entries = { { .key = "AGENT_LOG_LEVEL", .value = "info" },
			     { .key = "AGENT_CVM_ID", .value = "7" },
			     { .key = "AWS_SECRET_ACCESS_KEY", .salt = { 3 }, .digest = { 4 } } },
		.entry_count = 3,
		.identity = (const uint8_t *)"spki",
		.identity_len = 4,
		.external = true,
		.weak = { "cocos.role_signature" },
		.weak_count = 1,
	};
}

static void what_is_written_reads_back(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(RUN_STATEMENT_MAX);
	struct run_statement s = example(), r;
	struct err e;

	assert_ok(run_statement_write(&s, &w, &e), e);
	assert_ok(run_statement_parse(w.bytes, w.len, &r, &e), e);
	assert_string_equal(r.computation, "c-1");
	assert_int_equal(r.entry_count, 3);
	assert_string_equal(r.entries[0].key, "AGENT_CVM_ID"); /* the shortest key first */
	assert_string_equal(r.entries[0].value, "7");
	assert_null(r.entries[2].value);
	assert_int_equal(r.entries[2].digest[0], 4);
	assert_true(r.external && !r.fixed);
	assert_memory_equal(r.identity, "spki", 4);
	assert_null(r.journal);
	assert_string_equal(r.weak[0], "cocos.role_signature");
	run_statement_done(&r);
}

static void there_is_one_encoding(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(RUN_STATEMENT_MAX);
	struct run_statement s = example(), r;
	struct err e;
	unsigned taken = 0;

	assert_ok(run_statement_write(&s, &w, &e), e);
	for (size_t len = 0; len < w.len; len++)
		assert_true(run_statement_parse(w.bytes, len, &r, &e) < 0);
	/* A byte more, anywhere, never reads as the same statement. */
	for (size_t bit = 0; bit < 8 * w.len; bit++) {
		w.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (run_statement_parse(w.bytes, w.len, &r, &e) == 0) {
			CLEANUP_WRITER struct writer again = writer_up_to(RUN_STATEMENT_MAX);

			assert_ok(run_statement_write(&r, &again, &e), e);
			assert_int_equal(again.len, w.len);
			assert_memory_equal(again.bytes, w.bytes, w.len);
			run_statement_done(&r);
			taken++;
		}
		w.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(taken > 100); /* other digests, other texts */
}

static void a_full_statement_fits(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(RUN_STATEMENT_MAX);
	struct run_statement s = example(), r;
	char keys[RUN_ENTRIES_MAX][3];
	struct err e;

	s.entry_count = RUN_ENTRIES_MAX;
	for (size_t i = 0; i < RUN_ENTRIES_MAX; i++) {
		keys[i][0] = (char)('A' + i / 8);
		keys[i][1] = (char)('a' + i % 8);
		keys[i][2] = '\0';
		s.entries[i] = (struct run_entry){ .key = keys[i], .value = "" };
	}
	for (s.weak_count = 0; s.weak_count < RUN_WORDS_MAX; s.weak_count++)
		s.weak[s.weak_count] = "";
	assert_ok(run_statement_write(&s, &w, &e), e);
	assert_ok(run_statement_parse(w.bytes, w.len, &r, &e), e);
	assert_int_equal(r.entry_count, RUN_ENTRIES_MAX);
	run_statement_done(&r);
}

static void limits_hold(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(RUN_STATEMENT_MAX);
	struct run_statement s = example();
	struct err e;

	s.weak_count = RUN_WORDS_MAX + 1;
	assert_int_equal(run_statement_write(&s, &w, &e), -ERR_EXHAUSTED);
	s = example();
	s.identity_len = 0;
	assert_int_equal(run_statement_write(&s, &w, &e), -ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(there_is_one_encoding),
		cmocka_unit_test(a_full_statement_fits),
		cmocka_unit_test(limits_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
