/* SPDX-License-Identifier: Apache-2.0 */
/* Statements, values, rows, transactions and forms, as each database keeps them. */
#include "tests/unit/common/db/db_room.h"

#include <stdio.h>
#include <string.h>

static void make_table(struct db_room *room)
{
	assert_ok(db_script(&room->db,
			    "CREATE TABLE t (n {counted}, i {integer}, t TEXT UNIQUE, b {bytes})",
			    &room->e),
		  room->e);
}

static int64_t count(struct db_room *room, struct db *db)
{
	int64_t rows;

	assert_ok(db_number(db, &rows, &room->e, "SELECT count(*) FROM t", ""), room->e);
	return rows;
}

static void add(struct db_room *room, const char *text)
{
	assert_ok(db_run(&room->db, &room->e, "INSERT INTO t (t) VALUES (?)", "t", text), room->e);
}

static void what_goes_in_comes_out(void **state)
{
	static const int64_t numbers[] = { 0, 1, -1, INT64_MAX, INT64_MIN, INT64_C(1) << 32 };
	static const char *const texts[] = {
		"", "a", "it's; -- \"", "\xc3\xa4\xe2\x82\xac", "\\x41", "?1 $1 {bytes}"
	};
	static const uint8_t bytes[] = { 0, 1, '\'', 0xff, '\\', 0 };
	struct db_room *room = *state;
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;

	make_table(room);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		assert_ok(db_run(&room->db, &room->e, "INSERT INTO t (i, t, b) VALUES (?, ?, ?)",
				 "itb", numbers[i], texts[i], bytes, i),
			  room->e);
	assert_ok(db_query(&room->db, &rows, &room->e, "SELECT n, i, t, b FROM t ORDER BY n", ""),
		  room->e);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		CLEANUP(free) char *text = NULL;
		int64_t number;
		const void *found;
		size_t len;

		assert_int_equal(db_next(rows, &room->e), 1);
		assert_ok(db_integer(rows, 0, 1, 100, &number, &room->e), room->e);
		assert_int_equal(number, i + 1);
		assert_ok(db_integer(rows, 1, INT64_MIN, INT64_MAX, &number, &room->e), room->e);
		assert_true(number == numbers[i]);
		assert_ok(db_text(rows, 2, &text, &room->e), room->e);
		assert_string_equal(text, texts[i]);
		assert_ok(db_blob(rows, 3, sizeof(bytes), &found, &len, &room->e), room->e);
		assert_int_equal(len, i);
		assert_non_null(found); /* the empty one, too */
		assert_memory_equal(found, bytes, len);
	}
	assert_int_equal(db_next(rows, &room->e), 0);
}

static void what_is_of_another_type_is_refused(void **state)
{
	struct db_room *room = *state;
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	char *text;
	int64_t number;
	const void *bytes;
	size_t len;
	bool flag;

	make_table(room);
	assert_ok(db_run(&room->db, &room->e, "INSERT INTO t (i, b) VALUES (?, ?)", "ib",
			 (int64_t)2, "ab", (size_t)2),
		  room->e);
	assert_ok(db_query(&room->db, &rows, &room->e, "SELECT i, t, b FROM t", ""), room->e);
	assert_int_equal(db_next(rows, &room->e), 1);
	assert_refused(db_flag(rows, 0, &flag, &room->e), room->e, ERR_DATA_LOSS, "column i");
	assert_refused(db_integer(rows, 0, 3, 9, &number, &room->e), room->e, ERR_DATA_LOSS,
		       "column i is not in its range");
	assert_refused(db_integer(rows, 0, 0, 1, &number, &room->e), room->e, ERR_DATA_LOSS,
		       "in its range");
	assert_refused(db_text(rows, 0, &text, &room->e), room->e, ERR_DATA_LOSS, "not a text");
	assert_refused(db_text(rows, 1, &text, &room->e), room->e, ERR_DATA_LOSS,
		       "column t is not a text");
	assert_refused(db_integer(rows, 1, 0, 1, &number, &room->e), room->e, ERR_DATA_LOSS,
		       "not a number");
	assert_refused(db_blob(rows, 1, 9, &bytes, &len, &room->e), room->e, ERR_DATA_LOSS,
		       "not a blob");
	assert_refused(db_integer(rows, 2, 0, 1, &number, &room->e), room->e, ERR_DATA_LOSS,
		       "not a number");
	assert_refused(db_blob(rows, 2, 1, &bytes, &len, &room->e), room->e, ERR_DATA_LOSS,
		       "of its length");
}

