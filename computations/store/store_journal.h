/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_journal.h — the journals that agents sign (docs/journal.md), as they came: entries and the last
 * signed head. No signature is verified here; who reads one verifies it. Sizes alone are read, for usage
 * (usage_traffic.h).
 *
 * A computation that is run again has a journal for each run. All of them together are bounded by
 * limits.record_bytes, in which each entry and each run also has its room, and their count by
 * STORE_RUNS_MAX; those of one attempt by half of what the attempts before have left of these. What is over it is not taken,
 * and nothing that was taken goes before the computation does.
 */
#pragma once

#include "common/base/span.h"
#include "computations/store/store.h"

enum {
	STORE_ENTRY_MAX = 2 << 20, /* bytes of an entry */
	STORE_HEAD_MAX = 512,
	STORE_BATCH_MAX = 1024, /* entries */
	STORE_RUNS_MAX = 1024,  /* of a computation: each part looks at all of them */
	STORE_ENTRY_ROOM = 64,  /* what an entry counts besides its bytes */
	STORE_RUN_ROOM =
		STORE_HEAD_MAX + STORE_ENTRY_ROOM, /* what a journal counts, even an empty one */
};

/* What one message of an agent brings. */
struct journal_part {
	int64_t first; /* sequence */
	struct span *entries;
	size_t count;
	struct span head;
	struct span run; /* the digest of the journal's first entry; empty: an older agent's */
};

/* Keeps it; `*kept` is how many entries of that run's journal are there then. What is there already is not
 * kept again; a part that is over a limit is not kept at all. ERR_DENIED as for records, and
 * for one of a journal that this CVM did not begin (without its name: in this attempt) or that is closed, or under a
 * head that is none of it; ERR_NOT_FOUND for one that goes on where that run is not, ERR_DATA_LOSS for one that is none. */
int store_journal_add(struct store *store, const char *cvm_id, const char *computation_id,
		      const struct journal_part *part, int64_t *kept, struct err *e) MUST_CHECK;

/* Of a computation's newest journal: which run it is, and how many entries it has; 0: there is none. */
int store_journal_newest(struct store *store, const char *computation_id, int64_t *run,
			 int64_t *count, struct err *e) MUST_CHECK;

/* Pages of one journal, from the entry behind `after`. */
struct journal_page {
	int64_t run,
		count; /* the newest run where 0 was asked for, 0: none; entries under the head */
	struct span *entries;
	size_t entry_count;
	uint8_t head[STORE_HEAD_MAX];
	size_t head_len;
};
void journal_page_done(struct journal_page *page);
int store_journal_page(struct store *store, const char *computation_id, int64_t run, int64_t after,
		       struct journal_page *page, struct err *e) MUST_CHECK;
