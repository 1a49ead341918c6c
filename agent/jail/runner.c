/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/runner.h"

#include "agent/container/unpack.h"
#include "agent/jail/runner_image.h"
#include "agent/jail/runner_prepare.h"
#include "agent/wasm/wasm_exit.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <stdio.h>
#include <string.h>

struct runner {
	uv_loop_t *loop;
	struct runner_callbacks callbacks;
	struct runner_spec spec; /* with our own copies of its strings */
	char *strings[9];
	char **args;
	struct runner_plan plan;
	uv_work_t work;
	struct err e; /* of what the thread does */
	atomic_bool cancel;
	struct jail *jail;
	bool working, stopped, ended, freed;
};

static void destroy(struct runner *runner)
{
	runner_plan_done(&runner->plan);
	for (size_t i = 0; i < ARRAY_LEN(runner->strings); i++)
		free(runner->strings[i]);
	for (size_t i = 0; runner->args && runner->args[i]; i++)
		free(runner->args[i]);
	free(runner->args);
	free(runner);
}

/* The end. A runner that was freed meanwhile tells nobody. */
static void finish(struct runner *runner, const struct jail_exit *exit, int results)
{
	runner->ended = true;
	if (runner->freed) {
		if (results >= 0)
			close(results);
		return;
	}
	if (!exit->ok && results >= 0) {
		close(results); /* what a failed run wrote is nobody's result */
		results = -1;
	}
	runner->callbacks.on_exit(runner->callbacks.data, exit, results);
}

static void fail(struct runner *runner, const struct err *e)
{
	struct jail_exit exit = { .code = -1, .stopped = runner->stopped };

	snprintf(exit.cause, sizeof(exit.cause), "%s", runner->stopped ? "stopped" : e->text);
	finish(runner, &exit, -1);
}

static void on_line(void *data, int stream, const char *text, size_t len)
{
	struct runner *runner = data;

	if (runner->callbacks.on_line)
		runner->callbacks.on_line(runner->callbacks.data, stream, text, len);
}

static void on_usage(void *data, const struct jail_usage *usage)
{
	struct runner *runner = data;

	if (runner->callbacks.on_usage && !runner->freed)
		runner->callbacks.on_usage(runner->callbacks.data, usage);
}

static void on_run_exit(void *data, const struct jail_exit *exit, int results)
{
	struct runner *runner = data;
	struct jail_exit ended = *exit;

	jail_free(runner->jail);
	runner->jail = NULL;
	if (exit->late)
		snprintf(ended.cause, sizeof(ended.cause), "the algorithm %.400s", exit->cause);
	if (runner->spec.kind == RUNNER_WASM && wasm_exit_text(exit->code))
		snprintf(ended.cause, sizeof(ended.cause), "wasm: %s", wasm_exit_text(exit->code));
	finish(runner, &ended, results);
}

/* What every algorithm finds around it: nothing of the agent's own environment. */
static const char *const environment[] = {
	"PATH=/venv/bin:/usr/bin:/bin",
	"HOME=/home",
	"TMPDIR=/tmp",
	"XDG_CACHE_HOME=/home/.cache",
	"XDG_CONFIG_HOME=/home/.config",
	"XDG_DATA_HOME=/home/.local/share",
	/* Where these look by themselves, or would look elsewhere: all that a library downloads or
	 * computes once lies in one folder, which a dataset can bring (runner_spec.h, `cache`). */
	"TORCH_HOME=/home/.cache/torch",
	"HF_HOME=/home/.cache/huggingface",
	"KERAS_HOME=/home/.cache/keras",
	"MPLCONFIGDIR=/home/.cache/matplotlib",
	"NLTK_DATA=/home/.cache/nltk_data",
	"NUMBA_CACHE_DIR=/home/.cache/numba",
	"SCIKIT_LEARN_DATA=/home/.cache/scikit_learn_data",
	"LANG=C.UTF-8",
	"USER=nobody",
	"PYTHONUNBUFFERED=1",
	/* The image's packages are compiled. With PYTHONPYCACHEPREFIX python would look for that
	 * nowhere but there. */
	"PYTHONDONTWRITEBYTECODE=1",
	NULL,
};