static void no_text_is_null(void **state)
{
	struct db_room *room = *state;
	int64_t found;

	make_table(room);
	add(room, NULL);
	add(room, "");
	assert_ok(db_number(&room->db, &found, &room->e,
			    "SELECT count(*) FROM t WHERE t IS NULL AND i IS NULL", ""),
		  room->e);
	assert_int_equal(found, 1);
	assert_ok(db_run(&room->db, &room->e, "INSERT INTO t (b) VALUES (?)", "b", NULL, (size_t)0),
		  room->e);
	assert_ok(db_number(&room->db, &found, &room->e,
			    "SELECT count(*) FROM t WHERE length(b) = 0", ""),
		  room->e);
	assert_int_equal(found, 1);
}

static void changed_rows_are_counted(void **state)
{
	struct db_room *room = *state;
	int64_t changed, found;

	make_table(room);
	add(room, "a");
	add(room, "b");
	assert_ok(db_change(&room->db, &changed, &room->e, "UPDATE t SET i = ?", "i", (int64_t)7),
		  room->e);
	assert_int_equal(changed, 2);
	assert_ok(db_change(&room->db, &changed, &room->e, "DELETE FROM t WHERE t = ?", "t", "c"),
		  room->e);
	assert_int_equal(changed, 0);
	assert_refused(
		db_number(&room->db, &found, &room->e, "SELECT i FROM t WHERE t = ?", "t", "c"),
		room->e, ERR_NOT_FOUND, "not there");
}

static void a_statement_that_fails_says_why(void **state)
{
	struct db_room *room = *state;

	make_table(room);
	add(room, "a");
	assert_refused(db_run(&room->db, &room->e, "INSERT INTO t (t) VALUES (?)", "t", "a"),
		       room->e, ERR_EXISTS, "database: ");
	assert_refused(db_run(&room->db, &room->e, "DELETE FROM nowhere", ""), room->e,
		       ERR_INTERNAL, "nowhere");
	assert_refused(db_script(&room->db, "DELETE FROM nowhere", &room->e), room->e, ERR_INTERNAL,
		       "nowhere");
	assert_int_equal(count(room, &room->db), 1);
}

static void a_transaction_is_all_or_nothing(void **state)
{
	struct db_room *room = *state;

	make_table(room);
	assert_ok(db_begin(&room->db, &room->e), room->e);
	add(room, "a");
	db_rollback(&room->db);
	assert_int_equal(count(room, &room->db), 0);
	assert_ok(db_begin(&room->db, &room->e), room->e);
	add(room, "a");
	assert_int_equal(count(room, &room->other), 0);
	assert_ok(db_commit(&room->db, &room->e), room->e);
	assert_int_equal(count(room, &room->other), 1);
}

/* What fails within one does not end the transaction. */
static void a_savepoint_undoes_itself_alone(void **state)
{
	struct db_room *room = *state;

	make_table(room);
	assert_ok(db_begin(&room->db, &room->e), room->e);
	add(room, "a");
	assert_ok(db_script(&room->db, "SAVEPOINT op", &room->e), room->e);
	add(room, "b");
	assert_refused(db_run(&room->db, &room->e, "INSERT INTO t (t) VALUES (?)", "t", "a"),
		       room->e, ERR_EXISTS, "");
	assert_ok(db_script(&room->db, "ROLLBACK TO op", &room->e), room->e);
	assert_ok(db_script(&room->db, "RELEASE op", &room->e), room->e);
	add(room, "c");
	assert_ok(db_commit(&room->db, &room->e), room->e);
	assert_int_equal(count(room, &room->other), 2);
}

