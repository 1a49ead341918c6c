/* SPDX-License-Identifier: Apache-2.0 */
/* A server that is gone, slow, full, read only, or somebody else's. */
#include "common/db/db_postgres.h"
#include "tests/unit/common/db/db_room.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static void make_table(struct db_room *room)
{
	assert_ok(db_script(&room->db, "CREATE TABLE t (t TEXT)", &room->e), room->e);
}

static int add(struct db *db, struct err *e)
{
	return db_run(db, e, "INSERT INTO t (t) VALUES (?)", "t", "a");
}

static int64_t count(struct db_room *room)
{
	int64_t rows;

	assert_ok(db_number(&room->db, &rows, &room->e, "SELECT count(*) FROM t", ""), room->e);
	return rows;
}

/* The server ends `db`'s session: waited for, so that it is gone for others as well. */
static void cut(struct db_room *room)
{
	char sql[128];
	int64_t pid, there;

	assert_ok(db_number(&room->db, &pid, &room->e, "SELECT pg_backend_pid()", ""), room->e);
	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%lld)", (long long)pid);
	assert_ok(db_script(&room->other, sql, &room->e), room->e);
	do
		assert_ok(db_number(&room->other, &there, &room->e,
				    "SELECT count(*) FROM pg_stat_activity WHERE pid = ?", "i",
				    pid),
			  room->e);
	while (there);
}

static void a_connection_that_is_gone_is_made_anew(void **state)
{
	struct db_room *room = *state;

	make_table(room);
	for (int i = 1; i <= 3; i++) {
		cut(room);
		assert_ok(db_begin(&room->db, &room->e), room->e);
		assert_ok(add(&room->db, &room->e), room->e);
		assert_ok(db_commit(&room->db, &room->e), room->e);
		assert_int_equal(count(room), i);
	}
}

/* What comes after the break is no transaction of its own. */
static void a_transaction_ends_with_its_connection(void **state)
{
	struct db_room *room = *state;

	make_table(room);
	assert_ok(db_begin(&room->db, &room->e), room->e);
	assert_ok(add(&room->db, &room->e), room->e);
	cut(room);
	assert_int_equal(add(&room->db, &room->e), -ERR_UNAVAILABLE);
	assert_refused(add(&room->db, &room->e), room->e, ERR_UNAVAILABLE, "nothing was kept");
	assert_int_equal(db_commit(&room->db, &room->e), -ERR_UNAVAILABLE);
	assert_int_equal(count(room), 0);
	assert_ok(db_begin(&room->db, &room->e), room->e);
	assert_ok(add(&room->db, &room->e), room->e);
	assert_ok(db_commit(&room->db, &room->e), room->e);
	assert_int_equal(count(room), 1);
}

static void what_a_transaction_could_not_do_is_not_committed(void **state)
{
	struct db_room *room = *state;

	make_table(room);
	assert_ok(db_begin(&room->db, &room->e), room->e);
	assert_ok(add(&room->db, &room->e), room->e);
	assert_int_equal(db_run(&room->db, &room->e, "DELETE FROM nowhere", ""), -ERR_INTERNAL);
	assert_int_equal(db_commit(&room->db, &room->e), -ERR_UNAVAILABLE);
	assert_int_equal(count(room), 0);
}

/* ---- the end of a transaction, when its answer is lost ---- */

/* Its session ends while it commits, before that is done. */
static void a_commit_that_broke_off_is_told(void **state)
{
	struct db_room *room = *state;

	make_table(room);
	assert_ok(db_script(&room->db,
			    "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
			    " PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60);"
			    " RETURN NULL; END $$;"
			    "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t"
			    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()",
			    &room->e),
		  room->e);
	assert_ok(db_begin(&room->db, &room->e), room->e);
	assert_ok(add(&room->db, &room->e), room->e);
	assert_refused(db_commit(&room->db, &room->e), room->e, ERR_UNAVAILABLE,
		       "nothing was kept");
	assert_int_equal(count(room), 0);
}

static void set_standby(struct db_room *room, const char *sql)
{
	assert_ok(db_script(&room->other, sql, &room->e), room->e);
	assert_ok(db_script(&room->other, "SELECT pg_reload_conf()", &room->e), room->e);
}

struct waited_for {
	struct db_room *room;
	atomic_bool over; /* the commit has been answered */
	bool ended;
};

