/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness.h — the log of journals' heads that a computation service keeps (docs/journal.md, Witnessed
 * heads): its leaves, its own signed heads, and the proof that a journal's head is among the leaves.
 *
 * The log is a Merkle tree of RFC 9162 (merkle.h). Its key is the service's, P-256, and vouches for
 * nothing but the log: that whoever sees two of its heads sees one history.
 */
#pragma once

#include "attestation/journal/journal_head.h"
#include "common/crypto/merkle.h"

/* External data of RFC 9052, section 4.3, and the media type in the protected header. */
#define WITNESS_HEAD_AAD  "cocos-journal-log-v1"
#define WITNESS_HEAD_TYPE "application/cocos-journal-log-head+cbor"

enum {
	WITNESS_ID_MAX = 255, /* bytes of a computation's id */
	WITNESS_LEAF_MAX = WITNESS_ID_MAX + 64,
	WITNESS_SIGNED_MAX = 512, /* bytes of a signed head of the log */
	WITNESS_PROOF_MAX = 4096, /* bytes of a proof */
};
#define WITNESS_RUN_MAX (UINT64_C(1) << 32)

/* What the log says: in this run of this computation, these many entries ended in this digest. */
struct witness_leaf {
	struct span computation; /* UTF-8 without zero bytes; lent */
	uint64_t run;            /* as the service counts, from 1 */
	struct journal_head head;
};

struct writer;

/* [computation, run, count, digest] in deterministic CBOR. */
int witness_leaf_write(const struct witness_leaf *leaf, struct writer *w, struct err *e) MUST_CHECK;
struct datum;
/* The same as an item of something else. Its spans lead into what `item` was read from. */
void witness_leaf_put(const struct witness_leaf *leaf, struct writer *w);
int witness_leaf_take(const struct datum *item, struct witness_leaf *leaf,
		      struct err *e) MUST_CHECK;
/* The tree's hash of those bytes. */
int witness_leaf_hash(const struct witness_leaf *leaf, uint8_t hash[SHA256_LEN],
		      struct err *e) MUST_CHECK;

/* Where the log stands. */
struct witness_head {
	uint64_t size; /* leaves */
	uint8_t root[SHA256_LEN];
	uint64_t time_ms; /* since 1970, by the service's clock */
};

/* COSE_Sign1 over [size, root, time]. */
int witness_head_sign(const struct witness_head *head, EVP_PKEY *key, struct writer *out,
		      struct err *e) MUST_CHECK;
/* Only the one form that witness_head_sign() makes, of this key; else ERR_DENIED for a wrong signature
 * and ERR_INVALID for a wrong form. */
int witness_head_verify(struct span message, EVP_PKEY *key, struct witness_head *head,
			struct err *e) MUST_CHECK;

/* ERR_DATA_LOSS if the log of `now` is not that of `before` with more leaves, or none; it says how.
 * `path` is what the service gives as proof. */
int witness_head_follows(const struct witness_head *before, const struct witness_head *now,
			 const struct merkle_path *path, struct err *e) MUST_CHECK;

/* A leaf, its place, and the log's head that has it there. */
struct witness_proof {
	struct witness_leaf leaf;
	uint64_t index; /* from 0 */
	struct merkle_path path;
	struct span signed_head;
};

/* [leaf, index, [hash, …], signed head]. */
int witness_proof_write(const struct witness_proof *proof, struct writer *w,
			struct err *e) MUST_CHECK;
/* Exactly that form, the one encoding. Spans of `proof` lead into `bytes`. */
int witness_proof_parse(struct span bytes, struct witness_proof *proof, struct err *e) MUST_CHECK;
/* Whether it holds under this key: ERR_DENIED if not. `head` is the log's. */
int witness_proof_verify(const struct witness_proof *proof, EVP_PKEY *key,
			 struct witness_head *head, struct err *e) MUST_CHECK;
