/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/service_instance.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/rpc/job.h"
#include "computations/service_authority.h"
#include "computations/service_relay.h"
#include "computations/store/lease_secret.h"
#include "computations/store/store_standby.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOOK_MS = 500,
	REFUSALS_MAX = 3, /* in a row: no race any more */
};

struct instance {
	struct instance_place place;
	void (*over)(void *data);
	void *data;
	uv_timer_t timer;
	struct service_metrics metrics;
	struct relay_front *front; /* NULL: nobody is passed on */
	struct store_standby *standby;
	struct store_share share;
	char authority[STORE_AUTHORITY_MAX + 1];
	char words[STORE_STANDBY_WORDS_MAX];
	struct store *store;
	bool is_busy, is_over;
	unsigned refusals;
	/* The pool's while it is busy. */
	struct store_look look;
	uint8_t secret[RELAY_SECRET_LEN]; /* by which the one that serves is called */
	bool has_secret;
	bool took;
	struct err err; /* ERR_OK: none */
};

static int read_share(const struct config *c, char authority[STORE_AUTHORITY_MAX + 1],
		      struct store_share *share, struct err *e)
{
	CLEANUP(authority_free) struct authority *a = NULL;

	if (service_authority_read(c, &a, e) < 0)
		return err_code(e);
	snprintf(authority, STORE_AUTHORITY_MAX + 1, "%s", a ? a->fingerprint : "");
	*share = (struct store_share){ c->instance, (int64_t)c->lease_ms, authority,
				       c->instance_address ? c->instance_address : "",
				       config_secrets(c) };
	return 0;
}

/* ---- a look ---- */

/* In the pool. */
static void work(void *data)
{
	struct instance *i = data;
	const struct config *c = i->place.config;
	struct err ignored; /* without the file the next look says so */

	i->took = i->has_secret = false;
	i->err.code = ERR_OK;
	if (store_standby_look(i->standby, &i->look, &i->err) < 0)
		return;
	i->err.code = ERR_OK; /* what it passed over is no failure */
	i->has_secret = i->look.is_served && *i->look.seen.address &&
			lease_secret(c->state_dir, i->look.seen.fence, i->look.seen.secret,
				     i->secret, &ignored) == 0;
	if (!i->look.may_take)
		return;
	i->took = store_open_shared(i->store, c->state_dir, c->database, i->place.limits, &i->share,
				    &i->look.seen, &i->err) == 0;
	if (i->took)
		i->err.code = ERR_OK;
}

static void say(struct instance *i, const char *words)
{
	CLEANUP(free) char *state = NULL;
	struct err ignored;

	if (strcmp(i->words, words) == 0)
		return;
	snprintf(i->words, sizeof(i->words), "%s", words);
	i->place.metric->waits = i->words;
	log_info("standing by: %s", i->words);
	if (text_format(&state, &ignored, "READY=1\nSTATUS=standing by: %s", i->words) == 0)
		log_notify(state);
}

static void end(struct instance *i)
{
	i->is_over = true;
	uv_close((uv_handle_t *)&i->timer, NULL);
	i->place.metric->front = NULL;
	relay_front_close(TAKE_PTR(i->front));
	service_metrics_close(&i->metrics);
	i->over(i->data);
}

/* Another one was quicker, or the database is away or has no room; but what is refused over and over is no race. */
static bool may_pass(struct instance *i)
{
	switch (i->err.code) {
	case ERR_UNAVAILABLE:
	case ERR_ABORTED:
	case ERR_UNKNOWN:
	case ERR_EXHAUSTED:
		i->refusals = 0;
		return true;
	case ERR_PRECONDITION:
		return i->look.may_take && ++i->refusals < REFUSALS_MAX;
	default:
		return false;
	}
}

/* Where callers are passed on to: never to itself, which the database may still take for the one that serves when it was
 * killed and started again. */
static void lead(struct instance *i)
{
	const struct store_lease_row *seen = &i->look.seen;
	const bool is_elsewhere = i->has_secret && strcmp(seen->holder, i->share.name) != 0 &&
				  strcmp(seen->address, i->share.address) != 0;
	struct relay_lead to = { seen->holder, seen->address, seen->fence, { 0 } };
	struct err e;

	if (!i->front)
		return;
	memcpy(to.secret, i->secret, sizeof(to.secret));
	if (relay_front_lead(i->front, is_elsewhere ? &to : NULL, &e) < 0)
		log_warn("nobody is passed on: %s", e.text);
	explicit_bzero(to.secret, sizeof(to.secret));
}

