/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for evidence, and who gives way, before a keeper that takes its time: it is this test. */
#include "agent/evidence/evidence.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

enum { MANY = 8 * EVIDENCE_CHANNELS_MAX };

/* ---- the keeper: whatever it is asked stays asked, until it is to answer() ---- */

static struct keeper_facts facts;
static int asked;
static struct {
	keeper_evidence_fn *done;
	void *data;
} asker;

const struct keeper_facts *keeper_facts(const struct keeper *keeper)
{
	return &facts;
}

int keeper_channel(struct keeper *keeper, enum digest_kind hash,
		   const uint8_t exporter[BINDING_EXPORTER_LEN], keeper_evidence_fn *done,
		   void *data, struct err *e)
{
	asker.done = done;
	asker.data = data;
	asked++;
	return 0;
}

int keeper_nonce(struct keeper *keeper, const struct binding_nonce *nonce, keeper_evidence_fn *done,
		 void *data, struct err *e)
{
	asker.done = done;
	asker.data = data;
	asked++;
	return 0;
}

int keeper_ima(struct keeper *keeper, keeper_parts_fn *done, void *data, struct err *e)
{
	asked++;
	return 0;
}

int keeper_endorsement(struct keeper *keeper, keeper_parts_fn *done, void *data, struct err *e)
{
	asked++;
	return 0;
}

int keeper_activate(struct keeper *keeper, struct span blob, struct span secret,
		    keeper_parts_fn *done, void *data, struct err *e)
{
	asked++;
	return 0;
}

/* ---- who asks ---- */

struct world {
	uv_loop_t loop;
	struct evidence *evidence;
	struct evidence_request *requests[MANY];
	enum err_code told[MANY]; /* ERR_OK: not yet */
	int count, told_count;
};

static struct world *now;

static const struct rpc_source one = { { '4', 1 } }, two = { { '4', 2 } };

static void note(void *data, const struct err *e)
{
	size_t at = (size_t)((struct evidence_request **)data - now->requests);

	assert_non_null(e);
	assert_int_equal(now->told[at], ERR_OK);
	now->told[at] = e->code;
	now->told_count++;
}

static void on_token(void *data, const uint8_t *token, size_t len, const struct err *e)
{
	note(data, e);
}

static void on_parts(void *data, const struct span *parts, size_t count, const struct err *e)
{
	note(data, e);
}

static int enter(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct keeper_evidence run = { .platform = EVIDENCE_VTPM };
	struct err e;

	facts = (struct keeper_facts){ .platform = EVIDENCE_VTPM };
	asked = 0;
	now = w;
	if (!w || uv_loop_init(&w->loop) < 0 ||
	    evidence_new(&w->loop, NULL, NULL, &w->evidence, &e) < 0)
		return -1;
	evidence_set_run(w->evidence, NULL, calloc(1, 8), 8, &run);
	*state = w;
	return 0;
}

static int leave(void **state)
{
	struct world *w = *state;

	evidence_free(w->evidence);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	int result = uv_loop_close(&w->loop);
	free(w);
	return result;
}

static int ask(struct world *w, bool channel, const struct rpc_source *source, struct err *e)
{
	static const uint8_t exporter[BINDING_EXPORTER_LEN], bytes[32];
	const struct binding_nonce nonce = { .tee = bytes, .tee_len = sizeof(bytes) };
	struct evidence_request **at = &w->requests[w->count];

	assert_true(w->count < MANY);
	*at = channel ? evidence_channel(w->evidence, source, DIGEST_SHA256, exporter, on_token, at,
					 e)
		      : evidence_nonce(w->evidence, source, &nonce, on_token, at, e);
	if (!*at)
		return err_code(e);
	w->count++;
	return 0;
}

static void fill(struct world *w, bool channel, int count)
{
	struct err e;

	for (int i = 0; i < count; i++)
		assert_ok(ask(w, channel, &one, &e), e);
	while (!asked) /* the first is at the keeper, and remains there */
		uv_run(&w->loop, UV_RUN_NOWAIT);
}

static void run_until_told(struct world *w, int count)
{
	while (w->told_count < count)
		uv_run(&w->loop, UV_RUN_NOWAIT);
	uv_run(&w->loop, UV_RUN_NOWAIT);
	assert_int_equal(w->told_count, count);
}

