/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_progress.h — what a run has had so far, and who has fetched, as its agent's journal says (docs/journal.md). For this
 * folder only.
 *
 * Nothing is verified here: the command that does stands beside it. Of a long journal its beginning and its end are read,
 * between which an agent writes lines; is_whole says whether that was all of it.
 */
#pragma once

#include "computations/store/store_journal.h"
#include "computations/web/web_work.h"

/* Of an asset or a consumer of the manifest; of the former also how many bytes, and whether an earlier run had it. */
struct web_part {
	bool is_there, is_kept;
	int64_t at; /* ms since 1970, by the agent's clock */
	uint64_t size;
};

struct web_progress {
	int64_t run, count; /* 0: there is no journal of this run */
	bool is_whole, is_over;
	struct web_part algorithm, *datasets, *consumers; /* in the order of the manifest */
	size_t dataset_count, consumer_count;
	uint64_t memory, processor, time; /* that the run may have, 0: none is told */
};

/* Of the computation and manifest that `work` has. */
int web_progress_run(struct store *store, const struct web_work *work, struct web_progress **out,
		     struct err *e) MUST_CHECK;
void web_progress_free(struct web_progress *p);
DEFINE_CLEANUP(struct web_progress *, web_progress_free)

/* The panel of the computation's page; nothing of one that was given to no CVM. */
void web_progress_put(const struct web_work *work, const struct web_progress *p, struct writer *w);

void web_progress_json(struct http_request *r, void *data);