static int start_run(struct runner *runner, struct err *e)
{
	struct jail_spec spec = {
		.argv = runner->plan.argv,
		.env = runner->plan.variables ? runner->plan.variables : environment,
		.image = runner->plan.image != NULL,
		.folder = runner->plan.folder,
		.mounts = runner->plan.mounts,
		.mount_count = runner->plan.mount_count,
		.strict = runner->spec.strict,
		.limits = runner->spec.limits,
		.program = runner->spec.program,
	};
	const struct jail_callbacks callbacks = {
		.on_line = on_line, .on_usage = on_usage, .on_exit = on_run_exit, .data = runner
	};

	spec.limits.reserve = runner->plan.reserve;
	return jail_start(runner->loop, &spec, &callbacks, &runner->jail, e);
}

/* In a thread of the pool; `done` goes on with work_done(). */
static int start_work(struct runner *runner, uv_work_cb work, uv_after_work_cb done, struct err *e)
{
	int r = uv_queue_work(runner->loop, &runner->work, work, done);

	if (r < 0)
		return err_set(e, ERR_INTERNAL, "runner: %s", uv_strerror(r));
	runner->working = true;
	return 0;
}

static void work_done(struct runner *runner, int status,
		      int (*next)(struct runner *runner, struct err *e))
{
	struct err e = runner->e;

	runner->working = false;
	if (runner->freed) {
		destroy(runner);
		return;
	}
	if (status < 0)
		err_set(&e, ERR_CANCELLED, "stopped");
	if (runner->stopped || e.code != ERR_OK || next(runner, &e) < 0)
		fail(runner, &e);
}

static void check_in_thread(uv_work_t *work)
{
	struct runner *runner = work->data;

	if (runner_prepare_check(&runner->plan, &runner->cancel, &runner->e) == 0)
		runner->e.code = ERR_OK;
}

static void on_checked(uv_work_t *work, int status)
{
	work_done(work->data, status, start_run);
}

static void on_install_exit(void *data, const struct jail_exit *exit, int results)
{
	struct runner *runner = data;
	struct jail_exit ended = *exit;
	struct err e;

	jail_free(runner->jail);
	runner->jail = NULL;
	if (results >= 0)
		close(results);
	if (!exit->ok) {
		if (!exit->stopped)
			snprintf(ended.cause, sizeof(ended.cause), "requirements: pip: %.400s",
				 exit->cause);
		ended.started = false; /* the algorithm was not */
		finish(runner, &ended, -1);
		return;
	}
	if (start_work(runner, check_in_thread, on_checked, &e) < 0)
		fail(runner, &e);
}

/* With the network, but without data or algorithm: nothing is there that could leak. */
static int start_install(struct runner *runner, struct err *e)
{
	const char *argv[RUNNER_PIP_ARGS_MAX];
	char target[128];
	const struct jail_mount mounts[] = {
		{ runner->plan.scratch_venv, "/venv", JAIL_WRITE, true },
		{ runner->plan.scratch_requirements, "/task/requirements.txt", JAIL_READ, false },
	};
	const struct jail_spec spec = {
		.argv = argv,
		.env = environment,
		.mounts = mounts,
		.mount_count = ARRAY_LEN(mounts),
		.network = true,
		.strict = runner->spec.strict,
		.limits = runner->spec.limits,
		.program = runner->spec.program,
	};
	const struct jail_callbacks callbacks = { .on_line = on_line,
						  .on_exit = on_install_exit,
						  .data = runner };

	runner_prepare_pip(&runner->plan, runner->spec.pip_index_url, argv, target, sizeof(target));
	return jail_start(runner->loop, &spec, &callbacks, &runner->jail, e);
}

static void on_unpack_exit(void *data, const struct jail_exit *exit, int results)
{
	struct runner *runner = data;
	struct jail_exit ended = *exit;
	CLEANUP(close) int left = results;
	struct err e;

	jail_free(runner->jail);
	runner->jail = NULL;
	if (!exit->ok) {
		if (!exit->stopped) {
			snprintf(ended.cause, sizeof(ended.cause), "image: unpacking it: %.400s",
				 exit->cause);
			if (exit->code > 0)
				runner_image_fault(left, ended.cause, sizeof(ended.cause));
		}
		ended.started = false; /* the algorithm was not */
		finish(runner, &ended, -1);
		return;
	}
	if (runner_image_plan(&runner->spec, environment, left, &runner->plan, &e) < 0 ||
	    start_run(runner, &e) < 0)
		fail(runner, &e);
}

