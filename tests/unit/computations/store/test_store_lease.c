/* SPDX-License-Identifier: Apache-2.0 */
/* Instances on one server: who has the lease, who may take it, and what becomes of the one whose lease was taken. */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/crypto/key.h"
#include "common/db/db_postgres.h"
#include "common/db/db_postgres_hold.h"
#include "computations/store/lease_secret.h"
#include "computations/store/store_form.h"
#include "computations/store/store_queue.h"
#include "computations/store/store_standby.h"
#include "computations/store/store_witness.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LEASE_MS = 60 * 1000, TRIES = 6000, TRY_US = 10 * 1000 };

static const struct store_share share_a = { "a",
					    LEASE_MS,
					    "",
					    "192.0.2.1:7009",
					    { NULL, NULL, NULL, NULL } },
				share_b = { "b", LEASE_MS, "", "", { NULL, NULL, NULL, NULL } };

/* Two instances, the first of which serves; and a third connection. */
struct pair {
	struct store_room *room;
	char dir[2][96];
	struct store a;
	struct store_standby *b;
	struct db db;
	struct err e;
};

/* ---- rows ---- */

#define SECRET "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"

static void put_key(struct store_room *f, const char *name, char dir[128])
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) char *pem = NULL;
	char path[160];

	snprintf(dir, 128, "%s/%s", f->dir, name);
	assert_ok(dir_make(dir, 0700, &f->e), f->e);
	snprintf(path, sizeof(path), "%s/" STORE_WITNESS_FILE, dir);
	assert_ok(key_generate(KEY_ECDSA, &key, &f->e), f->e);
	assert_ok(key_to_private_pem(key, &pem, &f->e), f->e);
	assert_ok(file_write(path, pem, strlen(pem), 0600, &f->e), f->e);
}

/* Each part of it counts, and the row alone is none. */
static void a_secret_is_of_the_row_and_of_the_key(void **state)
{
	struct store_room *f = *state;
	const uint8_t row[RELAY_SECRET_LEN] = { 1 }, other_row[RELAY_SECRET_LEN] = { 2 };
	uint8_t first[RELAY_SECRET_LEN], now[RELAY_SECRET_LEN];
	char one[128], two[128];

	put_key(f, "one", one);
	put_key(f, "two", two);
	assert_ok(lease_secret(one, 7, row, first, &f->e), f->e);
	assert_ok(lease_secret(one, 7, row, now, &f->e), f->e);
	assert_memory_equal(first, now, sizeof(now));
	assert_memory_not_equal(first, row, sizeof(row));
	assert_ok(lease_secret(one, 8, row, now, &f->e), f->e);
	assert_memory_not_equal(first, now, sizeof(now));
	assert_ok(lease_secret(one, 7, other_row, now, &f->e), f->e);
	assert_memory_not_equal(first, now, sizeof(now));
	assert_ok(lease_secret(two, 7, row, now, &f->e), f->e);
	assert_memory_not_equal(first, now, sizeof(now));
	assert_refused(lease_secret("/proc/nowhere", 7, row, now, &f->e), f->e, ERR_NOT_FOUND,
		       STORE_WITNESS_FILE);
}

static void a_row_that_is_not_ours_is_refused(void **state)
{
	static const char *const bad[] = {
		"UPDATE lease SET holder = 'A b'",
		"UPDATE lease SET holder = 'x' || CHAR(10)",
		"UPDATE lease SET authority = 'g/'",
		"UPDATE lease SET tenure = -1",
		"UPDATE lease SET fence = 0",
		"UPDATE lease SET fence = 9223372036854775807",
		"UPDATE lease SET until_ms = -1",
		"UPDATE lease SET address = 'a.example:7009'",
		"UPDATE lease SET address = '192.0.2.1'",
		"UPDATE lease SET secret = ''",
		"UPDATE lease SET secret = '5a'",
		"UPDATE lease SET secret = secret || '5a'",
		"UPDATE lease SET secret = 'xx' || SUBSTR(secret, 3)",
		"UPDATE lease SET holder = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
	};
	struct store_room *f = *state;
	struct store_lease_row row;
	uint8_t secret[RELAY_SECRET_LEN];

	memset(secret, 0x5a, sizeof(secret));
	assert_ok(store_lease_read(&f->store.db, &row, &f->e), f->e);
	assert_false(row.is_there);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_ok(db_script(&f->store.db,
				    "DELETE FROM lease;"
				    "INSERT INTO lease VALUES (1, 'a', 7, 3, 9, 'ab',"
				    " '192.0.2.1:7009', '" SECRET "')",
				    &f->e),
			  f->e);
		assert_ok(store_lease_read(&f->store.db, &row, &f->e), f->e);
		assert_true(row.is_there);
		assert_string_equal(row.holder, "a");
		assert_string_equal(row.authority, "ab");
		assert_int_equal(row.tenure, 7);
		assert_int_equal(row.fence, 3);
		assert_int_equal(row.until_ms, 9);
		assert_string_equal(row.address, "192.0.2.1:7009");
		assert_memory_equal(row.secret, secret, sizeof(secret));
		if (store_room_database() && strstr(bad[i], "CHAR("))
			continue; /* chr() there */
		assert_ok(db_script(&f->store.db, bad[i], &f->e), f->e);
		assert_refused(store_lease_read(&f->store.db, &row, &f->e), f->e, ERR_DATA_LOSS,
			       "");
	}
	assert_ok(db_script(&f->store.db, "DELETE FROM lease", &f->e), f->e);
}

