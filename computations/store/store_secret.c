/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_secret.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "computations/store/secret_row.h"

#include <stdlib.h>
#include <string.h>

/* ---- manifests ---- */

int store_manifest(struct store *store, const char *id, uint8_t **bytes, size_t *len, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	const void *found;
	size_t size;
	uint8_t *copy;
	int row;

	if (db_query(&store->db, &rows, e, "SELECT manifest FROM computations WHERE id = ?", "t",
		     id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row
			       : err_set(e, ERR_NOT_FOUND, "no computation %s", log_quote(id).text);
	if (db_blob(rows, 0, MANIFEST_MAX, &found, &size, e) < 0)
		return err_code(e);
	copy = malloc(size + 1);
	if (!copy)
		return err_nomem(e);
	if (size)
		memcpy(copy, found, size);
	*bytes = copy;
	*len = size;
	return 0;
}

static int put_back(const char *key, const uint8_t *kept, size_t kept_len, uint8_t **bytes,
		    size_t *len, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	char *before;
	int failed;

	if (manifest_decode(kept, kept_len, &m, e) < 0)
		return err_code(e);
	if (!m->agent_config)
		return err_set(e, ERR_DATA_LOSS,
			       "database: a private key for an agent without configuration");
	before = m->agent_config->key_file;
	m->agent_config->key_file = (char *)(uintptr_t)key;
	failed = manifest_encode(m, bytes, len, e);
	m->agent_config->key_file = before;
	return failed;
}

int store_secret_send(struct store *store, const char *id, uint8_t **bytes, size_t *len,
		      struct err *e)
{
	CLEANUP(free) uint8_t *kept = NULL;
	size_t kept_len, key_len = 0;
	uint8_t *key = NULL;
	int found;

	if (store_manifest(store, id, &kept, &kept_len, e) < 0)
		return err_code(e);
	found = secret_row_get(&store->db, store->secrets, id, &key, &key_len, e);
	if (found < 0)
		return found;
	if (found == 0) {
		*bytes = TAKE_PTR(kept);
		*len = kept_len;
		return 0;
	}
	found = put_back((const char *)key, kept, kept_len, bytes, len, e);
	secret_free(key, key_len);
	return found;
}

/* ---- what older forms had ---- */

/* What it was can't be told, and it can't be sent either. */
static int seal_one(struct store *store, const char *id, const void *bytes, size_t len,
		    struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	CLEANUP(free) uint8_t *kept = NULL;
	struct secret_row_kept without;
	struct err broken;
	size_t kept_len;

	if (manifest_decode(bytes, len, &m, &broken) < 0) {
		log_warn("computation %s: %s; it stays as it is", log_quote(id).text, broken.text);
		return 0;
	}
	if (!m->agent_config || !*m->agent_config->key_file)
		return 0;
	if (strcmp(m->id, id) != 0)
		return err_set(e, ERR_DATA_LOSS, "database: a manifest of %s",
			       log_quote(m->id).text);
	if (secret_row_take(&store->db, store->secrets, m, &without, e) < 0 ||
	    manifest_encode(&without.manifest, &kept, &kept_len, e) < 0 ||
	    db_run(&store->db, e, "UPDATE computations SET manifest = ? WHERE id = ?", "bt", kept,
		   kept_len, id) < 0)
		return err_code(e);
	return secret_row_settle(&store->db, id, e);
}

/* The row behind that number: 1, and its number; 0: no more. */
static int seal_next(struct store *store, int64_t *number, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *id = NULL;
	const void *found;
	uint8_t *copy;
	size_t len;
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT number, id, manifest FROM computations WHERE number > ?"
		     " ORDER BY number LIMIT 1",
		     "i", *number) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	if (db_integer(rows, 0, 1, INT64_MAX, number, e) < 0 || db_text(rows, 1, &id, e) < 0 ||
	    db_blob(rows, 2, MANIFEST_MAX, &found, &len, e) < 0)
		return err_code(e);
	copy = malloc(len + 1);
	if (!copy)
		return err_nomem(e);
	if (len)
		memcpy(copy, found, len);
	db_rows_free(TAKE_PTR(rows));
	row = seal_one(store, id, copy, len, e);
	secret_free(copy, len);
	return row < 0 ? err_wrap(e, "computation %s", log_quote(id).text) : 1;
}

static int seal_older(struct store *store, struct err *e)
{
	int64_t sealed, number = 0;
	int more;

	if (db_number(&store->db, &sealed, e, "SELECT count(*) FROM secrets_key", "") < 0)
		return err_code(e);
	if (sealed)
		return 0;
	do
		more = seal_next(store, &number, e);
	while (more > 0);
	if (more < 0)
		return more;
	return db_run(&store->db, e, "INSERT INTO secrets_key (id) VALUES (?)", "t",
		      store->secrets->id);
}

/* ---- another key ---- */

/* Where the last one was: each is looked at once, however many there are. */
struct renewing {
	char *kind, *owner;
};

static void renewing_done(struct renewing *at)
{
	free(TAKE_PTR(at->kind));
	free(TAKE_PTR(at->owner));
}
#define CLEANUP_RENEWING __attribute__((cleanup(renewing_done)))

/* One that the old key sealed, behind that: 1; 0: there is none any more. */
static int renew_next(struct store *store, const struct secret_key *old, struct renewing *at,
		      struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *kind = NULL, *owner = NULL;
	CLEANUP(free) uint8_t *anew = NULL;
	const void *sealed;
	size_t size, len, anew_len;
	uint8_t *bytes;
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT kind, owner, sealed FROM secrets WHERE key = ?1"
		     " AND (kind > ?2 OR (kind = ?2 AND owner > ?3))"
		     " ORDER BY kind, owner LIMIT 1",
		     "ttt", old->id, at->kind ? at->kind : "", at->owner ? at->owner : "") < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	if (db_text(rows, 0, &kind, e) < 0 || db_text(rows, 1, &owner, e) < 0 ||
	    db_blob(rows, 2, SECRET_MAX + SECRET_OVERHEAD, &sealed, &size, e) < 0)
		return err_code(e);
	const struct secret_name name = { kind, owner };
	row = secret_open(old, &name, sealed, size, &bytes, &len, e);
	db_rows_free(TAKE_PTR(rows));
	if (row < 0)
		return err_wrap(e,
				"the %s key of computation %s, which COMPUTATIONS_SECRETS_OLD_KEY "
				"sealed (remove the computation while that is "
				"COMPUTATIONS_SECRETS_KEY)",
				kind, log_quote(owner).text);
	row = secret_seal(store->secrets, &name, bytes, len, &anew, &anew_len, e);
	secret_free(bytes, len);
	if (row < 0 || db_run(&store->db, e,
			      "UPDATE secrets SET key = ?, sealed = ? WHERE kind = ? AND owner = ?",
			      "tbtt", store->secrets->id, anew, anew_len, kind, owner) < 0)
		return err_code(e);
	renewing_done(at);
	*at = (struct renewing){ TAKE_PTR(kind), TAKE_PTR(owner) };
	return 1;
}

