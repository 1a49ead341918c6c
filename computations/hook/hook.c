/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/hook/hook.h"

#include "common/base/utf8.h"
#include "computations/seal/secret_keep.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

#define COLUMNS                                                                                \
	"SELECT h.number, h.workspace, h.url, h.events, h.description, h.maker, h.created,"    \
	" h.enabled, h.reason, h.taken, h.dropped, (SELECT count(*) FROM webhook_deliveries d" \
	" WHERE d.webhook = h.number AND d.state = 0) FROM webhooks h "

int hook_copy_text(struct db_rows *row, int column, char *out, size_t size, struct err *e)
{
	CLEANUP(free) char *text = NULL;

	if (db_text(row, column, &text, e) < 0)
		return err_code(e);
	if (strlen(text) >= size)
		return err_set(e, ERR_DATA_LOSS, "database: a webhook's text is too long");
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int read_row(struct db_rows *row, struct hook *h, struct err *e)
{
	struct hook got = { .number = 0 };
	int64_t events;

	if (db_integer(row, 0, 1, INT64_MAX, &got.number, e) < 0 ||
	    db_integer(row, 1, 1, INT64_MAX, &got.workspace, e) < 0 ||
	    hook_copy_text(row, 2, got.url, sizeof(got.url), e) < 0 ||
	    db_integer(row, 3, 1, HOOK_EVENTS_ALL, &events, e) < 0 ||
	    hook_copy_text(row, 4, got.description, sizeof(got.description), e) < 0 ||
	    hook_copy_text(row, 5, got.maker, sizeof(got.maker), e) < 0 ||
	    db_integer(row, 6, 0, INT64_MAX, &got.created, e) < 0 ||
	    db_flag(row, 7, &got.enabled, e) < 0 ||
	    hook_copy_text(row, 8, got.reason, sizeof(got.reason), e) < 0 ||
	    db_integer(row, 9, 0, INT64_MAX, &got.taken, e) < 0 ||
	    db_integer(row, 10, 0, INT64_MAX, &got.dropped, e) < 0 ||
	    db_integer(row, 11, 0, INT64_MAX, &got.waiting, e) < 0)
		return err_code(e);
	got.events = (unsigned)events;
	*h = got;
	return 0;
}

int hook_list(struct db *db, int64_t workspace, struct hook rows[HOOKS_MAX], size_t *count,
	      struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	size_t got = 0;
	int row = 0;

	if (db_query(db, &found, e, COLUMNS "WHERE h.workspace = ? ORDER BY h.number LIMIT ?", "ii",
		     workspace, (int64_t)HOOKS_MAX) < 0)
		return err_code(e);
	while (got < HOOKS_MAX && (row = db_next(found, e)) > 0)
		if (read_row(found, &rows[got++], e) < 0)
			return err_code(e);
	if (row < 0)
		return row;
	*count = got;
	return 0;
}

int hook_find(struct db *db, int64_t workspace, int64_t number, struct hook *h, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, COLUMNS "WHERE h.workspace = ? AND h.number = ?", "ii",
		     workspace, number) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	return row ? read_row(rows, h, e)
		   : err_set(e, ERR_NOT_FOUND, "this workspace has no webhook %lld",
			     (long long)number);
}

/* ---- a new one ---- */

static int check(const struct hook_wish *wish, const struct hook_nets *nets, struct err *e)
{
	size_t len = strlen(wish->description);

	if (hook_url_check(wish->url, nets, e) < 0)
		return err_code(e);
	if (len > HOOK_DESCRIPTION_MAX)
		return err_set(e, ERR_INVALID, "description: %zu bytes, and it may have %d", len,
			       HOOK_DESCRIPTION_MAX);
	if (!utf8_valid(wish->description, len) || utf8_has_control(wish->description, len))
		return err_set(e, ERR_INVALID, "description: a character that can't be shown");
	if (!wish->events || wish->events > HOOK_EVENTS_ALL)
		return err_set(e, ERR_INVALID, "events: none, or one that is unknown");
	return 0;
}

