/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_share.h — who of the users fills the audit log (store_audit.h): whoever has added as many rows as are left for all
 * is refused, so that the others are not.
 *
 * One of them leaves at least half of what there was, n of them the (n + 1)th part of it. It is kept in memory: for whom
 * nothing was counted yet, as behind a start, there is as much.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	AUDIT_SHARES =
		256, /* users with most rows: beyond them the one who has fewest is forgotten */
	AUDIT_SHARE_WHO_MAX =
		80 /* bytes of a row's `who`; of a longer one, which no user has, its beginning */
};

struct audit_share {
	char who[AUDIT_SHARE_WHO_MAX + 1];
	uint64_t rows; /* 0: nobody's */
};

/* Zeroed: nobody added any. */
struct audit_shares {
	struct audit_share of[AUDIT_SHARES];
};

/* In their room of the log, and for what has to work always. What counts a transaction that does not come to be (store_queue.h) is
 * put back as it was. */
struct audit_counts {
	struct audit_shares users, always;
};

/* How many rows were counted of him. */
uint64_t audit_share_rows(const struct audit_shares *shares, const char *who);
void audit_share_count(struct audit_shares *shares, const char *who);
