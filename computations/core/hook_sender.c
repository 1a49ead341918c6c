/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/hook_sender.h"

#include "common/base/log.h"
#include "computations/hook/hook_post.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

enum {
	LOOK_MAX_MS = 60000, /* a clock that is set is noticed within that */
	AGAIN_MS = 5000,     /* behind a look that failed */
	LOOK_MIN_MS = 20,
};

/* A place for one try: on its way from the database, in a thread, and back. */
struct slot {
	struct hook_sender *sender;
	pthread_t thread;
	bool runs;    /* the thread */
	bool is_busy; /* of the loop */
	bool is_told; /* the loop has seen its outcome, and the database has not */
	struct hook_post *post;
	/* Under the lock. */
	enum { SLOT_FREE, SLOT_GIVEN, SLOT_DONE } state;
	struct hook_try job;
	struct hook_outcome outcome;
};

struct hook_sender {
	uv_loop_t *loop;
	struct store_queue *queue;
	uv_timer_t timer;
	uv_async_t async;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool stopped;
	struct hook_nets nets;
	struct slot slots[HOOK_SENDERS];
	bool is_looking, looks_again; /* once more, behind the one that is under way */
	bool is_open;                 /* its handles are */
};

const struct hook_nets *hook_sender_nets(const struct hook_sender *s)
{
	return &s->nets;
}

/* ---- in the threads ---- */

