/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/mail_sender.h"

#include "common/base/log.h"
#include "computations/mail/mail_post.h"
#include "computations/store/store_audit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

enum {
	LOOK_MAX_MS = 60000, /* a clock that is set is noticed within that */
	LOOK_MIN_MS = 20,
	AGAIN_MS =
		5000, /* behind a look that failed, or a write; of these each next pause is twice as long, */
	KEEP_MAX_MS = 60000, /* up to that */
};

struct mail_sender {
	uv_loop_t *loop;
	struct store_queue *queue;
	uv_timer_t timer, again; /* for the next look; for what is held */
	int64_t pause;           /* of `again`; 0: nothing is held */
	uv_async_t async;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool stopped;
	struct mail_server server;
	struct mail_post *post;
	bool is_set, is_open, runs; /* mail; the handles; the thread */
	bool is_looking, looks_again;
	bool is_busy,
		is_held; /* from a look that found one until the database has its outcome; which could not be written */
	/* Of a look, in the queue. */
	bool found, given_up;
	int64_t wait;
	struct mail_try looked;
	/* Under the lock. */
	enum { MAIL_FREE, MAIL_GIVEN, MAIL_DONE } state;
	struct mail_try job;
	struct mail_outcome outcome;
};

const char *mail_sender_from(const struct mail_sender *s)
{
	return s && s->is_set ? s->server.from : NULL;
}

/* ---- in the thread ---- */

