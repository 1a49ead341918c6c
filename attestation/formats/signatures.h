/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signatures.h — what has been verified once and need not be again: this signature, over these
 * bytes, by this key, holds.
 *
 * That is a fact of arithmetic, and all that is remembered: no certificate, no chain, no document, no
 * answer. Whether a key is trusted, a certificate in its time, a list young enough, is judged at each
 * use anew by whoever asks, so that nothing here outlives a validity or crosses from one policy to
 * another. A fact is known by the SHA-256 over all of it; without one, the signature is verified.
 *
 * Two shelves of fixed size, so that strangers, who bring as many leaf certificates and quoting
 * enclaves of genuine machines as they like, push out no CA's, list's or document's. On each the one that was used least
 * recently gives way.
 *
 * Any number of threads may use one at once.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/crypto/digest.h"

#include <openssl/evp.h>

/* How many are remembered, 40 bytes each. */
enum { SIGNATURES_AUTHORITIES_MAX = 64, SIGNATURES_LEAVES_MAX = 512 };

struct signatures;

enum signatures_shelf {
	SIGNATURES_AUTHORITIES, /* of CAs' certificates, revocation lists, documents */
	SIGNATURES_LEAVES, /* of single machines: their certificates, their quoting enclaves' keys */
	SIGNATURES_SHELVES,
};

int signatures_new(struct signatures **made, struct err *e) MUST_CHECK;
/* Wipes it. */
void signatures_free(struct signatures *s);
DEFINE_CLEANUP(struct signatures *, signatures_free)

/* What a signature says: all of it is part of the fact. */
struct signatures_fact {
	const uint8_t *key_digest; /* SHA-256 of the SubjectPublicKeyInfo */
	struct span algorithm;     /* with its parameters, by whatever spelling */
	struct span bytes, signature;
};

/* SHA-256 over all of the fact; no two facts are one text. */
int signatures_digest(const struct signatures_fact *fact, uint8_t out[SHA256_LEN],
		      struct err *e) MUST_CHECK;

/* Whether that was remembered. `digest` is for signatures_add(). With `s` NULL, never. */
bool signatures_know(struct signatures *s, const struct signatures_fact *fact,
		     uint8_t digest[SHA256_LEN]);

/* The fact of that digest was verified just now. */
void signatures_add(struct signatures *s, enum signatures_shelf shelf,
		    const uint8_t digest[SHA256_LEN]);
