/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_billing.h"

#include "common/base/log.h"
#include "computations/people/user.h"
#include "computations/store/billing_form.h"

#include <stdlib.h>

void billing_account_done(struct billing_account *a)
{
	free(a->name);
	free(a->plan);
	free(a->maker);
	*a = (struct billing_account){ .name = NULL };
}

static int month_of(int64_t now, struct usage_month *month, struct err *e)
{
	return usage_month_parse("", now, month, e);
}

/* ---- accounts ---- */

int billing_add(struct store *store, const char *name, const char *plan, const char *maker,
		int64_t now, struct err *e)
{
	int64_t known;

	if (people_name_check("account", name, e) < 0 ||
	    db_number(&store->db, &known, e, "SELECT count(*) FROM billing_accounts WHERE name = ?",
		      "t", name) < 0)
		return err_code(e);
	if (known)
		return err_set(e, ERR_EXISTS, "account %s exists already", name);
	if (db_number(&store->db, &known, e, "SELECT count(*) FROM billing_accounts", "") < 0)
		return err_code(e);
	if (known >= BILLING_ACCOUNTS_MAX)
		return err_set(e, ERR_EXHAUSTED, "there are %d accounts: remove some",
			       BILLING_ACCOUNTS_MAX);
	return db_run(&store->db, e,
		      "INSERT INTO billing_accounts (name, plan, maker, created)"
		      " VALUES (?, ?, ?, ?)",
		      "ttti", name, plan, maker, now);
}

/* Parameter ?1: the month. */
#define COLUMNS                                                                                           \
	"SELECT a.number, a.name, a.plan, a.maker, a.created, (SELECT count(*) FROM (" BILLING_PLACES_OF( \
		"a.number", "?1") ") here) FROM billing_accounts a "

static int read_account(struct db_rows *rows, struct billing_account *out, struct err *e)
{
	struct billing_account got = { .name = NULL };

	if (db_integer(rows, 0, 1, INT64_MAX, &got.number, e) < 0 ||
	    db_integer(rows, 4, 0, INT64_MAX, &got.created, e) < 0 ||
	    db_integer(rows, 5, 0, INT64_MAX, &got.workspaces, e) < 0 ||
	    db_text(rows, 1, &got.name, e) < 0 || db_text(rows, 2, &got.plan, e) < 0 ||
	    db_text(rows, 3, &got.maker, e) < 0) {
		billing_account_done(&got);
		return err_code(e);
	}
	*out = got;
	return 1;
}

/* 1, 0: there is none. */
static int read_one(struct db_rows *rows, struct billing_account *out, struct err *e)
{
	int row = db_next(rows, e);

	return row <= 0 ? row : read_account(rows, out, e);
}

int billing_unknown(const char *name, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "no billing account %s", log_quote(name).text);
}

int billing_find(struct store *store, const char *name, int64_t now,
		 struct billing_account *account, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct usage_month month;
	int found;

	if (month_of(now, &month, e) < 0 ||
	    db_query(&store->db, &rows, e, COLUMNS "WHERE a.name = ?2", "it", month.since, name) <
		    0)
		return err_code(e);
	found = read_one(rows, account, e);
	if (found < 0)
		return found;
	return found ? 0 : billing_unknown(name, e);
}

int billing_list(struct store *store, const char *after, int64_t now, size_t max,
		 struct billing_account *accounts, size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct usage_month month;
	size_t got = 0;
	int row = 0;

	if (month_of(now, &month, e) < 0 ||
	    db_query(&store->db, &rows, e, COLUMNS "WHERE a.name > ?2 ORDER BY a.name LIMIT ?3",
		     "iti", month.since, after, (int64_t)max) < 0)
		return err_code(e);
	while (got < max && (row = read_one(rows, &accounts[got], e)) > 0)
		got++;
	if (row < 0) {
		while (got > 0)
			billing_account_done(&accounts[--got]);
		return row;
	}
	*count = got;
	return 0;
}

int billing_set_plan(struct store *store, int64_t account, const char *plan, struct err *e)
{
	return db_run(&store->db, e, "UPDATE billing_accounts SET plan = ? WHERE number = ?", "ti",
		      plan, account);
}

int billing_remove(struct store *store, const struct billing_account *account, struct err *e)
{
	int64_t paid;

	if (db_number(&store->db, &paid, e, "SELECT count(*) FROM billing_places WHERE account = ?",
		      "i", account->number) < 0)
		return err_code(e);
	if (paid)
		return err_set(e, ERR_PRECONDITION,
			       "account %s has paid for a workspace, and stays for its statements: "
			       "give its workspaces to another one instead",
			       account->name);
	return db_run(&store->db, e, "DELETE FROM billing_accounts WHERE number = ?", "i",
		      account->number);
}

