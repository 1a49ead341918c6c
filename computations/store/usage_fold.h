/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage_fold.h — months that ended long ago, of which sums are kept instead of spans (store_usage.h).
 *
 * A row is of a workspace, computation, month and CVM: without the CVM nobody could say how many CVMs computations that
 * somebody may not see had together. What a statement says of a month is the same before, between and after, and whatever
 * is killed in between: a span, or its part in that month, is in the sum and no span any more in one transaction.
 */
#pragma once

#include "computations/store/store_usage.h"

enum {
	USAGE_FOLD_MAX = 256,  /* spans that are summed up at a time */
	USAGE_KEEP_LEAST = 3,  /* months, this one among them: */
	USAGE_KEEP_MOST = 1200 /* a century */
};

/* The next of the oldest month, at most `max` spans, in the caller's transaction; `months`, USAGE_KEEP_LEAST to
 * USAGE_KEEP_MOST, stay as they are, the one of `now` among them. `*folded` 0: there is nothing (more) to do. The last span
 * of a CVM that is there stays, empty: what it runs on begins behind it. */
int usage_fold(struct store *store, int64_t now, unsigned months, size_t max, size_t *folded,
	       struct err *e) MUST_CHECK;

/* Whether sums are kept of what that is about (`after` and `max` are not looked at): of some of it, or all. */
int usage_is_folded(struct store *store, const struct usage_query *query, bool *is_folded,
		    struct err *e) MUST_CHECK;
