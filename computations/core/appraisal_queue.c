/* SPDX-License-Identifier: Apache-2.0 */
/* appraisal_queue.c — whose evidence is judged next, and for whom endorsements are fetched. */
#include "common/base/clock.h"
#include "common/rpc/job.h"
#include "computations/core/appraisal_state.h"

#include <stdio.h>
#include <string.h>

enum {
	WAITING_MAX = 1024,
	FETCHES_MAX = 256, /* of those, waiting for endorsements */
	FETCHES_OF_ONE_MAX = FETCHES_MAX / 2,
};

/* An honest CVM has something fetched for it when it comes for the first time, and once a day. AMD
 * answers whoever asks too often with 429, and then the honest ones as well. */
static const struct keyed_rate_form rate_of_cvms = { .each = { .every = 300000, .burst = 6 },
						     .sets = RATE_CVMS_SETS,
						     .ways = RATE_CVMS_WAYS };
static const struct rate rate_of_all = { .every = 2000, .burst = 30 };

int appraisal_queue_open(struct appraisal *a, struct err *e)
{
	return keyed_rate_new(&rate_of_cvms, &a->fetched_of, e);
}

static void entry_free(struct appraisal_entry *entry)
{
	free(entry->cvm_id);
	free(entry->token);
	free(entry);
}

static void finish(struct appraisal_entry *entry)
{
	LOG_ABOUT(&entry->about);
	entry->done(entry->data, &entry->verdict);
	entry_free(entry);
}

static void refuse(struct appraisal_entry *entry, const char *why)
{
	entry->verdict.verified = false;
	snprintf(entry->verdict.line, sizeof(entry->verdict.line), "refused: %s", why);
	finish(entry);
}

static void put(struct appraisal *a, struct appraisal_entry *entry, enum appraisal_lane lane)
{
	entry->lane = lane;
	TAILQ_INSERT_TAIL(&a->waiting[lane], entry, next);
	a->waiting_count[lane]++;
}

static void take(struct appraisal *a, struct appraisal_entry *entry)
{
	TAILQ_REMOVE(&a->waiting[entry->lane], entry, next);
	a->waiting_count[entry->lane]--;
}

static struct appraisal_entry *waiting_of(struct appraisal *a, const char *cvm_id)
{
	struct appraisal_entry *entry;

	for (size_t i = 0; i < LANES; i++)
		TAILQ_FOREACH(entry, &a->waiting[i], next)
			if (strcmp(entry->cvm_id, cvm_id) == 0)
				return entry;
	return NULL;
}

static bool is_running(const struct appraisal *a, const char *cvm_id)
{
	for (size_t i = 0; i < LANES; i++)
		if (a->running[i] && strcmp(a->running[i]->cvm_id, cvm_id) == 0)
			return true;
	return false;
}

/* The first whose CVM has nothing under way; of what has to be fetched, rather another client's than
 * that of the one before. */
static struct appraisal_entry *next_of(struct appraisal *a, enum appraisal_lane lane)
{
	struct appraisal_entry *entry, *same = NULL;

	TAILQ_FOREACH(entry, &a->waiting[lane], next) {
		if (is_running(a, entry->cvm_id))
			continue;
		if (lane != LANE_FETCH || strcmp(entry->which.client, a->last_client) != 0)
			return entry;
		if (!same)
			same = entry;
	}
	return same;
}

static bool has_room(const struct appraisal *a, const struct appraisal_entry *asking)
{
	const struct appraisal_entry *entry;
	size_t own = 0;

	TAILQ_FOREACH(entry, &a->waiting[LANE_FETCH], next)
		own += strcmp(entry->which.client, asking->which.client) == 0;
	return a->waiting_count[LANE_FETCH] < FETCHES_MAX && own < FETCHES_OF_ONE_MAX;
}

static void start_all(struct appraisal *a);

static void stop_timer(struct appraisal *a)
{
	if (a->timer)
		uv_close((uv_handle_t *)a->timer, (uv_close_cb)free);
	a->timer = NULL;
}

static void on_timer(uv_timer_t *timer)
{
	struct appraisal *a = timer->data;

	stop_timer(a);
	start_all(a);
}

/* Whether something may be fetched now; if not, a timer comes back to it. */
static bool may_fetch(struct appraisal *a)
{
	int64_t wait;

	if (a->timer)
		return false;
	wait = rate_take(&rate_of_all, clock_ms(CLOCK_MONOTONIC), &a->fetched);
	if (wait == 0)
		return true;
	a->timer = malloc(sizeof(*a->timer));
	if (!a->timer)
		return true; /* rather too often than never */
	uv_timer_init(a->loop, a->timer);
	a->timer->data = a;
	uv_timer_start(a->timer, on_timer, (uint64_t)wait, 0);
	return false;
}