/* ---- whom they pay for ---- */

int billing_payer(struct store *store, int64_t workspace, const struct usage_month *month,
		  struct billing_account *account, bool *is_paid, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int found;

	if (db_query(&store->db, &rows, e,
		     COLUMNS "WHERE a.number = (SELECT account FROM billing_places"
			     " WHERE workspace = ?2 AND since <= ?1 ORDER BY since DESC LIMIT 1)",
		     "ii", month->since, workspace) < 0)
		return err_code(e);
	found = read_one(rows, account, e);
	if (found < 0)
		return found;
	*is_paid = found > 0;
	return 0;
}

static int put_place(struct store *store, int64_t account, int64_t workspace,
		     const struct usage_month *month, struct err *e)
{
	return db_run(&store->db, e,
		      "INSERT INTO billing_places (workspace, since, account) VALUES (?, ?, ?)"
		      " ON CONFLICT (workspace, since) DO UPDATE SET account = excluded.account",
		      "iii", workspace, month->since, account);
}

/* Those that are removed stay an account's, and take no room of others. */
static int count_places(struct store *store, int64_t account, const struct usage_month *month,
			int64_t *count, struct err *e)
{
	return db_number(&store->db, count, e,
			 "SELECT count(*) FROM workspaces w WHERE w.number IN (" BILLING_PLACES_OF(
				 "?1", "?2") ")",
			 "ii", account, month->since);
}

int billing_give(struct store *store, const struct billing_account *account, int64_t workspace,
		 int64_t now, struct err *e)
{
	struct billing_account payer = { .name = NULL };
	struct usage_month month;
	int64_t count;
	bool is_paid;
	int failed = 0;

	if (month_of(now, &month, e) < 0 ||
	    count_places(store, account->number, &month, &count, e) < 0 ||
	    billing_payer(store, workspace, &month, &payer, &is_paid, e) < 0)
		return err_code(e);
	if (is_paid && payer.number == account->number)
		failed = err_set(e, ERR_EXISTS, "account %s pays for that workspace already",
				 account->name);
	else if (is_paid)
		failed = err_set(e, ERR_PRECONDITION,
				 "account %s pays for that workspace: take it from there first",
				 payer.name);
	else if (count >= BILLING_PLACES_MAX)
		failed = err_set(e, ERR_EXHAUSTED,
				 "account %s pays for %d workspaces: no more can be", account->name,
				 BILLING_PLACES_MAX);
	billing_account_done(&payer);
	return failed ? failed : put_place(store, account->number, workspace, &month, e);
}

int billing_take(struct store *store, const struct billing_account *account, int64_t workspace,
		 int64_t now, struct err *e)
{
	struct billing_account payer = { .name = NULL };
	struct usage_month month;
	bool is_paid;

	if (month_of(now, &month, e) < 0 ||
	    billing_payer(store, workspace, &month, &payer, &is_paid, e) < 0)
		return err_code(e);
	is_paid = is_paid && payer.number == account->number;
	billing_account_done(&payer);
	if (!is_paid)
		return err_set(e, ERR_NOT_FOUND, "account %s does not pay for that workspace",
			       account->name);
	return put_place(store, 0, workspace, &month, e);
}

int billing_places(struct store *store, int64_t account, int64_t now, size_t max, char **names,
		   size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct usage_month month;
	size_t got = 0;
	int row = 0;

	if (month_of(now, &month, e) < 0 ||
	    db_query(&store->db, &rows, e,
		     "SELECT coalesce(w.name, '') FROM (" BILLING_PLACES_OF(
			     "?1", "?2") ") h"
					 " LEFT JOIN workspaces w ON w.number = h.workspace"
					 " ORDER BY CASE WHEN w.number IS NULL THEN 1"
					 " ELSE 0 END, w.name, h.workspace LIMIT ?3",
		     "iii", account, month.since, (int64_t)max) < 0)
		return err_code(e);
	while (got < max && (row = db_next(rows, e)) > 0) {
		row = db_text(rows, 0, &names[got], e);
		if (row < 0)
			break;
		got++;
	}
	if (row < 0) {
		while (got > 0)
			free(names[--got]);
		return row;
	}
	*count = got;
	return 0;
}
