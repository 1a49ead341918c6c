/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_secret.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "computations/seal/secret_form.h"
#include "computations/seal/secret_keep.h"
#include "computations/store/secret_row.h"

#include <stdio.h>
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

/* Copies, for what is sealed anew is written meanwhile. */
static int read_row(struct db_rows *row, struct renewing *at, uint8_t **bytes, size_t *len,
		    struct err *e)
{
	const void *found;

	renewing_done(at);
	if (db_text(row, 0, &at->kind, e) < 0 || db_text(row, 1, &at->owner, e) < 0 ||
	    db_blob(row, 2, SECRET_MAX + SECRET_OVERHEAD, &found, len, e) < 0)
		return err_code(e);
	*bytes = malloc(*len + 1);
	if (!*bytes)
		return err_nomem(e);
	if (*len)
		memcpy(*bytes, found, *len);
	return 0;
}

/* `old` NULL: it is as it was. Takes the bytes. */
static int open_old(const struct secret_key *old, const struct secret_name *name, uint8_t **bytes,
		    size_t *len, struct err *e)
{
	uint8_t *sealed = *bytes;
	const size_t size = *len;
	int failed;

	if (!old)
		return 0;
	*bytes = NULL;
	failed = secret_open(old, name, sealed, size, bytes, len, e);
	free(sealed);
	return failed ? err_wrap(e,
				 "the secret '%s' of %s, which COMPUTATIONS_SECRETS_OLD_KEY sealed "
				 "(remove what has it while that is COMPUTATIONS_SECRETS_KEY)",
				 name->kind, log_quote(name->owner).text)
		      : 0;
}

static int seal_anew(struct store *store, const struct secret_name *name, const uint8_t *bytes,
		     size_t len, struct err *e)
{
	CLEANUP(free) uint8_t *anew = NULL;
	size_t size;

	if (secret_seal(store->secrets, name, bytes, len, &anew, &size, e) < 0)
		return err_code(e);
	return db_run(&store->db, e,
		      "UPDATE secrets SET key = ?, sealed = ? WHERE kind = ? AND owner = ?", "tbtt",
		      store->secrets->id, anew, size, name->kind, name->owner);
}

/* One that the old key sealed, behind that: 1; 0: there is none any more. */
static int renew_next(struct store *store, const struct secret_key *old, struct renewing *at,
		      struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	uint8_t *bytes = NULL;
	size_t len = 0;
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT kind, owner, sealed FROM secrets WHERE key = ?1"
		     " AND (kind > ?2 OR (kind = ?2 AND owner > ?3))"
		     " ORDER BY kind, owner LIMIT 1",
		     "ttt", old ? old->id : SECRETS_PLAIN, at->kind ? at->kind : "",
		     at->owner ? at->owner : "") < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	row = read_row(rows, at, &bytes, &len, e);
	db_rows_free(TAKE_PTR(rows));
	if (row < 0)
		return row;
	const struct secret_name name = { at->kind, at->owner };
	row = open_old(old, &name, &bytes, &len, e);
	if (!row)
		row = seal_anew(store, &name, bytes, len, e);
	secret_free(bytes, len);
	return row < 0 ? row : 1;
}

static int renew_all(struct store *store, const struct secret_key *old, int64_t *count,
		     struct err *e)
{
	struct renewing at CLEANUP_RENEWING = { NULL, NULL };
	int more;

	for (*count = 0; (more = renew_next(store, old, &at, e)) > 0;)
		++*count;
	return more;
}

static int renew(struct store *store, const struct secret_key *old, struct err *e)
{
	int64_t count;

	if (strcmp(old->id, store->secrets->id) == 0)
		return 0;
	if (renew_all(store, old, &count, e) < 0)
		return err_code(e);
	if (count)
		log_info("%lld secrets of key %s are sealed under key %s now", (long long)count,
			 old->id, store->secrets->id);
	return 0;
}

static int give_up(struct store *store, struct err *e)
{
	int64_t count;

	for (size_t i = 0; i < SECRET_KINDS; i++) {
		const struct secret_kind *kind = secret_kinds[i];

		if (db_change(&store->db, &count, e,
			      "UPDATE secrets SET key = '', sealed = NULL WHERE kind = ?"
			      " AND key NOT IN ('', '" SECRETS_PLAIN "', ?)",
			      "tt", kind->word, store->secrets->id) < 0)
			return err_code(e);
		if (count)
			log_warn("%lld %s sealed under a key that is lost, and gone: %s",
				 (long long)count, count == 1 ? kind->one : kind->many,
				 kind->again);
	}
	log_warn("COMPUTATIONS_SECRETS_OLD_KEY is '" STORE_SECRETS_LOST
		 "', which gives up what no key opens: take the setting away");
	return 0;
}