static void *work(void *data)
{
	struct slot *slot = data;
	struct hook_sender *s = slot->sender;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		while (slot->state != SLOT_GIVEN && !atomic_load(&s->stopped))
			pthread_cond_wait(&s->wake, &s->lock);
		if (atomic_load(&s->stopped))
			break;
		pthread_mutex_unlock(&s->lock);
		hook_post_try(slot->post, &slot->job, store_now(), &slot->outcome);
		pthread_mutex_lock(&s->lock);
		slot->state = SLOT_DONE;
		uv_async_send(&s->async);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- a look at what is due ---- */

struct look {
	struct hook_sender *sender;
	struct hook_busy busy[HOOK_SENDERS];
	size_t busy_count, free, count;
	struct hook_try tries[HOOK_SENDERS];
	int64_t wait;
};

static void look_free(struct look *l)
{
	OPENSSL_cleanse(l, sizeof(*l));
	free(l);
}

static int run_look(struct store *store, void *data, struct err *e)
{
	struct look *l = data;

	return hook_next(&store->db, store_now(), l->busy, l->busy_count, l->free, l->tries,
			 &l->count, &l->wait, e);
}

static void give(struct hook_sender *s, const struct hook_try *t)
{
	for (size_t i = 0; i < HOOK_SENDERS; i++) {
		struct slot *slot = &s->slots[i];

		if (slot->is_busy)
			continue;
		slot->is_busy = true;
		pthread_mutex_lock(&s->lock);
		slot->job = *t;
		slot->state = SLOT_GIVEN;
		pthread_cond_broadcast(&s->wake);
		pthread_mutex_unlock(&s->lock);
		return;
	}
}

static void on_timer(uv_timer_t *timer)
{
	hook_sender_wake(timer->data);
}

static void wake_in(struct hook_sender *s, int64_t ms)
{
	if (s->is_open)
		uv_timer_start(&s->timer, on_timer,
			       (uint64_t)(ms < LOOK_MIN_MS   ? LOOK_MIN_MS
					  : ms > LOOK_MAX_MS ? LOOK_MAX_MS
							     : ms),
			       0);
}

static void looked(void *data, const struct err *e)
{
	struct look *l = data;
	struct hook_sender *s = l->sender;

	s->is_looking = false;
	if (e && s->is_open)
		log_error("webhooks: %s", e->text);
	if (s->is_open && !e)
		for (size_t i = 0; i < l->count; i++)
			give(s, &l->tries[i]);
	if (e)
		wake_in(s, AGAIN_MS);
	else if (l->wait >= 0)
		wake_in(s, l->wait);
	look_free(l);
	if (s->looks_again)
		hook_sender_wake(s);
}

void hook_sender_wake(struct hook_sender *s)
{
	struct look *l;
	struct err e;

	s->looks_again = s->is_looking;
	if (s->is_looking || !s->is_open)
		return;
	l = calloc(1, sizeof(*l));
	if (!l) {
		wake_in(s, AGAIN_MS);
		return;
	}
	l->sender = s;
	for (size_t i = 0; i < HOOK_SENDERS; i++)
		if (s->slots[i].is_busy)
			l->busy[l->busy_count++] = (struct hook_busy){ s->slots[i].job.webhook,
								       s->slots[i].job.workspace };
	l->free = HOOK_SENDERS - l->busy_count;
	/* The next one that is done looks. */
	if (!l->free) {
		look_free(l);
		return;
	}
	s->is_looking = true;
	if (store_queue_add(s->queue, &(struct store_queue_op){ run_look, looked, l }, &e) < 0)
		looked(l, &e);
}

/* ---- what came of a try ---- */

struct ending {
	struct slot *slot;
	struct hook_outcome outcome;
	bool disabled;
};

static int run_ending(struct store *store, void *data, struct err *e)
{
	struct ending *n = data;

	return hook_tried(&store->db, &n->outcome, store_now(), &n->disabled, e);
}

static void ended(void *data, const struct err *e)
{
	struct ending *n = data;
	const struct hook_outcome *o = &n->outcome;
	struct slot *slot = n->slot;

	/* It is sent again then, and its receiver knows it by its id. */
	if (e)
		log_error("webhook %lld, delivery %lld: what came of it is not kept: %s",
			  (long long)o->webhook, (long long)o->number, e->text);
	else if (n->disabled)
		log_warn("webhook %lld is disabled: %s", (long long)o->webhook, o->problem);
	else if (!o->is_taken)
		log_info("webhook %lld, delivery %lld was not taken: %s", (long long)o->webhook,
			 (long long)o->number, o->problem);
	slot->is_busy = slot->is_told = false;
	free(n);
	if (e)
		wake_in(slot->sender, AGAIN_MS);
	else
		hook_sender_wake(slot->sender);
}

static void end(struct slot *slot)
{
	struct ending *n = calloc(1, sizeof(*n));
	struct err e;

	if (!n) { /* it is asked for again by the next look */
		slot->is_busy = slot->is_told = false;
		wake_in(slot->sender, AGAIN_MS);
		return;
	}
	n->slot = slot;
	n->outcome = slot->outcome;
	if (store_queue_add(slot->sender->queue, &(struct store_queue_op){ run_ending, ended, n },
			    &e) < 0)
		ended(n, &e);
}

static void on_async(uv_async_t *async)
{
	struct hook_sender *s = async->data;

	for (size_t i = 0; i < HOOK_SENDERS; i++) {
		struct slot *slot = &s->slots[i];
		bool done;

		pthread_mutex_lock(&s->lock);
		done = slot->state == SLOT_DONE;
		if (done)
			slot->state = SLOT_FREE;
		pthread_mutex_unlock(&s->lock);
		if (done && !slot->is_told) {
			slot->is_told = true;
			end(slot);
		}
	}
}

/* ---- all of it ---- */

static int start(struct hook_sender *s, const char *ca, struct err *e)
{
	for (size_t i = 0; i < HOOK_SENDERS; i++) {
		struct slot *slot = &s->slots[i];

		slot->sender = s;
		if (hook_post_new(&s->nets, ca, &s->stopped, &slot->post, e) < 0)
			return err_wrap(e, "COMPUTATIONS_WEBHOOK_CA");
		if (pthread_create(&slot->thread, NULL, work, slot) != 0)
			return err_set(e, ERR_EXHAUSTED, "a thread for webhooks");
		slot->runs = true;
	}
	return 0;
}

static void on_told(void *data)
{
	hook_sender_wake(data);
}

int hook_sender_new(uv_loop_t *loop, struct store_queue *queue, const struct config *config,
		    struct hook_sender **made, struct err *e)
{
	struct hook_sender *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(e);
	s->loop = loop;
	s->queue = queue;
	s->nets.plain = config->webhook_http;
	if (hook_nets_parse(config->webhook_networks, &s->nets, e) < 0) {
		free(s);
		return err_wrap(e, "COMPUTATIONS_WEBHOOK_NETWORKS");
	}
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	uv_timer_init(loop, &s->timer);
	uv_async_init(loop, &s->async, on_async);
	s->timer.data = s->async.data = s;
	s->is_open = true;
	*made = s; /* freed by the caller, also if it fails */
	if (start(s, config->webhook_ca, e) < 0)
		return err_code(e);
	store_queue_on_told(queue, on_told, s);
	wake_in(s, 0);
	return 0;
}

void hook_sender_stop(struct hook_sender *s)
{
	if (!s || !s->is_open)
		return;
	s->is_open = false;
	store_queue_on_told(s->queue, NULL, NULL);
	pthread_mutex_lock(&s->lock);
	atomic_store(&s->stopped, true);
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
	for (size_t i = 0; i < HOOK_SENDERS; i++)
		if (s->slots[i].runs)
			pthread_join(s->slots[i].thread, NULL);
	on_async(&s->async); /* what was taken in the last moment */
	uv_close((uv_handle_t *)&s->timer, NULL);
	uv_close((uv_handle_t *)&s->async, NULL);
}

void hook_sender_free(struct hook_sender *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < HOOK_SENDERS; i++)
		hook_post_free(s->slots[i].post);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}
