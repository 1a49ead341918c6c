/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/virt/workers.h"
#include "tests/unit.h"

#include <limits.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

static sem_t gate;
static unsigned done_count;
static uv_thread_t loop_thread;

static void wait_at_gate(void *data)
{
	while (sem_wait(&gate) != 0)
		;
}

static void count_up(void *data)
{
	*(unsigned *)data += 1;
}

static void on_done(void *data)
{
	uv_thread_t self = uv_thread_self();

	assert_true(uv_thread_equal(&self, &loop_thread));
	done_count++;
}

static void begin(uv_loop_t *loop)
{
	uv_loop_init(loop);
	loop_thread = uv_thread_self();
	done_count = 0;
}

static void end(uv_loop_t *loop)
{
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

/* Whatever one host's jobs wait for, another's are done. */
static void a_host_that_hangs_holds_up_no_other(void **state)
{
	enum { STUCK = 3 * WORKERS_MAX };
	struct workers *hangs, *works;
	unsigned sums[64] = { 0 };
	uv_loop_t loop;
	struct err e;

	begin(&loop);
	sem_init(&gate, 0, 0);
	assert_ok(workers_new(&loop, &hangs, &e), e);
	assert_ok(workers_new(&loop, &works, &e), e);
	for (int i = 0; i < STUCK; i++)
		assert_ok(workers_start(hangs, wait_at_gate, on_done, NULL, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(sums); i++)
		assert_ok(workers_start(works, count_up, on_done, &sums[i], &e), e);
	while (done_count < ARRAY_LEN(sums))
		uv_run(&loop, UV_RUN_ONCE);
	for (size_t i = 0; i < ARRAY_LEN(sums); i++)
		assert_int_equal(sums[i], 1);
	for (int i = 0; i < STUCK; i++)
		sem_post(&gate);
	while (done_count < ARRAY_LEN(sums) + STUCK)
		uv_run(&loop, UV_RUN_ONCE);
	workers_close(hangs);
	workers_close(works);
	end(&loop);
	sem_destroy(&gate);
}

static struct workers *again;
static unsigned rounds;

static void begin_another(void *data)
{
	struct err e;

	if (++rounds < 1000)
		assert_ok(workers_start(again, count_up, begin_another, data, &e), e);
}

static void a_job_may_begin_another_when_it_is_done(void **state)
{
	unsigned sum = 0;
	uv_loop_t loop;
	struct err e;

	begin(&loop);
	assert_ok(workers_new(&loop, &again, &e), e);
	assert_ok(workers_start(again, count_up, begin_another, &sum, &e), e);
	while (rounds < 1000)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(sum, 1000);
	workers_close(again);
	end(&loop);
}

enum { VISITS = 1000 };
static atomic_uint calls; /* that are under way */

static void call_alone(void *data)
{
	assert_int_equal(atomic_fetch_add(&calls, 1), 0);
	sched_yield();
	assert_int_equal(atomic_fetch_sub(&calls, 1), 1);
}

static void visit(void *data)
{
	struct err e;

	for (int i = 0; i < VISITS; i++) {
		assert_ok(workers_enter(data, UINT_MAX, &e), e);
		call_alone(NULL);
		workers_leave(data);
	}
}

static void another_thread_calls_alone(void **state)
{
	struct workers *workers;
	uv_thread_t visitors[2];
	uv_loop_t loop;
	struct err e;

	begin(&loop);
	assert_ok(workers_new(&loop, &workers, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(visitors); i++)
		assert_int_equal(uv_thread_create(&visitors[i], visit, workers), 0);
	for (int i = 0; i < VISITS; i++)
		assert_ok(workers_start(workers, call_alone, on_done, NULL, &e), e);
	while (done_count < VISITS)
		uv_run(&loop, UV_RUN_ONCE);
	for (size_t i = 0; i < ARRAY_LEN(visitors); i++)
		uv_thread_join(&visitors[i]);
	workers_close(workers);
	end(&loop);
}

static void say_so_and_wait_at_gate(void *data)
{
	sem_post(data);
	wait_at_gate(NULL);
}

/* Nobody is kept by a call that does not end, and jobs go on when it has. */
static void another_thread_does_not_wait_for_ever(void **state)
{
	struct workers *hangs;
	sem_t begun;
	uv_loop_t loop;
	struct err e;

	begin(&loop);
	sem_init(&gate, 0, 0);
	sem_init(&begun, 0, 0);
	assert_ok(workers_new(&loop, &hangs, &e), e);
	assert_ok(workers_start(hangs, say_so_and_wait_at_gate, on_done, &begun, &e), e);
	while (sem_wait(&begun) != 0)
		;
	assert_refused(workers_enter(hangs, 1, &e), e, ERR_UNAVAILABLE, "does not answer");
	assert_ok(workers_start(hangs, call_alone, on_done, NULL, &e), e);
	sem_post(&gate);
	while (done_count < 2)
		uv_run(&loop, UV_RUN_ONCE);
	assert_ok(workers_enter(hangs, 1, &e), e);
	workers_leave(hangs);
	assert_ok(workers_enter(NULL, 1, &e), e);
	workers_leave(NULL);
	workers_close(hangs);
	end(&loop);
	sem_destroy(&begun);
	sem_destroy(&gate);
}

static void without_jobs_it_ends_as_well(void **state)
{
	struct workers *idle;
	uv_loop_t loop;
	struct err e;

	begin(&loop);
	assert_ok(workers_new(&loop, &idle, &e), e);
	workers_close(idle);
	workers_close(NULL);
	end(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_that_hangs_holds_up_no_other),
		cmocka_unit_test(a_job_may_begin_another_when_it_is_done),
		cmocka_unit_test(another_thread_calls_alone),
		cmocka_unit_test(another_thread_does_not_wait_for_ever),
		cmocka_unit_test(without_jobs_it_ends_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