/* Once behind each form that seals more than the one before: 'secrets_key' is empty then. */
static int seal_older(struct store *store, struct err *e)
{
	int64_t sealed, plain, number = 0;
	int more;

	if (db_number(&store->db, &sealed, e, "SELECT count(*) FROM secrets_key", "") < 0)
		return err_code(e);
	if (sealed)
		return 0;
	do
		more = seal_next(store, &number, e);
	while (more > 0);
	if (more < 0 || renew_all(store, NULL, &plain, e) < 0)
		return err_code(e);
	if (plain)
		log_info("%lld secrets that lay in the database as they were are sealed now",
			 (long long)plain);
	return db_run(&store->db, e, "INSERT INTO secrets_key (id) VALUES (?)", "t",
		      store->secrets->id);
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

static int read_one(const struct secret_key *held, const char *path, struct secret_key *key,
		    struct err *e)
{
	if (held) {
		*key = *held;
		return 0;
	}
	if (secret_key_read(path, key, e) == 0)
		return 0;
	if (e->code == ERR_UNAVAILABLE) /* a TPM; not the database, of which others say so */
		e->code = ERR_PRECONDITION;
	return err_code(e);
}

static int read_keys(const char *dir, const struct store_secrets_place *place, struct keys *k,
		     struct err *e)
{
	struct err found; /* a missing file is no failure, and touches nothing of the caller's */
	int failed;

	if ((place->path ? text_format(&k->path, e, "%s", place->path)
			 : text_format(&k->path, e, "%s/" STORE_SECRETS_FILE, dir)) < 0)
		return err_code(e);
	k->is_lost = place->old_path && strcmp(place->old_path, STORE_SECRETS_LOST) == 0;
	failed = read_one(place->held, k->path, &k->key, &found);
	k->is_new = err_is(failed, ERR_NOT_FOUND) && !place->path;
	if (failed && !k->is_new) {
		*e = found;
		return err_wrap(e, "COMPUTATIONS_SECRETS_KEY");
	}
	k->has_old = place->old_path && !k->is_lost;
	if (k->has_old && read_one(place->old_held, place->old_path, &k->old, e) < 0)
		return err_wrap(e, "COMPUTATIONS_SECRETS_OLD_KEY");
	return 0;
}

/* Ids are hexadecimal. */
static int count_others(const struct keys *k, const struct store_secrets_count *count,
			int64_t *others, struct err *e)
{
	CLEANUP(free) char *sql = NULL;

	if (text_format(&sql, e,
			"SELECT count(*) FROM secrets WHERE key NOT IN ('', '" SECRETS_PLAIN
			"', '%s', '%s')",
			k->is_new ? "" : k->key.id, k->has_old ? k->old.id : "") < 0)
		return err_code(e);
	return count->number(count->data, sql, others, e);
}

static int check_keys(const struct keys *k, const struct store_secrets_count *count, struct err *e)
{
	int64_t others;

	if (k->is_lost)
		return 0;
	if (count_others(k, count, &others, e) < 0)
		return err_code(e);
	if (!others)
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "'%s' is %s, and %lld secret%s sealed under another: bring "
		       "that back, or name it in COMPUTATIONS_SECRETS_OLD_KEY; '" STORE_SECRETS_LOST
		       "' there gives them up",
		       k->path, k->is_new ? "missing" : "one key", (long long)others,
		       others == 1 ? " is" : "s are");
}

static int number_of_db(void *data, const char *sql, int64_t *count, struct err *e)
{
	return db_number(data, count, e, sql, "");
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

int store_secrets_words(const struct store_secrets_count *count, char words[STORE_SECRETS_WORDS],
			struct err *e)
{
	size_t len = 0;

	snprintf(words, STORE_SECRETS_WORDS, "nothing is sealed");
	for (size_t i = 0; i < SECRET_KINDS; i++) {
		const struct secret_kind *kind = secret_kinds[i];
		CLEANUP(free) char *sql = NULL;
		int64_t number;

		if (text_format(&sql, e,
				"SELECT count(*) FROM secrets WHERE kind = '%s'"
				" AND key NOT IN ('', '" SECRETS_PLAIN "')",
				kind->word) < 0 ||
		    count->number(count->data, sql, &number, e) < 0)
			return err_code(e);
		if (number && len < STORE_SECRETS_WORDS)
			len += (size_t)snprintf(words + len, STORE_SECRETS_WORDS - len, "%s%lld %s",
						len ? ", " : "sealed: ", (long long)number,
						number == 1 ? kind->one : kind->many);
	}
	return 0;
}

int store_secrets_same(struct db *db, const char *dir, const struct store_secrets_place *place,
		       struct err *e)
{
	const struct store_secrets_count count = { number_of_db, db };
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
	const struct store_secrets_count count = { number_of_db, &store->db };
	struct keys k CLEANUP_KEYS = { .path = NULL };
	int failed;

	if (read_keys(dir, place, &k, e) < 0 || check_keys(&k, &count, e) < 0 ||
	    (k.is_new && secret_key_make(k.path, &k.key, e) < 0))
		return err_code(e);
	if (secret_key_hold(&k.key, &store->secrets, e) < 0)
		return err_code(e);
	failed = bring_up_at_once(store, &k, e);
	if (failed)
		secret_key_free(TAKE_PTR(store->secrets));
	return failed;
}
