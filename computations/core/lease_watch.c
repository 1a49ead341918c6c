/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/lease_watch.h"

#include "common/base/log.h"

#include <stdlib.h>

enum { LOOKS = 12 /* in the time of a lease */ };

struct lease_watch {
	uv_timer_t timer;
	struct store_queue *queue;
	const struct store_lease *lease;
	void (*lost)(void *data); /* NULL: it was called */
	void *data;
	bool is_asking;
	unsigned refs; /* the handle, and what is in the queue */
};

static void unref(struct lease_watch *w)
{
	if (--w->refs == 0)
		free(w);
}

static void on_lost(void *data)
{
	struct lease_watch *w = data;
	void (*lost)(void *data) = w->lost;

	w->lost = NULL;
	if (lost)
		lost(w->data);
}

/* Every transaction renews the lease when that is due: this one does nothing else. */
static int ask(struct store *store, void *data, struct err *e)
{
	return 0;
}

static void asked(void *data, const struct err *e)
{
	struct lease_watch *w = data;

	w->is_asking = false;
	if (e && w->lost)
		log_warn("the lease is not renewed: %s", e->text);
	unref(w);
}

static void on_timer(uv_timer_t *timer)
{
	struct lease_watch *w = timer->data;
	struct err e;

	if (!store_lease_runs(w->lease)) {
		on_lost(w);
		return;
	}
	if (w->is_asking || !store_lease_is_due(w->lease))
		return;
	w->is_asking = true;
	w->refs++;
	if (store_queue_add(w->queue, &(struct store_queue_op){ ask, asked, w }, &e) < 0)
		asked(w, &e);
}

int lease_watch_new(uv_loop_t *loop, struct store_queue *queue, const struct store_lease *lease,
		    void (*lost)(void *data), void *data, struct lease_watch **watch, struct err *e)
{
	struct lease_watch *w;

	*watch = NULL;
	if (!lease)
		return 0;
	w = calloc(1, sizeof(*w));
	if (!w)
		return err_nomem(e);
	w->queue = queue;
	w->lease = lease;
	w->lost = lost;
	w->data = data;
	w->refs = 1;
	uv_timer_init(loop, &w->timer);
	w->timer.data = w;
	uv_timer_start(&w->timer, on_timer, (uint64_t)lease->lease_ms / LOOKS,
		       (uint64_t)lease->lease_ms / LOOKS);
	store_queue_on_lost(queue, on_lost, w);
	*watch = w;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	unref(handle->data);
}

void lease_watch_stop(struct lease_watch *w)
{
	if (!w)
		return;
	w->lost = NULL;
	store_queue_on_lost(w->queue, NULL, NULL);
	uv_close((uv_handle_t *)&w->timer, on_closed);
}
