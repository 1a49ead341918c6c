/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_witness.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <string.h>

/* ---- the key ---- */

static int read_size(struct store *store, int64_t *size, struct err *e)
{
	if (db_number(&store->db, size, e,
		      "SELECT coalesce(max(number) + 1, 0) FROM witness_leaves", "") < 0)
		return err_code(e);
	if (*size < 0 || (uint64_t)*size > MERKLE_LEAVES_MAX)
		return err_set(e, ERR_DATA_LOSS, "database: a log of %lld leaves",
			       (long long)*size);
	return 0;
}

static int make_key(struct store *store, const char *path, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) char *pem = NULL;
	int64_t size;

	if (read_size(store, &size, e) < 0)
		return err_code(e);
	if (size)
		return err_set(
			e, ERR_PRECONDITION,
			"'%s' is missing, and signed a log of %lld heads: bring it back from "
			"your backup",
			path, (long long)size);
	if (db_run(&store->db, e, "DELETE FROM witness_key", "") < 0 ||
	    key_generate(KEY_ECDSA, &key, e) < 0 || key_to_private_pem(key, &pem, e) < 0)
		return err_code(e);
	int failed = file_write_new(path, pem, strlen(pem), 0600, e);
	explicit_bzero(pem, strlen(pem));
	if (failed)
		return failed;
	store->log_key = TAKE_PTR(key);
	return 0;
}

static int take_key(struct store *store, const char *pem, const char *path, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	if (key_from_private_pem(pem, strlen(pem), NULL, NULL, &key, e) < 0)
		return err_wrap(e, "'%s'", path);
	if (key_kind_of(key) != KEY_ECDSA || EVP_PKEY_get_bits(key) != 256)
		return err_set(e, ERR_INVALID, "'%s': the log's key has to be of P-256", path);
	store->log_key = TAKE_PTR(key);
	return 0;
}

static int read_key(struct store *store, const char *path, struct err *e)
{
	CLEANUP(free) char *pem = NULL;

	if (file_read_text(path, PEM_MAX, &pem, e) < 0)
		return err_code(e);
	int failed = take_key(store, pem, path, e);
	explicit_bzero(pem, strlen(pem));
	return failed;
}

static int take_hash(struct db_rows *row, int column, uint8_t hash[SHA256_LEN], struct err *e)
{
	const void *bytes;
	size_t len;

	if (db_blob(row, column, SHA256_LEN, &bytes, &len, e) < 0)
		return err_code(e);
	if (len != SHA256_LEN)
		return err_set(e, ERR_DATA_LOSS, "database: a hash of %zu bytes", len);
	memcpy(hash, bytes, SHA256_LEN);
	return 0;
}

/* Another key's log would be a fork to all who have seen this one's. */
static int check_same_key(struct store *store, const char *path, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) uint8_t *spki = NULL;
	uint8_t hash[SHA256_LEN], known[SHA256_LEN];
	size_t len;
	int row;

	if (key_to_spki(store->log_key, &spki, &len, e) < 0 ||
	    digest(DIGEST_SHA256, spki, len, hash, e) < 0 ||
	    db_query(&store->db, &rows, e, "SELECT digest FROM witness_key", "") < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	if (row == 0)
		return db_run(&store->db, e, "INSERT INTO witness_key (digest) VALUES (?)", "b",
			      hash, sizeof(hash));
	if (take_hash(rows, 0, known, e) < 0)
		return err_code(e);
	return memcmp(hash, known, sizeof(hash)) == 0
		       ? 0
		       : err_set(e, ERR_PRECONDITION,
				 "'%s' is another key than the one that signs this log: bring "
				 "that back from your backup",
				 path);
}

/* The key is to be that which signs this log; nothing is made. */
int store_witness_same(struct db *db, const char *dir, struct err *e)
{
	struct store look = { .db = *db };
	CLEANUP(free) char *path = NULL;
	int64_t is_signed;

	if (db_number(db, &is_signed, e, "SELECT count(*) FROM witness_key", "") < 0 ||
	    text_format(&path, e, "%s/" STORE_WITNESS_FILE, dir) < 0)
		return err_code(e);
	if (!is_signed)
		return 0;
	int failed = read_key(&look, path, e);
	if (err_is(failed, ERR_NOT_FOUND))
		return err_set(e, ERR_PRECONDITION,
			       "'%s' is missing, which signs the log of heads: copy it from the "
			       "instance that serves",
			       path);
	if (!failed)
		failed = check_same_key(&look, path, e);
	EVP_PKEY_free(look.log_key);
	return failed;
}