/* The one answer to what may pass; and then it does. */
static void what_another_holds_is_unavailable(void **state)
{
	static const char insert[] = "INSERT INTO t (t) VALUES ('a')";
	struct db_room *room = *state;

	make_table(room);
	db_room_hurry(room);
	assert_ok(db_begin(&room->db, &room->e), room->e);
	add(room, "a");
	int failed = db_begin(&room->other, &room->e);
	if (!failed) {
		failed = db_run(&room->other, &room->e, insert, "");
		db_rollback(&room->other);
	}
	assert_refused(failed, room->e, ERR_UNAVAILABLE, db_room_locked);
	db_rollback(&room->db);
	assert_ok(db_begin(&room->other, &room->e), room->e);
	assert_ok(db_run(&room->other, &room->e, insert, ""), room->e);
	assert_ok(db_commit(&room->other, &room->e), room->e);
	assert_int_equal(count(room, &room->db), 1);
}

/* ---- forms ---- */

static const char *const upgrades[] = {
	[1] = "ALTER TABLE t ADD COLUMN two {integer} NOT NULL DEFAULT 2;",
	[2] = "ALTER TABLE t ADD COLUMN three {bytes};",
};
static const char newest[] =
	"CREATE TABLE t (one {integer}, two {integer} DEFAULT 2, three {bytes});";
static const struct db_forms forms = { "a program", 3, newest, upgrades };

static void tables_are_made_once(void **state)
{
	struct db_room *room = *state;
	int64_t form;

	assert_ok(db_form(&room->db, &form, &room->e), room->e);
	assert_int_equal(form, 0);
	for (int i = 0; i < 2; i++) {
		assert_ok(db_forms_apply(&room->db, &forms, &room->e), room->e);
		assert_ok(db_form(&room->db, &form, &room->e), room->e);
		assert_int_equal(form, 3);
	}
	assert_ok(db_forms_apply(&room->other, &forms, &room->e), room->e);
}

static void each_older_form_is_brought_forward(void **state)
{
	static const char *const steps[] = {
		"CREATE TABLE t (one {integer}); INSERT INTO t (one) VALUES (1);",
		"ALTER TABLE t ADD COLUMN two {integer} NOT NULL DEFAULT 2;",
	};
	struct db_room *room = *state;
	int64_t found;

	for (int form = 1; form <= 2; form++) {
		for (int i = 0; i < form; i++)
			assert_ok(db_script(&room->db, steps[i], &room->e), room->e);
		assert_ok(db_form_set(&room->db, form, &room->e), room->e);
		assert_ok(db_forms_apply(&room->db, &forms, &room->e), room->e);
		assert_ok(db_number(&room->db, &found, &room->e,
				    "SELECT one + two FROM t WHERE three IS NULL", ""),
			  room->e);
		assert_int_equal(found, 3);
		assert_ok(db_script(&room->db, "DROP TABLE t", &room->e), room->e);
	}
}

static void a_newer_form_is_left_alone(void **state)
{
	struct db_room *room = *state;

	assert_ok(db_form_set(&room->db, 4, &room->e), room->e);
	assert_refused(db_forms_apply(&room->db, &forms, &room->e), room->e, ERR_PRECONDITION,
		       "written by a newer a program (form 4, this one knows 3)");
	assert_ok(db_form_set(&room->db, -1, &room->e), room->e);
	assert_refused(db_forms_apply(&room->db, &forms, &room->e), room->e, ERR_DATA_LOSS, "-1");
}

