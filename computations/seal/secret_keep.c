/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/seal/secret_keep.h"

#include "common/base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct secret_kind secret_agent = {
	"agent", "its agent's private key",
	"before its first run 'computation update' puts one there, later create the computation anew",
	"private key of an agent", "private keys of agents"
};
const struct secret_kind secret_totp = {
	"totp", "the key of the second factor",
	"a recovery code signs in, and an administrator removes the factor ('user remove-factor')",
	"second factor", "second factors"
};
const struct secret_kind secret_webhook = { "webhook", "the webhook's secret",
					    "have another one made ('webhook rotate')",
					    "secret of a webhook", "secrets of webhooks" };
const struct secret_kind secret_webhook_before = { "webhook-before",
						   "the webhook's secret of before",
						   "have another one made ('webhook rotate')",
						   "secret of a webhook from before",
						   "secrets of webhooks from before" };
const struct secret_kind secret_mail = { "mail", "the mail's text",
					 "revoke its invitation, and invite again",
					 "mail that waits", "mails that wait" };
const struct secret_kind *const secret_kinds[SECRET_KINDS] = {
	&secret_agent, &secret_totp, &secret_webhook, &secret_webhook_before, &secret_mail
};

struct secret_owner secret_owner_of(int64_t number)
{
	struct secret_owner owner;

	snprintf(owner.text, sizeof(owner.text), "%" PRId64, number);
	return owner;
}

int secret_forget(struct db *db, const struct secret_kind *kind, const char *owner, struct err *e)
{
	return db_run(db, e, "DELETE FROM secrets WHERE kind = ? AND owner = ?", "tt", kind->word,
		      owner);
}

int secret_keep(struct db *db, const struct secret_key *secrets, const struct secret_kind *kind,
		const char *owner, const void *bytes, size_t len, struct err *e)
{
	CLEANUP(free) uint8_t *sealed = NULL;
	const struct secret_name name = { kind->word, owner };
	size_t size;

	if (!secrets)
		return err_set(e, ERR_PRECONDITION, "%s can't be kept: no key for secrets is open",
			       kind->what);
	if (secret_seal(secrets, &name, bytes, len, &sealed, &size, e) < 0)
		return err_wrap(e, "%s", kind->what);
	if (secret_forget(db, kind, owner, e) < 0)
		return err_code(e);
	return db_run(db, e, "INSERT INTO secrets (kind, owner, key, sealed) VALUES (?, ?, ?, ?)",
		      "tttb", kind->word, owner, secrets->id, sealed, size);
}

static int open_row(struct db_rows *row, const struct secret_key *secrets,
		    const struct secret_kind *kind, const char *owner, uint8_t **bytes, size_t *len,
		    struct err *e)
{
	const struct secret_name name = { kind->word, owner };
	CLEANUP(free) char *key = NULL;
	const void *sealed;
	size_t size;

	if (db_text(row, 0, &key, e) < 0)
		return err_code(e);
	if (!*key)
		return err_set(e, ERR_PRECONDITION, "%s is gone: %s", kind->what, kind->again);
	if (!secrets || strcmp(key, secrets->id) != 0)
		return err_set(e, ERR_PRECONDITION, "%s is sealed under key %s, which is not open",
			       kind->what, log_quote(key).text);
	if (db_blob(row, 1, SECRET_MAX + SECRET_OVERHEAD, &sealed, &size, e) < 0 ||
	    secret_open(secrets, &name, sealed, size, bytes, len, e) < 0)
		return err_wrap(e, "%s", kind->what);
	return 1;
}

int secret_get(struct db *db, const struct secret_key *secrets, const struct secret_kind *kind,
	       const char *owner, uint8_t **bytes, size_t *len, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, "SELECT key, sealed FROM secrets WHERE kind = ? AND owner = ?",
		     "tt", kind->word, owner) < 0)
		return err_code(e);
	row = db_next(rows, e);
	return row <= 0 ? row : open_row(rows, secrets, kind, owner, bytes, len, e);
}

int secret_get_exactly(struct db *db, const struct secret_key *secrets,
		       const struct secret_kind *kind, const char *owner, void *bytes, size_t size,
		       struct err *e)
{
	uint8_t *got = NULL;
	size_t len = 0;
	int found = secret_get(db, secrets, kind, owner, &got, &len, e);

	if (found <= 0)
		return found;
	if (len == size)
		memcpy(bytes, got, size);
	else
		found = err_set(e, ERR_DATA_LOSS, "database: %s has another length", kind->what);
	secret_free(got, len);
	return found;
}
