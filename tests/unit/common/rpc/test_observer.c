/* SPDX-License-Identifier: Apache-2.0 */
/* What an observer of a server's calls is told, and that it can refuse them. */
#include "common/rpc/observer.h"
#include "tests/unit/common/rpc/pair.h"

struct seen {
	unsigned admitted, entered, ended;
	bool refuses, defers, refuses_late, was_admitted, well, has_left;
	struct err outcome;
	char about[RPC_FACT_MAX + 8];
	uint64_t number;
};

static int admit(void *data, struct rpc_call *call, const ProtobufCMessage *message, struct err *e)
{
	struct seen *s = data;

	assert_non_null(message);
	s->admitted++;
	if (s->defers)
		rpc_call_defer(call);
	return s->refuses ? err_set(e, ERR_DENIED, "not you") : 0;
}

static void ended(void *data, const struct rpc_call *call, bool admitted, const struct err *e)
{
	struct seen *s = data;
	const struct rpc_fact *facts;
	size_t count;

	s->ended++;
	s->has_left = !rpc_call_is_open(call);
	s->was_admitted = admitted;
	s->well = !e;
	if (e)
		s->outcome = *e;
	s->number = rpc_call_number(call);
	facts = rpc_call_facts(call, &count);
	snprintf(s->about, sizeof(s->about), "%s", count ? facts[0].value : "");
	assert_string_equal(rpc_call_method(call)->path, pair_input_call.path);
}

static int enter(void *data, struct rpc_call *call, struct err *e)
{
	struct seen *s = data;

	s->entered++;
	return s->refuses_late ? err_set(e, ERR_EXHAUSTED, "not now") : 0;
}

static const struct rpc_observer observer = { .admit = admit, .enter = enter, .ended = ended };

static void open_pair(struct pair *p, struct seen *s, const struct rpc_service *service)
{
	pair_open(p, &(struct pair_setup){ .service = service });
	rpc_server_observe(p->server, &observer, s);
}

static void a_call_that_ends_well_is_told_once(void **state)
{
	struct seen s = { 0 };
	struct pair p = { 0 };
	struct rpc_stream *stream;

	open_pair(&p, &s, &pair_upload_service);
	for (unsigned i = 1; i <= 2; i++) {
		p.closed = 0;
		stream = pair_call(&p, &pair_input_call, 0);
		pair_send(stream, 1);
		pair_send(stream, 1);
		rpc_stream_half_close(stream);
		pair_until(&p, p.closed);
		assert_int_equal(s.ended, i);
		assert_int_equal(s.admitted, i); /* by its first message */
		assert_true(s.was_admitted && s.well && !s.has_left);
		assert_int_equal(s.number, i);
	}
	pair_close(&p);
	assert_int_equal(s.ended, 2);
}

static void who_is_refused_never_reaches_the_handler(void **state)
{
	struct seen s = { .refuses = true };
	struct pair p = { 0 };

	open_pair(&p, &s, &pair_upload_service);
	pair_send(pair_call(&p, &pair_input_call, 0), 1);
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_DENIED);
	assert_string_equal(p.status.text, "not you");
	assert_int_equal(p.got, 0);
	assert_int_equal(s.ended, 1);
	assert_false(s.was_admitted);
	assert_int_equal(s.outcome.code, ERR_DENIED);
	pair_close(&p);
}