/* Without an address there is no secret; a copy has neither. */
static void a_copy_says_nothing_of_where_it_is(void **state)
{
	static const uint8_t none[RELAY_SECRET_LEN];
	struct store_room *f = *state;
	struct store_lease_row row;

	assert_ok(db_script(&f->store.db,
			    "DELETE FROM lease;"
			    "INSERT INTO lease VALUES (1, 'a', 7, 3, 9, 'ab', '192.0.2.1:7009',"
			    " '" SECRET "')",
			    &f->e),
		  f->e);
	assert_ok(store_lease_hide(&f->store.db, &f->e), f->e);
	assert_ok(store_lease_read(&f->store.db, &row, &f->e), f->e);
	assert_string_equal(row.holder, "a");
	assert_string_equal(row.address, "");
	assert_memory_equal(row.secret, none, sizeof(none));
	assert_ok(db_script(&f->store.db, "DELETE FROM lease", &f->e), f->e);
}

/* ---- two of them ---- */

static int look(struct pair *p, struct store_look *look)
{
	return store_standby_look(p->b, look, &p->e);
}

static void until_may_take(struct pair *p, struct store_look *found)
{
	for (int n = 0; n < TRIES; n++) {
		assert_ok(look(p, found), p->e);
		if (found->may_take)
			return;
		usleep(TRY_US);
	}
	fail_msg("it may never take the lease: %s", found->words);
}

static int take(struct pair *p, const struct store_look *found, struct store *store)
{
	return store_open_shared(store, p->dir[1], store_room_database(), &store_room_limits,
				 &share_b, &found->seen, &p->e);
}

static void copy_key(struct pair *p)
{
	CLEANUP(free) char *from = NULL, *to = NULL, *pem = NULL;

	assert_ok(text_format(&from, &p->e, "%s/" STORE_WITNESS_FILE, p->dir[0]), p->e);
	assert_ok(text_format(&to, &p->e, "%s/" STORE_WITNESS_FILE, p->dir[1]), p->e);
	assert_ok(file_read_text(from, 4096, &pem, &p->e), p->e);
	assert_ok(file_write(to, pem, strlen(pem), 0600, &p->e), p->e);
}

static int enter(void **state)
{
	static struct pair pair;
	const struct store_lease_row nothing = { .is_there = false };
	struct pair *p = &pair;

	if (store_room_enter(state) != 0)
		return -1;
	*p = (struct pair){ .room = *state };
	store_close(&p->room->store);
	for (int i = 0; i < 2; i++) {
		snprintf(p->dir[i], sizeof(p->dir[i]), "%s/%c", p->room->dir, 'a' + i);
		assert_ok(dir_make(p->dir[i], 0700, &p->e), p->e);
	}
	/* The key of the log that the room has begun. */
	CLEANUP(free) char *from = NULL, *to = NULL;
	assert_ok(text_format(&from, &p->e, "%s/" STORE_WITNESS_FILE, p->room->dir), p->e);
	assert_ok(text_format(&to, &p->e, "%s/" STORE_WITNESS_FILE, p->dir[0]), p->e);
	assert_int_equal(link(from, to), 0);
	copy_key(p);
	assert_ok(store_open_shared(&p->a, p->dir[0], store_room_database(), &store_room_limits,
				    &share_a, &nothing, &p->e),
		  p->e);
	assert_ok(store_standby_new(p->dir[1], store_room_database(), &share_b, &p->b, &p->e),
		  p->e);
	assert_ok(db_postgres_open(&p->db,
				   &(struct db_postgres){ .place = store_room_database(),
							  .schema = STORE_SCHEMA },
				   &p->e),
		  p->e);
	*state = p;
	return 0;
}

