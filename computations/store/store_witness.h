/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_witness.h — the log of journals' heads (docs/journal.md, Witnessed heads), and the key that
 * signs its own.
 *
 * A leaf is what a journal's signed head says, unverified like the journal: whoever makes use of it has
 * verified the journal. Leaves stay when their computation is removed.
 */
#pragma once

#include "attestation/journal/witness_audit.h"
#include "computations/store/store.h"

enum {
	STORE_WITNESS_EVERY = 256, /* entries from one leaf of a journal to the next */
};

/* Where the key is, in the service's folder; and how a key is called that a restore has brought, until it is there. */
#define STORE_WITNESS_FILE     "witness.pem"
#define STORE_WITNESS_RESTORED ".restored"

/* `dir`/witness.pem, made where there is none and nothing was signed. ERR_PRECONDITION where the log has
 * leaves and its key is gone, or is another: that one's log would be taken for a fork. */
int store_witness_open(struct store *store, const char *dir, struct err *e) MUST_CHECK;

/* ERR_PRECONDITION: another key than the one in `dir` signs the log of that database, or none is there and one does. Nothing
 * is made or changed. */
int store_witness_same(struct db *db, const char *dir, struct err *e) MUST_CHECK;

/* This is the key that signs the log; where no leaf names one, it is from now on. `path`: where it is from, for people. */
int store_witness_key(struct store *store, const char *pem, const char *path,
		      struct err *e) MUST_CHECK;

/* The whole log, `*size` leaves. ERR_DATA_LOSS names the first leaf, or the node over leaves, that is not what it has
 * to be. */
int store_witness_check(struct store *store, int64_t *size, struct err *e) MUST_CHECK;

/* How many runs of a computation the log knows. */
int store_witness_runs(struct store *store, const char *computation_id, int64_t *runs,
		       struct err *e) MUST_CHECK;

/* A journal stands at this head, which covers `count` entries: a leaf, if it is a run's first, the final
 * one, or STORE_WITNESS_EVERY entries behind the last; never more than that makes of a journal with one
 * final head. A head that says something else is none. */
int store_witness_see(struct store *store, const char *computation_id, int64_t run, int64_t count,
		      struct span signed_head, struct err *e) MUST_CHECK;

struct witness_answer {
	uint8_t key[SPKI_MAX], head[WITNESS_SIGNED_MAX], proof[WITNESS_PROOF_MAX];
	size_t key_len, head_len, proof_len; /* proof_len 0: the log has no leaf of it */
	struct merkle_path consistency;      /* from `size`, if the log has so many leaves */
};

/* Leaves one after the other, as the tree has them. */
struct witness_leaves {
	uint8_t *bytes; /* of all of them */
	size_t count, ends[WITNESS_PAGE_MAX];
};
void witness_leaves_done(struct witness_leaves *leaves);

/* ERR_OUT_OF_RANGE where the log has not so many; ERR_INVALID for none, or more than WITNESS_PAGE_MAX. */
int store_witness_leaves(struct store *store, uint64_t first, uint64_t count,
			 struct witness_leaves *leaves, struct err *e) MUST_CHECK;

/* All of this moment. `computation_id` "": no proof; run 0: the newest; `size` 0: no consistency. */
int store_witness_answer(struct store *store, const char *computation_id, int64_t run,
			 uint64_t size, struct witness_answer *answer, struct err *e) MUST_CHECK;

/* By which clients know this service: the fingerprint of the key that signs the log. */
int store_witness_name(struct store *store, uint8_t fingerprint[KEY_FINGERPRINT_LEN],
		       struct err *e) MUST_CHECK;
