/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/hook_sender.h"

#include "common/base/log.h"
#include "computations/hook/hook_post.h"
#include "computations/store/store_audit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

enum {
	LOOK_MAX_MS = 60000, /* a clock that is set is noticed within that */
	AGAIN_MS =
		5000, /* behind a look that failed, or a write; of these each next pause is twice as long, */
	KEEP_MAX_MS = 60000, /* up to that */
	LOOK_MIN_MS = 20,
};

/* A place for one try: on its way from the database, in a thread, and back. It is given back when the database has what
 * came of the try, and no sooner: or what could be read but not written would be sent over and over. */
struct slot {
	struct hook_sender *sender;
	pthread_t thread;
	bool runs;    /* the thread */
	bool is_busy; /* of the loop */
	bool is_told; /* the loop has seen its outcome, and the database has not; */
	bool is_held; /* nor could it be written: that is tried again */
	bool disabled;
	struct hook_post *post;
	/* Under the lock. */
	enum { SLOT_FREE, SLOT_GIVEN, SLOT_DONE } state;
	struct hook_try job;
	struct hook_outcome outcome;
};

struct hook_sender {
	uv_loop_t *loop;
	struct store_queue *queue;
	uv_timer_t timer, again; /* for the next look; for what is held */
	int64_t pause;           /* of `again`; 0: nothing is held */
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

	return hook_next(&store->db, store->secrets, store_now(), l->busy, l->busy_count, l->free,
			 l->tries, &l->count, &l->wait, e);
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

static void look_now(struct hook_sender *s);

static void on_timer(uv_timer_t *timer)
{
	look_now(timer->data);
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
		look_now(s);
}

static void look_now(struct hook_sender *s)
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

/* Nobody asked for it, so it has the room of strangers: a log that is full keeps nothing enabled. */
static int note_disabled(struct store *store, const struct slot *slot, struct err *e)
{
	char object[32], after[sizeof("disabled: ") + HOOK_REASON_MAX];
	struct hook h;

	if (hook_find(&store->db, slot->job.workspace, slot->outcome.webhook, &h, e) < 0)
		return err_code(e);
	snprintf(object, sizeof(object), "webhook %lld", (long long)h.number);
	snprintf(after, sizeof(after), "disabled: %s", h.reason);
	return store_audit_add(store,
			       &(struct audit_row){ .who = "service",
						    .what = "webhooks.WebhookService/Disable",
						    .object = object,
						    .about = "{}",
						    .before = "enabled",
						    .after = after },
			       AUDIT_ROOM_STRANGERS, e);
}

/* The loop leaves the slot alone until ended(). */
static int run_ending(struct store *store, void *data, struct err *e)
{
	struct slot *slot = data;

	if (hook_tried(&store->db, &slot->outcome, store_now(), &slot->disabled, e) < 0)
		return err_code(e);
	return slot->disabled ? note_disabled(store, slot, e) : 0;
}

static void end(struct slot *slot);

static void end_held(struct hook_sender *s)
{
	for (size_t i = 0; i < HOOK_SENDERS; i++)
		if (s->slots[i].is_held) {
			s->slots[i].is_held = false;
			end(&s->slots[i]);
		}
}

static void on_again(uv_timer_t *timer)
{
	end_held(timer->data);
}

static void hold(struct slot *slot, const struct err *e)
{
	struct hook_sender *s = slot->sender;
	const struct hook_outcome *o = &slot->outcome;

	log_error("webhook %lld, delivery %lld: what came of it can't be written: %s",
		  (long long)o->webhook, (long long)o->number, e->text);
	slot->is_held = true;
	/* One pause for all of them: it is the same database. */
	if (!s->is_open || uv_is_active((uv_handle_t *)&s->again))
		return;
	s->pause = !s->pause ? AGAIN_MS : s->pause < KEEP_MAX_MS / 2 ? 2 * s->pause : KEEP_MAX_MS;
	uv_timer_start(&s->again, on_again, (uint64_t)s->pause, 0);
}

static void let_go(struct slot *slot)
{
	struct hook_sender *s = slot->sender;
	bool held = false;

	slot->is_busy = slot->is_told = false;
	for (size_t i = 0; i < HOOK_SENDERS; i++)
		held |= s->slots[i].is_held;
	if (!held)
		s->pause = 0;
	look_now(s);
}

static void ended(void *data, const struct err *e)
{
	struct slot *slot = data;
	const struct hook_outcome *o = &slot->outcome;

	if (e) {
		hold(slot, e);
		return;
	}
	if (slot->disabled)
		log_warn("webhook %lld is disabled: %s", (long long)o->webhook, o->problem);
	else if (!o->is_taken)
		log_info("webhook %lld, delivery %lld was not taken: %s", (long long)o->webhook,
			 (long long)o->number, o->problem);
	let_go(slot);
}

static void end(struct slot *slot)
{
	const struct store_queue_op op = { run_ending, ended, slot };
	struct err e;
	int failed;

	slot->disabled = false;
	/* What was taken disables nothing. */
	failed = slot->outcome.is_taken ? store_queue_add(slot->sender->queue, &op, &e)
					: store_queue_add_audited(slot->sender->queue, &op, &e);
	if (failed)
		ended(slot, &e);
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
	look_now(data);
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
	if (hook_nets_refuse(config->webhook_refused, &s->nets, e) < 0) {
		free(s);
		return err_wrap(e, "COMPUTATIONS_WEBHOOK_REFUSED");
	}
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	uv_timer_init(loop, &s->timer);
	uv_timer_init(loop, &s->again);
	uv_async_init(loop, &s->async, on_async);
	s->timer.data = s->again.data = s->async.data = s;
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
	on_async(&s->async); /* what was taken in the last moment, */
	end_held(s);         /* or long ago */
	uv_close((uv_handle_t *)&s->timer, NULL);
	uv_close((uv_handle_t *)&s->again, NULL);
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
