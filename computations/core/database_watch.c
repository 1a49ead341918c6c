/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/database_watch.h"

#include "common/base/log.h"

#include <stdlib.h>

/* A transaction that waits in the queue for others has the time of their statements, too (db_postgres_link.c). */
enum { ASK_EVERY_MS = 2000, SILENT_MS = 60000 };

struct database_watch {
	uv_timer_t timer;
	struct store_queue *queue;
	void (*changed)(void *data, bool answers); /* NULL: it was stopped */
	void *data;
	bool is_asking, is_gone;
	uint64_t asked; /* uv_now() */
	struct err why;
	unsigned refs; /* the handle, and what is in the queue */
};

static void unref(struct database_watch *w)
{
	if (--w->refs == 0)
		free(w);
}

/* `why` NULL: it answers. */
static void know(struct database_watch *w, const struct err *why)
{
	if (why)
		w->why = *why;
	if (!w->changed || w->is_gone == (why != NULL))
		return;
	w->is_gone = why != NULL;
	if (why)
		log_warn("the database does not answer, and until it does this service says that "
			 "it does not serve: %s",
			 why->text);
	else
		log_info("the database answers again");
	w->changed(w->data, !why);
}

/* The queue begins a transaction, which reaches the server. */
static int ask(struct store *store, void *data, struct err *e)
{
	return 0;
}

/* What the server refuses it has answered. */
static bool is_unreachable(const struct err *e)
{
	return e->code == ERR_UNAVAILABLE || e->code == ERR_UNKNOWN || e->code == ERR_DEADLINE;
}

static void asked(void *data, const struct err *e)
{
	struct database_watch *w = data;

	w->is_asking = false;
	know(w, e && is_unreachable(e) ? e : NULL);
	unref(w);
}

static void on_timer(uv_timer_t *timer)
{
	struct database_watch *w = timer->data;
	struct err e;

	if (w->is_asking && uv_now(timer->loop) - w->asked > SILENT_MS) {
		(void)err_set(&e, ERR_DEADLINE, "it has been silent for %d s", SILENT_MS / 1000);
		know(w, &e);
	}
	if (w->is_asking)
		return;
	if (store_queue_add(w->queue, &(struct store_queue_op){ ask, asked, w }, &e) < 0)
		return; /* no memory now: the next time */
	w->is_asking = true;
	w->asked = uv_now(timer->loop);
	w->refs++;
}

int database_watch_new(uv_loop_t *loop, struct store_queue *queue,
		       void (*changed)(void *data, bool answers), void *data,
		       struct database_watch **watch, struct err *e)
{
	struct database_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return err_nomem(e);
	w->queue = queue;
	w->changed = changed;
	w->data = data;
	w->refs = 1;
	uv_timer_init(loop, &w->timer);
	w->timer.data = w;
	uv_timer_start(&w->timer, on_timer, ASK_EVERY_MS, ASK_EVERY_MS);
	*watch = w;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	unref(handle->data);
}

void database_watch_stop(struct database_watch *w)
{
	if (!w)
		return;
	w->changed = NULL;
	uv_close((uv_handle_t *)&w->timer, on_closed);
}

const char *database_watch_why(const struct database_watch *w)
{
	return w && w->is_gone ? w->why.text : NULL;
}
