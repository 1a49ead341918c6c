/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_confirm.h"

#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>

/* Of a key `k` whose signatures count in that computation. */
#define KEY_IN_USE(fingerprint, computation)                                                       \
	"k.fingerprint = " fingerprint " AND k.retired = 0 AND k.computation IN ('', " computation \
	")"

/* ---- those that there are ---- */

static int read_bytes(struct db_rows *row, int column, uint8_t *bytes, size_t len, struct err *e)
{
	const void *found;
	size_t got;

	if (db_blob(row, column, len, &found, &got, e) < 0)
		return err_code(e);
	if (got != len)
		return err_set(e, ERR_DATA_LOSS, "database: a confirmation with %zu bytes of %zu",
			       got, len);
	memcpy(bytes, found, len);
	return 0;
}

static int read_row(struct db_rows *row, struct store_confirmation *c, struct err *e)
{
	const void *signature;

	if (read_bytes(row, 1, c->key, sizeof(c->key), e) < 0 ||
	    read_bytes(row, 2, c->digest, sizeof(c->digest), e) < 0 ||
	    db_integer(row, 3, 1, INT64_MAX, &c->revision, e) < 0 ||
	    db_blob(row, 4, sizeof(c->signature), &signature, &c->signature_len, e) < 0)
		return err_code(e);
	memcpy(c->signature, signature, c->signature_len);
	if (db_integer(row, 5, 0, INT64_MAX, &c->made, e) < 0 ||
	    db_flag(row, 6, &c->retired, e) < 0)
		return err_code(e);
	return db_text(row, 0, &c->user, e);
}

static int read_now(struct store *store, const char *computation, struct store_confirmations *list,
		    struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT digest, manifest_revision FROM computations WHERE id = ?", "t",
		     computation) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row
			       : err_set(e, ERR_NOT_FOUND, "no computation %s",
					 log_quote(computation).text);
	if (read_bytes(rows, 0, list->digest, sizeof(list->digest), e) < 0)
		return err_code(e);
	return db_integer(rows, 1, 1, INT64_MAX, &list->revision, e);
}

static bool is_stale(const struct store_confirmations *list, const struct store_confirmation *c)
{
	return c->revision != list->revision ||
	       memcmp(c->digest, list->digest, sizeof(c->digest)) != 0;
}

static int read_rows(struct store *store, const char *computation, struct store_confirmations *list,
		     struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row = 0;

	if (db_query(
		    &store->db, &rows, e,
		    "SELECT u.name, c.fingerprint, c.digest, c.revision, c.signature, c.made,"
		    " CASE WHEN EXISTS (SELECT 1 FROM user_keys k WHERE k.person = c.person"
		    " AND " KEY_IN_USE(
			    "c.fingerprint",
			    "c.computation") ") THEN 0 ELSE 1 END"
					     " FROM confirmations c JOIN users u ON u.number = c.person"
					     " WHERE c.computation = ? ORDER BY c.made, c.person LIMIT ?",
		    "ti", computation, (int64_t)STORE_CONFIRMATIONS_MAX) < 0)
		return err_code(e);
	while (list->count < STORE_CONFIRMATIONS_MAX && (row = db_next(rows, e)) > 0) {
		struct store_confirmation *c = &list->rows[list->count++]; /* freed from here on */

		if (read_row(rows, c, e) < 0)
			return err_code(e);
		c->stale = is_stale(list, c);
	}
	return row < 0 ? row : 0;
}

void store_confirmations_free(struct store_confirmations *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		free(list->rows[i].user);
	free(list);
}

int store_confirmations(struct store *store, const char *computation,
			struct store_confirmations **list, struct err *e)
{
	CLEANUP(store_confirmations_free)
	struct store_confirmations *got = calloc(1, sizeof(*got));

	if (!got)
		return err_nomem(e);
	if (read_now(store, computation, got, e) < 0 || read_rows(store, computation, got, e) < 0)
		return err_code(e);
	*list = TAKE_PTR(got);
	return 0;
}