static void *end_who_waits(void *data)
{
	struct waited_for *w = data;
	struct err e;
	int64_t ended = 0;

	while (!ended && !w->over)
		if (db_number(&w->room->other, &ended, &e,
			      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
			      " WHERE wait_event = 'SyncRep'",
			      "") < 0)
			break;
	w->ended = ended != 0;
	return NULL;
}

/* Whether the session ended while it committed a row. */
static bool commit_and_end(struct db_room *room)
{
	struct waited_for w = { .room = room };
	pthread_t thread;

	assert_ok(db_begin(&room->db, &room->e), room->e);
	assert_ok(add(&room->db, &room->e), room->e);
	assert_int_equal(pthread_create(&thread, NULL, end_who_waits, &w), 0);
	int failed = db_commit(&room->db, &room->e);
	w.over = true;
	pthread_join(thread, NULL);
	assert_ok(failed, room->e);
	return w.ended;
}

/* Committed, and before it is said the session ends: it waits for a standby that is nowhere. The server
 * reads its settings when it comes to it: commits before that end as they always do. */
static void a_commit_whose_answer_is_lost_is_found(void **state)
{
	struct db_room *room = *state;
	int commits = 1;

	make_table(room);
	set_standby(room, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
	while (!commit_and_end(room))
		commits++;
	set_standby(room, "ALTER SYSTEM RESET synchronous_standby_names");
	assert_int_equal(count(room), commits);
}

/* What writes leaves the number of its commit, and what reads leaves nothing. */
static void only_what_writes_is_numbered(void **state)
{
	static const char sql[] = "SELECT max(commits) FROM cocos_fate";
	struct db_room *room = *state;
	int64_t before, after;

	make_table(room);
	assert_ok(db_begin(&room->db, &room->e), room->e);
	assert_ok(add(&room->db, &room->e), room->e);
	assert_ok(db_commit(&room->db, &room->e), room->e);
	assert_ok(db_number(&room->db, &before, &room->e, sql, ""), room->e);
	for (int i = 0; i < 3; i++) {
		assert_ok(db_begin(&room->db, &room->e), room->e);
		assert_int_equal(count(room), 1);
		assert_ok(db_commit(&room->db, &room->e), room->e);
	}
	assert_ok(db_number(&room->db, &after, &room->e, sql, ""), room->e);
	assert_int_equal(after, before);
	assert_ok(db_begin(&room->db, &room->e), room->e);
	assert_ok(add(&room->db, &room->e), room->e);
	assert_ok(db_commit(&room->db, &room->e), room->e);
	assert_ok(db_number(&room->db, &after, &room->e, sql, ""), room->e);
	assert_int_equal(after, before + 1);
}

/* ---- whose the tables are ---- */

static void refused_for_its_owner(struct db_room *room, const struct db_postgres *how)
{
	struct db third;

	assert_refused(db_postgres_open(&third, how, &room->e), room->e, ERR_PRECONDITION,
		       "belongs to another role");
}

static void run(struct db_room *room, const char *sql)
{
	assert_ok(db_script(&room->other, sql, &room->e), room->e);
}

static void a_schema_of_another_role_is_refused(void **state)
{
	struct db_room *room = *state;
	const struct db_postgres how = { .place = getenv("COCOS_TEST_POSTGRES"),
					 .schema = "cocos_owned" };
	struct db third;

	run(room, "DROP SCHEMA IF EXISTS cocos_owned CASCADE; DROP ROLE IF EXISTS cocos_other;"
		  "CREATE ROLE cocos_other");
	run(room, "CREATE SCHEMA cocos_owned AUTHORIZATION cocos_other");
	refused_for_its_owner(room, &how);
	run(room, "ALTER SCHEMA cocos_owned OWNER TO CURRENT_USER");
	assert_ok(db_postgres_open(&third, &how, &room->e), room->e);
	db_close(&third);
	run(room, "CREATE TABLE cocos_owned.t (n INTEGER);"
		  "ALTER TABLE cocos_owned.t OWNER TO cocos_other");
	refused_for_its_owner(room, &how);
	run(room, "DROP TABLE cocos_owned.t; GRANT CREATE ON SCHEMA cocos_owned TO cocos_other");
	refused_for_its_owner(room, &how);
	run(room, "REVOKE CREATE ON SCHEMA cocos_owned FROM cocos_other;"
		  "GRANT USAGE ON SCHEMA cocos_owned TO cocos_other");
	assert_ok(db_postgres_open(&third, &how, &room->e), room->e);
	db_close(&third);
	run(room, "DROP SCHEMA cocos_owned CASCADE; DROP ROLE cocos_other");
}

/* ---- what a server may say ---- */

static void what_it_can_not_do_now_has_its_code(void **state)
{
	static const struct {
		const char *state, *words;
		enum err_code code;
	} rows[] = {
		{ "53100", "could not extend file", ERR_EXHAUSTED },
		{ "53200", "out of memory", ERR_EXHAUSTED },
		{ "53300", "too many clients", ERR_UNAVAILABLE },
		{ "57P03", "starting up", ERR_UNAVAILABLE },
		{ "40001", "could not serialize", ERR_UNAVAILABLE },
		{ "40P01", "deadlock", ERR_UNAVAILABLE },
		{ "XX001", "invalid page", ERR_DATA_LOSS },
		{ "58030", "input/output", ERR_INTERNAL },
		{ "42501", "permission denied", ERR_INTERNAL },
	};
	struct db_room *room = *state;
	char sql[200];

	make_table(room);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(sql, sizeof(sql),
			 "DO $$ BEGIN RAISE EXCEPTION '%s' USING ERRCODE = '%s'; END $$",
			 rows[i].words, rows[i].state);
		assert_ok(db_begin(&room->db, &room->e), room->e);
		assert_ok(add(&room->db, &room->e), room->e);
		assert_refused(db_script(&room->db, sql, &room->e), room->e, rows[i].code,
			       rows[i].words);
		db_rollback(&room->db);
		assert_int_equal(count(room), 0);
	}
}

