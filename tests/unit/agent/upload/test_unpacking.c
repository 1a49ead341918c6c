/* SPDX-License-Identifier: Apache-2.0 */
/* test_unpacking.c — whose turn it is, and what a stop reaches: the work itself and the call's answer are stood in for. */
#include "agent/upload/unpack_into.h"
#include "agent/upload/unpacking.h"
#include "agent/upload/upload_call.h"
#include "tests/unit.h"

enum { CALLS = 3 };

/* What the pool was given, one at a time. */
static struct {
	void (*work)(void *data);
	void (*done)(struct rpc_call *call, void *data);
	void *data;
} job;

static struct {
	unsigned runs, cancelled, placed, finished, released;
	char why[ERR_TEXT_MAX];
} seen;

static struct uploads uploads;
static struct computation computation;
static struct upload_call calls[CALLS];
static const struct manifest_place nowhere;

int __wrap_rpc_call_job(struct rpc_call *call, void (*work)(void *data),
			void (*done)(struct rpc_call *call, void *data), void *data, struct err *e);
int __wrap_unpack_into_init(struct unpack_into *to, const struct computation *c,
			    const struct asset *asset, const struct manifest_place *place,
			    struct err *e);
int __wrap_unpack_into_run(const struct unpack_into *to, const char *zip, const atomic_bool *cancel,
			   struct err *e);
const char *__wrap_upload_path(const struct upload *u);
void __wrap_upload_call_set_placing(struct upload_call *u, bool placing);
void __wrap_upload_call_placed(struct upload_call *u);
void __wrap_upload_call_finish(struct upload_call *u, const struct err *e);

int __wrap_rpc_call_job(struct rpc_call *call, void (*work)(void *data),
			void (*done)(struct rpc_call *call, void *data), void *data, struct err *e)
{
	(void)call;
	if (job.data)
		return err_set(e, ERR_INTERNAL, "two at a time");
	job.work = work;
	job.done = done;
	job.data = data;
	return 0;
}

int __wrap_unpack_into_init(struct unpack_into *to, const struct computation *c,
			    const struct asset *asset, const struct manifest_place *place,
			    struct err *e)
{
	(void)to, (void)c, (void)asset, (void)place, (void)e;
	return 0;
}

/* As the real one, which asks between two blocks. */
int __wrap_unpack_into_run(const struct unpack_into *to, const char *zip, const atomic_bool *cancel,
			   struct err *e)
{
	(void)to, (void)zip;
	seen.runs++;
	if (!atomic_load(cancel))
		return 0;
	seen.cancelled++;
	return err_set(e, ERR_CANCELLED, "not wanted any more");
}

const char *__wrap_upload_path(const struct upload *u)
{
	(void)u;
	return "/nowhere.zip";
}

void __wrap_upload_call_set_placing(struct upload_call *u, bool placing)
{
	(void)u, (void)placing;
}

void __wrap_upload_call_placed(struct upload_call *u)
{
	(void)u;
	seen.placed++;
}

void __wrap_upload_call_finish(struct upload_call *u, const struct err *e)
{
	(void)u;
	seen.finished++;
	snprintf(seen.why, sizeof(seen.why), "%s", e->text);
}

static int expects(void *data, enum upload_asset asset, struct err *e)
{
	(void)data, (void)asset, (void)e;
	return 0;
}

static void released(void *data)
{
	(void)data;
	seen.released++;
}

static const struct uploads_callbacks callbacks = { .expects = expects, .released = released };

static int fresh(void **state)
{
	struct err e;

	(void)state;
	memset(&job, 0, sizeof(job));
	memset(&seen, 0, sizeof(seen));
	uploads = (struct uploads){ .config.callbacks = &callbacks };
	TAILQ_INIT(&uploads.waiting);
	for (unsigned i = 0; i < CALLS; i++) {
		calls[i] = (struct upload_call){ .uploads = &uploads, .computation = &computation };
		assert_ok(unpacking_start(&calls[i], &nowhere, &e), e);
		assert_int_equal(calls[i].stage, UPLOAD_UNPACKING);
	}
	return 0;
}

/* The pool comes to what it was given. */
static void pool_runs(void)
{
	void *data = job.data;

	assert_non_null(data);
	job.work(data);
	job.data = NULL;
	job.done(NULL, data);
}

static void one_is_unpacked_at_a_time(void **state)
{
	for (unsigned i = 1; i <= CALLS; i++) {
		assert_int_equal(seen.runs, i - 1);
		pool_runs();
		assert_true(seen.placed == i && seen.released == i);
	}
	assert_null(job.data);
	assert_true(!seen.cancelled && !seen.finished);
}

static void a_stop_reaches_the_one_at_work_and_those_that_wait(void **state)
{
	struct err why;

	err_set(&why, ERR_ABORTED, "stopped");
	unpacking_stop(&uploads, &why);
	assert_int_equal(seen.finished, CALLS - 1);
	assert_non_null(strstr(seen.why, "stopped"));
	pool_runs();
	assert_true(seen.runs == 1 && seen.cancelled == 1 && !seen.placed);
	assert_true(seen.finished == CALLS && seen.released == 1);
	assert_non_null(strstr(seen.why, "not wanted any more"));
	assert_null(job.data);
}

static void a_stop_without_work_is_none(void **state)
{
	struct err why;

	for (unsigned i = 0; i < CALLS; i++)
		pool_runs();
	err_set(&why, ERR_ABORTED, "stopped");
	unpacking_stop(&uploads, &why);
	assert_true(seen.placed == CALLS && !seen.finished && !seen.cancelled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_is_unpacked_at_a_time, fresh),
		cmocka_unit_test_setup(a_stop_reaches_the_one_at_work_and_those_that_wait, fresh),
		cmocka_unit_test_setup(a_stop_without_work_is_none, fresh),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