static void forget_key(struct store *store)
{
	EVP_PKEY_free(TAKE_PTR(store->log_key));
}

int store_witness_key(struct store *store, const char *pem, const char *path, struct err *e)
{
	int failed = take_key(store, pem, path, e);

	if (!failed)
		failed = check_same_key(store, path, e);
	forget_key(store);
	return failed;
}

/* A restore that was cut off behind its last change: the key that it brought waits, if the log is its. ERR_NOT_FOUND:
 * none does. */
static int take_restored(struct store *store, const char *path, struct err *e)
{
	CLEANUP(free) char *waits = NULL;
	int64_t signed_by;

	if (text_format(&waits, e, "%s" STORE_WITNESS_RESTORED, path) < 0 ||
	    read_key(store, waits, e) < 0 ||
	    db_number(&store->db, &signed_by, e, "SELECT count(*) FROM witness_key", "") < 0)
		return err_code(e);
	if (!signed_by || check_same_key(store, waits, e) < 0) {
		forget_key(store); /* what is left of one that changed nothing */
		return err_set(e, ERR_NOT_FOUND, "'%s' is another log's", waits);
	}
	return file_publish(waits, path, false, e);
}

int store_witness_open(struct store *store, const char *dir, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (text_format(&path, e, "%s/" STORE_WITNESS_FILE, dir) < 0)
		return err_code(e);
	int failed = read_key(store, path, e);
	if (err_is(failed, ERR_NOT_FOUND))
		failed = take_restored(store, path, e);
	if (err_is(failed, ERR_NOT_FOUND))
		failed = make_key(store, path, e);
	if (!failed)
		failed = check_same_key(store, path, e);
	if (failed)
		forget_key(store);
	return failed;
}

/* ---- the tree ---- */

static int get_node(void *data, unsigned level, uint64_t number, uint8_t hash[SHA256_LEN],
		    struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct store *store = data;
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT hash FROM witness_nodes WHERE level = ? AND number = ?", "ii",
		     (int64_t)level, (int64_t)number) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	if (row == 0)
		return err_set(e, ERR_DATA_LOSS, "database: the log of heads lacks node %u/%llu",
			       level, (unsigned long long)number);
	return take_hash(rows, 0, hash, e);
}

static int put_node(void *data, unsigned level, uint64_t number, const uint8_t hash[SHA256_LEN],
		    struct err *e)
{
	struct store *store = data;

	return db_run(&store->db, e,
		      "INSERT INTO witness_nodes (level, number, hash) VALUES (?, ?, ?)", "iib",
		      (int64_t)level, (int64_t)number, hash, (size_t)SHA256_LEN);
}

static struct merkle_nodes nodes_of(struct store *store)
{
	return (struct merkle_nodes){ get_node, put_node, store };
}

/* ---- leaves ---- */

int store_witness_runs(struct store *store, const char *id, int64_t *runs, struct err *e)
{
	int64_t found;

	if (db_number(&store->db, &found, e,
		      "SELECT coalesce(max(run), 0) FROM witness_leaves WHERE computation = ?", "t",
		      id) < 0)
		return err_code(e);
	if (found < 0 || (uint64_t)found > WITNESS_RUN_MAX)
		return err_set(e, ERR_DATA_LOSS, "database: %lld runs", (long long)found);
	*runs = found;
	return 0;
}

static struct span id_of(const char *id)
{
	return (struct span){ (const uint8_t *)id, strlen(id) };
}

static int add_leaf(struct store *store, const char *id, int64_t run,
		    const struct journal_head *head, struct err *e)
{
	const struct witness_leaf leaf = { id_of(id), (uint64_t)run, *head };
	const struct merkle_nodes nodes = nodes_of(store);
	uint8_t hash[SHA256_LEN];
	int64_t size;

	if (read_size(store, &size, e) < 0)
		return err_code(e);
	if ((uint64_t)size == MERKLE_LEAVES_MAX) {
		log_warn("computation %s: the log of heads is full, and this one is not in it",
			 log_quote(id).text);
		return 0;
	}
	if (witness_leaf_hash(&leaf, hash, e) < 0 ||
	    merkle_add(&nodes, (uint64_t)size, hash, e) < 0)
		return err_code(e);
	return db_run(&store->db, e,
		      "INSERT INTO witness_leaves (number, computation, run, count, digest)"
		      " VALUES (?, ?, ?, ?, ?)",
		      "itiib", size, id, run, (int64_t)head->count, head->digest,
		      (size_t)SHA256_LEN);
}

