/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_delivery.h — what webhooks are to be told, and were: a queue and a log in one table.
 *
 * A delivery is there since the transaction of the change that it tells of, and stays until its receiver has taken it or
 * HOOK_TRIES have failed. What is under way is known to the sender alone: one that was killed sends it again, under the
 * same id. Moments are of a clock that may be set: one that lies further ahead than any pause is has come.
 *
 * Blocking, inside a transaction of the caller's.
 */
#pragma once

#include "computations/hook/hook.h"

enum {
	HOOK_TRIES = 8,
	HOOK_DELIVERIES_KEPT = 100, /* of a webhook, which are done: the oldest go first */
	HOOK_WAITING_MAX = 1000,    /* of a webhook: what comes then is counted, and left out */
	HOOK_PAGE_MAX = 50,
	HOOK_BODY_MAX = 2048,
	HOOK_ID_MAX = 64,
	HOOK_PROBLEM_MAX = 200,
	HOOK_AT_ONCE_MAX = 16,  /* that a sender may have under way, */
	HOOK_AT_ONCE_PLACE = 2, /* and of one workspace */
};

enum hook_state { HOOK_WAITING, HOOK_TAKEN, HOOK_FAILED, HOOK_STATES };
/* "waiting", "taken", "failed". */
const char *hook_state_name(enum hook_state state);

struct hook_delivery {
	int64_t number, webhook, created, due, tried; /* ms since 1970; tried 0: not yet */
	int64_t status; /* HTTP's, of the last try; 0: there was no answer */
	unsigned tries;
	enum hook_event event;
	enum hook_state state;
	char id[HOOK_ID_MAX + 1], problem[HOOK_PROBLEM_MAX + 1];
};

/* One for each enabled webhook of the workspace that wants this event. `data`: the members of the body's "data".
 * `*added`: how many. */
int hook_deliver(struct db *db, int64_t workspace, enum hook_event event, const char *data,
		 int64_t now, size_t *added, struct err *e) MUST_CHECK;

/* Newest first, before that number (0: the newest). */
int hook_deliveries(struct db *db, int64_t webhook, int64_t before,
		    struct hook_delivery rows[HOOK_PAGE_MAX], size_t *count,
		    struct err *e) MUST_CHECK;
int hook_delivery_find(struct db *db, int64_t webhook, int64_t number, struct hook_delivery *d,
		       struct err *e) MUST_CHECK;
/* It is sent again at once, with as many tries as a new one, under its old id. ERR_PRECONDITION: it waits already. */
int hook_redeliver(struct db *db, int64_t webhook, int64_t number, int64_t now,
		   struct err *e) MUST_CHECK;

/* ---- for the sender ---- */

/* What one try needs. */
struct hook_try {
	int64_t number, webhook, workspace;
	char url[HOOK_URL_MAX + 1], id[HOOK_ID_MAX + 1], body[HOOK_BODY_MAX + 1];
	uint8_t secret[HOOK_SECRET_LEN], before[HOOK_SECRET_LEN];
	bool has_before; /* the secret before signs, too */
};

/* What is under way. */
struct hook_busy {
	int64_t webhook, workspace;
};

/* At most `max` that are due, one of each webhook that is not under way, and of each workspace so many that
 * HOOK_AT_ONCE_PLACE are: a workspace whose receivers hang keeps others' places free. `*wait`: ms until the next one is
 * due; -1: none waits. One whose secret can't be opened is disabled, and keeps nobody from others. */
int hook_next(struct db *db, const struct secret_key *secrets, int64_t now,
	      const struct hook_busy *busy, size_t busy_count, size_t max, struct hook_try *tries,
	      size_t *count, int64_t *wait, struct err *e) MUST_CHECK;

struct hook_outcome {
	int64_t number, webhook, status;
	char problem[HOOK_PROBLEM_MAX + 1]; /* of what was not taken */
	bool is_taken, is_gone;             /* gone: its receiver wants no more of any */
};

/* What came of it. `*disabled`: it was the last thing that this webhook was let fail at. Nothing is done for one that was
 * deleted meanwhile. */
int hook_tried(struct db *db, const struct hook_outcome *outcome, int64_t now, bool *disabled,
	       struct err *e) MUST_CHECK;