static void what_takes_too_long_is_ended(void **state)
{
	struct db_room *room = *state;

	/* For this statement alone: what clears up has the time that it takes. */
	assert_ok(db_begin(&room->db, &room->e), room->e);
	assert_ok(db_script(&room->db, "SET LOCAL statement_timeout = 20", &room->e), room->e);
	assert_refused(db_script(&room->db, "SELECT pg_sleep(60)", &room->e), room->e,
		       ERR_UNAVAILABLE, "statement timeout");
	db_rollback(&room->db);
}

/* Here by a unix socket, where they are kept and mean nothing. */
static void a_server_looks_whether_who_asks_is_still_there(void **state)
{
	struct db_room *room = *state;
	int64_t set;

	assert_ok(db_number(&room->db, &set, &room->e,
			    "SELECT count(*) FROM pg_settings WHERE source = 'session' AND name IN"
			    " ('tcp_keepalives_idle', 'tcp_keepalives_interval',"
			    " 'tcp_keepalives_count', 'tcp_user_timeout')",
			    ""),
		  room->e);
	assert_int_equal(set, 4);
}

static void one_that_takes_no_writes_is_said_so(void **state)
{
	struct db_room *room = *state;

	make_table(room);
	assert_ok(db_script(&room->db, "SET default_transaction_read_only = on", &room->e),
		  room->e);
	assert_ok(db_begin(&room->db, &room->e), room->e);
	assert_refused(add(&room->db, &room->e), room->e, ERR_UNAVAILABLE, "read-only");
	db_rollback(&room->db);
	assert_ok(db_script(&room->db, "SET default_transaction_read_only = off", &room->e),
		  room->e);
}

static void count_and_add(struct db_room *room, struct db *db)
{
	int64_t rows;

	assert_ok(db_begin(db, &room->e), room->e);
	assert_ok(db_number(db, &rows, &room->e, "SELECT count(*) FROM t", ""), room->e);
}

/* Each saw none and adds one: as if one after the other, one of them would have seen it. */
static void one_of_two_that_contradict_each_other_is_undone(void **state)
{
	struct db_room *room = *state;

	make_table(room);
	count_and_add(room, &room->db);
	count_and_add(room, &room->other);
	assert_ok(add(&room->db, &room->e), room->e);
	assert_ok(add(&room->other, &room->e), room->e);
	assert_ok(db_commit(&room->db, &room->e), room->e);
	assert_int_equal(db_commit(&room->other, &room->e), -ERR_UNAVAILABLE);
	assert_int_equal(count(room), 1);
}

/* ---- who else is there ---- */

