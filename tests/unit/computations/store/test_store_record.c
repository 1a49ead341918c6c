/* SPDX-License-Identifier: Apache-2.0 */
/* The store: log lines and events, within their limits. */
#include "common/base/file.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>

static void say(struct store_room *f, const char *id, const char *cvm, const char *text)
{
	struct record r = { .text = (char *)(uintptr_t)text, .level = (char *)(uintptr_t)"info" };

	assert_ok(store_log(&f->store, cvm, id, &r, &f->e), f->e);
}

static size_t count_of(struct store_room *f, const char *id, const char *cvm, char *first)
{
	struct record *records;
	size_t count;

	assert_ok(store_records(&f->store, id, cvm, 0, &records, &count, &f->e), f->e);
	if (count)
		snprintf(first, 32, "%s", records[0].text);
	records_free(records, count);
	return count;
}

static void the_oldest_records_go_first(void **state)
{
	struct store_room *f = *state;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	char text[32], first[32];

	store_room_run_on(f, "one", "cvm");
	for (unsigned i = 0; i < store_room_limits.records; i++) {
		snprintf(text, sizeof(text), "line %u", i);
		say(f, "one", "cvm", text);
	}
	assert_int_equal(count_of(f, "one", "", first), store_room_limits.records);
	assert_string_equal(first, "line 0");
	say(f, "one", "cvm", "one more");
	assert_true(count_of(f, "one", "", first) <= store_room_limits.records);
	assert_string_not_equal(first, "line 0");
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_int_equal(c.records + c.dropped, store_room_limits.records + 1);
	assert_true(c.dropped > 0);
}

static void records_are_bounded_in_bytes(void **state)
{
	struct store_room *f = *state;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	CLEANUP(free) char *big = malloc(8001);
	char first[32];

	memset(big, 'x', 8000);
	big[8000] = 0;
	store_room_run_on(f, "one", "cvm");
	for (int i = 0; i < 6; i++)
		say(f, "one", "cvm", big);
	assert_int_equal(count_of(f, "one", "", first), 2);
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_int_equal(c.dropped, 4);
}

