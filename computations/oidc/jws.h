/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jws.h — a signed token in compact form (RFC 7515, 3.1 and 5.2): header, payload, signature.
 *
 * Of the header `alg` and `kid` alone count: a key or an address of one that stands in it (`jwk`, `jku`, `x5c`, `x5u`)
 * is the signer's own word. `crit` is refused, for nothing in it is known here.
 */
#pragma once

#include "common/base/span.h"
#include "computations/oidc/jwks.h"

enum {
	JWS_MAX = 32 << 10, /* characters of a token */
	JWS_SIGNATURE_MAX = 1024,
};

struct jws {
	enum jws_algorithm algorithm;
	char kid[JWKS_KID_MAX + 1];
	struct span signed_text; /* header and payload as they came; borrowed */
	uint8_t *payload, *signature;
	size_t payload_len, signature_len;
};

/* Its form, and an algorithm of ours. jws_done() it. */
int jws_parse(const char *text, size_t len, struct jws *token, struct err *e) MUST_CHECK;
void jws_done(struct jws *token);

/* 0 only if it is signed by that key, which is for that algorithm; else ERR_DENIED. */
int jws_verify(const struct jws *token, const struct jwks_key *key, struct err *e) MUST_CHECK;
