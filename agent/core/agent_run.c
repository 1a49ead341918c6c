/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/agent_run.h"

#include "agent/core/agent_stop.h"
#include "agent/core/cvms.h"
#include "agent/jail/runner.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/bundle/bundle.h"
#include "common/rpc/job.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Results into a zip, then away with what the run needed. All in the pool. */
struct bundling {
	struct agent *agent;
	struct computation *computation;
	int results, zip;
	char *dir;
	uint64_t size;
	int failed;
	struct err e;
};

static void enter(struct agent *agent, enum state_event event, const char *type, const char *status)
{
	struct err e;

	if (state_step(&agent->state, event, &e) < 0)
		agent_fail(agent, &e);
	else if (type)
		agent_event(agent, type, status);
}

static void remove_inputs(const char *dir)
{
	static const char *const names[] = { "algorithm", "requirements.txt", "datasets", "scratch",
					     "uploads" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(free) char *path = NULL;
		struct err e;

		if (text_format(&path, &e, "%s/%s", dir, names[i]) < 0 || dir_remove(path, &e) < 0)
			log_warn("after the run: %s", e.text);
	}
}

static void bundling_free(struct bundling *b)
{
	if (b->results >= 0)
		close(b->results);
	if (b->zip >= 0)
		close(b->zip);
	computation_unref(b->computation);
	free(b->dir);
	free(b);
}

static void bundling_work(void *data)
{
	struct bundling *b = data;
	struct stat st;

	b->failed = bundle_make(b->results, b->zip, NULL, NULL, &b->e);
	if (!b->failed && fstat(b->zip, &st) < 0)
		b->failed = err_errno(&b->e, "results.zip");
	if (!b->failed)
		b->size = (uint64_t)st.st_size;
	remove_inputs(b->dir);
}

static void bundling_done(void *data)
{
	struct bundling *b = data;
	struct agent *agent = b->agent;
	struct computation *c = b->computation;

	c->placing--;
	if (c->over || agent->shutting_down) {
		agent_stop_go_on(agent);
	} else if (b->failed) {
		err_wrap(&b->e, "put the results together");
		agent_fail(agent, &b->e);
	} else {
		c->result_size = b->size;
		enter(agent, EVENT_RAN, "ConsumingResults", "Ready");
		if (c->consumer_count == 0)
			enter(agent, EVENT_LAST_RESULT, "Complete", "Completed");
	}
	bundling_free(b);
}

static int bundle(struct agent *agent, int results, struct err *e)
{
	struct bundling *b = calloc(1, sizeof(*b));
	CLEANUP(free) char *path = NULL;
	int failed;

	if (!b) {
		close(results);
		return err_nomem(e);
	}
	*b = (struct bundling){ .agent = agent,
				.computation = computation_ref(agent->computation),
				.results = results,
				.zip = -1,
				.dir = strdup(agent->dir) };
	failed = b->dir ? computation_path(b->computation, "results.zip", &path, e) : err_nomem(e);
	if (!failed) {
		b->zip = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (b->zip < 0)
			failed = err_errno(e, "make '%s'", path);
	}
	if (!failed)
		failed = rpc_job_start(agent->loop, bundling_work, bundling_done, b, e);
	if (failed)
		bundling_free(b);
	else
		agent->computation->placing++;
	return failed;
}

static void on_line(void *data, int stream, const char *text, size_t len)
{
	struct agent *agent = data;

	postbox_log(&agent->postbox, agent->computation->manifest->id,
		    stream == 2 ? "ERROR" : "INFO", text, len);
	cvms_flush(agent->cvms);
}

static void on_run_end(void *data, const struct jail_exit *exit, int results)
{
	struct agent *agent = data;
	CLEANUP(close) int dir = results;
	struct err e;

	runner_free(TAKE_PTR(agent->runner));
	if (agent->stop_wanted) {
		agent_stop_go_on(agent);
		return;
	}
	if (agent->state != STATE_RUNNING)
		return; /* it has failed already, and this run was its last */
	if (!exit->ok) {
		err_set(&e, ERR_ABORTED, "%s", exit->cause);
		agent_fail(agent, &e);
		return;
	}
	agent_event(agent, "Running", "Completed");
	if (bundle(agent, TAKE_FD(dir), &e) < 0)
		agent_fail(agent, &e);
}

static int start(struct agent *agent, struct err *e)
{
	static const char *const names[] = { "algorithm", "requirements.txt", "datasets",
					     "scratch" };
	const struct config *config = agent->config;
	const struct computation *c = agent->computation;
	const struct runner_callbacks callbacks = { on_line, on_run_end, agent };
	char *paths[ARRAY_LEN(names)] = { 0 };
	int failed = 0;

	for (size_t i = 0; i < ARRAY_LEN(names) && !failed; i++)
		failed = computation_path(c, names[i], &paths[i], e);
	if (!failed) {
		const struct runner_spec spec = {
			.kind = c->kind,
			.algorithm = paths[0],
			.requirements = c->requirements ? paths[1] : NULL,
			.datasets = paths[2],
			.scratch = paths[3],
			.python_runtime = c->runtime,
			.pip_index_url = config->pip_index_url,
			.args = (const char *const *)c->args,
			.limits = { .memory = config->run_memory,
				    .pids = config->run_processes,
				    .results = config->run_results,
				    .scratch = config->run_scratch },
		};
		failed = runner_start(agent->loop, &spec, &callbacks, &agent->runner, e);
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		free(paths[i]);
	return failed;
}

static void run(struct agent *agent)
{
	struct err e;

	agent_event(agent, "Running", "Starting");
	if (start(agent, &e) < 0) {
		err_wrap(&e, "start the algorithm");
		agent_fail(agent, &e);
		return;
	}
	agent_event(agent, "Running", "InProgress");
}

void agent_run_algorithm_in(struct agent *agent)
{
	bool more = agent->computation->dataset_count > 0;

	enter(agent, more ? EVENT_ALGORITHM : EVENT_ALGORITHM_ONLY, more ? "ReceivingData" : NULL,
	      "InProgress");
	if (agent->state == STATE_RUNNING)
		run(agent);
}

void agent_run_dataset_in(struct agent *agent)
{
	bool all = computation_has_all_data(agent->computation);

	enter(agent, all ? EVENT_LAST_DATASET : EVENT_DATASET, NULL, NULL);
	if (agent->state == STATE_RUNNING)
		run(agent);
}

void agent_run_result_fetched(struct agent *agent, struct consumer *consumer)
{
	bool all;

	consumer->fetched = true;
	all = computation_has_all_consumers(agent->computation);
	enter(agent, all ? EVENT_LAST_RESULT : EVENT_RESULT, all ? "Complete" : NULL, "Completed");
}