static int renew(struct store *store, const struct secret_key *old, struct err *e)
{
	struct renewing at CLEANUP_RENEWING = { NULL, NULL };
	int64_t count = 0;
	int more;

	if (strcmp(old->id, store->secrets->id) == 0)
		return 0;
	while ((more = renew_next(store, old, &at, e)) > 0)
		count++;
	if (count && !more)
		log_info("%lld secrets of key %s are sealed under key %s now", (long long)count,
			 old->id, store->secrets->id);
	return more;
}

static int give_up(struct store *store, struct err *e)
{
	int64_t count;

	if (db_change(&store->db, &count, e,
		      "UPDATE secrets SET key = '', sealed = NULL WHERE key NOT IN ('', ?)", "t",
		      store->secrets->id) < 0)
		return err_code(e);
	if (count)
		log_warn("%lld private keys of agents were sealed under a key that is lost, and "
			 "are gone: create those computations anew",
			 (long long)count);
	return 0;
}

/* ---- which key ---- */

struct keys {
	struct secret_key key, old;
	char *path;  /* of the key */
	bool is_new; /* its file is to be made */
	bool has_old, is_lost;
};

static void keys_done(struct keys *k)
{
	secret_key_wipe(&k->key);
	secret_key_wipe(&k->old);
	free(k->path);
}
#define CLEANUP_KEYS __attribute__((cleanup(keys_done)))

static int read_keys(const char *dir, const struct store_secrets_place *place, struct keys *k,
		     struct err *e)
{
	struct err found; /* a missing file is no failure, and touches nothing of the caller's */
	int failed;

