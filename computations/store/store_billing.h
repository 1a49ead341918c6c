/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_billing.h — accounts that pay for workspaces, each by a plan, which limits what all of them together may run in a
 * month (usage_limit.h). What a plan is, the operator's file says; here is its name.
 *
 * A workspace's month is one account's, whole: the one that it was given to last in that month. What it ran before stays
 * that of whoever paid then, also when it is given away, or removed.
 */
#pragma once

#include "computations/store/store.h"
#include "computations/store/usage_words.h"

enum {
	BILLING_ACCOUNTS_MAX = 10000,
	BILLING_PLACES_MAX = 256, /* workspaces of an account at a time */
	BILLING_PAGE_MAX = 64,
	BILLING_TELL_MAX = 16, /* accounts that are told of at a time */
	BILLING_TELL_MONTHS =
		12, /* of those that a service missed; what is longer ago is told nobody */
};

struct billing_account {
	int64_t number;
	char *name, *plan, *maker;
	int64_t created, workspaces; /* that it pays for in this month */
};
void billing_account_done(struct billing_account *account);

/* ERR_EXISTS, ERR_INVALID: a name that can't be; ERR_EXHAUSTED. Whether there is such a plan is the caller's to know. */
int billing_add(struct store *store, const char *name, const char *plan, const char *maker,
		int64_t now, struct err *e) MUST_CHECK;
/* ERR_NOT_FOUND, as if there were none. */
int billing_unknown(const char *name, struct err *e);
/* ERR_NOT_FOUND. */
int billing_find(struct store *store, const char *name, int64_t now,
		 struct billing_account *account, struct err *e) MUST_CHECK;
/* At most `max` behind `after` ("" for the first), by name. */
int billing_list(struct store *store, const char *after, int64_t now, size_t max,
		 struct billing_account *accounts, size_t *count, struct err *e) MUST_CHECK;
int billing_set_plan(struct store *store, int64_t account, const char *plan,
		     struct err *e) MUST_CHECK;
/* ERR_PRECONDITION: it has paid for a workspace, and stays for its statements. */
int billing_remove(struct store *store, const struct billing_account *account,
		   struct err *e) MUST_CHECK;

/* It pays for that workspace from this month on. ERR_EXISTS: it does already; ERR_PRECONDITION: another one does; ERR_EXHAUSTED. */
int billing_give(struct store *store, const struct billing_account *account, int64_t workspace,
		 int64_t now, struct err *e) MUST_CHECK;
/* No more, from this month on. ERR_NOT_FOUND: it doesn't. */
int billing_take(struct store *store, const struct billing_account *account, int64_t workspace,
		 int64_t now, struct err *e) MUST_CHECK;

/* Who pays for it in that month; false: nobody. */
int billing_payer(struct store *store, int64_t workspace, const struct usage_month *month,
		  struct billing_account *account, bool *is_paid, struct err *e) MUST_CHECK;

/* The names of those it pays for in this month, also of some that are removed ("" then), malloc'ed each; at most `max`. */
int billing_places(struct store *store, int64_t account, int64_t now, size_t max, char **names,
		   size_t *count, struct err *e) MUST_CHECK;

/* ---- what webhooks of its workspaces are told ---- */

/* A limit of its plan is nearly reached, or (`spent`) reached: once in a month each. */
int billing_tell_limit(struct store *store, const struct billing_account *account, bool spent,
		       const struct usage_month *month, struct err *e) MUST_CHECK;
/* The month that is `back` before this one has ended an hour ago, or longer: its statements are ready, which some accounts'
 * workspaces have not been told. `*told` 0: there are no more of that month. */
int billing_tell_statements(struct store *store, int64_t now, unsigned back, size_t *told,
			    struct err *e) MUST_CHECK;