static void *work(void *data)
{
	struct mail_sender *s = data;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		while (s->state != MAIL_GIVEN && !atomic_load(&s->stopped))
			pthread_cond_wait(&s->wake, &s->lock);
		if (atomic_load(&s->stopped))
			break;
		pthread_mutex_unlock(&s->lock);
		mail_post_try(s->post, &s->job, &s->outcome);
		OPENSSL_cleanse(s->job.text, sizeof(s->job.text));
		pthread_mutex_lock(&s->lock);
		s->state = MAIL_DONE;
		uv_async_send(&s->async);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- a look at what is due ---- */

static int run_look(struct store *store, void *data, struct err *e)
{
	struct mail_sender *s = data;

	return mail_next(&store->db, store->secrets, store_now(), &s->looked, &s->found, &s->wait,
			 e);
}

static void end(struct mail_sender *s);

/* One whose text is lost is over without a try. */
static void give_up(struct mail_sender *s)
{
	s->outcome = (struct mail_outcome){ .number = s->looked.number,
					    .invitation = s->looked.invitation,
					    .is_final = true };
	memcpy(s->outcome.problem, s->looked.problem, sizeof(s->outcome.problem));
	end(s);
}

static void give(struct mail_sender *s)
{
	s->is_busy = true;
	if (*s->looked.problem) {
		give_up(s);
		return;
	}
	pthread_mutex_lock(&s->lock);
	s->job = s->looked;
	s->state = MAIL_GIVEN;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

static void on_timer(uv_timer_t *timer)
{
	mail_sender_wake(timer->data);
}

static void wake_in(struct mail_sender *s, int64_t ms)
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
	struct mail_sender *s = data;

	s->is_looking = false;
	if (e && s->is_open)
		log_error("mail: %s", e->text);
	if (s->is_open && !e && s->found)
		give(s);
	else if (e)
		wake_in(s, AGAIN_MS);
	else if (s->wait >= 0)
		wake_in(s, s->wait);
	OPENSSL_cleanse(&s->looked, sizeof(s->looked));
	if (s->looks_again)
		mail_sender_wake(s);
}

void mail_sender_wake(struct mail_sender *s)
{
	struct err e;

	if (!s || !s->is_set)
		return;
	s->looks_again = s->is_looking;
	/* When the one that is under way is over, it looks. */
	if (s->is_looking || s->is_busy || !s->is_open)
		return;
	s->is_looking = true;
	if (store_queue_add(s->queue, &(struct store_queue_op){ run_look, looked, s }, &e) < 0)
		looked(s, &e);
}

/* ---- what came of a try ---- */

/* Nobody asked for it, so it has the room of strangers, as what the service does to webhooks. */
static int note_given_up(struct store *store, const struct mail_outcome *o, struct err *e)
{
	char object[48], after[sizeof("given up: ") + MAIL_PROBLEM_MAX];

	snprintf(object, sizeof(object), "invitation %lld", (long long)o->invitation);
	snprintf(after, sizeof(after), "given up: %s", o->problem);
	return store_audit_add(store,
			       &(struct audit_row){ .who = "service",
						    .what = "people.PeopleService/Mail",
						    .object = object,
						    .about = "{}",
						    .before = "waiting",
						    .after = after },
			       AUDIT_ROOM_STRANGERS, e);
}

/* The loop leaves the outcome alone until ended(). */
static int run_ending(struct store *store, void *data, struct err *e)
{
	struct mail_sender *s = data;

	if (mail_tried(&store->db, &s->outcome, store_now(), &s->given_up, e) < 0)
		return err_code(e);
	return s->given_up ? note_given_up(store, &s->outcome, e) : 0;
}

static void on_again(uv_timer_t *timer)
{
	struct mail_sender *s = timer->data;

	s->is_held = false;
	end(s);
}

static void hold(struct mail_sender *s, const struct err *e)
{
	log_error("mail of invitation %lld: what came of it can't be written: %s",
		  (long long)s->outcome.invitation, e->text);
	s->is_held = true;
	if (!s->is_open)
		return;
	s->pause = !s->pause ? AGAIN_MS : s->pause < KEEP_MAX_MS / 2 ? 2 * s->pause : KEEP_MAX_MS;
	uv_timer_start(&s->again, on_again, (uint64_t)s->pause, 0);
}

/* Without the address: it is somebody's, and the log is for many. */
static void ended(void *data, const struct err *e)
{
	struct mail_sender *s = data;
	const struct mail_outcome *o = &s->outcome;

	if (e) {
		hold(s, e);
		return;
	}
	if (o->is_taken)
		log_info("mail of invitation %lld is sent", (long long)o->invitation);
	else if (s->given_up)
		log_warn("mail of invitation %lld is given up: %s", (long long)o->invitation,
			 o->problem);
	else
		log_info("mail of invitation %lld was not taken: %s", (long long)o->invitation,
			 o->problem);
	s->is_busy = false;
	s->pause = 0;
	mail_sender_wake(s);
}

static void end(struct mail_sender *s)
{
	const struct store_queue_op op = { run_ending, ended, s };
	struct err e;
	int failed;

	s->given_up = false;
	/* What was taken is nothing that an audit has. */
	failed = s->outcome.is_taken ? store_queue_add(s->queue, &op, &e)
				     : store_queue_add_audited(s->queue, &op, &e);
	if (failed)
		ended(s, &e);
}

static void on_async(uv_async_t *async)
{
	struct mail_sender *s = async->data;
	bool done;

	pthread_mutex_lock(&s->lock);
	done = s->state == MAIL_DONE;
	if (done)
		s->state = MAIL_FREE;
	pthread_mutex_unlock(&s->lock);
	if (done)
		end(s);
}

/* ---- all of it ---- */

static int start(struct mail_sender *s, const struct config *config, struct err *e)
{
	const struct mail_settings settings = config_mail(config);

	if (mail_server_read(&settings, &s->server, &s->is_set, e) < 0)
		return err_code(e);
	if (!s->is_set)
		return 0;
	if (mail_post_new(&s->server, &s->stopped, &s->post, e) < 0)
		return err_code(e);
	if (pthread_create(&s->thread, NULL, work, s) != 0)
		return err_set(e, ERR_EXHAUSTED, "a thread for mail");
	s->runs = true;
	return 0;
}

int mail_sender_new(uv_loop_t *loop, struct store_queue *queue, const struct config *config,
		    struct mail_sender **made, struct err *e)
{
	struct mail_sender *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(e);
	s->loop = loop;
	s->queue = queue;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	uv_timer_init(loop, &s->timer);
	uv_timer_init(loop, &s->again);
	uv_async_init(loop, &s->async, on_async);
	s->timer.data = s->again.data = s->async.data = s;
	s->is_open = true;
	*made = s; /* freed by the caller, also if it fails */
	if (start(s, config, e) < 0)
		return err_code(e);
	if (s->is_set)
		wake_in(s, 0);
	return 0;
}

void mail_sender_stop(struct mail_sender *s)
{
	if (!s || !s->is_open)
		return;
	s->is_open = false;
	pthread_mutex_lock(&s->lock);
	atomic_store(&s->stopped, true);
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	if (s->runs)
		pthread_join(s->thread, NULL);
	on_async(&s->async); /* what was taken in the last moment, */
	if (s->is_held) {    /* or long ago */
		s->is_held = false;
		end(s);
	}
	uv_close((uv_handle_t *)&s->timer, NULL);
	uv_close((uv_handle_t *)&s->again, NULL);
	uv_close((uv_handle_t *)&s->async, NULL);
}

void mail_sender_free(struct mail_sender *s)
{
	if (!s)
		return;
	mail_post_free(s->post);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}