/* ---- */

static void nobody_fills_a_queue_from_one_address(void **state)
{
	static const struct {
		bool channel;
		int room;
	} queues[] = { { true, EVIDENCE_CHANNELS_MAX }, { false, EVIDENCE_OTHERS_MAX } };

	for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
		const bool channel = queues[i].channel;
		const int room = queues[i].room;
		struct world *w;
		struct err e;

		if (i) {
			leave(state);
			enter(state);
		}
		w = *state;
		fill(w, channel, room);
		assert_refused(ask(w, channel, &one, &e), e, ERR_EXHAUSTED, "too many wait");
		assert_ok(ask(w, channel, &two, &e), e);
		assert_int_equal(w->told_count, 0); /* not from within */
		run_until_told(w, 1);
		assert_int_equal(w->told[room - 1], ERR_EXHAUSTED); /* whose turn was the last */
		assert_refused(ask(w, channel, &one, &e), e, ERR_EXHAUSTED, "too many wait");
		for (int k = 1; k < room / 2; k++)
			assert_ok(ask(w, channel, &two, &e), e);
		run_until_told(w, room / 2);
		for (int k = 0; k < room; k++)
			assert_int_equal(w->told[k], k < room / 2 ? ERR_OK : ERR_EXHAUSTED);
		/* each has half */
		assert_refused(ask(w, channel, &two, &e), e, ERR_EXHAUSTED, "too many wait");
		assert_refused(ask(w, channel, &one, &e), e, ERR_EXHAUSTED, "too many wait");
		run_until_told(w, room / 2);
	}
}

static void channels_and_questions_keep_each_other_from_nothing(void **state)
{
	struct world *w = *state;
	struct err e;

	fill(w, true, EVIDENCE_CHANNELS_MAX);
	for (int i = 0; i < EVIDENCE_OTHERS_MAX; i++)
		assert_ok(ask(w, false, &one, &e), e);
	assert_refused(ask(w, false, &one, &e), e, ERR_EXHAUSTED, "too many wait");
	assert_int_equal(w->told_count, 0);
}

static void who_gave_way_may_go_before_it_is_told(void **state)
{
	struct world *w = *state;
	struct err e;

	fill(w, false, EVIDENCE_OTHERS_MAX);
	assert_ok(ask(w, false, &two, &e), e);
	evidence_cancel(w->requests[EVIDENCE_OTHERS_MAX - 1]);
	assert_ok(ask(w, false, &two, &e), e);
	run_until_told(w, 1);
	assert_int_equal(w->told[EVIDENCE_OTHERS_MAX - 1], ERR_OK);
	assert_int_equal(w->told[EVIDENCE_OTHERS_MAX - 2], ERR_EXHAUSTED);
}

/* ---- many addresses ---- */

static struct rpc_source crowd_of(int number)
{
	return (struct rpc_source){ { '6', 1, (uint8_t)number } };
}

/* The keeper answers the one that is there; the next is asked. */
static void answer(struct world *w)
{
	const int before = asked;
	struct err e;

	err_set(&e, ERR_UNAVAILABLE, "the device says no");
	asker.done(asker.data, NULL, &e);
	while (asked == before)
		uv_run(&w->loop, UV_RUN_NOWAIT);
}

static int told_of(const struct world *w, int from, int count, enum err_code code)
{
	int told = 0;

	for (int i = from; i < from + count; i++)
		told += w->told[i] == code;
	return told;
}

/* As often as they like, each asks again as soon as there may be a place. */
static void crowd_asks(struct world *w, bool channel, int addresses)
{
	struct err e;

	for (int i = 0; i < addresses; i++) {
		const struct rpc_source source = crowd_of(i);

		while (ask(w, channel, &source, &e) == 0)
			;
		assert_int_equal(e.code, ERR_EXHAUSTED);
	}
}

