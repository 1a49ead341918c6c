/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_workflow_wait.c — TakeNode while nothing is there for an executor, and what time does to workflows.
 *
 * Whoever makes nodes ready in this process wakes those who wait; other instances of the service on the same database
 * tell nobody, so each also looks by itself from time to time.
 */
#include "common/base/log.h"
#include "computations/admin/admin_workflow.h"
#include "computations/core/workflow_waits.h"

#include <string.h>

enum {
	TICK_MS = 1000,
	LOOK_MS = 5000,  /* who waits looks again */
	SWEEP_MS = 5000, /* leases and orders that have ended */
	WAITS_MAX = 1024,
	WAITS_EACH = 64, /* of one user */
};

struct workflow_waits {
	struct service *service;
	uv_timer_t timer;
	TAILQ_HEAD(, workflow_request) waiting;
	size_t count;
	uint64_t swept;
	int64_t last,
		now; /* store_now() of the sweep that was kept last, 0: none; of the one under way */
	bool sweeping, more, stopped;
};

/* ---- the clock ---- */

static int run_sweep(struct store *store, void *data, struct err *e)
{
	struct workflow_waits *w = data;

	w->now = store_now();
	return workflow_sweep(&store->db, w->last, w->now, &w->more, e);
}

static void swept(void *data, const struct err *e)
{
	struct workflow_waits *w = data;

	w->sweeping = false;
	if (e) {
		log_warn("workflows: %s", e->text);
		return;
	}
	w->last = w->now;
	if (w->more)
		w->swept = 0; /* go on at the next tick */
}

static void sweep(struct workflow_waits *w, uint64_t now)
{
	const struct store_queue_op op = { .run = run_sweep, .done = swept, .data = w };
	struct err e;

	if (w->sweeping || (w->swept && now - w->swept < SWEEP_MS))
		return;
	w->swept = now;
	if (store_queue_add(w->service->queue, &op, &e) < 0)
		log_warn("workflows: %s", e.text);
	else
		w->sweeping = true;
}

static void leave(struct workflow_waits *w, struct workflow_request *q)
{
	TAILQ_REMOVE(&w->waiting, q, next);
	w->count--;
	q->waits = false;
	rpc_call_set_user(q->request->call, NULL);
}

static void on_tick(uv_timer_t *timer)
{
	struct workflow_waits *w = timer->data;
	const uint64_t now = uv_now(w->service->loop);
	struct workflow_request *q = TAILQ_FIRST(&w->waiting), *next;

	sweep(w, now);
	for (; q; q = next) {
		next = TAILQ_NEXT(q, next);
		if (now < q->until && now < q->again)
			continue;
		/* The last look is at the end, so that nothing is missed. */
		leave(w, q);
		request_start(q->request);
	}
}

/* ---- who waits ---- */

static size_t waits_of(const struct workflow_waits *w, int64_t person)
{
	const struct workflow_request *q;
	size_t count = 0;

	TAILQ_FOREACH(q, &w->waiting, next)
		count += q->executor.person == person;
	return count;
}

static void reply(struct request *r)
{
	if (r->workflow->is_there)
		workflow_reply_taken(r);
	else
		workflow_reply_none(r);
	request_free(r);
}

void workflow_wait(struct request *r)
{
	struct workflow_waits *w = r->service->workflow_waits;
	struct workflow_request *q = r->workflow;
	const uint64_t now = uv_now(r->service->loop);
	struct err e;

	if (!q->until)
		q->until = now + (uint64_t)q->wait_s * 1000;
	if (q->is_there || now >= q->until || w->stopped || !rpc_call_is_open(r->call)) {
		reply(r);
		return;
	}
	if (w->count >= WAITS_MAX || waits_of(w, q->executor.person) >= WAITS_EACH) {
		(void)err_set(&e, ERR_EXHAUSTED,
			      "too many executors wait here (of a user %d, of all %d): ask with a "
			      "shorter wait, or run fewer",
			      WAITS_EACH, WAITS_MAX);
		request_refuse(r, &e);
		return;
	}
	q->request = r;
	q->again = now + LOOK_MS;
	q->workspace = q->executor.workspace;
	q->waits = true;
	executor_done(&q->executor); /* it is found again */
	TAILQ_INSERT_TAIL(&w->waiting, q, next);
	w->count++;
	rpc_call_set_user(r->call, r);
}

void workflow_wait_closed(struct rpc_call *call)
{
	struct request *r = rpc_call_user(call);
	struct err e;

	if (!r || !r->workflow->waits)
		return;
	leave(r->service->workflow_waits, r->workflow);
	(void)err_set(&e, ERR_CANCELLED, "the caller has left");
	request_refuse(r, &e);
}

void workflow_waits_wake(struct workflow_waits *w, int64_t workspace)
{
	struct workflow_request *q = TAILQ_FIRST(&w->waiting), *next;

	for (; q; q = next) {
		next = TAILQ_NEXT(q, next);
		if (workspace && q->workspace != workspace)
			continue;
		leave(w, q);
		request_start(q->request);
	}
}

/* ---- begin and end ---- */

int workflow_waits_new(struct service *service, struct workflow_waits **waits, struct err *e)
{
	struct workflow_waits *w = calloc(1, sizeof(*w));

	if (!w)
		return err_nomem(e);
	w->service = service;
	TAILQ_INIT(&w->waiting);
	uv_timer_init(service->loop, &w->timer);
	w->timer.data = w;
	uv_timer_start(&w->timer, on_tick, TICK_MS, TICK_MS);
	*waits = w;
	return 0;
}

void workflow_waits_stop(struct workflow_waits *w)
{
	struct workflow_request *q;

	if (!w || w->stopped)
		return;
	w->stopped = true;
	uv_close((uv_handle_t *)&w->timer, NULL);
	while ((q = TAILQ_FIRST(&w->waiting))) {
		struct request *r = q->request;

		leave(w, q);
		q->is_there = false;
		reply(r);
	}
}

void workflow_waits_free(struct workflow_waits *w)
{
	free(w);
}
