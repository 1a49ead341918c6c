/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage_kept.h — how much this service keeps of each computation, and for how long: bytes times seconds, by months.
 *
 * Kept are its manifest, its agent's sealed key, the evidence of its CVM, its log lines and events, and its journals: what rows
 * have as their own size, no indexes. CVMs have no disk of their own: what they hold is in memory, which is metered
 * (store_usage.h).
 *
 * What was kept at one look counts until the next one, also where a month ends in between; the first is when it is created, the last
 * when it is removed. A second counts in the transaction that notes up to where was counted: once, whoever looks again, is
 * killed or is another instance; a clock that was set back counts nothing until it has come to where it was.
 */
#pragma once

#include "common/db/db.h"

enum {
	USAGE_KEPT_PIECE = 256,    /* computations that are looked at at a time */
	USAGE_KEPT_PAUSE_S = 1800, /* who was looked at since is not yet due, in the same month */
	USAGE_KEPT_GAP_S = 400 * 86400, /* of a longer one nothing counts: who knows what was */
};
/* Of one computation; more counts as that. Times the seconds of a month it is less than 2^63. */
#define USAGE_KEPT_BYTES_MAX (INT64_C(1) << 41)

/* A computation is there. `now` is in ms since 1970, here and below. */
int usage_kept_begin(struct db *db, const char *computation_id, int64_t now,
		     struct err *e) MUST_CHECK;
/* It is about to be removed. */
int usage_kept_end(struct db *db, const char *computation_id, int64_t now,
		   struct err *e) MUST_CHECK;

/* At most `max` of those that are due, up to the end of the month in which the first of them was looked at last. `*looked` 0: none is
 * (any more). */
int usage_kept_look(struct db *db, int64_t now, size_t max, size_t *looked,
		    struct err *e) MUST_CHECK;
