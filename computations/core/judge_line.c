/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/judge_line.h"

#include "common/base/cleanup.h"
#include "common/base/log_about.h"
#include "common/rpc/job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct judge_place {
	STAILQ_ENTRY(judge_place) next;
	struct caller *caller;
	struct judge_job job;
	struct log_about about;
	size_t weight;
	bool has_more, is_cancelled, is_done;
};

/* Has a turn for each of the others', while something of his waits. */
struct caller {
	TAILQ_ENTRY(caller) next;
	struct judge_line *line;
	struct judge_caller who;
	STAILQ_HEAD(, judge_place) waiting;
	size_t weight; /* of these, and of those that are judged and have not left */
};

struct judge_line {
	uv_loop_t *loop;
	TAILQ_HEAD(, caller) callers; /* the next one first */
	size_t weight;
	struct judge_place *busy; /* in the pool's hands */
};

int judge_line_new(uv_loop_t *loop, struct judge_line **line, struct err *e)
{
	struct judge_line *made = calloc(1, sizeof(*made));

	if (!made)
		return err_nomem(e);
	made->loop = loop;
	TAILQ_INIT(&made->callers);
	*line = made;
	return 0;
}

void judge_line_free(struct judge_line *line)
{
	if (!line)
		return;
	assert(!line->busy && TAILQ_EMPTY(&line->callers));
	free(line);
}

/* ---- who calls ---- */

static bool is_same(const struct judge_caller *a, const struct judge_caller *b)
{
	if (a->person || b->person)
		return a->person == b->person;
	return memcmp(&a->source, &b->source, sizeof(a->source)) == 0;
}

static struct caller *find_caller(const struct judge_line *line, const struct judge_caller *who)
{
	struct caller *c;

	TAILQ_FOREACH(c, &line->callers, next)
		if (is_same(&c->who, who))
			return c;
	return NULL;
}

static struct caller *take_caller(struct judge_line *line, const struct judge_caller *who)
{
	struct caller *c = find_caller(line, who);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->line = line;
	c->who = *who;
	STAILQ_INIT(&c->waiting);
	TAILQ_INSERT_TAIL(&line->callers, c, next);
	return c;
}

/* ---- turns ---- */

static void start(struct judge_line *line);

static void finish(struct judge_place *place, const struct err *e)
{
	STAILQ_REMOVE(&place->caller->waiting, place, judge_place, next);
	LOG_ABOUT(&place->about);
	place->is_done = true;
	place->job.done(place->job.data, e);
}

static void finish_cancelled(struct judge_place *place)
{
	struct err e;

	err_set(&e, ERR_CANCELLED, "the caller has left before all of it was judged");
	finish(place, &e);
}

static void step(void *data)
{
	struct judge_place *place = data;

	place->has_more = place->job.step(place->job.data);
}

static void stepped(void *data)
{
	struct judge_place *place = data;
	struct judge_line *line = place->caller->line;

	line->busy = NULL;
	/* By turns: he comes again when all others have. */
	TAILQ_REMOVE(&line->callers, place->caller, next);
	TAILQ_INSERT_TAIL(&line->callers, place->caller, next);
	if (place->is_cancelled)
		finish_cancelled(place);
	else if (!place->has_more)
		finish(place, NULL);
	start(line);
}

static struct judge_place *next_place(const struct judge_line *line)
{
	struct caller *c;

	TAILQ_FOREACH(c, &line->callers, next)
		if (!STAILQ_EMPTY(&c->waiting))
			return STAILQ_FIRST(&c->waiting);
	return NULL;
}

static void start(struct judge_line *line)
{
	struct judge_place *place;
	struct err e;

	while (!line->busy && (place = next_place(line))) {
		line->busy = place;
		if (rpc_job_start(line->loop, step, stepped, place, &e) == 0)
			return;
		line->busy = NULL;
		finish(place, &e);
	}
}

/* ---- places ---- */

static int find_room(const struct judge_line *line, const struct judge_job *job, size_t weight,
		     struct err *e)
{
	const struct caller *c = find_caller(line, &job->caller);
	size_t beside = c ? c->weight : 0;
	size_t left = (JUDGE_LINE_MAX - (line->weight - beside)) / 2;
	size_t share = left < JUDGE_LINE_CALLER ? left : JUDGE_LINE_CALLER;

	if (weight <= share && beside <= share - weight)
		return 0;
	return err_set(e, ERR_EXHAUSTED,
		       "%s are judged already, as much as fits: try again when %s answered",
		       beside ? "imports and manifests of yours"
			      : "imports and manifests of others",
		       beside ? "one of them is" : "some of them are");
}

int judge_line_add(struct judge_line *line, const struct judge_job *job, struct judge_place **place,
		   struct err *e)
{
	size_t weight = job->bytes + JUDGE_LINE_EACH;
	CLEANUP(free) struct judge_place *made = NULL;
	struct caller *caller;

	if (find_room(line, job, weight, e) < 0)
		return err_code(e);
	made = calloc(1, sizeof(*made));
	caller = made ? take_caller(line, &job->caller) : NULL;
	if (!caller)
		return err_nomem(e);
	*made = (struct judge_place){
		.caller = caller, .job = *job, .about = log_about_now(), .weight = weight
	};
	caller->weight += weight;
	line->weight += weight;
	STAILQ_INSERT_TAIL(&caller->waiting, made, next);
	*place = TAKE_PTR(made);
	start(line);
	return 0;
}

void judge_line_cancel(struct judge_place *place)
{
	if (place->is_done)
		return;
	place->is_cancelled = true;
	if (place->caller->line->busy != place)
		finish_cancelled(place);
}

void judge_line_leave(struct judge_place *place)
{
	struct caller *caller = place ? place->caller : NULL;

	if (!place)
		return;
	assert(place->is_done);
	caller->weight -= place->weight;
	caller->line->weight -= place->weight;
	if (!caller->weight) {
		TAILQ_REMOVE(&caller->line->callers, caller, next);
		free(caller);
	}
	free(place);
}
