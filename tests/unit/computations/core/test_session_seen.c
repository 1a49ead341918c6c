/* SPDX-License-Identifier: Apache-2.0 */
/* When CVMs were here last, of those that connect and then say nothing. */
#include "computations/core/session.h"
#include "computations/core/session_seen.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <string.h>

enum { AT_ONCE_MS = 1 };

struct place {
	struct store_room *room;
	uv_loop_t loop;
	struct service service;
	struct session sessions[SESSION_SEEN_BATCH + 2];
	char ids[SESSION_SEEN_BATCH + 2][16];
};

bool __wrap_rpc_call_is_open(const struct rpc_call *call);
bool __wrap_rpc_call_is_open(const struct rpc_call *call)
{
	return true;
}

static int enter(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	void *room;
	struct store_queue *queue;

	if (!p || store_room_enter(&room) < 0)
		return -1;
	p->room = room;
	p->room->store.limits.cvms = ARRAY_LEN(p->sessions);
	uv_loop_init(&p->loop);
	assert_ok(store_queue_new(&p->loop, &p->room->store, &queue, &p->room->e), p->room->e);
	service_init(&p->service, &p->loop, queue, ARRAY_LEN(p->sessions));
	*state = p;
	return 0;
}

static int leave(void **state)
{
	struct place *p = *state;
	void *room = p->room;

	uv_run(&p->loop, UV_RUN_DEFAULT);
	store_queue_free(p->service.queue);
	assert_int_equal(uv_loop_close(&p->loop), 0);
	free(p);
	return store_room_leave(&room);
}

/* Its stream, since a time long ago; it says nothing. */
static struct session *connect_at(struct place *p, size_t i, bool forwarder)
{
	struct session *s = &p->sessions[i];

	snprintf(p->ids[i], sizeof(p->ids[i]), "cvm-%zu", i);
	store_room_arrive_idle(p->room, p->ids[i]);
	assert_ok(db_run(&p->room->store.db, &p->room->e,
			 "UPDATE cvms SET last_seen = 1 WHERE id = ?", "t", p->ids[i]),
		  p->room->e);
	*s = (struct session){ .service = &p->service,
			       .call = (struct rpc_call *)s,
			       .cvm_id = p->ids[i],
			       .arrived = true,
			       .forwarder = forwarder };
	TAILQ_INSERT_TAIL(&p->service.sessions, s, next);
	++*(forwarder ? &p->service.forwarder_count : &p->service.session_count);
	return s;
}

static int64_t seen_at(struct place *p, size_t i)
{
	struct cvm c CLEANUP_CVM = { .id = NULL };

	assert_ok(store_cvm(&p->room->store, p->ids[i], &c, &p->room->e), p->room->e);
	return c.last_seen;
}

/* In the queue, which others use meanwhile. */
struct question {
	const char *id;
	int64_t seen;
	bool forgets, is_answered;
};

static int run_question(struct store *store, void *data, struct err *e)
{
	struct question *q = data;
	struct cvm c CLEANUP_CVM = { .id = NULL };

	if (store_cvm(store, q->id, &c, e) < 0)
		return err_code(e);
	q->seen = c.last_seen;
	return q->forgets ? db_script(&store->db, "UPDATE cvms SET last_seen = 1", e) : 0;
}

static void question_done(void *data, const struct err *e)
{
	struct question *q = data;

	assert_null(e);
	q->is_answered = true;
}

static int64_t ask(struct place *p, size_t i, bool forgets)
{
	struct question q = { .id = p->ids[i], .forgets = forgets };

	assert_ok(store_queue_add(p->service.queue,
				  &(struct store_queue_op){ run_question, question_done, &q },
				  &p->room->e),
		  p->room->e);
	while (!q.is_answered)
		uv_run(&p->loop, UV_RUN_ONCE);
	return q.seen;
}

/* So nothing of it is lost when the service is killed. */
static void who_is_connected_is_here(void **state)
{
	enum { ALL = SESSION_SEEN_BATCH + 2, AWAY = 3 };
	struct session_seen *seen;
	struct place *p = *state;
	int64_t before;

	for (size_t i = 0; i < ALL; i++)
		connect_at(p, i, false);
	TAILQ_REMOVE(&p->service.sessions, &p->sessions[AWAY], next);
	before = store_now();
	assert_ok(session_seen_new(&p->service, AT_ONCE_MS, &seen, &p->room->e), p->room->e);
	while (ask(p, 0, false) == 1 || ask(p, ALL - 1, false) == 1)
		;
	ask(p, 0, true);
	/* Again, for as long as they are. */
	while (ask(p, 0, false) == 1 || ask(p, ALL - 1, false) == 1)
		;
	session_seen_stop(seen);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < ALL; i++)
		if (i != AWAY)
			assert_true(seen_at(p, i) >= before);
	assert_int_equal(seen_at(p, AWAY), 1);
	session_seen_free(seen);
}

/* Nor whoever is refused, whose name it may not be. */
static void who_only_reports_is_not_the_cvm(void **state)
{
	struct session_seen *seen;
	struct place *p = *state;

	connect_at(p, 0, true);
	connect_at(p, 1, false)->arrived = false;
	connect_at(p, 2, false);
	assert_ok(session_seen_new(&p->service, AT_ONCE_MS, &seen, &p->room->e), p->room->e);
	while (ask(p, 2, false) == 1)
		;
	session_seen_stop(seen);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	assert_int_equal(seen_at(p, 0), 1);
	assert_int_equal(seen_at(p, 1), 1);
	session_seen_free(seen);
}

/* One that was here a short while ago gives no place to who comes. */
static void one_that_was_idle_for_weeks_is_no_stranger(void **state)
{
	struct place *p = *state;
	struct session_seen *seen;
	struct cvm c CLEANUP_CVM = { .id = NULL };
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	struct session *s;

	p->room->store.limits.cvms = 1;
	s = connect_at(p, 0, false);
	assert_ok(db_script(&p->room->store.db, "UPDATE cvms SET used = 1, key = 'a'", &p->room->e),
		  p->room->e);
	assert_ok(session_seen_new(&p->service, AT_ONCE_MS, &seen, &p->room->e), p->room->e);
	while (ask(p, 0, false) == 1)
		;
	session_seen_stop(seen);
	TAILQ_REMOVE(&p->service.sessions, s, next);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	session_seen_free(seen);
	assert_refused(store_cvm_seen(&p->room->store, "other", "p", "b", "", store_room_is_in,
				      NULL, &todo, &p->room->e),
		       p->room->e, ERR_EXHAUSTED, "within a week");
	assert_ok(store_cvm(&p->room->store, p->ids[0], &c, &p->room->e), p->room->e);
}

#define PLACE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE(who_only_reports_is_not_the_cvm),
		PLACE(who_is_connected_is_here),
		PLACE(one_that_was_idle_for_weeks_is_no_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