	if ((place->path ? text_format(&k->path, e, "%s", place->path)
			 : text_format(&k->path, e, "%s/" STORE_SECRETS_FILE, dir)) < 0)
		return err_code(e);
	k->is_lost = place->old_path && strcmp(place->old_path, STORE_SECRETS_LOST) == 0;
	failed = secret_key_read(k->path, &k->key, &found);
	k->is_new = err_is(failed, ERR_NOT_FOUND) && !place->path;
	if (failed && !k->is_new) {
		*e = found;
		return err_wrap(e, "COMPUTATIONS_SECRETS_KEY");
	}
	k->has_old = place->old_path && !k->is_lost;
	if (k->has_old && secret_key_read(place->old_path, &k->old, e) < 0)
		return err_wrap(e, "COMPUTATIONS_SECRETS_OLD_KEY");
	return 0;
}

static int check_keys(const struct keys *k, const struct store_secrets_count *count, struct err *e)
{
	int64_t others;

	if (k->is_lost)
		return 0;
	if (count->others(count->data, k->is_new ? "" : k->key.id, k->has_old ? k->old.id : "",
			  &others, e) < 0)
		return err_code(e);
	if (!others)
		return 0;
	return err_set(
		e, ERR_PRECONDITION,
		"'%s' is %s, and %lld private keys of agents are sealed under another: bring "
		"that back, or name it in COMPUTATIONS_SECRETS_OLD_KEY; '" STORE_SECRETS_LOST
		"' there gives them up",
		k->path, k->is_new ? "missing" : "one key", (long long)others);
}

int store_secrets_others(struct db *db, const char *id, const char *old_id, int64_t *count,
			 struct err *e)
{
	return db_number(db, count, e, "SELECT count(*) FROM secrets WHERE key NOT IN ('', ?, ?)",
			 "tt", id, old_id);
}

static int others_of_db(void *data, const char *id, const char *old_id, int64_t *count,
			struct err *e)
{
	return store_secrets_others(data, id, old_id, count, e);
}

int store_secrets_look(const char *dir, const struct store_secrets_place *place,
		       const struct store_secrets_count *count, bool *is_new, struct err *e)
{
	struct keys k CLEANUP_KEYS = { .path = NULL };

	if (read_keys(dir, place, &k, e) < 0 || check_keys(&k, count, e) < 0)
		return err_code(e);
	*is_new = k.is_new;
	return 0;
}

int store_secrets_same(struct db *db, const char *dir, const struct store_secrets_place *place,
		       struct err *e)
{
	const struct store_secrets_count count = { others_of_db, db };
	bool ignored;

	return store_secrets_look(dir, place, &count, &ignored, e);
}

/* ---- the start ---- */

static int bring_up(struct store *store, const struct keys *k, struct err *e)
{
	if (k->has_old && renew(store, &k->old, e) < 0)
		return err_code(e);
	if (k->is_lost && give_up(store, e) < 0)
		return err_code(e);
	return seal_older(store, e);
}

static int bring_up_at_once(struct store *store, const struct keys *k, struct err *e)
{
	int failed = db_begin(&store->db, e);

	if (failed)
		return failed;
	if (store_lease_begin(&store->db, store->lease, e) < 0 ||
	    store_lease_alone(&store->db, store->fence, e) < 0 || bring_up(store, k, e) < 0) {
		db_rollback(&store->db);
		failed = err_code(e);
	} else {
		failed = db_commit(&store->db, e);
	}
	store_lease_ended(store->lease, !failed);
	return failed;
}

int store_secrets_open(struct store *store, const char *dir,
		       const struct store_secrets_place *place, struct err *e)
{
	const struct store_secrets_count count = { others_of_db, &store->db };
	struct keys k CLEANUP_KEYS = { .path = NULL };
	int failed;

	if (read_keys(dir, place, &k, e) < 0 || check_keys(&k, &count, e) < 0 ||
	    (k.is_new && secret_key_make(k.path, &k.key, e) < 0))
		return err_code(e);
	store->secrets = malloc(sizeof(*store->secrets));
	if (!store->secrets)
		return err_nomem(e);
	*store->secrets = k.key;
	failed = bring_up_at_once(store, &k, e);
	if (failed)
		secret_key_free(TAKE_PTR(store->secrets));
	return failed;
}
