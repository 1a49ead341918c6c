/* SPDX-License-Identifier: Apache-2.0 */
/* The way to the database: what is counted of users, where the change that a row of the audit log tells of comes to nothing. */
#include "computations/store/store_audit.h"
#include "computations/store/store_queue.h"
#include "tests/unit/computations/store_room.h"

#include <stdlib.h>

enum {
	LIMIT = 64,
	USERS = LIMIT - LIMIT / AUDIT_USERS_SHARE,
	ALWAYS = LIMIT - LIMIT / AUDIT_ALWAYS_SHARE,
	HALF = LIMIT / 2,
};

struct change {
	const char *who;
	enum audit_room room;
	int (*fails)(struct store *store, struct err *e); /* behind its row; NULL: it does not */
	enum err_code code;                               /* how it ended */
};

static int add(struct store *store, const struct change *c, struct err *e)
{
	const struct audit_row row = { .who = c->who, .what = "Test/Change" };

	return store_audit_add(store, &row, c->room, e);
}

static int run(struct store *store, void *data, struct err *e)
{
	const struct change *c = data;

	if (add(store, c, e) < 0)
		return err_code(e);
	return c->fails ? c->fails(store, e) : 0;
}

static void done(void *data, const struct err *e)
{
	((struct change *)data)->code = e ? e->code : ERR_OK;
}

/* So many that are one batch but for the first. */
static void change(struct store_room *f, struct change *changes, size_t count)
{
	struct store_queue *queue;
	uv_loop_t loop;

	uv_loop_init(&loop);
	assert_ok(store_queue_new(&loop, &f->store, &queue, &f->e), f->e);
	for (size_t i = 0; i < count; i++)
		assert_ok(store_queue_add_audited(
				  queue, &(struct store_queue_op){ run, done, &changes[i] }, &f->e),
			  f->e);
	uv_run(&loop, UV_RUN_DEFAULT);
	store_queue_free(queue);
	uv_loop_close(&loop);
}

static int refuse(struct store *store, struct err *e)
{
	(void)store;
	return err_set(e, ERR_PRECONDITION, "it can't be done");
}

/* Then its savepoint is not there. */
static int end_all(struct store *store, struct err *e)
{
	return db_script(&store->db, "ROLLBACK", e);
}

static void fill_half(struct store_room *f)
{
	const struct change c = { .who = "uid 0", .room = AUDIT_ROOM_OPERATORS };

	f->store.limits.audit_rows = LIMIT;
	for (unsigned i = 0; i < HALF; i++)
		assert_ok(add(&f->store, &c, &f->e), f->e);
}

/* As many as he has who has none yet. */
static void has_all(struct store_room *f, const char *who, enum audit_room room)
{
	const unsigned own = ((room == AUDIT_ROOM_USERS ? USERS : ALWAYS) - HALF) / 2;
	struct change c = { .who = who, .room = room };

	for (unsigned i = 0; i < own; i++) {
		change(f, &c, 1);
		assert_int_equal(c.code, ERR_OK);
	}
	change(f, &c, 1);
	assert_int_equal(c.code, ERR_EXHAUSTED);
}

static void undo(struct store_room *f, enum audit_room room,
		 int (*fails)(struct store *store, struct err *e), enum err_code code)
{
	struct change changes[3];

	for (unsigned i = 0; i < LIMIT; i++) {
		for (size_t k = 0; k < ARRAY_LEN(changes); k++)
			changes[k] = (struct change){ "user anna", room, fails, ERR_OK };
		/* One batch with the last. */
		if (!code)
			changes[1].fails = NULL;
		change(f, changes, ARRAY_LEN(changes));
		for (size_t k = 0; k < ARRAY_LEN(changes); k++) {
			assert_int_not_equal(changes[k].code, ERR_OK);
			if (code)
				assert_int_equal(changes[k].code, code);
		}
	}
}

static void a_change_that_fails_counts_for_nobody(void **state)
{
	struct store_room *f = *state;

	fill_half(f);
	undo(f, AUDIT_ROOM_USERS, refuse, ERR_PRECONDITION);
	has_all(f, "user anna", AUDIT_ROOM_USERS);
}

static void nor_does_one_that_always_works(void **state)
{
	struct store_room *f = *state;

	fill_half(f);
	undo(f, AUDIT_ROOM_ALWAYS, refuse, ERR_PRECONDITION);
	has_all(f, "user anna", AUDIT_ROOM_ALWAYS);
}

/* Also of those that went well, where one takes all others of its transaction with it. */
static void what_never_came_to_disk_counts_for_nobody(void **state)
{
	struct store_room *f = *state;

	fill_half(f);
	undo(f, AUDIT_ROOM_USERS, end_all, 0);
	has_all(f, "user anna", AUDIT_ROOM_USERS);
}