/* The second step fails: the first one is not there either. */
static void a_step_that_fails_leaves_the_older_form(void **state)
{
	static const char *const broken[] = { [1] = "CREATE TABLE made (n {integer});",
					      [2] = "ALTER TABLE nowhere ADD COLUMN n {integer};" };
	static const struct db_forms half = { "a program", 3, "", broken };
	struct db_room *room = *state;
	int64_t form;

	assert_ok(db_form_set(&room->db, 1, &room->e), room->e);
	assert_refused(db_forms_apply(&room->db, &half, &room->e), room->e, ERR_INTERNAL,
		       "from form 2: ");
	assert_non_null(strstr(room->e.text, "nowhere"));
	assert_ok(db_form(&room->db, &form, &room->e), room->e);
	assert_int_equal(form, 1);
	assert_ok(db_script(&room->db, "CREATE TABLE made (n {integer})", &room->e), room->e);
}

/* Also where it begins within what looks like its begin, and where the text ends in the middle of it. */
static void what_a_text_holds_is_found(void **state)
{
	static const struct {
		const char *text, *what;
		bool is_there;
	} cases[] = {
		{ "abc", "", true },
		{ "", "", true },
		{ "", "a", false },
		{ "abc", "abc", true },
		{ "abc", "abcd", false },
		{ "xabcx", "ABC", true },
		{ "xABCx", "abc", true },
		{ "aaab", "aab", true },
		{ "abaabaabb", "abaabb", true },
		{ "abababaabab", "abababb", false },
		{ "aabaacaabaad", "aabaad", true },
		{ "aaaa", "aaaab", false },
		{ "100%", "0%", true },
		{ "100", "0%", false },
		{ "ab", "a_", false },
		{ "ab", "a.", false },
		{ "ab", "(", false },
		{ "a\\b[c]*", "\\B[C]*", true },
		{ "***=a", "***=", true },
		{ "\xc3\xa4\xe2\x82\xac", "\xe2\x82\xac", true },
	};
	struct db_room *room = *state;
	int64_t there;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char what[32];

		snprintf(what, sizeof(what), DB_HOLDS "%s", cases[i].what);
		assert_ok(db_number(&room->db, &there, &room->e,
				    "SELECT CASE WHEN texticregexeq(?1, ?2) THEN 1 ELSE 0 END",
				    "tt", cases[i].text, what),
			  room->e);
		assert_int_equal(there, cases[i].is_there);
	}
}

/* The same is looked for in all of them; and in what is none it is not. */
static void what_rows_hold_is_found(void **state)
{
	struct db_room *room = *state;
	int64_t there;

	make_table(room);
	add(room, "aaab");
	add(room, "none");
	add(room, "AAB");
	assert_ok(db_run(&room->db, &room->e, "INSERT INTO t (i) VALUES (1)", ""), room->e);
	assert_ok(db_number(&room->db, &there, &room->e,
			    "SELECT count(*) FROM t WHERE texticregexeq(t, ?)", "t",
			    DB_HOLDS "aab"),
		  room->e);
	assert_int_equal(there, 2);
	assert_ok(db_number(&room->db, &there, &room->e,
			    "SELECT count(*) FROM t WHERE texticregexeq(t, ?)", "t", DB_HOLDS),
		  room->e);
	assert_int_equal(there, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DB_ROOM_ROW(what_goes_in_comes_out),
		DB_ROOM_ROW(what_is_of_another_type_is_refused),
		DB_ROOM_ROW(no_text_is_null),
		DB_ROOM_ROW(changed_rows_are_counted),
		DB_ROOM_ROW(what_a_text_holds_is_found),
		DB_ROOM_ROW(what_rows_hold_is_found),
		DB_ROOM_ROW(a_statement_that_fails_says_why),
		DB_ROOM_ROW(a_transaction_is_all_or_nothing),
		DB_ROOM_ROW(a_savepoint_undoes_itself_alone),
		DB_ROOM_ROW(what_another_holds_is_unavailable),
		DB_ROOM_ROW(tables_are_made_once),
		DB_ROOM_ROW(each_older_form_is_brought_forward),
		DB_ROOM_ROW(a_newer_form_is_left_alone),
		DB_ROOM_ROW(a_step_that_fails_leaves_the_older_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
