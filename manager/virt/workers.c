/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/virt/workers.h"

#include "common/base/cleanup.h"
#include "common/base/log_about.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>

struct work {
	STAILQ_ENTRY(work) link;
	void (*work)(void *data);
	void (*done)(void *data);
	void *data;
	struct log_about about;
};
STAILQ_HEAD(work_list, work);

struct workers {
	uv_async_t async;
	pthread_t threads[WORKERS_MAX];
	unsigned thread_count;

	pthread_mutex_t lock; /* for all below */
	pthread_cond_t more, idle;
	unsigned working, visitors; /* jobs under way; other threads that are in, or want to be */
	bool visited;
	struct work_list waiting, finished;
	unsigned unfinished; /* that wait or are being worked on */
	bool ends;
};

static void do_work(const struct work *work)
{
	LOG_ABOUT(&work->about);
	work->work(work->data);
}

static void tell_done(const struct work *work)
{
	LOG_ABOUT(&work->about);
	work->done(work->data);
}

static void *run(void *data)
{
	struct workers *w = data;
	struct work *work;

	pthread_mutex_lock(&w->lock);
	while (true) {
		while (!w->ends && (STAILQ_EMPTY(&w->waiting) || w->visitors))
			pthread_cond_wait(&w->more, &w->lock);
		work = STAILQ_FIRST(&w->waiting);
		if (!work)
			break;
		STAILQ_REMOVE_HEAD(&w->waiting, link);
		w->working++;
		pthread_mutex_unlock(&w->lock);
		do_work(work);
		pthread_mutex_lock(&w->lock);
		w->working--;
		pthread_cond_broadcast(&w->idle);
		STAILQ_INSERT_TAIL(&w->finished, work, link);
		w->unfinished--;
		uv_async_send(&w->async);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void on_finished(uv_async_t *async)
{
	struct workers *w = async->data;
	struct work *work;

	do {
		pthread_mutex_lock(&w->lock);
		work = STAILQ_FIRST(&w->finished);
		if (work)
			STAILQ_REMOVE_HEAD(&w->finished, link);
		pthread_mutex_unlock(&w->lock);
		if (work) {
			tell_done(work);
			free(work);
		}
	} while (work);
}

/* Waits for others by a clock that nobody sets. */
static void init_idle(pthread_cond_t *idle)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(idle, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

int workers_new(uv_loop_t *loop, struct workers **workers, struct err *e)
{
	struct workers *w = calloc(1, sizeof(*w));

	if (!w)
		return err_nomem(e);
	if (uv_async_init(loop, &w->async, on_finished) < 0) {
		free(w);
		return err_nomem(e);
	}
	w->async.data = w;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	init_idle(&w->idle);
	STAILQ_INIT(&w->waiting);
	STAILQ_INIT(&w->finished);
	*workers = w;
	return 0;
}

/* One more, if all that there are may be busy. */
static bool has_thread(struct workers *w)
{
	if (w->unfinished >= w->thread_count && w->thread_count < WORKERS_MAX &&
	    pthread_create(&w->threads[w->thread_count], NULL, run, w) == 0)
		w->thread_count++;
	return w->thread_count > 0;
}

int workers_start(struct workers *w, void (*work)(void *data), void (*done)(void *data), void *data,
		  struct err *e)
{
	struct work *one = malloc(sizeof(*one));
	bool has;

	if (!one)
		return err_nomem(e);
	*one = (struct work){ .work = work, .done = done, .data = data, .about = log_about_now() };
	pthread_mutex_lock(&w->lock);
	has = has_thread(w);
	if (has) {
		STAILQ_INSERT_TAIL(&w->waiting, one, link);
		w->unfinished++;
		pthread_cond_signal(&w->more);
	}
	pthread_mutex_unlock(&w->lock);
	if (has)
		return 0;
	free(one);
	return err_set(e, ERR_INTERNAL, "start a job: no thread can be made");
}

static struct timespec in(unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* Under the lock. */
static void go(struct workers *w)
{
	w->visitors--;
	pthread_cond_broadcast(&w->idle);
	pthread_cond_broadcast(&w->more);
}

int workers_enter(struct workers *w, unsigned ms, struct err *e)
{
	const struct timespec until = in(ms);
	int late = 0;
	bool is_in;

	if (!w)
		return 0;
	pthread_mutex_lock(&w->lock);
	w->visitors++; /* jobs that wait are held back, or there might never be a gap */
	while ((w->working || w->visited) && !late)
		late = pthread_cond_timedwait(&w->idle, &w->lock, &until);
	is_in = !w->working && !w->visited;
	if (is_in)
		w->visited = true;
	else
		go(w);
	pthread_mutex_unlock(&w->lock);
	return is_in ? 0 : err_set(e, ERR_UNAVAILABLE, "libvirt is busy, or does not answer");
}

void workers_leave(struct workers *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->visited = false;
	go(w);
	pthread_mutex_unlock(&w->lock);
}

static void on_closed(uv_handle_t *handle)
{
	struct workers *w = handle->data;

	pthread_cond_destroy(&w->more);
	pthread_cond_destroy(&w->idle);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void workers_close(struct workers *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->ends = true;
	pthread_cond_broadcast(&w->more);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->thread_count; i++)
		pthread_join(w->threads[i], NULL);
	uv_close((uv_handle_t *)&w->async, on_closed);
}