/* ---- a new one ---- */

static int check_now(struct store *store, const struct confirmation *c, struct err *e)
{
	CLEANUP(store_confirmations_free)
	struct store_confirmations *now = calloc(1, sizeof(*now));

	if (!now)
		return err_nomem(e);
	if (read_now(store, c->computation, now, e) < 0)
		return err_code(e);
	if (c->revision == (uint64_t)now->revision &&
	    memcmp(c->digest, now->digest, sizeof(now->digest)) == 0)
		return 0;
	return err_set(e, ERR_ABORTED,
		       "computation %s has another manifest than the one that was compared: "
		       "look at it, and confirm that",
		       log_quote(c->computation).text);
}

/* The key of that fingerprint in the manifest; NULL: it has none. */
static int find_in_manifest(struct store *store, const struct confirmation *c, EVP_PKEY **key,
			    struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	const ProtobufCBinaryData *named;
	size_t len;

	*key = NULL;
	if (store_manifest(store, c->computation, &bytes, &len, e) < 0 ||
	    manifest_decode(bytes, len, &m, e) < 0)
		return err_code(e);
	for (size_t n = 0; (named = manifest_key_at(m, n)) != NULL; n++) {
		if (key_fingerprint(named->data, named->len, fingerprint, e) < 0)
			return err_code(e);
		if (memcmp(fingerprint, c->key, sizeof(fingerprint)) == 0)
			return key_parse_spki(named->data, named->len, key, e);
	}
	return 0;
}

static int check_key(struct store *store, int64_t person, const struct confirmation *c,
		     EVP_PKEY **key, struct err *e)
{
	int64_t own;

	if (find_in_manifest(store, c, key, e) < 0 ||
	    db_number(&store->db, &own, e,
		      "SELECT count(*) FROM user_keys k WHERE k.person = ?"
		      " AND " KEY_IN_USE("?", "?"),
		      "ibt", person, c->key, sizeof(c->key), c->computation) < 0)
		return err_code(e);
	if (*key && own)
		return 0;
	return err_set(e, ERR_DENIED,
		       "the manifest of %s does not name this key, or it is none in use of user "
		       "%s: 'cocos-cli manifest show' says whose keys it names",
		       log_quote(c->computation).text, log_quote(c->user).text);
}

static int make_room(struct store *store, int64_t person, const struct confirmation *c,
		     struct err *e)
{
	if (db_run(&store->db, e, "DELETE FROM confirmations WHERE computation = ? AND person = ?",
		   "ti", c->computation, person) < 0)
		return err_code(e);
	return db_run(&store->db, e,
		      "DELETE FROM confirmations WHERE computation = ?1 AND revision <> ?2"
		      " AND person NOT IN (SELECT person FROM confirmations WHERE computation = ?1"
		      " ORDER BY CASE WHEN revision = ?2 THEN 0 ELSE 1 END, made DESC, person"
		      " LIMIT ?3)",
		      "tii", c->computation, (int64_t)c->revision,
		      (int64_t)STORE_CONFIRMATIONS_MAX - 1);
}

int store_confirm(struct store *store, int64_t person, const struct confirmation *c,
		  const uint8_t *signature, size_t len, int64_t now, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	if (check_now(store, c, e) < 0 || check_key(store, person, c, &key, e) < 0)
		return err_code(e);
	if (len > SIGNATURE_MAX)
		return err_set(e, ERR_DENIED, "a signature of %zu bytes: at most %d", len,
			       SIGNATURE_MAX);
	if (confirmation_verify(c, key, signature, len, e) < 0 ||
	    make_room(store, person, c, e) < 0)
		return err_code(e);
	return db_run(&store->db, e,
		      "INSERT INTO confirmations (computation, person, fingerprint, digest,"
		      " revision, signature, made) VALUES (?, ?, ?, ?, ?, ?, ?)",
		      "tibbibi", c->computation, person, c->key, sizeof(c->key), c->digest,
		      sizeof(c->digest), (int64_t)c->revision, signature, len, now);
}
