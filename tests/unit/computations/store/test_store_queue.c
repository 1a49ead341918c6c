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

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(a_change_that_fails_counts_for_nobody),
		STORE_ROOM_ROW(nor_does_one_that_always_works),
		STORE_ROOM_ROW(what_never_came_to_disk_counts_for_nobody),
		STORE_ROOM_ROW(what_stands_beside_it_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
