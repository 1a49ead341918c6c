/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_usage.h — how long the CVMs ran that managers made for workspaces, with how much, and for which computation.
 *
 * Of each CVM there are spans that follow each other without gaps. Whoever says how far it ran only moves the end of the
 * last one, and never back: what is said twice, after a crash or by a clock that was set back, counts once. Sums and
 * months are made when somebody asks. Bytes in and out are told beside them, of usage_traffic.h, and
 * what is kept of computations, of usage_kept.h.
 */
#pragma once

#include "computations/store/store_machine.h"
#include "computations/store/usage_words.h"

enum { USAGE_PAGE_MAX = 256 };

/* What its manager says, in ms since 1970; 0: it doesn't say. */
struct usage_seen {
	int64_t begun; /* by the manager's clock; moved behind the moment when it was asked for */
	int64_t until; /* that it certainly ran to; behind now is now */
	int64_t cpus, memory; /* bytes; 0: as it was asked for */
};
#define USAGE_UNTIL_NOW INT64_MAX

/* One CVM, which its manager has made, whether it has been seen before or not. */
int store_usage_seen(struct store *store, int64_t machine, const struct usage_seen *seen,
		     int64_t now, struct err *e) MUST_CHECK;

/* ---- sums ---- */

struct usage_row {
	int64_t workspace_number;
	char *workspace, *computation;
	bool is_removed; /* the workspace: its name is its last one */
	enum usage_kind kind;
	int64_t cvms, cvm_ms, cpu_ms, memory_mib_s; /* 0 CVMs: none that a manager made */
	int64_t bytes_in, bytes_out;                /* at most USAGE_BYTES_MAX, */
	int64_t storage_mib_s; /* and so is that: of what is kept (usage_kept.h) */
};
void usage_row_done(struct usage_row *row);

struct usage_query {
	const struct usage_month *month;
	int64_t workspace; /* 0: all */
	int64_t person;    /* 0: all; else what that user may see */
	int64_t account;   /* 0: all; else what that one pays for (store_billing.h) */
	struct usage_after after;
	size_t max;
};

struct usage_sums {
	int64_t cvm_ms, cpu_ms, memory_mib_s;
};
/* Of all that those CVMs ran in that month (`after` and `max` are not looked at). */
int store_usage_sums(struct store *store, const struct usage_query *query, struct usage_sums *sums,
		     struct err *e) MUST_CHECK;

/* As struct usage_row has them: no limit is of these. */
struct usage_bytes {
	int64_t in, out, storage_mib_s;
};
int store_usage_bytes(struct store *store, const struct usage_query *query,
		      struct usage_bytes *bytes, struct err *e) MUST_CHECK;

/* By workspace, oldest first, then kind and computation. */
int store_usage(struct store *store, const struct usage_query *query, struct usage_row *rows,
		size_t *count, struct err *e) MUST_CHECK;