static struct db_postgres alone(void)
{
	return (struct db_postgres){ .place = getenv("COCOS_TEST_POSTGRES"),
				     .schema = "db_room",
				     .exclusive = true };
}

static void one_alone_uses_it_at_a_time(void **state)
{
	const struct db_postgres how = alone();
	struct db_room *room = *state;
	struct db first, second;

	assert_ok(db_postgres_open(&first, &how, &room->e), room->e);
	assert_refused(db_postgres_open(&second, &how, &room->e), room->e, ERR_PRECONDITION,
		       "another service uses");
	db_close(&first);
	assert_ok(db_postgres_open(&second, &how, &room->e), room->e);
	db_close(&second);
}

/* Who lost its connection writes nothing while another one has taken its place. */
static void who_was_replaced_writes_nothing(void **state)
{
	const struct db_postgres how = alone();
	struct db_room *room = *state;
	struct db second;

	make_table(room);
	db_close(&room->db);
	assert_ok(db_postgres_open(&room->db, &how, &room->e), room->e);
	cut(room);
	assert_ok(db_postgres_open(&second, &how, &room->e), room->e);
	assert_refused(db_begin(&room->db, &room->e), room->e, ERR_UNAVAILABLE,
		       "another service uses");
	/* It is not asked again at once, and says the same. */
	assert_refused(db_begin(&room->db, &room->e), room->e, ERR_UNAVAILABLE,
		       "another service uses");
	db_close(&second);
	while (db_begin(&room->db, &room->e) < 0)
		assert_non_null(strstr(room->e.text, "another service uses"));
	assert_ok(add(&room->db, &room->e), room->e);
	assert_ok(db_commit(&room->db, &room->e), room->e);
}

/* A newer program was there meanwhile. */
static void tables_that_became_others_are_left_alone(void **state)
{
	static const struct db_forms forms = { "a program", 3, "CREATE TABLE t (t TEXT)", NULL };
	struct db_room *room = *state;

	assert_ok(db_forms_apply(&room->db, &forms, &room->e), room->e);
	cut(room);
	assert_ok(db_form_set(&room->other, 4, &room->e), room->e);
	assert_refused(db_begin(&room->db, &room->e), room->e, ERR_UNAVAILABLE,
		       "has become form 4");
	assert_ok(db_form_set(&room->other, 3, &room->e), room->e);
	while (db_begin(&room->db, &room->e) < 0)
		assert_non_null(strstr(room->e.text, "has become form 4"));
	db_rollback(&room->db);
}

static void another_encoding_is_refused(void **state)
{
	struct db_room *room = *state;
	struct db_postgres how = alone();
	char place[160];
	struct db db;

	assert_ok(db_script(&room->db,
			    "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0",
			    &room->e),
		  room->e);
	snprintf(place, sizeof(place), "%.120s dbname=ascii", how.place);
	how.place = place;
	assert_refused(db_postgres_open(&db, &how, &room->e), room->e, ERR_PRECONDITION,
		       "has the encoding SQL_ASCII");
	assert_ok(db_script(&room->db, "DROP DATABASE ascii", &room->e), room->e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DB_ROOM_ROW(a_connection_that_is_gone_is_made_anew),
		DB_ROOM_ROW(a_transaction_ends_with_its_connection),
		DB_ROOM_ROW(what_a_transaction_could_not_do_is_not_committed),
		DB_ROOM_ROW(a_commit_that_broke_off_is_told),
		DB_ROOM_ROW(only_what_writes_is_numbered),
		DB_ROOM_ROW(a_schema_of_another_role_is_refused),
		DB_ROOM_ROW(a_commit_whose_answer_is_lost_is_found),
		DB_ROOM_ROW(what_it_can_not_do_now_has_its_code),
		DB_ROOM_ROW(what_takes_too_long_is_ended),
		DB_ROOM_ROW(a_server_looks_whether_who_asks_is_still_there),
		DB_ROOM_ROW(one_that_takes_no_writes_is_said_so),
		DB_ROOM_ROW(one_of_two_that_contradict_each_other_is_undone),
		DB_ROOM_ROW(one_alone_uses_it_at_a_time),
		DB_ROOM_ROW(who_was_replaced_writes_nothing),
		DB_ROOM_ROW(tables_that_became_others_are_left_alone),
		DB_ROOM_ROW(another_encoding_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