static void tell_bad_head(struct store *store, const char *id, const struct err *why)
{
	unsigned long skipped;

	if (!store_line_take(&store->lines, &(struct store_line){ STORE_LINE_BAD_HEAD, id },
			     clock_ms(CLOCK_MONOTONIC), &store->bad_heads, &skipped))
		return;
	if (skipped)
		log_warn("%lu other heads of journals were in no log", skipped);
	log_warn("computation %s: a head of its journal is none, and in no log: %s",
		 log_quote(id).text, why->text);
}

int store_witness_see(struct store *store, const char *id, int64_t run, int64_t count,
		      struct span signed_head, struct err *e)
{
	struct journal_head head;
	bool final;
	int64_t last, leaves;
	struct err why;

	int failed = journal_head_read(signed_head, &head, &final, &why);
	if (!failed && head.count != (uint64_t)count)
		failed = err_set(&why, ERR_INVALID, "it is over other entries");
	if (failed) {
		tell_bad_head(store, id, &why);
		return 0;
	}
	if (db_number(&store->db, &last, e,
		      "SELECT coalesce(max(count), 0) FROM witness_leaves"
		      " WHERE computation = ? AND run = ?",
		      "ti", id, run) < 0)
		return err_code(e);
	if (last && !final && count - last < STORE_WITNESS_EVERY)
		return 0;
	if (db_number(&store->db, &leaves, e,
		      "SELECT count(*) FROM witness_leaves WHERE computation = ? AND run = ?", "ti",
		      id, run) < 0)
		return err_code(e);
	/* A journal has one final head; who calls each of them so would have a leaf for each entry. */
	if (leaves > 1 + count / STORE_WITNESS_EVERY)
		return 0;
	return add_leaf(store, id, run, &head, e);
}

/* ---- answers ---- */

/* 1: there is one; 0: none. */
static int read_leaf(struct store *store, const char *id, int64_t run, struct witness_proof *proof,
		     struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int64_t number, found_run, count;
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT number, run, count, digest FROM witness_leaves WHERE computation = ?"
		     " AND (run = ? OR ? = 0) ORDER BY run DESC, count DESC LIMIT 1",
		     "tii", id, run, run) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	if (db_integer(rows, 0, 0, (int64_t)MERKLE_LEAVES_MAX - 1, &number, e) < 0 ||
	    db_integer(rows, 1, 1, (int64_t)WITNESS_RUN_MAX, &found_run, e) < 0 ||
	    db_integer(rows, 2, 1, (int64_t)JOURNAL_ENTRIES_MAX, &count, e) < 0 ||
	    take_hash(rows, 3, proof->leaf.head.digest, e) < 0)
		return err_code(e);
	proof->index = (uint64_t)number;
	proof->leaf.computation = id_of(id);
	proof->leaf.run = (uint64_t)found_run;
	proof->leaf.head.count = (uint64_t)count;
	return 1;
}

static int prove_leaf(struct store *store, const char *id, int64_t run, uint64_t size,
		      struct witness_answer *answer, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_PROOF_MAX);
	const struct merkle_nodes nodes = nodes_of(store);
	struct witness_proof proof = { .signed_head = { answer->head, answer->head_len } };
	int found = *id ? read_leaf(store, id, run, &proof, e) : 0;

	if (found <= 0)
		return found;
	if (merkle_prove_inclusion(&nodes, proof.index, size, &proof.path, e) < 0 ||
	    witness_proof_write(&proof, &w, e) < 0)
		return err_code(e);
	memcpy(answer->proof, w.bytes, w.len);
	answer->proof_len = w.len;
	return 0;
}

