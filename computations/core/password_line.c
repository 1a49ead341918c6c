/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/password_line.h"

#include "common/base/log_about.h"
#include "common/rpc/job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <openssl/crypto.h>

struct entry {
	STAILQ_ENTRY(entry) next;
	struct password_job job;
	struct log_about about;
	struct err err; /* ERR_OK: computed */
};

struct password_line {
	uv_loop_t *loop;
	STAILQ_HEAD(, entry) waiting; /* the first is in the pool's hands while `busy` */
	size_t count;
	bool busy;
};

int password_line_new(uv_loop_t *loop, struct password_line **line, struct err *e)
{
	struct password_line *made = calloc(1, sizeof(*made));

	if (!made)
		return err_nomem(e);
	made->loop = loop;
	STAILQ_INIT(&made->waiting);
	*line = made;
	return 0;
}

void password_line_free(struct password_line *line)
{
	if (!line)
		return;
	assert(!line->busy && STAILQ_EMPTY(&line->waiting));
	free(line);
}

static void wipe(char *text)
{
	OPENSSL_cleanse(text, strlen(text));
	free(text);
}

/* In the pool. */
static void compute(void *data)
{
	struct entry *entry = STAILQ_FIRST(&((struct password_line *)data)->waiting);
	struct password_job *job = &entry->job;
	int failed;

	failed = job->is_new
			 ? password_make(job->text, &job->password, &entry->err)
			 : password_matches(&job->password, job->text, &job->matches, &entry->err);
	if (!failed)
		entry->err.code = ERR_OK;
}

static void start(struct password_line *line);

static void computed(void *data)
{
	struct password_line *line = data;
	struct entry *entry = STAILQ_FIRST(&line->waiting);

	STAILQ_REMOVE_HEAD(&line->waiting, next);
	line->count--;
	line->busy = false;
	start(line);
	LOG_ABOUT(&entry->about);
	entry->job.done(entry->job.data, &entry->job,
			entry->err.code == ERR_OK ? NULL : &entry->err);
	wipe(entry->job.text);
	free(entry);
}

static void start(struct password_line *line)
{
	struct entry *entry = STAILQ_FIRST(&line->waiting);

	if (line->busy || !entry)
		return;
	line->busy = true;
	if (rpc_job_start(line->loop, compute, computed, line, &entry->err) < 0)
		computed(line);
}

static int find_place(const struct password_line *line, const struct rpc_source *source,
		      struct err *e)
{
	unsigned beside = 0;
	struct entry *entry;

	STAILQ_FOREACH(entry, &line->waiting, next)
		beside += memcmp(&entry->job.source, source, sizeof(*source)) == 0;
	if (beside < PASSWORD_LINE_PER_SOURCE && line->count < PASSWORD_LINE_MAX)
		return 0;
	return err_set(e, ERR_EXHAUSTED, "%s who sign in wait already: try again in some seconds",
		       beside < PASSWORD_LINE_PER_SOURCE ? "others" : "others from your address");
}

int password_line_add(struct password_line *line, const struct password_job *job, struct err *e)
{
	struct entry *entry;

	if (find_place(line, &job->source, e) < 0) {
		wipe(job->text);
		return err_code(e);
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry) {
		wipe(job->text);
		return err_nomem(e);
	}
	entry->job = *job;
	entry->about = log_about_now();
	STAILQ_INSERT_TAIL(&line->waiting, entry, next);
	line->count++;
	start(line);
	return 0;
}
