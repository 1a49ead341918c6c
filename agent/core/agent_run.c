/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/agent_run.h"

#include "agent/core/agent_journal.h"
#include "agent/core/agent_receipt.h"
#include "agent/core/agent_stop.h"
#include "agent/jail/runner.h"
#include "agent/journal/journal.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/bundle/bundle.h"
#include "common/manifest/manifest_extension.h"
#include "common/rpc/job.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { LOG_NAMES_MAX = 1000 };

/* The end of a run: away with what it needed, then its results into a zip, or the failure that it
 * ended with. All in the pool. */
struct ending {
	struct agent *agent;
	struct computation *computation;
	int results; /* -1 after a failure */
	char *dir;
	char *kept; /* of owners, for a retry; NULL: the algorithm failed, it stays */
	char *log;  /* for the zip; NULL: the manifest has it go elsewhere */
	size_t log_len;
	struct receipt_results made;
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

/* Nothing more happens in it. */
static void complete(struct agent *agent)
{
	enter(agent, EVENT_LAST_RESULT, "Complete", "Completed");
	if (agent->state == STATE_COMPLETE)
		journal_end(agent->journal, "complete");
}

static void remove_inputs(const char *dir)
{
	static const char *const names[] = { "algorithm", "requirements", "datasets",
					     "cache",     "scratch",      "uploads" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(free) char *path = NULL;
		struct err e;

		/* The host reads this, and names in there are the algorithm's. */
		if (text_format(&path, &e, "%s/%s", dir, names[i]) < 0 || dir_remove(path, &e) < 0)
			log_warn("after the run: %s is not removed whole (%s)", names[i],
				 err_code_name(e.code));
	}
}

static void ending_free(struct ending *end)
{
	if (end->results >= 0)
		close(end->results);
	computation_unref(end->computation);
	free(end->dir);
	free(end->kept);
	free(end->log);
	free(end);
}
DEFINE_CLEANUP(struct ending *, ending_free)

/* What the algorithm wrote goes along, under the first name that is free: results/ may have a log.txt of
 * its own. */
static int make_with_log(struct ending *end, int zip, struct err *e)
{
	char name[32] = "log.txt";
	struct bundle_extra log = { name, end->log, end->log_len };
	struct stat there;

	for (unsigned n = 1; fstatat(end->results, name, &there, AT_SYMLINK_NOFOLLOW) == 0; n++) {
		if (n == LOG_NAMES_MAX)
			return err_set(e, ERR_EXISTS, "log.txt to log_%d.txt are all there",
				       LOG_NAMES_MAX - 1);
		snprintf(name, sizeof(name), "log_%u.txt", n);
	}
	return bundle_make_with(end->results, &log, zip, NULL, e);
}

static int make_zip(struct ending *end, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(close) int zip = -1;

	if (text_format(&path, e, "%s/results.zip", end->dir) < 0)
		return err_code(e);
	zip = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (zip < 0)
		return err_errno(e, "make '%s'", path);
	if ((end->log ? make_with_log(end, zip, e)
		      : bundle_make(end->results, zip, NULL, NULL, NULL, e)) < 0)
		return err_code(e);
	return receipt_results_of(zip, &end->made, e);
}

/* The inputs first, whatever follows: their room may be what the results need. */
static void ending_work(void *data)
{
	struct ending *end = data;

	remove_inputs(end->dir);
	if (end->kept)
		end->failed = dir_remove(end->kept, &end->e);
	if (end->failed)
		return;
	end->failed = make_zip(end, &end->e);
	if (end->failed)
		err_wrap(&end->e, "put the results together");
}

/* Results, and a receipt where one is due: from here on consumers are served. */
static void settle(struct ending *end, const struct err *why)
{
	struct agent *agent = end->agent;
	struct computation *c = end->computation;

	c->placing--;
	if (c->over || agent->shutting_down) {
		agent_stop_go_on(agent);
	} else if (agent->state != STATE_RUNNING) {
		/* it has failed before the run ended */
	} else if (why) {
		agent_fail(agent, why);
	} else {
		c->result_size = end->made.size;
		enter(agent, EVENT_RAN, "ConsumingResults", "Ready");
		if (c->consumer_count == 0)
			complete(agent);
	}
	ending_free(end);
}

static void on_receipt(void *data, const struct err *why)
{
	settle(data, why);
}

static void ending_done(void *data)
{
	struct ending *end = data;
	struct agent *agent = end->agent;
	const struct agent_receipt_call call = { agent, &end->made, on_receipt, end };

	if (!end->failed && !end->computation->over && agent->state == STATE_RUNNING) {
		/* First: the receipt has the head behind it. */
		agent_journal_results(agent, end->made.size, end->made.sha3_256);
		if (agent_receipt_is_due(agent)) {
			end->failed = agent_receipt_make(&call, &end->e);
			if (!end->failed)
				return;
		}
	}
	settle(end, end->failed ? &end->e : NULL);
}

/* `why` is set after a failure; `results` are taken over. */
static void end_run(struct agent *agent, int results, const struct err *why)
{
	CLEANUP(ending_free) struct ending *end = calloc(1, sizeof(*end));
	const struct computation *c = agent->computation;
	CLEANUP(close) int dir = results;
	struct err e;

	if (!end) {
		err_nomem(&e);
		agent_fail(agent, &e);
		return;
	}
	*end = (struct ending){ .agent = agent,
				.computation = computation_ref(agent->computation),
				.results = TAKE_FD(dir),
				.dir = strdup(agent->dir) };
	if (why) {
		end->e = *why;
		end->failed = err_code(why);
	}
	int failed = end->dir ? 0 : err_nomem(&e);
	/* With results nothing is left to retry, whatever becomes of them. */
	if (!failed && !why) {
		retained_forget(&agent->uploads.retained);
		end->kept = strdup(agent->uploads.retained.dir);
		failed = end->kept ? 0 : err_nomem(&e);
	}
	if (!failed && !why && manifest_logs(c->manifest) == MANIFEST_LOGS_CONSUMERS)
		failed = transcript_text(&c->said, &end->log, &end->log_len, &e);
	if (!failed)
		failed = rpc_job_start(agent->loop, ending_work, ending_done, end, &e);
	if (failed) {
		agent_fail(agent, why ? why : &e);
		return;
	}
	agent->computation->placing++;
	(void)TAKE_PTR(end);
}

static void on_line(void *data, int stream, const char *text, size_t len)
{
	static const char mark[] = "algorithm: "; /* so that it can't speak for the agent */
	struct agent *agent = data;
	struct computation *c = agent->computation;
	char line[sizeof(mark) + JAIL_LINE_MAX];
	size_t room = sizeof(line) - (sizeof(mark) - 1), taken = len < room ? len : room;

	transcript_add(&c->said, text, len);
	if (manifest_logs(c->manifest) != MANIFEST_LOGS_ALL)
		return;
	memcpy(line, mark, sizeof(mark) - 1);
	memcpy(line + sizeof(mark) - 1, text, taken);
	agent_line(agent, stream == 2 ? "ERROR" : "INFO", line, sizeof(mark) - 1 + taken);
	agent_journal_output(agent, stream, text, taken);
}

static void on_usage(void *data, const struct jail_usage *usage)
{
	struct agent *agent = data;

	agent->computation->used = *usage;
}

static void on_run_end(void *data, const struct jail_exit *exit, int results)
{
	struct agent *agent = data;
	CLEANUP(close) int dir = results;
	struct err e;

	runner_free(TAKE_PTR(agent->runner));
	agent->computation->run_over = true;
	agent->computation->exit_code = exit->code;
	if (agent->stop_wanted) {
		agent_stop_go_on(agent);
		return;
	}
	agent_journal_exit(agent, exit);
	if (exit->ok && agent->state == STATE_RUNNING) {
		agent_event(agent, "Running", "Completed");
		end_run(agent, TAKE_FD(dir), NULL);
		return;
	}
	err_set(&e, ERR_ABORTED, "%s", exit->cause);
	end_run(agent, -1, &e);
}

static int start(struct agent *agent, struct err *e)
{
	static const char *const names[] = { "algorithm", "requirements/requirements.txt",
					     "datasets",  "scratch",
					     "cache",     "requirements/wheels" };
	const struct config *config = agent->config;
	const struct jail_limits limits = { .memory = config->run_memory,
					    .pids = config->run_processes,
					    .results = config->run_results,
					    .scratch = config->run_scratch,
					    .time = config->run_time_ms,
					    .processor = config->run_processor };
	struct computation *c = agent->computation;
	const struct runner_callbacks callbacks = {
		.on_line = on_line, .on_exit = on_run_end, .data = agent, .on_usage = on_usage
	};
	char *paths[ARRAY_LEN(names)] = { 0 };
	int failed = 0;

	/* What memory allows is settled once, so that the receipt says what the run had. */
	c->limits = jail_limits_filled(&limits);
	c->started = (uint64_t)time(NULL);
	failed = agent_receipt_fits(agent, e);
	for (size_t i = 0; i < ARRAY_LEN(names) && !failed; i++)
		failed = computation_path(c, names[i], &paths[i], e);
	if (!failed) {
		const struct runner_spec spec = {
			.kind = c->kind,
			.algorithm = paths[0],
			.requirements = c->requirements ? paths[1] : NULL,
			.wheels = c->requirements ? paths[5] : NULL,
			.datasets = paths[2],
			.scratch = paths[3],
			.cache = paths[4],
			.python_runtime = c->runtime,
			.pip_index_url = config->pip_index_url,
			.args = (const char *const *)c->args,
			.strict = config->in_image,
			.limits = c->limits,
		};
		agent_journal_limits(agent, &spec.limits);
		failed = runner_start(agent->loop, &spec, &callbacks, &agent->runner, e);
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		free(paths[i]);
	return failed;
}

static void run(struct agent *agent)
{
	struct err e;

	agent->computation->run_begun = true;
	agent_event(agent, "Running", "Starting");
	if (start(agent, &e) < 0) {
		err_wrap(&e, "start the algorithm");
		agent->computation->run_over = true;
		end_run(agent, -1, &e);
		return;
	}
	agent_event(agent, "Running", "InProgress");
}

void agent_run_algorithm_in(struct agent *agent)
{
	bool more = !computation_has_all_data(agent->computation);

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
	agent_journal_delivery(agent, consumer);
	all = computation_has_all_consumers(agent->computation);
	if (all)
		complete(agent);
	else
		enter(agent, EVENT_RESULT, NULL, "Completed");
}