static int leave(void **state)
{
	struct pair *p = *state;

	if (p->a.db.driver)
		store_close(&p->a);
	store_standby_free(p->b);
	assert_ok(db_run(&p->db, &p->e, "DELETE FROM lease", ""), p->e);
	db_close(&p->db);
	store_room_open(p->room);
	*state = p->room;
	return store_room_leave(state);
}

/* As if so much time had gone by. */
static void end_lease(struct pair *p)
{
	assert_ok(db_run(&p->db, &p->e, "UPDATE lease SET until_ms = 1", ""), p->e);
}

static int64_t number(struct pair *p, const char *sql)
{
	int64_t found;

	assert_ok(db_number(&p->db, &found, &p->e, sql, ""), p->e);
	return found;
}

/* What store_queue.h does in a transaction, in short. */
static int write_at(struct store *store, struct err *e)
{
	if (db_begin(&store->db, e) < 0)
		return err_code(e);
	if (store_lease_begin(&store->db, store->lease, e) < 0 ||
	    db_run(&store->db, e, "INSERT INTO notes_told VALUES (1)", "") < 0) {
		db_rollback(&store->db);
		return err_code(e);
	}
	const int failed = db_commit(&store->db, e);
	store_lease_ended(store->lease, !failed);
	return failed;
}

static void make_notes(struct pair *p)
{
	assert_ok(db_script(&p->db, "CREATE TABLE notes_told (n BIGINT)", &p->e), p->e);
}

static void one_hands_over_to_the_other(void **state)
{
	struct pair *p = *state;
	struct store_look found;
	struct store b;

	make_notes(p);
	assert_ok(write_at(&p->a, &p->e), p->e);
	assert_ok(look(p, &found), p->e);
	assert_false(found.may_take);
	assert_string_equal(found.words, "instance a serves");
	store_close(&p->a);
	p->a.db.driver = NULL;
	until_may_take(p, &found);
	assert_false(found.was_left);
	assert_ok(take(p, &found, &b), p->e);
	assert_int_equal(number(p, "SELECT fence FROM lease"), found.seen.fence + 1);
	assert_ok(write_at(&b, &p->e), p->e);
	assert_int_equal(number(p, "SELECT count(*) FROM notes_told"), 2);
	store_close(&b);
}

/* It is asleep in the middle of a transaction. */
static void who_is_taken_for_gone_writes_nothing(void **state)
{
	struct pair *p = *state;
	struct store_look found;
	struct store b;
	struct err e;

	make_notes(p);
	assert_ok(db_begin(&p->a.db, &p->e), p->e);
	assert_ok(store_lease_begin(&p->a.db, p->a.lease, &p->e), p->e);
	assert_ok(db_run(&p->a.db, &p->e, "INSERT INTO notes_told VALUES (2)", ""), p->e);
	end_lease(p);
	until_may_take(p, &found);
	assert_true(found.was_left);
	assert_ok(take(p, &found, &b), p->e);
	assert_int_not_equal(db_commit(&p->a.db, &e), 0);
	assert_int_equal(number(p, "SELECT count(*) FROM notes_told"), 0);
	assert_refused(write_at(&p->a, &e), e, ERR_UNAVAILABLE, "another service uses");
	/* Nor when the other one has ended, and it has the lock again. */
	store_close(&b);
	while (db_begin(&p->a.db, &e) < 0) {
		assert_int_equal(e.code, ERR_UNAVAILABLE);
		usleep(TRY_US);
	}
	db_rollback(&p->a.db);
	assert_refused(write_at(&p->a, &e), e, ERR_UNAVAILABLE, "another instance serves");
	assert_false(store_lease_runs(p->a.lease));
	assert_int_equal(number(p, "SELECT count(*) FROM notes_told"), 0);
}

