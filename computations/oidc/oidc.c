/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/oidc/oidc.h"

#include "common/base/clock.h"
#include "common/base/file.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

struct queue {
	struct oidc_job *first, **last;
};

struct worker {
	struct oidc *oidc;
	struct oidc_client *client;
	pthread_t thread;
	bool runs;
	pthread_cond_t wake;
	struct queue waiting; /* the one that is under way is in nobody's */
	struct oidc_job *current;
};

struct oidc {
	uv_async_t async;
	pthread_mutex_t lock; /* over all queues */
	atomic_bool stopped;
	struct queue finished;
	struct worker workers[PROVIDERS_MAX];
	struct provider_table table;
};

static void queue_init(struct queue *q)
{
	q->first = NULL;
	q->last = &q->first;
}

static void queue_put(struct queue *q, struct oidc_job *job)
{
	job->next = NULL;
	*q->last = job;
	q->last = &job->next;
}

static struct oidc_job *queue_take(struct queue *q)
{
	struct oidc_job *job = q->first;

	if (!job)
		return NULL;
	q->first = job->next;
	if (!q->first)
		q->last = &q->first;
	return job;
}

/* ---- in the thread ---- */

static void ask(struct worker *w, struct oidc_job *job)
{
	struct log_about before = log_about_enter(&job->about);

	if (atomic_load(&w->oidc->stopped))
		job->failed = err_set(&job->err, ERR_CANCELLED, "the service stops") < 0;
	else if (job->is_back)
		job->failed =
			oidc_client_finish(w->client, &job->finish, job->deadline, &job->err) < 0;
	else
		job->failed =
			oidc_client_begin(w->client, &job->begin, job->deadline, &job->err) < 0;
	log_about_leave(&before);
}

static void *work(void *data)
{
	struct worker *w = data;
	struct oidc *o = w->oidc;

	pthread_mutex_lock(&o->lock);
	for (;;) {
		while (!w->waiting.first && !atomic_load(&o->stopped))
			pthread_cond_wait(&w->wake, &o->lock);
		w->current = queue_take(&w->waiting);
		if (!w->current)
			break;
		pthread_mutex_unlock(&o->lock);
		ask(w, w->current);
		pthread_mutex_lock(&o->lock);
		queue_put(&o->finished, w->current);
		w->current = NULL;
		uv_async_send(&o->async);
	}
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

/* ---- on the loop ---- */

static void deliver(struct oidc *o)
{
	struct oidc_job *job;

	for (;;) {
		pthread_mutex_lock(&o->lock);
		job = queue_take(&o->finished);
		pthread_mutex_unlock(&o->lock);
		if (!job)
			return;
		/* The job may be gone when it is done. */
		const struct log_about about = job->about;
		struct log_about before = log_about_enter(&about);

		job->done(job, job->failed ? &job->err : NULL);
		log_about_leave(&before);
	}
}

static void on_async(uv_async_t *async)
{
	deliver(async->data);
}

static int find_place(const struct worker *w, const struct rpc_source *source, struct err *e)
{
	size_t all = 0, own = 0;

	/* Its thread has ended, and nobody would ever take the job: a browser's way back may come from the database now. */
	if (atomic_load(&w->oidc->stopped))
		return err_set(e, ERR_CANCELLED, "the service stops");
	for (const struct oidc_job *job = w->waiting.first; job; job = job->next) {
		all++;
		own += memcmp(&job->source, source, sizeof(*source)) == 0;
	}
	if (all < OIDC_WAITING_MAX && own < OIDC_WAITING_SOURCE)
		return 0;
	return err_set(e, ERR_EXHAUSTED,
		       "others%s wait for this provider already: try again in some seconds",
		       own < OIDC_WAITING_SOURCE ? "" : " from your address");
}

int oidc_add(struct oidc *o, struct oidc_job *job, struct err *e)
{
	struct worker *w = &o->workers[job->provider];
	int failed;

	pthread_mutex_lock(&o->lock);
	failed = find_place(w, &job->source, e);
	if (!failed) {
		job->failed = false;
		job->about = log_about_now();
		/* Who waits in line waits, too: else one that does not answer keeps the last of them for minutes. */
		job->deadline = clock_ms(CLOCK_MONOTONIC) + OIDC_DEADLINE_MS;
		queue_put(&w->waiting, job);
		pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&o->lock);
	return failed;
}

const struct provider_table *oidc_table(const struct oidc *o)
{
	return &o->table;
}

/* ---- all of it ---- */

static int start_worker(struct oidc *o, size_t i, const char *origin, struct err *e)
{
	struct worker *w = &o->workers[i];
	char *redirect;

	w->oidc = o;
	queue_init(&w->waiting);
	if (text_format(&redirect, e, "%s/sign-in/with/%s/back", *origin ? origin : o->table.page,
			o->table.rows[i].name) < 0 ||
	    oidc_client_new(&o->table, &o->table.rows[i], redirect, &o->stopped, &w->client, e) < 0)
		return err_code(e);
	pthread_cond_init(&w->wake, NULL);
	if (pthread_create(&w->thread, NULL, work, w) != 0)
		return err_set(e, ERR_EXHAUSTED, "a thread for provider %s", o->table.rows[i].name);
	w->runs = true;
	return 0;
}

static int check_origin(const struct provider_table *t, const char *path, const char *origin,
			struct err *e)
{
	if (*origin && *t->page)
		return err_set(
			e, ERR_INVALID,
			"'%s': COMPUTATIONS_WEB is an address of this machine, where browsers "
			"come back to %s: remove the line 'page %s'",
			path, origin, t->page);
	if (!*origin && !*t->page)
		return err_set(
			e, ERR_INVALID,
			"'%s': a line 'page https://NAME:PORT' is missing: where browsers have "
			"this page, and providers send them back to",
			path);
	return 0;
}

int oidc_new(uv_loop_t *loop, const char *path, const char *origin, struct oidc **made,
	     struct err *e)
{
	struct oidc *o = calloc(1, sizeof(*o));
	int failed;

	if (!o)
		return err_nomem(e);
	failed = provider_table_read(path, &o->table, e);
	if (!failed)
		failed = check_origin(&o->table, path, origin, e);
	if (failed) {
		oidc_free(o);
		return failed;
	}
	pthread_mutex_init(&o->lock, NULL);
	queue_init(&o->finished);
	uv_async_init(loop, &o->async, on_async);
	o->async.data = o;
	*made = o; /* to be closed from now on */
	for (size_t i = 0; i < o->table.count; i++)
		if (start_worker(o, i, origin, e) < 0)
			return err_code(e);
	return 0;
}

void oidc_close(struct oidc *o)
{
	if (!o)
		return;
	pthread_mutex_lock(&o->lock);
	atomic_store(&o->stopped, true);
	for (size_t i = 0; i < o->table.count; i++)
		if (o->workers[i].runs)
			pthread_cond_signal(&o->workers[i].wake);
	pthread_mutex_unlock(&o->lock);
	for (size_t i = 0; i < o->table.count; i++)
		if (o->workers[i].runs)
			pthread_join(o->workers[i].thread, NULL);
	deliver(o);
	uv_close((uv_handle_t *)&o->async, NULL);
}

void oidc_free(struct oidc *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->table.count; i++)
		oidc_client_free(o->workers[i].client);
	OPENSSL_cleanse(o, sizeof(*o));
	free(o);
}