static void add_why(struct appraisal_entry *entry, const char *why)
{
	size_t used = strlen(entry->verdict.line);

	if (!entry->verdict.verified)
		snprintf(entry->verdict.line + used, sizeof(entry->verdict.line) - used, "; %s",
			 why);
}

/* If not, the verdict without it stands, which may be a yes: by a list that is a day old. */
static bool may_fetch_for(struct appraisal *a, struct appraisal_entry *entry)
{
	char why[96];
	int64_t wait;
	struct err e;

	if (!has_room(a, entry)) {
		add_why(entry, "too many wait for endorsements: connect again later");
		return false;
	}
	if (keyed_rate_take(a->fetched_of, entry->cvm_id, strlen(entry->cvm_id),
			    clock_ms(CLOCK_MONOTONIC), &wait, &e) < 0) {
		add_why(entry, e.text);
		return false;
	}
	if (wait == 0)
		return true;
	snprintf(why, sizeof(why),
		 "endorsements were asked for too often for this CVM: again in %lld s",
		 (long long)((wait + 999) / 1000));
	add_why(entry, why);
	return false;
}

static void judged(void *data)
{
	struct appraisal_entry *entry = data;
	struct appraisal *a = entry->appraisal;

	a->running[entry->lane] = NULL;
	/* With newer evidence of this CVM there, nobody asks for this one any more. */
	bool goes_on = entry->lane == LANE_CACHE && entry->wants_more && !a->stopped &&
		       !waiting_of(a, entry->cvm_id) && may_fetch_for(a, entry);
	if (goes_on)
		put(a, entry, LANE_FETCH);
	start_all(a);
	if (!goes_on)
		finish(entry);
}

static void start(struct appraisal *a, enum appraisal_lane lane)
{
	struct appraisal_entry *entry = a->running[lane] ? NULL : next_of(a, lane);
	struct err e;

	if (!entry || (lane == LANE_FETCH && !may_fetch(a)))
		return;
	take(a, entry);
	a->running[lane] = entry;
	if (lane == LANE_FETCH)
		memcpy(a->last_client, entry->which.client, sizeof(a->last_client));
	if (rpc_job_start(a->loop, appraisal_judge, judged, entry, &e) < 0) {
		a->running[lane] = NULL;
		refuse(entry, e.text);
		start(a, lane);
	}
}

static void start_all(struct appraisal *a)
{
	for (size_t i = 0; i < LANES; i++)
		start(a, (enum appraisal_lane)i);
}

static struct appraisal_entry *entry_new(const struct appraisal_case *which, const uint8_t *token,
					 size_t len)
{
	struct appraisal_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->which = *which;
	entry->which.cvm_id = entry->cvm_id = strdup(which->cvm_id);
	entry->token = malloc(len ? len : 1);
	entry->len = len;
	if (!entry->cvm_id || !entry->token) {
		entry_free(entry);
		return NULL;
	}
	if (len)
		memcpy(entry->token, token, len);
	return entry;
}

int appraisal_start(struct appraisal *a, const struct appraisal_case *which, const uint8_t *token,
		    size_t len, void (*done)(void *data, const struct appraisal_verdict *verdict),
		    void *data, struct err *e)
{
	struct appraisal_entry *older, *entry;

	if (a->stopped)
		return err_set(e, ERR_UNAVAILABLE, "the service stops");
	if (len > APPRAISAL_TOKEN_MAX)
		return err_set(e, ERR_EXHAUSTED, "evidence of %zu bytes; at most %d", len,
			       APPRAISAL_TOKEN_MAX);
	older = waiting_of(a, which->cvm_id);
	if (a->waiting_count[LANE_CACHE] == WAITING_MAX && !older)
		return err_set(e, ERR_EXHAUSTED, "evidence of %d agents is waiting already",
			       WAITING_MAX);
	entry = entry_new(which, token, len);
	if (!entry)
		return err_nomem(e);
	entry->appraisal = a;
	entry->done = done;
	entry->data = data;
	entry->about = log_about_now();
	if (older)
		take(a, older);
	put(a, entry, LANE_CACHE);
	start_all(a);
	if (older)
		refuse(older, "newer evidence of this CVM has come");
	return 0;
}

void appraisal_stop(struct appraisal *a)
{
	struct appraisal_entry *entry;

	if (!a)
		return;
	a->stopped = true;
	stop_timer(a);
	for (size_t i = 0; i < LANES; i++) {
		if (a->endorsements[i])
			endorsements_stop(a->endorsements[i]);
		while ((entry = TAILQ_FIRST(&a->waiting[i]))) {
			take(a, entry);
			refuse(entry, "the service stops");
		}
	}
}