/* Without data or network: the archive, and a folder for what is in it. */
static int start_unpack(struct runner *runner, struct err *e)
{
	static const char *const argv[] = { "/unpack", NULL }, *const env[] = { NULL };
	const struct jail_mount mounts[] = {
		{ runner->spec.algorithm, "/task/" UNPACK_ARCHIVE, JAIL_READ, false },
		{ runner->plan.image, "/task/" UNPACK_ROOT, JAIL_WRITE, true },
	};
	struct jail_spec spec = {
		.argv = argv,
		.env = env,
		.mounts = mounts,
		.mount_count = ARRAY_LEN(mounts),
		.strict = runner->spec.strict,
		.unpack = runner->plan.image_most,
		.limits = runner->spec.limits,
		.program = runner->spec.program,
	};
	const struct jail_callbacks callbacks = { .on_line = on_line,
						  .on_exit = on_unpack_exit,
						  .data = runner };

	/* a file of the image may be as large as all of it */
	spec.limits.scratch = runner->plan.image_most;
	return jail_start(runner->loop, &spec, &callbacks, &runner->jail, e);
}

static int start_first(struct runner *runner, struct err *e)
{
	if (runner->plan.image)
		return start_unpack(runner, e);
	return runner->plan.needs_index ? start_install(runner, e) : start_run(runner, e);
}

static void prepare_in_thread(uv_work_t *work)
{
	struct runner *runner = work->data;

	if (runner_prepare(&runner->spec, &runner->cancel, &runner->plan, &runner->e) == 0)
		runner->e.code = ERR_OK;
}

static void on_prepared(uv_work_t *work, int status)
{
	work_done(work->data, status, start_first);
}

static int copy_string(struct runner *runner, size_t i, const char **field, struct err *e)
{
	if (!*field)
		return 0;
	runner->strings[i] = strdup(*field);
	if (!runner->strings[i])
		return err_nomem(e);
	*field = runner->strings[i];
	return 0;
}

static int copy_args(struct runner *runner, struct err *e)
{
	const char *const *args = runner->spec.args;
	size_t count = 0, bytes = 0;

	for (; args && args[count]; count++)
		bytes += strlen(args[count]) + 1;
	if (count > RUNNER_ARGS_MAX || bytes > RUNNER_ARGS_BYTES_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "more than %d arguments, or %d bytes of them, for the algorithm",
			       RUNNER_ARGS_MAX, RUNNER_ARGS_BYTES_MAX);
	runner->args = calloc(count + 1, sizeof(*runner->args));
	if (!runner->args)
		return err_nomem(e);
	for (size_t i = 0; i < count; i++) {
		runner->args[i] = strdup(args[i]);
		if (!runner->args[i])
			return err_nomem(e);
	}
	runner->spec.args = (const char *const *)runner->args;
	return 0;
}

static int copy_spec(struct runner *runner, const struct runner_spec *spec, struct err *e)
{
	struct runner_spec *own = &runner->spec;

	*own = *spec;
	const char **fields[] = { &own->algorithm, &own->requirements,  &own->python_runtime,
				  &own->wheels,    &own->pip_index_url, &own->datasets,
				  &own->scratch,   &own->cache,         &own->program };
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (copy_string(runner, i, fields[i], e) < 0)
			return err_code(e);
	return copy_args(runner, e);
}

int runner_start(uv_loop_t *loop, const struct runner_spec *spec,
		 const struct runner_callbacks *callbacks, struct runner **out, struct err *e)
{
	if (spec->kind == RUNNER_PYTHON && python_runtime_check(spec->python_runtime, e) < 0)
		return err_code(e);
	struct runner *runner = calloc(1, sizeof(*runner));
	if (!runner)
		return err_nomem(e);
	runner->loop = loop;
	runner->callbacks = *callbacks;
	runner->work.data = runner;
	if (copy_spec(runner, spec, e) < 0) {
		destroy(runner);
		return err_code(e);
	}
	if (start_work(runner, prepare_in_thread, on_prepared, e) < 0) {
		destroy(runner);
		return err_code(e);
	}
	*out = runner;
	return 0;
}

void runner_stop(struct runner *runner)
{
	if (runner->ended)
		return;
	runner->stopped = true;
	atomic_store(&runner->cancel, true);
	if (runner->working)
		uv_cancel((uv_req_t *)&runner->work); /* if it has not begun */
	if (runner->jail)
		jail_stop(runner->jail);
}

void runner_free(struct runner *runner)
{
	if (!runner || runner->freed)
		return;
	runner->freed = true;
	atomic_store(&runner->cancel, true);
	if (runner->jail)
		jail_free(runner->jail);
	runner->jail = NULL;
	if (runner->working)
		uv_cancel((uv_req_t *)&runner->work);
	else
		destroy(runner);
}