/* What others of its transaction did counts. */
static void what_stands_beside_it_counts(void **state)
{
	struct change changes[] = { { "user eve", AUDIT_ROOM_USERS, NULL, ERR_OK },
				    { "user anna", AUDIT_ROOM_USERS, NULL, ERR_OK },
				    { "user eve", AUDIT_ROOM_USERS, refuse, ERR_OK },
				    { "user anna", AUDIT_ROOM_USERS, NULL, ERR_OK } };
	struct store_room *f = *state;

	fill_half(f);
	change(f, changes, ARRAY_LEN(changes));
	assert_int_equal(changes[2].code, ERR_PRECONDITION);
	assert_int_equal(audit_share_rows(&f->store.audit_counts.users, "user anna"), 2);
	assert_int_equal(audit_share_rows(&f->store.audit_counts.users, "user eve"), 1);
}

/* ---- whose turn it is ---- */

enum { ANNA = 20, BERT = 3, OWN = 300 };
struct turns {
	uint64_t who[ANNA + BERT + OWN];
	size_t count;
};
struct turn {
	struct turns *turns;
	uint64_t who;
};

static int run_turn(struct store *store, void *data, struct err *e)
{
	struct turn *turn = data;

	(void)store;
	(void)e;
	turn->turns->who[turn->turns->count++] = turn->who;
	return 0;
}

static void turn_done(void *data, const struct err *e)
{
	(void)data;
	assert_null(e);
}

static size_t place_of(const struct turns *turns, uint64_t who, size_t nth)
{
	for (size_t i = 0; i < turns->count; i++)
		if (turns->who[i] == who && nth-- == 0)
			return i;
	fail_msg("it never ran");
	return 0;
}

static void add_turns(struct store_queue *queue, struct turn *turn, uint64_t account, size_t count)
{
	struct err e;

	for (size_t i = 0; i < count; i++)
		assert_ok(store_queue_add_for(queue, account,
					      &(struct store_queue_op){ run_turn, turn_done, turn },
					      false, &e),
			  e);
}

/* Of so many accounts one is in another line than anna's, whatever the secret is. */
static void nobody_waits_for_all_that_another_adds(void **state)
{
	struct store_room *f = *state;
	size_t first = SIZE_MAX;

	for (uint64_t bert = 2; bert < 12 && first > 2 * STORE_QUEUE_EACH_MAX; bert++) {
		struct turns turns = { .count = 0 };
		struct turn anna = { &turns, 1 }, other = { &turns, bert };
		struct store_queue *queue;
		uv_loop_t loop;

		uv_loop_init(&loop);
		assert_ok(store_queue_new(&loop, &f->store, &queue, &f->e), f->e);
		add_turns(queue, &anna, 1, ANNA); /* the first of them alone is one batch */
		add_turns(queue, &other, bert, BERT);
		uv_run(&loop, UV_RUN_DEFAULT);
		assert_int_equal(turns.count, ANNA + BERT);
		first = place_of(&turns, bert, BERT - 1);
		store_queue_free(queue);
		uv_loop_close(&loop);
	}
	assert_true(first <= 2 * STORE_QUEUE_EACH_MAX);
}

/* Neither keeps the other out: half of a batch each. */
static void accounts_and_those_of_none_share(void **state)
{
	struct turns turns = { .count = 0 };
	struct turn own = { &turns, 0 }, anna = { &turns, 1 };
	struct store_room *f = *state;
	struct store_queue *queue;
	uv_loop_t loop;

	uv_loop_init(&loop);
	assert_ok(store_queue_new(&loop, &f->store, &queue, &f->e), f->e);
	add_turns(queue, &own, 0, OWN);
	add_turns(queue, &anna, 1, ANNA);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(turns.count, OWN + ANNA);
	assert_int_equal(place_of(&turns, 1, 0), 1 + STORE_QUEUE_BATCH_MAX / 2);
	assert_true(place_of(&turns, 1, STORE_QUEUE_EACH_MAX) < OWN + ANNA - 1);
	store_queue_free(queue);
	uv_loop_close(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(a_change_that_fails_counts_for_nobody),
		STORE_ROOM_ROW(nor_does_one_that_always_works),
		STORE_ROOM_ROW(what_never_came_to_disk_counts_for_nobody),
		STORE_ROOM_ROW(what_stands_beside_it_counts),
		STORE_ROOM_ROW(nobody_waits_for_all_that_another_adds),
		STORE_ROOM_ROW(accounts_and_those_of_none_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