/* Another secret of it, and its text. */
static int make_secret(struct db *db, const struct secret_key *secrets, int64_t number,
		       char secret[HOOK_SECRET_TEXT_MAX], struct err *e)
{
	const struct secret_owner owner = secret_owner_of(number);
	uint8_t bytes[HOOK_SECRET_LEN];
	int failed = random_bytes(bytes, sizeof(bytes), e);

	if (!failed)
		failed = secret_keep(db, secrets, &secret_webhook, owner.text, bytes, sizeof(bytes),
				     e);
	if (!failed)
		failed = hook_secret_text(bytes, secret, e);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return failed;
}

int hook_add(struct db *db, const struct secret_key *secrets, int64_t workspace,
	     const struct hook_wish *wish, const struct hook_nets *nets, int64_t now,
	     struct hook *made, char secret[HOOK_SECRET_TEXT_MAX], struct err *e)
{
	int64_t known, number;

	if (check(wish, nets, e) < 0 ||
	    db_number(db, &known, e, "SELECT count(*) FROM webhooks WHERE workspace = ?", "i",
		      workspace) < 0)
		return err_code(e);
	if (known >= HOOKS_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "this workspace has %d webhooks, and has no more: delete one",
			       HOOKS_MAX);
	/* Numbers only rise. */
	if (db_run(db, e,
		   "INSERT INTO webhooks (workspace, url, events, description, maker, created)"
		   " VALUES (?, ?, ?, ?, ?, ?)",
		   "ititti", workspace, wish->url, (int64_t)wish->events, wish->description,
		   wish->maker, now) < 0 ||
	    db_number(db, &number, e, "SELECT max(number) FROM webhooks WHERE workspace = ?", "i",
		      workspace) < 0 ||
	    hook_find(db, workspace, number, made, e) < 0)
		return err_code(e);
	return make_secret(db, secrets, number, secret, e);
}

/* ---- changes ---- */

int hook_enable(struct db *db, int64_t number, bool enabled, struct err *e)
{
	return db_run(db, e, "UPDATE webhooks SET enabled = ?, reason = '' WHERE number = ?", "ii",
		      (int64_t)enabled, number);
}

int hook_disable_for(struct db *db, int64_t number, const char *reason, struct err *e)
{
	return db_run(db, e, "UPDATE webhooks SET enabled = 0, reason = ? WHERE number = ?", "ti",
		      reason, number);
}

/* What there is signs for a while still, where it can be opened. */
static int keep_before(struct db *db, const struct secret_key *secrets, int64_t number, int64_t now,
		       struct err *e)
{
	const struct secret_owner owner = secret_owner_of(number);
	uint8_t bytes[HOOK_SECRET_LEN];
	struct err lost;
	int found = secret_get_exactly(db, secrets, &secret_webhook, owner.text, bytes,
				       sizeof(bytes), &lost);
	int failed;

	if (found < 0 && lost.code != ERR_PRECONDITION && lost.code != ERR_DATA_LOSS) {
		*e = lost;
		return err_code(e);
	}
	failed = found > 0 ? secret_keep(db, secrets, &secret_webhook_before, owner.text, bytes,
					 sizeof(bytes), e)
			   : secret_forget(db, &secret_webhook_before, owner.text, e);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return failed ? failed
		      : db_run(db, e, "UPDATE webhooks SET before_ends = ? WHERE number = ?", "ii",
			       now + HOOK_ROTATED_MS, number);
}

int hook_rotate(struct db *db, const struct secret_key *secrets, int64_t number, int64_t now,
		char secret[HOOK_SECRET_TEXT_MAX], struct err *e)
{
	if (keep_before(db, secrets, number, now, e) < 0)
		return err_code(e);
	return make_secret(db, secrets, number, secret, e);
}

int hook_delete(struct db *db, int64_t number, struct err *e)
{
	const struct secret_owner owner = secret_owner_of(number);

	if (secret_forget(db, &secret_webhook, owner.text, e) < 0 ||
	    secret_forget(db, &secret_webhook_before, owner.text, e) < 0)
		return err_code(e);
	return db_run(db, e, "DELETE FROM webhooks WHERE number = ?", "i", number);
}
