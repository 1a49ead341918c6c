/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwks.h — the public keys that a provider signs ID tokens with: a JWK Set (RFC 7517; RFC 7518, 6; RFC 8037).
 *
 * Keys of other kinds, curves, uses and algorithms are left out, and so are those without a `kid`, which no token can
 * name. Refused is the whole set if a key that we could use is malformed or weak, if two have one `kid`, and if it
 * holds a private key.
 */
#pragma once

#include "common/crypto/key.h"

enum {
	JWKS_MAX = 256 << 10, /* bytes of a set */
	JWKS_KEYS_MAX = 64,   /* in it, whatever they are for */
	JWKS_KID_MAX = 255,
};

/* All that an ID token may be signed by (RFC 7518, 3.1; RFC 8037, 3.1): none of them takes a secret that we share with
 * the provider, and none is "none". */
enum jws_algorithm { JWS_RS256, JWS_PS256, JWS_ES256, JWS_EDDSA, JWS_ALGORITHMS };

struct jwks_key {
	char kid[JWKS_KID_MAX + 1];
	EVP_PKEY *key;
	unsigned algorithms; /* 1 << enum jws_algorithm */
};

struct jwks {
	size_t count;
	struct jwks_key keys[JWKS_KEYS_MAX];
};

/* `set` is filled in; jwks_done() it. */
int jwks_parse(const void *bytes, size_t len, struct jwks *set, struct err *e) MUST_CHECK;
void jwks_done(struct jwks *set);

/* NULL: there is none of that name. */
const struct jwks_key *jwks_find(const struct jwks *set, const char *kid);

/* "ES256"; -1: none of ours. */
const char *jws_algorithm_name(enum jws_algorithm algorithm);
int jws_algorithm_find(const char *name);
