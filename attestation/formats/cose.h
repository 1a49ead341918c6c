/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cose.h — COSE_Sign1 (RFC 9052, section 4.2; algorithms of RFC 9053), made and verified.
 *
 * Only one form is accepted: tag 18 once, an array of four, the algorithm only in the protected
 * header and the one that fits the key, no critical header that the caller does not know, a
 * payload, a signature of the algorithm's full length, nothing after the end.
 */
#pragma once

#include "common/base/datum.h"
#include "common/crypto/key.h"

enum cose_algorithm { /* IANA COSE Algorithms */
		      COSE_ES256 = -7,
		      COSE_EDDSA = -8,
		      COSE_ES384 = -35,
		      COSE_ES512 = -36,
		      COSE_PS256 = -37,
};

enum { /* IANA COSE Header Parameters */
       COSE_HEADER_ALG = 1,
       COSE_HEADER_CRIT = 2,
       COSE_HEADER_CONTENT_TYPE = 3,
       COSE_HEADER_KID = 4,
       COSE_HEADER_IV = 5,
       COSE_HEADER_PARTIAL_IV = 6,
};

enum { COSE_TAG_SIGN1 = 18, COSE_MAX = 16 << 20, COSE_HEADERS_MAX = 65536 };

const char *cose_algorithm_name(int64_t algorithm); /* "ES256", or NULL */

/* A parsed message; its pointers point into the input and into `tree` and `headers`. */
struct cose {
	struct datum *tree, *headers; /* the whole message; the map of the protected header */
	const struct datum *unprotected;
	const uint8_t *protected_bytes, *payload, *signature;
	size_t protected_len, payload_len, signature_len;
	int64_t algorithm;
};

/* Parses the message and checks its form, not its signature. `known` lists the labels, besides
 * the four above, that the caller understands in `crit`; NULL for none. cose_done() it. */
int cose_parse(const void *bytes, size_t len, const int64_t *known, size_t known_count,
	       struct cose *message, struct err *e) MUST_CHECK;
void cose_done(struct cose *message);

/* 0 only if the signature over the message and `aad` (external data, may be empty) is `key`'s and
 * the algorithm fits the key; else ERR_DENIED. */
int cose_verify(const struct cose *message, EVP_PKEY *key, const void *aad, size_t aad_len,
		struct err *e) MUST_CHECK;

/* What to sign, and its labels. */
struct cose_content {
	const void *payload;
	size_t payload_len;
	const void *aad;
	size_t aad_len;
	const char *content_type; /* protected; NULL for none */
	const void *kid;          /* unprotected, as stock tokens have it; NULL for none */
	size_t kid_len;
	int64_t extra_label; /* one more protected byte string, such as corim-meta (8); 0 for none */
	const void *extra;
	size_t extra_len;
};

/* The algorithm is the key's: P-256 ES256, P-384 ES384, P-521 ES512, Ed25519 EdDSA, RSA PS256. */
struct writer;
int cose_sign(const struct cose_content *content, EVP_PKEY *key, struct writer *out,
	      struct err *e) MUST_CHECK;

/* A byte string that no signature covers. */
struct cose_beside {
	int64_t label;
	const void *bytes;
	size_t len;
};

/* A message that is signed already, which has no unprotected headers, with some, in the order of their
 * encoding. */
int cose_put_beside(const struct cose *message, const struct cose_beside *headers, size_t count,
		    struct writer *out, struct err *e) MUST_CHECK;
