/* SPDX-License-Identifier: Apache-2.0 */
/* billing_tell.c — what webhooks of an account's workspaces are told of it (store_billing.h). */
#include "computations/hook/hook_tell.h"
#include "computations/store/billing_form.h"
#include "computations/store/store_billing.h"

#include <stdlib.h>

enum { READY_MS = 3600 * 1000 /* behind a month's end: what runs is noted each minute */ };

static int is_new(struct store *store, int64_t account, const struct usage_month *month,
		  enum hook_event event, bool *fresh, struct err *e)
{
	int64_t changed;

	if (db_change(&store->db, &changed, e,
		      "INSERT INTO billing_told (account, month, event) VALUES (?, ?, ?)"
		      " ON CONFLICT DO NOTHING",
		      "iti", account, month->name, (int64_t)event) < 0)
		return err_code(e);
	*fresh = changed > 0;
	return 0;
}

static int tell(struct store *store, int64_t account, const char *name,
		const struct usage_month *month, enum hook_event event, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int64_t places[BILLING_PLACES_MAX];
	size_t count = 0, added = 0;
	int row = 0;

	if (db_query(&store->db, &rows, e,
		     "SELECT w.number FROM workspaces w WHERE w.number IN (" BILLING_PLACES_OF(
			     "?1", "?2") ") ORDER BY w.number LIMIT ?3",
		     "iii", account, month->since, (int64_t)BILLING_PLACES_MAX) < 0)
		return err_code(e);
	while (count < BILLING_PLACES_MAX && (row = db_next(rows, e)) > 0)
		if (db_integer(rows, 0, 1, INT64_MAX, &places[count++], e) < 0)
			return err_code(e);
	if (row < 0)
		return row;
	for (size_t i = 0; i < count; i++)
		if (hook_tell_account(&store->db, places[i], name, month->name, event, store_now(),
				      &added, e) < 0)
			return err_code(e);
	store->has_told = store->has_told || added;
	return 0;
}

int billing_tell_limit(struct store *store, const struct billing_account *account, bool spent,
		       const struct usage_month *month, struct err *e)
{
	const enum hook_event event = spent ? HOOK_USAGE_LIMIT : HOOK_USAGE_WARNING;
	bool fresh;

	if (is_new(store, account->number, month, event, &fresh, e) < 0)
		return err_code(e);
	return fresh ? tell(store, account->number, account->name, month, event, e) : 0;
}

/* ---- statements ---- */

struct ready {
	int64_t account;
	char *name;
};

/* Accounts that paid for a workspace then, and are not told of it yet. */
static int find_ready(struct store *store, const struct usage_month *month,
		      struct ready found[BILLING_TELL_MAX], size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row = 0;

	*count = 0;
	if (db_query(
		    &store->db, &rows, e,
		    "SELECT a.number, a.name FROM billing_accounts a WHERE EXISTS (" BILLING_PLACES_OF(
			    "a.number",
			    "?1") ") AND NOT EXISTS (SELECT 1 FROM"
				  " billing_told t WHERE t.account = a.number AND t.month = ?2 AND t.event = ?3)"
				  " ORDER BY a.number LIMIT ?4",
		    "itii", month->since, month->name, (int64_t)HOOK_STATEMENT_READY,
		    (int64_t)BILLING_TELL_MAX) < 0)
		return err_code(e);
	while (*count < BILLING_TELL_MAX && (row = db_next(rows, e)) > 0) {
		struct ready *r = &found[*count];

		if (db_integer(rows, 0, 1, INT64_MAX, &r->account, e) < 0 ||
		    db_text(rows, 1, &r->name, e) < 0)
			return err_code(e);
		++*count;
	}
	return row < 0 ? row : 0;
}

/* False: it has not ended an hour ago, or was never. */
static int month_before(int64_t now, unsigned back, struct usage_month *month, bool *is_over,
			struct err *e)
{
	*is_over = false;
	if (usage_month_parse("", now, month, e) < 0)
		return err_code(e);
	for (; back; back--) {
		if (month->since == 0)
			return 0;
		if (usage_month_parse("", month->since - 1, month, e) < 0)
			return err_code(e);
	}
	*is_over = now >= month->until + READY_MS;
	return 0;
}

int billing_tell_statements(struct store *store, int64_t now, unsigned back, size_t *told,
			    struct err *e)
{
	struct ready found[BILLING_TELL_MAX];
	struct usage_month month;
	size_t count = 0;
	bool is_over;
	int failed = month_before(now, back, &month, &is_over, e);

	*told = 0;
	if (!failed && is_over)
		failed = find_ready(store, &month, found, &count, e);
	for (size_t i = 0; i < count; i++) {
		bool fresh;

		if (!failed)
			failed = is_new(store, found[i].account, &month, HOOK_STATEMENT_READY,
					&fresh, e);
		if (!failed)
			failed = tell(store, found[i].account, found[i].name, &month,
				      HOOK_STATEMENT_READY, e);
		free(found[i].name);
	}
	if (!failed)
		*told = count;
	return failed;
}
