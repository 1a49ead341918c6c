/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/upload/judging.h"

#include "agent/jail/runner_prepare.h"
#include "agent/python/requirement_bundle.h"
#include "agent/upload/upload_call.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum place { ALGORITHM, FOLDER, TEXT, WHEELS, ZIP, SCRATCH, PLACES };

static const char *const names[PLACES] = {
	[ALGORITHM] = "algorithm",
	[FOLDER] = "requirements",
	[TEXT] = "requirements/requirements.txt",
	[WHEELS] = "requirements/wheels",
	[ZIP] = "requirements.zip",
	[SCRATCH] = "judging",
};

struct judging {
	struct upload_call *call;
	enum runner_kind kind;
	const char *const *args; /* the computation's */
	char *paths[PLACES];
	char *runtime, *index; /* or NULL */
	bool requirements, bundle;
	struct requirement_wheels wheels; /* of the bundle */
	atomic_bool cancel;
	int failed;
	struct err e;
};

static void judging_free(struct judging *j)
{
	for (size_t i = 0; i < PLACES; i++)
		free(j->paths[i]);
	requirement_wheels_done(&j->wheels);
	free(j->runtime);
	free(j->index);
	free(j);
}
DEFINE_CLEANUP(struct judging *, judging_free)

static int open_bundle(struct judging *j, struct err *e)
{
	struct python_env env;

	if (python_env_find(j->runtime, "", &env, e) < 0)
		return err_code(e);
	CLEANUP(close)
	int dir = open(j->paths[FOLDER], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_errno(e, "open '%s'", j->paths[FOLDER]);
	if (requirement_bundle_open(j->paths[ZIP], dir, &env.target, &j->cancel, &j->wheels, e) < 0)
		return err_code(e);
	if (unlink(j->paths[ZIP]) < 0)
		return err_errno(e, "remove '%s'", j->paths[ZIP]);
	return 0;
}

static int judge(struct judging *j, struct err *e)
{
	const struct runner_spec spec = {
		.kind = j->kind,
		.algorithm = j->paths[ALGORITHM],
		.requirements = j->requirements ? j->paths[TEXT] : NULL,
		.wheels = j->bundle ? j->paths[WHEELS] : NULL,
		.python_runtime = j->runtime,
		.pip_index_url = j->index,
		.scratch = j->paths[SCRATCH],
		.args = j->args,
	};

	/* the other kinds are read where they lie */
	if (j->kind == RUNNER_PYTHON && mkdir(j->paths[SCRATCH], 0700) < 0)
		return err_errno(e, "make '%s'", j->paths[SCRATCH]);
	if (j->bundle && open_bundle(j, e) < 0)
		return err_code(e);
	return runner_prepare_try(&spec, &j->cancel, e);
}

/* In the pool. */
static void work(void *data)
{
	struct judging *j = data;
	struct err e;

	j->failed = judge(j, &j->e);
	for (size_t i = j->failed ? 0 : SCRATCH; i < PLACES; i++)
		if (dir_remove(j->paths[i], &e) < 0 && !j->failed) {
			j->e = e;
			j->failed = err_code(&e);
		}
}

static void done(struct rpc_call *call, void *data)
{
	CLEANUP(judging_free) struct judging *j = data;
	struct upload_call *u = j->call;
	struct uploads *uploads = u->uploads;
	const struct uploads_config *config = &uploads->config;
	struct err ignored;

	uploads->judging = NULL;
	upload_call_set_placing(u, false);
	if (u->computation->over ||
	    config->callbacks->expects(config->data, UPLOAD_ALGORITHM, &ignored) < 0)
		j->failed = err_set(&j->e, ERR_ABORTED, "the computation has ended");
	if (j->failed) {
		computation_drop_algorithm(u->computation);
		err_wrap(&j->e, "Algo");
		upload_call_finish(u, &j->e);
	} else {
		u->computation->wheels = j->wheels;
		j->wheels = (struct requirement_wheels){ .count = 0 };
		upload_call_placed(u);
	}
	config->callbacks->released(config->data);
}

static int copy(const char *text, char **out, struct err *e)
{
	if (text && !(*out = strdup(text)))
		return err_nomem(e);
	return 0;
}

int judging_start(struct upload_call *u, bool bundle, struct err *e)
{
	CLEANUP(judging_free) struct judging *j = calloc(1, sizeof(*j));
	const struct computation *c = u->computation;
	const struct uploads_config *config = &u->uploads->config;

	if (!j)
		return err_nomem(e);
	j->call = u;
	j->kind = c->kind;
	j->args = (const char *const *)c->args;
	j->requirements = c->requirements;
	j->bundle = bundle;
	for (size_t i = 0; i < PLACES; i++)
		if (computation_path(c, names[i], &j->paths[i], e) < 0)
			return err_code(e);
	if (copy(c->runtime, &j->runtime, e) < 0 || copy(config->pip_index_url, &j->index, e) < 0 ||
	    rpc_call_job(u->call, work, done, j, e) < 0) {
		unlink(j->paths[ALGORITHM]);
		return err_code(e);
	}
	u->uploads->judging = TAKE_PTR(j);
	u->stage = UPLOAD_UNPACKING;
	upload_call_set_placing(u, true);
	return 0;
}

void judging_drop(struct upload_call *u)
{
	for (size_t i = 0; i < PLACES; i++) {
		CLEANUP(free) char *path = NULL;
		struct err e;

		/* What has the algorithm's name need not be this call's. */
		if (i == ALGORITHM)
			continue;
		if (computation_path(u->computation, names[i], &path, &e) < 0 ||
		    dir_remove(path, &e) < 0)
			log_warn("an algorithm that was refused: %s", e.text);
	}
	computation_drop_algorithm(u->computation);
}

void judging_stop(struct uploads *uploads, const struct err *why)
{
	if (uploads->judging)
		atomic_store(&uploads->judging->cancel, true);
}