static void done(void *data)
{
	struct instance *i = data;

	i->is_busy = false;
	if (i->is_over) { /* it was stopped meanwhile */
		if (i->took)
			store_close(i->store);
		i->took = false;
		i->err.code = ERR_OK;
		end(i);
		return;
	}
	if (i->took || (i->err.code != ERR_OK && !may_pass(i))) {
		end(i);
		return;
	}
	if (i->err.code == ERR_OK) {
		i->refusals = 0;
		lead(i);
	}
	say(i, i->err.code == ERR_OK ? i->look.words : i->err.text);
}

static void on_timer(uv_timer_t *timer)
{
	struct instance *i = timer->data;
	struct err e;

	if (i->is_busy)
		return;
	i->is_busy = rpc_job_start(i->place.loop, work, done, i, &e) == 0;
}

/* ---- all of it ---- */

int instance_stand_by(const struct instance_place *place, struct store *store,
		      void (*over)(void *data), void *data, struct instance **instance,
		      struct err *e)
{
	const struct config *c = place->config;
	struct instance *i = calloc(1, sizeof(*i));

	if (!i)
		return err_nomem(e);
	i->place = *place;
	i->store = store;
	i->over = over;
	i->data = data;
	place->metric->is_standby = true;
	place->metric->waits = "it begins to look";
	*instance = i;
	uv_timer_init(place->loop, &i->timer);
	i->timer.data = i;
	if (read_share(c, i->authority, &i->share, &i->err) < 0 ||
	    service_front_open(place->loop, c, &i->front, &i->err) < 0 ||
	    store_standby_new(c->state_dir, c->database, &i->share, &i->standby, &i->err) < 0 ||
	    service_metrics_stand_by(&i->metrics, c, place->metric, place->loop, &i->err) < 0)
		end(i);
	else
		uv_timer_start(&i->timer, on_timer, 0, LOOK_MS);
	place->metric->front = i->front;
	return 0;
}

void instance_stop(struct instance *i)
{
	if (i->is_over)
		return;
	i->is_over = true;
	if (!i->is_busy)
		end(i);
}

int instance_done(struct instance *i, bool *serves, struct err *e)
{
	struct instance_metric *metric = i->place.metric;

	*serves = i->took;
	if (i->took) {
		metric->is_standby = false;
		metric->takeovers += i->look.was_left;
		log_info("instance %s serves, by lease %lld%s%s", i->share.name,
			 (long long)i->look.seen.fence + 1,
			 i->look.was_left ? ", in the place of " : "",
			 i->look.was_left ? i->look.seen.holder : "");
	}
	const int failed = i->err.code == ERR_OK ? 0 : err_set(e, i->err.code, "%s", i->err.text);
	metric->waits = "";
	service_metrics_done(&i->metrics);
	store_standby_free(i->standby);
	explicit_bzero(i->look.seen.secret, sizeof(i->look.seen.secret));
	explicit_bzero(i->secret, sizeof(i->secret));
	free(i);
	return failed;
}

int instance_look(const struct config *config, char *words, size_t room, bool *is_ours,
		  struct err *e)
{
	char authority[STORE_AUTHORITY_MAX + 1];
	struct store_share share;
	struct store_standby *standby;
	struct store_look look;

	if (read_share(config, authority, &share, e) < 0 ||
	    store_standby_new(config->state_dir, config->database, &share, &standby, e) < 0)
		return err_code(e);
	const int failed = store_standby_look(standby, &look, e);
	store_standby_free(standby);
	explicit_bzero(look.seen.secret, sizeof(look.seen.secret));
	*is_ours = !failed && look.is_served && strcmp(look.seen.holder, share.name) == 0 &&
		   strcmp(look.seen.address, share.address) == 0;
	if (!failed)
		snprintf(words, room, "%s", look.may_take ? "no instance serves" : look.words);
	return failed;
}