static void who_asks_once_waits_for_one_of_each_other_address(void **state)
{
	enum { ADDRESSES = 16 };

	for (int channel = 0; channel < 2; channel++) {
		struct world *w;
		struct err e;

		if (channel) {
			leave(state);
			enter(state);
		}
		w = *state;
		crowd_asks(w, channel, ADDRESSES);
		while (!asked)
			uv_run(&w->loop, UV_RUN_NOWAIT);
		for (int round = 0; round < 3; round++) {
			const int honest = w->count;
			int answers = 0;

			assert_ok(ask(w, channel, &two, &e), e);
			for (; w->told[honest] == ERR_OK; answers++) {
				assert_in_range(answers, 0, ADDRESSES);
				answer(w);
				crowd_asks(w, channel, ADDRESSES);
			}
			assert_int_equal(w->told[honest], ERR_UNAVAILABLE);
		}
	}
}

static void as_many_addresses_as_places_keep_others_out_for_one_answer_each(void **state)
{
	struct world *w = *state;
	struct err e;

	for (int i = 0; i < EVIDENCE_OTHERS_MAX; i++) {
		const struct rpc_source source = crowd_of(i);

		assert_ok(ask(w, false, &source, &e), e);
	}
	while (!asked)
		uv_run(&w->loop, UV_RUN_NOWAIT);
	assert_refused(ask(w, false, &two, &e), e, ERR_EXHAUSTED, "too many wait");
	answer(w);
	const struct rpc_source again = crowd_of(0);
	assert_ok(ask(w, false, &again, &e), e);
	assert_ok(ask(w, false, &two, &e), e); /* in its place */
	run_until_told(w, 2);
	assert_int_equal(w->told[EVIDENCE_OTHERS_MAX], ERR_EXHAUSTED);
	assert_refused(ask(w, false, &again, &e), e, ERR_EXHAUSTED, "too many wait");
	/* and nobody else is pushed out before his turn */
	for (int i = 1; i <= EVIDENCE_OTHERS_MAX - 1; i++)
		answer(w);
	assert_int_equal(told_of(w, 0, EVIDENCE_OTHERS_MAX, ERR_UNAVAILABLE), EVIDENCE_OTHERS_MAX);
	assert_int_equal(w->told[EVIDENCE_OTHERS_MAX + 1], ERR_OK); /* at the keeper */
}

static void channels_and_questions_are_served_by_turns(void **state)
{
	struct world *w = *state;
	struct err e;

	fill(w, true, 8);
	for (int i = 0; i < 8; i++)
		assert_ok(ask(w, false, &one, &e), e);
	for (int i = 1; i <= 4; i++) {
		answer(w);
		answer(w);
		assert_int_equal(told_of(w, 0, 8, ERR_UNAVAILABLE), i);
		assert_int_equal(told_of(w, 8, 8, ERR_UNAVAILABLE), i);
	}
}

static void without_a_tpm_it_is_not_asked_and_nothing_counted(void **state)
{
	static const enum evidence_kind without[] = { EVIDENCE_NONE, EVIDENCE_SNP, EVIDENCE_TDX };
	struct world *w = *state;
	const struct span some = { (const uint8_t *)"x", 1 };
	struct err e;

	for (int i = 0; i < 2 * EVIDENCE_OTHERS_MAX; i++) {
		facts.platform = without[(size_t)i % ARRAY_LEN(without)];
		struct evidence_request *requests[] = {
			evidence_ima(w->evidence, &one, on_parts, &w->requests[0], &e),
			evidence_endorsement(w->evidence, &one, on_parts, &w->requests[0], &e),
			evidence_activate(w->evidence, &one, some, some, on_parts, &w->requests[0],
					  &e),
		};

		for (size_t k = 0; k < ARRAY_LEN(requests); k++)
			assert_null(requests[k]);
		assert_int_equal(e.code, ERR_UNAVAILABLE);
	}
	uv_run(&w->loop, UV_RUN_NOWAIT);
	assert_int_equal(asked, 0);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		ROW(nobody_fills_a_queue_from_one_address),
		ROW(channels_and_questions_keep_each_other_from_nothing),
		ROW(who_gave_way_may_go_before_it_is_told),
		ROW(who_asks_once_waits_for_one_of_each_other_address),
		ROW(as_many_addresses_as_places_keep_others_out_for_one_answer_each),
		ROW(channels_and_questions_are_served_by_turns),
		ROW(without_a_tpm_it_is_not_asked_and_nothing_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
