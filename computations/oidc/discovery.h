/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery.h — what a provider says of itself (OpenID Connect Discovery 1.0, 3 and 4.3), and what it answers for a code
 * (OpenID Connect Core 1.0, 3.1.3.3).
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	DISCOVERY_MAX = 64 << 10, /* bytes of the document */
	DISCOVERY_ISSUER_MAX = 255,
	DISCOVERY_URL_MAX = 511,
	TOKEN_ANSWER_MAX = 128 << 10,
};

struct discovery {
	char authorization[DISCOVERY_URL_MAX + 1];
	char token[DISCOVERY_URL_MAX + 1];
	char keys[DISCOVERY_URL_MAX + 1];
	bool takes_basic; /* the client's secret, in a header; else in the form */
	bool says_issuer; /* in its answer to the browser (RFC 9207), where it must not be missing then */
};

/* An issuer's identifier: https:// without query and fragment, or http:// for this machine. */
int discovery_issuer_check(const char *issuer, struct err *e) MUST_CHECK;

/* Its issuer has to be this one, byte by byte, and its addresses https:// unless the issuer itself is http://. A way by
 * code, S256, and a client that is told apart as we can: else it is refused. */
int discovery_parse(const void *bytes, size_t len, const char *issuer, struct discovery *d,
		    struct err *e) MUST_CHECK;

/* The ID token in it, malloc'ed. */
int token_answer_parse(const void *bytes, size_t len, char **id_token, struct err *e) MUST_CHECK;
