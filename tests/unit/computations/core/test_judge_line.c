/* SPDX-License-Identifier: Apache-2.0 */
/* What takes long to judge: by turns, one step at a time, few of one caller, and none of who has left. */
#include "common/rpc/job.h"
#include "computations/core/judge_line.h"
#include "tests/unit.h"

#include <string.h>

struct room {
	uv_loop_t loop;
	struct judge_line *line;
	struct err e;
	char steps[64], ends[64]; /* of whom, in their order */
};

struct work {
	struct room *f;
	char name;
	int steps;
	uv_sem_t *waits; /* each step, for one */
	struct judge_place *place;
	struct err why;
	bool stays; /* when it is judged */
	struct work *cancels;
};

static int enter(void **state)
{
	struct room *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_ok(judge_line_new(&f->loop, &f->line, &f->e), f->e);
	*state = f;
	return 0;
}

static int leave(void **state)
{
	struct room *f = *state;

	uv_run(&f->loop, UV_RUN_DEFAULT);
	judge_line_free(f->line);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	free(f);
	return 0;
}

static bool step(void *data)
{
	struct work *w = data;

	if (w->waits)
		uv_sem_wait(w->waits);
	strncat(w->f->steps, &w->name, 1);
	return --w->steps > 0;
}

static void done(void *data, const struct err *e)
{
	struct work *w = data;

	strncat(w->f->ends, &w->name, 1);
	w->why.code = ERR_OK;
	if (e)
		w->why = *e;
	if (w->cancels)
		judge_line_cancel(w->cancels->place);
	if (!w->stays)
		judge_line_leave(TAKE_PTR(w->place));
}

static int add_of(struct room *f, struct work *w, struct judge_caller caller, size_t bytes)
{
	const struct judge_job job = {
		.caller = caller, .bytes = bytes, .step = step, .done = done, .data = w
	};

	w->f = f;
	return judge_line_add(f->line, &job, &w->place, &f->e);
}

static int add(struct room *f, struct work *w, int64_t person)
{
	return add_of(f, w, (struct judge_caller){ .person = person }, 1);
}

static void all_have_turns(void **state)
{
	struct room *f = *state;
	struct work a = { .name = 'a', .steps = 4 }, b = { .name = 'b', .steps = 2 },
		    c = { .name = 'c', .steps = 1 };

	assert_ok(add(f, &a, 1), f->e);
	assert_ok(add(f, &b, 2), f->e);
	assert_ok(add(f, &c, 3), f->e);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_string_equal(f->steps, "abcabaa");
	assert_string_equal(f->ends, "cba");
}

static void one_caller_s_wait_for_one_another(void **state)
{
	struct room *f = *state;
	struct work a = { .name = 'a', .steps = 3 }, b = { .name = 'b', .steps = 1 },
		    c = { .name = 'c', .steps = 2 };

	assert_ok(add(f, &a, 1), f->e);
	assert_ok(add(f, &b, 1), f->e);
	assert_ok(add(f, &c, 2), f->e);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_string_equal(f->steps, "acacab");
	assert_string_equal(f->ends, "cab");
}

static void a_user_is_one_caller_wherever_he_is(void **state)
{
	struct room *f = *state;
	const struct judge_caller anna = { .person = 1 },
				  there = { .person = 1, .source = { { 7 } } },
				  bert = { .person = 2, .source = { { 7 } } },
				  nobody = { .source = { { 7 } } }, other = { .source = { { 8 } } };
	struct work a = { .name = 'a', .steps = 2 }, b = { .name = 'b', .steps = 1 },
		    c = { .name = 'c', .steps = 1 }, d = { .name = 'd', .steps = 1 },
		    e = { .name = 'e', .steps = 1 };

	assert_ok(add_of(f, &a, anna, 1), f->e);
	assert_ok(add_of(f, &b, there, 1), f->e);
	assert_ok(add_of(f, &c, bert, 1), f->e);
	assert_ok(add_of(f, &d, nobody, 1), f->e);
	assert_ok(add_of(f, &e, other, 1), f->e);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_string_equal(f->steps, "acdeab");
}

/* ---- the loop goes on ---- */

static void no_work(void *data)
{
}

static void let_go_on(void *data)
{
	uv_sem_post(data);
}

/* The step ends when something else was done and reported: were it the loop's, or all the pool's, neither would end. */
static void others_are_served_during_a_step(void **state)
{
	struct room *f = *state;
	uv_sem_t sem;
	struct work a = { .name = 'a', .steps = 1, .waits = &sem };

	assert_int_equal(uv_sem_init(&sem, 0), 0);
	assert_ok(add(f, &a, 1), f->e);
	assert_ok(rpc_job_start(&f->loop, no_work, let_go_on, &sem, &f->e), f->e);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_string_equal(f->ends, "a");
	uv_sem_destroy(&sem);
}

/* ---- who leaves ---- */

static void who_waits_and_leaves_has_no_step(void **state)
{
	struct room *f = *state;
	struct work a = { .name = 'a', .steps = 1 }, b = { .name = 'b', .steps = 1 };

	assert_ok(add(f, &a, 1), f->e);
	assert_ok(add(f, &b, 2), f->e);
	judge_line_cancel(b.place);
	assert_string_equal(f->ends, "b");
	assert_int_equal(b.why.code, ERR_CANCELLED);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_string_equal(f->steps, "a");
	assert_string_equal(f->ends, "ba");
	assert_int_equal(a.why.code, ERR_OK);
}