static void what_is_due_is_renewed(void **state)
{
	struct pair *p = *state;
	const int64_t before = number(p, "SELECT until_ms FROM lease");

	make_notes(p);
	assert_false(store_lease_is_due(p->a.lease));
	assert_ok(write_at(&p->a, &p->e), p->e);
	assert_int_equal(number(p, "SELECT until_ms FROM lease"), before);
	atomic_store(&p->a.lease->renewed, clock_ms(CLOCK_BOOTTIME) - LEASE_MS / 2);
	atomic_store(&p->a.lease->until, clock_ms(CLOCK_BOOTTIME) + LEASE_MS / 2);
	assert_true(store_lease_is_due(p->a.lease));
	assert_ok(write_at(&p->a, &p->e), p->e);
	assert_true(number(p, "SELECT until_ms FROM lease") > before);
	assert_true(atomic_load(&p->a.lease->until) >
		    clock_ms(CLOCK_BOOTTIME) + LEASE_MS / 2 + LEASE_MS / 10);
	assert_false(store_lease_is_due(p->a.lease));
}

static void by_its_own_clock_it_ends_without_asking(void **state)
{
	struct pair *p = *state;

	make_notes(p);
	atomic_store(&p->a.lease->until, clock_ms(CLOCK_BOOTTIME) - 1);
	assert_refused(write_at(&p->a, &p->e), p->e, ERR_UNAVAILABLE, "has run out");
	assert_int_equal(number(p, "SELECT count(*) FROM notes_told"), 0);
}

static void who_was_not_quick_enough_is_told(void **state)
{
	struct pair *p = *state;
	struct store_look found, again;
	struct store b, late;

	store_close(&p->a);
	p->a.db.driver = NULL;
	until_may_take(p, &found);
	assert_ok(take(p, &found, &b), p->e);
	store_close(&b);
	until_may_take(p, &again);
	assert_refused(take(p, &found, &late), p->e, ERR_ABORTED, "was quicker");
	assert_ok(take(p, &again, &b), p->e);
	store_close(&b);
}

/* The server's clock was set back by hours. */
static void a_lease_without_a_sensible_end_is_waited_for(void **state)
{
	struct pair *p = *state;
	struct store_look found;

	assert_ok(db_run(&p->db, &p->e, "UPDATE lease SET until_ms = until_ms + 36000000", ""),
		  p->e);
	for (int n = 0; n < 3; n++) {
		assert_ok(look(p, &found), p->e);
		assert_false(found.may_take);
		assert_string_equal(found.words, "instance a serves");
	}
}

static void other_keys_and_forms_are_refused(void **state)
{
	struct pair *p = *state;
	struct store_look found;
	CLEANUP(free) char *key = NULL;

	assert_ok(db_run(&p->db, &p->e, "UPDATE lease SET authority = 'abcd'", ""), p->e);
	assert_refused(look(p, &found), p->e, ERR_PRECONDITION, "is not set here");
	end_lease(p); /* that it has ended is no reason: it was not given back */
	assert_refused(look(p, &found), p->e, ERR_PRECONDITION, "is not set here");
	assert_ok(db_run(&p->db, &p->e, "UPDATE lease SET authority = '', until_ms = 0", ""), p->e);
	assert_ok(look(p, &found), p->e);
	assert_ok(text_format(&key, &p->e, "%s/" STORE_WITNESS_FILE, p->dir[1]), p->e);
	unlink(key);
	assert_refused(look(p, &found), p->e, ERR_PRECONDITION, "copy it from the instance");
	copy_key(p);
	assert_ok(db_form_set(&p->db, STORE_FORM + 1, &p->e), p->e);
	assert_refused(look(p, &found), p->e, ERR_PRECONDITION, "install the version");
	assert_ok(db_form_set(&p->db, STORE_FORM, &p->e), p->e);
}

static void one_alone_waits_for_the_end_and_ends_all(void **state)
{
	struct pair *p = *state;
	struct store_look found;
	struct store alone;
	struct err e;

	/* The instance is cut off: the lock is free, and its lease runs. */
	assert_int_equal(number(p, "SELECT count(*) FROM (SELECT pg_terminate_backend(pid)"
				   " FROM pg_stat_activity WHERE application_name LIKE"
				   " 'cocos-instance %') AS t"),
			 1);
	assert_refused(
		store_open(&alone, p->dir[1], store_room_database(), &store_room_limits, &p->e),
		p->e, ERR_PRECONDITION, "instance a has the database by a lease");
	end_lease(p);
	assert_ok(store_open(&alone, p->dir[1], store_room_database(), &store_room_limits, &p->e),
		  p->e);
	assert_int_equal(number(p, "SELECT tenure FROM lease"), 0);
	assert_ok(look(p, &found), p->e);
	assert_false(found.may_take);
	assert_string_equal(found.words, "a service without COMPUTATIONS_INSTANCE serves");
	store_close(&alone);
	make_notes(p);
	while (write_at(&p->a, &e) == 0 || !atomic_load(&p->a.lease->is_lost)) {
		assert_int_equal(e.code, ERR_UNAVAILABLE);
		usleep(TRY_US);
	}
	assert_int_equal(number(p, "SELECT count(*) FROM notes_told"), 0);
}