/* Keeps the call beyond its connection, as a job does. */
static void on_message_keep(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct pair *p = rpc_call_service(call);
	char long_id[RPC_FACT_MAX + 4];

	pair_on_message(call, message);
	assert_true(rpc_call_note(call, "id", "forgotten"));
	memset(long_id, 'x', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	assert_true(rpc_call_note(call, "id", long_id));
	p->user = rpc_call_ref(call);
}

static const struct rpc_handler keeps[] = {
	{ .method = TEST_STREAMING_INPUT_CALL,
	  .start = pair_on_start,
	  .message = on_message_keep,
	  .closed = pair_on_closed },
};
static const struct rpc_service keeping_service = { .name = TEST_SERVICE,
						    .handlers = keeps,
						    .count = 1 };

/* A call whose caller is gone, and which the test holds. */
static struct rpc_call *left_behind(struct pair *p, struct seen *s)
{
	struct rpc_stream *stream;

	open_pair(p, s, &keeping_service);
	stream = pair_call(p, &pair_input_call, 0);
	pair_send(stream, 1);
	pair_until(p, p->got == 1);
	rpc_stream_cancel(stream);
	pair_until(p, p->server_closed);
	assert_int_equal(s->ended, 0); /* what it asked for goes on */
	return p->user;
}

static void how_it_ended_is_told_even_if_the_caller_has_left(void **state)
{
	struct seen s = { 0 };
	struct pair p = { 0 };
	struct rpc_call *call = left_behind(&p, &s);

	pair_reply(call);
	assert_int_equal(s.ended, 1);
	assert_true(s.was_admitted && s.well && s.has_left);
	assert_int_equal(strlen(s.about), RPC_FACT_MAX);
	rpc_call_unref(call);
	pair_close(&p);
	assert_int_equal(s.ended, 1);
}

static void a_failure_is_told_even_if_the_caller_has_left(void **state)
{
	struct seen s = { 0 };
	struct pair p = { 0 };
	struct rpc_call *call = left_behind(&p, &s);
	struct err e;

	err_set(&e, ERR_DATA_LOSS, "gone");
	rpc_call_finish(call, &e);
	assert_int_equal(s.ended, 1);
	assert_int_equal(s.outcome.code, ERR_DATA_LOSS);
	rpc_call_unref(call);
	pair_close(&p);
	assert_int_equal(s.ended, 1);
}

/* A call that the handler has, and whose caller was told an end that is not the handler's. */
static struct rpc_call *told_otherwise(struct pair *p, struct seen *s)
{
	struct err why;

	open_pair(p, s, &keeping_service);
	pair_send(pair_call(p, &pair_input_call, 0), 1);
	pair_until(p, p->got == 1);
	err_set(&why, ERR_DEADLINE, "the call's deadline has passed");
	rpc_server_end_calls(p->server, &why);
	pair_until(p, p->closed);
	assert_int_equal(p->status.code, ERR_DEADLINE);
	assert_int_equal(s->ended, 0);
	return p->user;
}

static void what_a_handler_makes_after_the_deadline_is_told(void **state)
{
	struct seen s = { 0 };
	struct pair p = { 0 };
	struct rpc_call *call = told_otherwise(&p, &s);

	pair_reply(call);
	assert_int_equal(s.ended, 1);
	assert_true(s.was_admitted && s.well && s.has_left);
	rpc_call_unref(call);
	pair_close(&p);
	assert_int_equal(s.ended, 1);
}

static void what_the_caller_was_told_counts_if_the_handler_says_nothing(void **state)
{
	struct seen s = { 0 };
	struct pair p = { 0 };

	rpc_call_unref(told_otherwise(&p, &s));
	pair_until(&p, s.ended);
	assert_int_equal(s.ended, 1);
	assert_true(s.was_admitted && s.has_left);
	assert_int_equal(s.outcome.code, ERR_DEADLINE);
	pair_close(&p);
}

/* The deadline of a caller who waits no longer himself, whichever of the two comes first. */
static void a_deadline_is_no_outcome(void **state)
{
	struct seen s = { 0 };
	struct pair p = { 0 };
	struct rpc_call *call;
	struct err e;

	open_pair(&p, &s, &keeping_service);
	pair_send(pair_call(&p, &pair_input_call, 200), 1);
	pair_until(&p, p.server_closed);
	if (p.got == 0) { /* this machine needed all that time for the first message */
		assert_false(s.was_admitted);
		pair_close(&p);
		return;
	}
	assert_int_equal(s.ended, 0);
	call = p.user;
	err_set(&e, ERR_NOT_FOUND, "it is not there");
	rpc_call_finish(call, &e);
	assert_int_equal(s.ended, 1);
	assert_true(s.was_admitted && s.has_left);
	assert_int_equal(s.outcome.code, ERR_NOT_FOUND);
	rpc_call_unref(call);
	pair_close(&p);
}

static void a_call_has_so_many_facts(void **state)
{
	static const char *const keys[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i" };
	struct seen s = { 0 };
	struct pair p = { 0 };
	struct rpc_call *call = left_behind(&p, &s);
	const struct rpc_fact *facts;
	size_t count;

	_Static_assert(ARRAY_LEN(keys) == RPC_FACTS_MAX + 1, "one too many with 'id'");
	for (size_t i = 0; i < RPC_FACTS_MAX - 1; i++)
		assert_true(rpc_call_note(call, keys[i], i ? keys[i] : NULL));
	assert_false(rpc_call_note(call, keys[RPC_FACTS_MAX - 1], "x"));
	assert_true(rpc_call_note(call, "id", "last"));
	facts = rpc_call_facts(call, &count);
	assert_int_equal(count, RPC_FACTS_MAX);
	assert_string_equal(facts[0].value, "last");
	assert_null(facts[1].value);
	assert_string_equal(facts[2].value, "b");
	rpc_call_unref(call);
	pair_close(&p);
}

static void a_call_that_nobody_answers_was_cancelled(void **state)
{
	struct seen s = { 0 };
	struct pair p = { 0 };

	rpc_call_unref(left_behind(&p, &s));
	assert_int_equal(s.ended, 1);
	assert_true(s.was_admitted);
	assert_int_equal(s.outcome.code, ERR_CANCELLED);
	pair_close(&p);
}

/* What is put off counts as not admitted until its handler enters it. */
static void what_was_put_off_is_admitted_by_its_handler(void **state)
{
	struct seen s = { .defers = true, .refuses_late = true };
	struct pair p = { 0 };
	struct rpc_call *call = left_behind(&p, &s);
	struct err e;

	assert_true(err_is(rpc_call_enter(call, &e), ERR_EXHAUSTED));
	assert_false(rpc_call_is_entered(call));
	s.refuses_late = false;
	for (unsigned i = 0; i < 2; i++)
		assert_ok(rpc_call_enter(call, &e), e);
	assert_int_equal(s.entered, 2); /* the one that was refused, and one more */
	assert_true(rpc_call_is_entered(call));
	pair_reply(call);
	assert_int_equal(s.ended, 1);
	assert_true(s.was_admitted && s.well);
	rpc_call_unref(call);
	pair_close(&p);
}

static void what_stays_put_off_was_not_admitted(void **state)
{
	struct seen s = { .defers = true };
	struct pair p = { 0 };
	struct rpc_call *call = left_behind(&p, &s);
	struct err e;

	rpc_call_finish(call, (err_set(&e, ERR_UNAUTHENTICATED, "nobody"), &e));
	assert_int_equal(s.ended, 1);
	assert_false(s.was_admitted || s.well);
	assert_int_equal(s.entered, 0);
	rpc_call_unref(call);
	pair_close(&p);
}

/* A handler need not know. */
static void what_was_not_put_off_is_entered_already(void **state)
{
	struct seen s = { .refuses_late = true };
	struct pair p = { 0 };
	struct rpc_call *call = left_behind(&p, &s);
	struct err e;

	assert_true(rpc_call_is_entered(call));
	assert_ok(rpc_call_enter(call, &e), e);
	pair_reply(call);
	assert_true(s.was_admitted && s.well && !s.entered);
	assert_ok(rpc_call_enter(call, &e), e); /* nobody is told any more */
	rpc_call_unref(call);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_ends_well_is_told_once),
		cmocka_unit_test(who_is_refused_never_reaches_the_handler),
		cmocka_unit_test(how_it_ended_is_told_even_if_the_caller_has_left),
		cmocka_unit_test(a_failure_is_told_even_if_the_caller_has_left),
		cmocka_unit_test(what_a_handler_makes_after_the_deadline_is_told),
		cmocka_unit_test(what_the_caller_was_told_counts_if_the_handler_says_nothing),
		cmocka_unit_test(a_deadline_is_no_outcome),
		cmocka_unit_test(a_call_has_so_many_facts),
		cmocka_unit_test(a_call_that_nobody_answers_was_cancelled),
		cmocka_unit_test(what_was_put_off_is_admitted_by_its_handler),
		cmocka_unit_test(what_stays_put_off_was_not_admitted),
		cmocka_unit_test(what_was_not_put_off_is_entered_already),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