static void who_leaves_during_a_step_has_no_other(void **state)
{
	struct room *f = *state;
	uv_sem_t sem;
	struct work a = { .name = 'a', .steps = 1000, .waits = &sem },
		    b = { .name = 'b', .steps = 1 };

	assert_int_equal(uv_sem_init(&sem, 0), 0);
	assert_ok(add(f, &a, 1), f->e);
	assert_ok(add(f, &b, 2), f->e);
	judge_line_cancel(a.place);
	judge_line_cancel(a.place);
	assert_string_equal(f->ends, "");
	uv_sem_post(&sem);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_string_equal(f->steps, "ab");
	assert_string_equal(f->ends, "ab");
	assert_int_equal(a.why.code, ERR_CANCELLED);
	uv_sem_destroy(&sem);
}

static void who_is_judged_is_not_cancelled(void **state)
{
	struct room *f = *state;
	struct work a = { .name = 'a', .steps = 1, .stays = true },
		    b = { .name = 'b', .steps = 1, .cancels = &a };

	assert_ok(add(f, &a, 1), f->e);
	assert_ok(add(f, &b, 1), f->e);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_string_equal(f->ends, "ab");
	assert_int_equal(a.why.code, ERR_OK);
	judge_line_leave(a.place);
	judge_line_leave(NULL);
}

/* ---- limits ---- */

static void a_caller_has_so_much_room(void **state)
{
	struct room *f = *state;
	const struct judge_caller anna = { .person = 1 };
	struct work w[5] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(w); i++)
		w[i] = (struct work){ .name = 'a', .steps = 1 };
	assert_refused(add_of(f, &w[0], anna, JUDGE_LINE_CALLER - JUDGE_LINE_EACH + 1), f->e,
		       ERR_EXHAUSTED, "as much as fits");
	assert_ok(add_of(f, &w[0], anna, JUDGE_LINE_CALLER - JUDGE_LINE_EACH), f->e);
	assert_refused(add_of(f, &w[1], anna, 0), f->e, ERR_EXHAUSTED, "of yours");
	assert_ok(add(f, &w[1], 2), f->e);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_ok(add_of(f, &w[2], anna, JUDGE_LINE_CALLER - 2 * JUDGE_LINE_EACH), f->e);
	assert_refused(add_of(f, &w[3], anna, 1), f->e, ERR_EXHAUSTED, "of yours");
	assert_ok(add_of(f, &w[3], anna, 0), f->e);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(strlen(f->ends), 4);
}

/* What is judged, too, until it leaves; and each takes half of what is left at most, so that a few can't take it all. */
static void all_have_so_much_room(void **state)
{
	enum { WHOLE = JUDGE_LINE_MAX / JUDGE_LINE_CALLER - 1, CALLERS = WHOLE + 6 };
	size_t left = JUDGE_LINE_MAX - WHOLE * (size_t)JUDGE_LINE_CALLER;
	struct room *f = *state;
	struct work w[CALLERS + 1];

	for (size_t i = 0; i < ARRAY_LEN(w); i++)
		w[i] = (struct work){ .name = 'a', .steps = 1, .stays = true };
	for (size_t i = 0; i < CALLERS; i++) {
		const struct judge_caller who = { .person = 1 + (int64_t)i };
		size_t share = i < WHOLE ? JUDGE_LINE_CALLER : left / 2;

		assert_refused(add_of(f, &w[i], who, share - JUDGE_LINE_EACH + 1), f->e,
			       ERR_EXHAUSTED, "of others");
		assert_ok(add_of(f, &w[i], who, share - JUDGE_LINE_EACH), f->e);
		assert_refused(add_of(f, &w[CALLERS], who, 0), f->e, ERR_EXHAUSTED, "of yours");
		left -= i < WHOLE ? 0 : share;
	}
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_refused(add_of(f, &w[CALLERS], (struct judge_caller){ .person = 99 }, left), f->e,
		       ERR_EXHAUSTED, "of others");
	judge_line_leave(w[0].place);
	assert_ok(add_of(f, &w[CALLERS], (struct judge_caller){ .person = 99 }, left), f->e);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	for (size_t i = 1; i <= CALLERS; i++)
		judge_line_leave(w[i].place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_have_turns, enter, leave),
		cmocka_unit_test_setup_teardown(one_caller_s_wait_for_one_another, enter, leave),
		cmocka_unit_test_setup_teardown(a_user_is_one_caller_wherever_he_is, enter, leave),
		cmocka_unit_test_setup_teardown(others_are_served_during_a_step, enter, leave),
		cmocka_unit_test_setup_teardown(who_waits_and_leaves_has_no_step, enter, leave),
		cmocka_unit_test_setup_teardown(who_leaves_during_a_step_has_no_other, enter,
						leave),
		cmocka_unit_test_setup_teardown(who_is_judged_is_not_cancelled, enter, leave),
		cmocka_unit_test_setup_teardown(a_caller_has_so_much_room, enter, leave),
		cmocka_unit_test_setup_teardown(all_have_so_much_room, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