/* Only who is meant, and who waits in the lock for ages, is ended. */
static void others_sessions_are_left_alone(void **state)
{
	struct pair *p = *state;
	int64_t count;

	assert_ok(db_postgres_holders(&p->db, STORE_SCHEMA, &count, &p->e), p->e);
	assert_int_equal(count, 1);
	assert_ok(db_postgres_holders(&p->db, "another_schema", &count, &p->e), p->e);
	assert_int_equal(count, 0);
	assert_ok(db_postgres_end_holder(&p->db, STORE_SCHEMA,
					 &(struct db_postgres_holder){ "cocos-instance 1",
								       "cocos-instance ",
								       STORE_LEASE_MAX_MS },
					 &count, &p->e),
		  p->e);
	assert_int_equal(count, 0);
	assert_ok(db_postgres_end_holder(
			  &p->db, "another_schema",
			  &(struct db_postgres_holder){ p->a.lease->session, "cocos", 0 }, &count,
			  &p->e),
		  p->e);
	assert_int_equal(count, 0);
	assert_ok(db_postgres_end_holder(
			  &p->db, STORE_SCHEMA,
			  &(struct db_postgres_holder){ "other", "cocos-instance ", 0 }, &count,
			  &p->e),
		  p->e);
	assert_int_equal(count, 1);
}

/* ---- the queue ---- */

struct told {
	bool is_lost, was_lost_before, is_refused;
};

static void on_lost(void *data)
{
	((struct told *)data)->is_lost = true;
}

static int run_nothing(struct store *store, void *data, struct err *e)
{
	return 0;
}

static void done_with(void *data, const struct err *e)
{
	struct told *t = data;

	t->is_refused = e && e->code == ERR_UNAVAILABLE;
	t->was_lost_before = t->is_lost;
}

static void who_waits_is_told_behind_the_loss(void **state)
{
	struct pair *p = *state;
	struct told told = { .is_lost = false };
	struct store_queue *queue;
	uv_loop_t loop;

	uv_loop_init(&loop);
	assert_ok(store_queue_new(&loop, &p->a, &queue, &p->e), p->e);
	store_queue_on_lost(queue, on_lost, &told);
	assert_ok(store_queue_add(queue, &(struct store_queue_op){ run_nothing, done_with, &told },
				  &p->e),
		  p->e);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_false(told.is_lost || told.is_refused);
	atomic_store(&p->a.lease->until, 0);
	assert_ok(store_queue_add(queue, &(struct store_queue_op){ run_nothing, done_with, &told },
				  &p->e),
		  p->e);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(told.is_lost && told.is_refused && told.was_lost_before);
	store_queue_free(queue);
	uv_loop_close(&loop);
}

#define PAIR(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest rows[] = {
		STORE_ROOM_ROW(a_secret_is_of_the_row_and_of_the_key),
		STORE_ROOM_ROW(a_row_that_is_not_ours_is_refused),
		STORE_ROOM_ROW(a_copy_says_nothing_of_where_it_is),
	};
	const struct CMUnitTest pairs[] = {
		STORE_ROOM_ROW(a_row_that_is_not_ours_is_refused),
		STORE_ROOM_ROW(a_copy_says_nothing_of_where_it_is),
		PAIR(one_hands_over_to_the_other),
		PAIR(who_is_taken_for_gone_writes_nothing),
		PAIR(what_is_due_is_renewed),
		PAIR(by_its_own_clock_it_ends_without_asking),
		PAIR(who_was_not_quick_enough_is_told),
		PAIR(a_lease_without_a_sensible_end_is_waited_for),
		PAIR(other_keys_and_forms_are_refused),
		PAIR(one_alone_waits_for_the_end_and_ends_all),
		PAIR(others_sessions_are_left_alone),
		PAIR(who_waits_is_told_behind_the_loss),
	};

	/* A file is one service's. */
	return store_room_database() ? cmocka_run_group_tests(pairs, NULL, NULL)
				     : cmocka_run_group_tests(rows, NULL, NULL);
}
