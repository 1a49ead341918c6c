/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_usage.h — what a workspace's CVMs ran in a month, as it is read for a page, JSON or a statement. For this folder only.
 */
#pragma once

#include "common/usage/usage_statement.h"
#include "computations/store/store_usage.h"
#include "computations/store/usage_limit.h"
#include "computations/web/web_work.h"

/* Of a web_work, its `more`. */
struct usage_page {
	struct usage_month month, seen; /* the one that is asked for; what is read of it */
	int64_t now;
	struct usage_row *rows; /* one more than is shown, to see whether there are more */
	size_t room;
	struct usage_share share;       /* of all rows, also those that are on other pages */
	struct usage_bytes bytes;       /* of those, too */
	struct usage_standing standing; /* of the month that has not ended */
	int64_t workspace, account;     /* that it is of; 0: not of one */
	bool is_summed;

	/* Of those that are files (web_statement.c). */
	TAILQ_ENTRY(usage_page) next; /* while it is sent in pieces; */
	int64_t person;               /* to that user; 0: to who is none */
	struct usage_statement statement;
	const struct usage_form *form;
	char *place; /* that the next rows of it are behind */
	size_t sent; /* of what is written of it */
	bool is_sending, is_reading,
		is_over; /* on the loop; in the pool; nobody waits for it any more */
};

bool usage_page_is_now(const struct usage_page *p);
/* How far it is told: to its month's end, or until now. */
int64_t usage_page_end(const struct usage_page *p);

/* In the pool: what is asked for, with room for so many rows; once. */
int usage_page_begin(struct store *store, struct web_work *work, size_t room,
		     struct usage_after *after, struct err *e) MUST_CHECK;
/* The rows behind `after`, as many as there is room for. */
int usage_page_rows(struct store *store, struct web_work *work, const struct usage_after *after,
		    struct err *e) MUST_CHECK;
/* Behind which the next rows are; malloc'ed. */
int usage_page_next(const struct usage_row *last, char **text, struct err *e) MUST_CHECK;
