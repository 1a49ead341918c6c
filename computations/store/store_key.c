/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_key.h"

#include "computations/store/store_update.h"

#include <stdlib.h>
#include <string.h>

/* The n-th key that a manifest names; NULL: it has no more. */
static ProtobufCBinaryData *nth_key(const Cvms__ComputationRunReq *m, size_t n)
{
	if (m->algorithm && n-- == 0)
		return &m->algorithm->userkey;
	if (n < m->n_datasets)
		return &m->datasets[n]->userkey;
	n -= m->n_datasets;
	return n < m->n_result_consumers ? &m->result_consumers[n]->userkey : NULL;
}

static int read_manifest(struct store *store, const char *id, Cvms__ComputationRunReq **manifest,
			 struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (store_manifest(store, id, &bytes, &len, e) < 0)
		return err_code(e);
	return manifest_decode(bytes, len, manifest, e);
}

/* ---- another key ---- */

static int put_key(ProtobufCBinaryData *key, const struct user_key_claim *claim, struct err *e)
{
	uint8_t *copy = malloc(claim->len);

	if (!copy)
		return err_nomem(e);
	memcpy(copy, claim->spki, claim->len);
	free(key->data);
	*key = (ProtobufCBinaryData){ claim->len, copy };
	return 0;
}

static int replace_all(struct store *store, const struct user_key_claim *claim,
		       Cvms__ComputationRunReq *m, bool *changed, struct err *e)
{
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	ProtobufCBinaryData *key;
	int64_t own;

	*changed = false;
	for (size_t n = 0; (key = nth_key(m, n)) != NULL; n++) {
		if (key_fingerprint(key->data, key->len, fingerprint, e) < 0 ||
		    db_number(&store->db, &own, e,
			      "SELECT count(*) FROM user_keys WHERE person = ? AND fingerprint = ?"
			      " AND fingerprint <> ?",
			      "ibb", claim->person, fingerprint, sizeof(fingerprint),
			      claim->fingerprint, sizeof(claim->fingerprint)) < 0)
			return err_code(e);
		if (!own)
			continue;
		if (put_key(key, claim, e) < 0)
			return err_code(e);
		*changed = true;
	}
	return 0;
}

/* Its other keys were when it was created, the claim's by who makes the claim. */
static const struct manifest_keys were_judged = { manifest_key_kept, NULL };

static int write_manifest(struct store *store, const Cvms__ComputationRunReq *m,
			  uint8_t digest[MANIFEST_HASH_LEN], struct err *e)
{
	struct manifest_digests digests;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (manifest_check_by(m, &were_judged, e) < 0 || manifest_encode(m, &bytes, &len, e) < 0 ||
	    manifest_digest(m, &digests, e) < 0 ||
	    db_run(&store->db, e,
		   "UPDATE computations SET manifest = ?, digest = ?,"
		   " manifest_revision = manifest_revision + 1 WHERE id = ?",
		   "bbt", bytes, len, digests.sha3_256, sizeof(digests.sha3_256), m->id) < 0)
		return err_code(e);
	memcpy(digest, digests.sha3_256, sizeof(digests.sha3_256));
	return 0;
}

int store_key_replace(struct store *store, const struct user_key_claim *claim, bool *changed,
		      uint8_t digest[MANIFEST_HASH_LEN], struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	if (store_computation(store, claim->computation, &c, e) < 0 ||
	    store_update_check(&c, e) < 0 || read_manifest(store, claim->computation, &m, e) < 0 ||
	    replace_all(store, claim, m, changed, e) < 0)
		return err_code(e);
	return *changed ? write_manifest(store, m, digest, e) : 0;
}

/* ---- whose they are ---- */

void store_key_owners_free(struct store_key_owners *owners)
{
	if (!owners)
		return;
	for (size_t i = 0; i < owners->count; i++)
		free(owners->rows[i].user);
	free(owners);
}

static const struct user_key_owner *find_owner(const struct store_key_owners *owners,
					       const uint8_t fingerprint[KEY_FINGERPRINT_LEN])
{
	for (size_t i = 0; i < owners->count; i++)
		if (memcmp(owners->rows[i].fingerprint, fingerprint, KEY_FINGERPRINT_LEN) == 0)
			return &owners->rows[i];
	return NULL;
}

const struct user_key_owner *store_key_owner_of(const struct store_key_owners *owners,
						const ProtobufCBinaryData *key)
{
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	struct err ignored;

	if (key_fingerprint(key->data, key->len, fingerprint, &ignored) < 0)
		return NULL;
	return find_owner(owners, fingerprint);
}

/* The fingerprints of the keys of a manifest, each once. */
static int take_fingerprints(const Cvms__ComputationRunReq *manifest, struct store_key_owners *to,
			     struct err *e)
{
	const ProtobufCBinaryData *key;

	for (size_t n = 0; to->count < STORE_KEY_OWNERS_MAX && (key = nth_key(manifest, n)) != NULL;
	     n++) {
		uint8_t *fingerprint = to->rows[to->count].fingerprint;

		if (key_fingerprint(key->data, key->len, fingerprint, e) < 0)
			return err_code(e);
		if (!find_owner(to, fingerprint))
			to->count++;
	}
	return 0;
}

static void drop_unknown(struct store_key_owners *owners)
{
	size_t kept = 0;

	for (size_t i = 0; i < owners->count; i++)
		if (owners->rows[i].user)
			owners->rows[kept++] = owners->rows[i];
	owners->count = kept;
}

int store_key_owners(struct store *store, const Cvms__ComputationRunReq *manifest,
		     struct store_key_owners **owners, struct err *e)
{
	CLEANUP(store_key_owners_free)
	struct store_key_owners *got = calloc(1, sizeof(*got));

	if (!got)
		return err_nomem(e);
	if (take_fingerprints(manifest, got, e) < 0 ||
	    user_key_owners(&store->db, manifest->id, got->rows, got->count, e) < 0)
		return err_code(e);
	drop_unknown(got);
	*owners = TAKE_PTR(got);
	return 0;
}