static int sign_head(struct store *store, uint64_t size, struct witness_answer *answer,
		     struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_SIGNED_MAX);
	CLEANUP(free) uint8_t *key = NULL;
	const struct merkle_nodes nodes = nodes_of(store);
	struct witness_head head = { .size = size, .time_ms = (uint64_t)store_now() };

	if (merkle_root(&nodes, size, head.root, e) < 0 ||
	    witness_head_sign(&head, store->log_key, &w, e) < 0 ||
	    writer_check(&w, "head of the log", e) < 0 ||
	    key_to_spki(store->log_key, &key, &answer->key_len, e) < 0)
		return err_code(e);
	if (answer->key_len > sizeof(answer->key))
		return err_set(e, ERR_INTERNAL, "a key of %zu bytes", answer->key_len);
	memcpy(answer->key, key, answer->key_len);
	memcpy(answer->head, w.bytes, w.len);
	answer->head_len = w.len;
	return 0;
}

int store_witness_answer(struct store *store, const char *id, int64_t run, uint64_t size,
			 struct witness_answer *answer, struct err *e)
{
	const struct merkle_nodes nodes = nodes_of(store);
	int64_t now;

	answer->proof_len = answer->consistency.count = 0;
	if (read_size(store, &now, e) < 0 || sign_head(store, (uint64_t)now, answer, e) < 0 ||
	    prove_leaf(store, id, run, (uint64_t)now, answer, e) < 0)
		return err_code(e);
	if (!size || size > (uint64_t)now)
		return 0;
	return merkle_prove_consistency(&nodes, size, (uint64_t)now, &answer->consistency, e);
}

/* ---- pages of leaves ---- */

void witness_leaves_done(struct witness_leaves *leaves)
{
	free(leaves->bytes);
	*leaves = (struct witness_leaves){ .count = 0 };
}

static int put_leaf(struct db_rows *row, int64_t number, struct writer *w, struct err *e)
{
	CLEANUP(free) char *id = NULL;
	struct witness_leaf leaf;
	int64_t found, run, count;

	if (db_integer(row, 0, number, number, &found, e) < 0 || db_text(row, 1, &id, e) < 0 ||
	    db_integer(row, 2, 1, (int64_t)WITNESS_RUN_MAX, &run, e) < 0 ||
	    db_integer(row, 3, 1, (int64_t)JOURNAL_ENTRIES_MAX, &count, e) < 0 ||
	    take_hash(row, 4, leaf.head.digest, e) < 0)
		return err_code(e);
	leaf.computation = id_of(id);
	leaf.run = (uint64_t)run;
	leaf.head.count = (uint64_t)count;
	return witness_leaf_write(&leaf, w, e);
}

static int read_leaves(struct store *store, int64_t first, int64_t count,
		       struct witness_leaves *leaves, struct writer *w, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT number, computation, run, count, digest FROM witness_leaves"
		     " WHERE number >= ? ORDER BY number LIMIT ?",
		     "ii", first, count) < 0)
		return err_code(e);
	while ((int64_t)leaves->count < count && (row = db_next(rows, e)) != 0) {
		if (row < 0 || put_leaf(rows, first + (int64_t)leaves->count, w, e) < 0)
			return err_code(e);
		leaves->ends[leaves->count++] = w->len;
	}
	if ((int64_t)leaves->count < count)
		return err_set(e, ERR_DATA_LOSS, "database: the log of heads lacks leaf %lld",
			       (long long)first + (long long)leaves->count);
	return 0;
}

int store_witness_leaves(struct store *store, uint64_t first, uint64_t count,
			 struct witness_leaves *leaves, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_PAGE_MAX * WITNESS_LEAF_MAX);
	size_t len;
	int64_t size;

	leaves->count = 0;
	if (!count || count > WITNESS_PAGE_MAX)
		return err_set(e, ERR_INVALID, "a page of %llu leaves: ask for 1 to %d",
			       (unsigned long long)count, WITNESS_PAGE_MAX);
	if (read_size(store, &size, e) < 0)
		return err_code(e);
	if (first > (uint64_t)size || count > (uint64_t)size - first)
		return err_set(e, ERR_OUT_OF_RANGE, "the log of heads has %lld leaves",
			       (long long)size);
	if (read_leaves(store, (int64_t)first, (int64_t)count, leaves, &w, e) < 0)
		return err_code(e);
	leaves->bytes = writer_take(&w, &len);
	return leaves->bytes ? 0 : err_nomem(e);
}

int store_witness_name(struct store *store, uint8_t fingerprint[KEY_FINGERPRINT_LEN], struct err *e)
{
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	if (key_to_spki(store->log_key, &spki, &len, e) < 0)
		return err_code(e);
	return key_fingerprint(spki, len, fingerprint, e);
}
