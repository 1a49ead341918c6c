/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage_traffic.h — bytes that owners sent to a computation's agent and consumers fetched from it, by what the agent's
 * journals say (docs/journal.md).
 *
 * An entry counts in the transaction that keeps it (store_journal.h), where it is the first and the last of its place in its
 * run: what comes again is kept already, what is refused is not kept. It is the agent's word, which limits nobody. Of
 * each computation and month there is one row, whatever an agent says how often; the month is that in which the entry came
 * here, since the journal's own clock is set by the agent's host.
 */
#pragma once

#include "common/base/span.h"
#include "computations/store/store.h"

#define USAGE_NOTE_BYTES_MAX \
	(INT64_C(1) << 50) /* that one entry can mean; more counts as nothing */
#define USAGE_BYTES_MAX \
	((INT64_C(1) << 53) - 1) /* where sums stay: what JSON's readers tell apart */
/* Names of files are shorter, and other entries of those types have none. */
enum { USAGE_ENTRY_MAX = 4096 };

/* Of one run, while a part of its journal is taken. */
struct usage_traffic {
	int64_t results; /* bytes that each delivery has; 0: the journal doesn't say */
	int64_t in, out; /* of this part */
};

/* The entry that is kept at that place of the computation's run. What is none counts as nothing. */
void usage_traffic_take(struct store *store, const char *computation_id, int64_t sequence,
			struct span entry, struct usage_traffic *traffic);

/* What was taken, in the month of `now`, for the workspace that the computation is in. */
int usage_traffic_keep(struct store *store, const char *computation_id,
		       const struct usage_traffic *traffic, int64_t now, struct err *e) MUST_CHECK;

/* A sum of what rows have, as the database gives it: of MiB, and of what is over those. */
int64_t usage_traffic_sum(int64_t mib, int64_t rest);