static void a_long_text_is_cut_between_characters(void **state)
{
	struct store_room *f = *state;
	CLEANUP(free) char *big = malloc(STORE_TEXT_MAX + 16);
	struct record *records;
	size_t count;

	/* "ü" is two bytes: an odd start puts the limit into the middle of one. */
	big[0] = 'x';
	for (size_t i = 1; i + 1 < STORE_TEXT_MAX + 10; i += 2)
		memcpy(big + i, "\xc3\xbc", 3);
	store_room_run_on(f, "one", "cvm");
	say(f, "one", "cvm", big);
	assert_ok(store_records(&f->store, "one", "", 0, &records, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	assert_int_equal(strlen(records[0].text), STORE_TEXT_MAX - 1);
	records_free(records, count);
}

static void a_cvm_keeps_what_belongs_to_no_computation(void **state)
{
	struct store_room *f = *state;
	char first[32];

	store_room_arrive_idle(f, "cvm");
	say(f, "", "cvm", "booted");
	assert_int_equal(count_of(f, "", "cvm", first), 1);
	assert_string_equal(first, "booted");
	assert_int_equal(count_of(f, "", "other", first), 0);
}

static void pages_of_records_go_on_behind_a_number(void **state)
{
	struct store_room *f = *state;
	struct record *records;
	size_t count;
	int64_t last;

	store_room_run_on(f, "one", "cvm");
	say(f, "one", "cvm", "a");
	say(f, "one", "cvm", "b");
	assert_ok(store_records(&f->store, "one", "", 0, &records, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	last = records[0].number;
	records_free(records, count);
	assert_ok(store_records(&f->store, "one", "", last, &records, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	assert_string_equal(records[0].text, "b");
	records_free(records, count);
}

/* Trimming counts by the journal's row: by a wrong one it would go on for ever. */
static void a_journal_that_counts_wrongly_is_refused(void **state)
{
	static const char *const wrong[] = {
		"UPDATE journals SET records = 1000",
		"UPDATE journals SET bytes = 1 << 30",
		"UPDATE journals SET records = -1",
		"UPDATE journals SET records = 9223372036854775807",
		"UPDATE journals SET bytes = 1 << 30; UPDATE records SET size = -1",
		"UPDATE journals SET bytes = 1 << 30; UPDATE records SET size = 2147483648",
		/* A type that PostgreSQL takes in no such column. */
		"UPDATE journals SET bytes = 'many'",
	};
	const size_t count = ARRAY_LEN(wrong) - (store_room_database() != NULL);
	struct store_room *f = *state;
	const struct record r = { .text = (char *)(uintptr_t)"a line" };

	store_room_run_on(f, "one", "cvm");
	for (size_t i = 0; i < count; i++) {
		say(f, "one", "cvm", "first");
		assert_ok(db_script(&f->store.db, wrong[i], &f->e), f->e);
		assert_refused(store_log(&f->store, "cvm", "one", &r, &f->e), f->e, ERR_DATA_LOSS,
			       "from a copy");
		assert_ok(db_script(&f->store.db, "DELETE FROM journals", &f->e), f->e);
	}
}

static void a_record_of_another_form_is_refused(void **state)
{
	static const char *const wrong[] = {
		"UPDATE records SET nanos = 1000000000",
		"UPDATE records SET event = 2",
		/* Types that PostgreSQL takes in no such column. */
		"UPDATE records SET text = CAST(x'ff' AS TEXT)",
		"UPDATE records SET level = CAST(x'410042' AS TEXT)",
		"UPDATE records SET text = x'41'",
		"UPDATE records SET seconds = 'now'",
	};
	const size_t rows = store_room_database() ? 2 : ARRAY_LEN(wrong);
	struct store_room *f = *state;
	struct record *records = NULL;
	size_t count;

	store_room_run_on(f, "one", "cvm");
	for (size_t i = 0; i < rows; i++) {
		say(f, "one", "cvm", "a line");
		assert_ok(db_script(&f->store.db, wrong[i], &f->e), f->e);
		assert_refused(store_records(&f->store, "one", "", 0, &records, &count, &f->e),
			       f->e, ERR_DATA_LOSS, "from a copy");
		assert_null(records);
		assert_ok(db_script(&f->store.db, "DELETE FROM journals", &f->e), f->e);
	}
}

/* ---- of one key ---- */

enum {
	NAMES = STORE_KEY_JOURNALS + 8,
	OF_KEY = STORE_KEY_JOURNALS * (16 << 10),
	BEYOND = NAMES * (1 << 10), /* a step of each */
};

static void arrive(struct store_room *f, const char *cvm, const char *key)
{
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };

	assert_ok(
		store_cvm_seen(&f->store, cvm, "p", key, "", store_room_is_in, NULL, &todo, &f->e),
		f->e);
}

static int64_t sum_of(struct store_room *f, const char *what, const char *key)
{
	CLEANUP(free) char *sql = NULL;
	int64_t sum;

	assert_ok(text_format(&sql, &f->e,
			      "SELECT CAST(sum(%s) AS BIGINT) FROM journals j JOIN cvms v"
			      " ON j.owner = 'v:' || v.id WHERE v.key = ?",
			      what),
		  f->e);
	assert_ok(db_number(&f->store.db, &sum, &f->e, sql, "t", key), f->e);
	return sum;
}

/* As much as fits. */
static void fill(struct store_room *f, const char *cvm, const char *text)
{
	for (int i = 0; i < 40; i++)
		say(f, "", cvm, text);
}

/* Of whoever has most the oldest goes, and nothing of others'. */
static void names_of_one_key_share_a_limit(void **state)
{
	struct store_room *f = *state;
	char text[512], cvm[16], first[32];

	f->store.limits.cvms = NAMES + 1;
	f->store.limits.records = 100;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	arrive(f, "other", "b");
	fill(f, "other", text);
	const int64_t others = sum_of(f, "j.records", "b");
	for (int i = 0; i < NAMES; i++) {
		snprintf(cvm, sizeof(cvm), "a%d", i);
		arrive(f, cvm, "a");
		fill(f, cvm, text);
		assert_true(sum_of(f, "j.bytes", "a") <= OF_KEY + BEYOND);
	}
	assert_true(sum_of(f, "j.bytes", "a") > OF_KEY / 2);
	assert_int_equal(sum_of(f, "j.records + j.dropped", "a"), NAMES * 40);
	assert_int_equal(sum_of(f, "j.records", "b"), others);
	/* Each has something left, and whoever speaks is heard. */
	for (int i = 0; i < NAMES; i++) {
		snprintf(cvm, sizeof(cvm), "a%d", i);
		assert_true(count_of(f, "", cvm, first) > 8);
	}
	arrive(f, "a3", "a");
	for (int i = 0; i < 10; i++)
		say(f, "", "a3", "y");
	assert_true(count_of(f, "", "a3", first) > 10);
}

/* What is said of computations is theirs. */
static void computations_have_their_own_limit(void **state)
{
	struct store_room *f = *state;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	char text[512], cvm[16];

	f->store.limits.cvms = NAMES + 1;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	store_room_run_on(f, "one", "cvm");
	for (int i = 0; i < 20; i++)
		say(f, "one", "cvm", text);
	for (int i = 0; i < NAMES; i++) {
		snprintf(cvm, sizeof(cvm), "a%d", i);
		arrive(f, cvm, "");
		fill(f, cvm, text);
	}
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_int_equal(c.records, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(the_oldest_records_go_first),
		STORE_ROOM_ROW(records_are_bounded_in_bytes),
		STORE_ROOM_ROW(a_long_text_is_cut_between_characters),
		STORE_ROOM_ROW(a_cvm_keeps_what_belongs_to_no_computation),
		STORE_ROOM_ROW(pages_of_records_go_on_behind_a_number),
		STORE_ROOM_ROW(a_journal_that_counts_wrongly_is_refused),
		STORE_ROOM_ROW(a_record_of_another_form_is_refused),
		STORE_ROOM_ROW(names_of_one_key_share_a_limit),
		STORE_ROOM_ROW(computations_have_their_own_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
