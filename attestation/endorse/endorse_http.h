/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endorse_http.h — one document by GET, or the answer to a form, from a service that may be slow, busy or hostile.
 *
 * TLS 1.2 or newer with the server's name and chain verified; no redirects, no compression, no
 * credentials in addresses; http:// for this machine only. Answers 429, 500, 502, 503 and 504, cut
 * connections and time-outs are tried again, after the time that Retry-After asks for or a growing
 * one, while the deadline allows. A form is sent once: what it did, nobody knows then. Blocks.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/span.h"

#include <stdatomic.h>

enum {
	ENDORSE_ATTEMPTS_MAX = 5,
	ENDORSE_URL_MAX = 1024,
	ENDORSE_HEADER_MAX = 65536,   /* characters of the one header that is asked for */
	ENDORSE_HEADERS_MAX = 131072, /* bytes of all */
};

struct endorse_request {
	const char *url;
	size_t max; /* bytes of the body */
	/* Headers one of which holds a percent-encoded text, by name; NULL: none wanted. */
	const char *header, *other_header;
	const char *form;            /* sent by POST; NULL: a GET */
	const char *user, *password; /* of a form (RFC 7617); NULL: none */
};

/* Malloc'ed, a zero byte behind each. */
struct endorse_answer {
	uint8_t *body;
	size_t len;
	char *header; /* decoded; NULL where none was wanted */
	size_t header_len;
};

void endorse_answer_done(struct endorse_answer *answer);

/* One thread at a time. `ca` may be NULL. Once `*stopped` is true, which any thread may set, a request
 * under way ends within about a second; NULL: none is ever stopped. */
struct endorse_http;
int endorse_http_new(const char *ca, const atomic_bool *stopped, struct endorse_http **made,
		     struct err *e) MUST_CHECK;
void endorse_http_free(struct endorse_http *http);
DEFINE_CLEANUP(struct endorse_http *, endorse_http_free)

/* A base address as endorsements.h describes it, without a slash at the end. */
int endorse_http_base(const char *base, struct err *e) MUST_CHECK;

/* ERR_NOT_FOUND for 404; ERR_DENIED for a server that TLS does not vouch for, and for a form's 400, 401 and 403; ERR_EXHAUSTED for too
 * large an answer; ERR_DEADLINE, ERR_UNAVAILABLE; ERR_CANCELLED. The text says address and last reason. */
int endorse_http_get(struct endorse_http *http, const struct endorse_request *request,
		     int64_t deadline, struct endorse_answer *answer, struct err *e) MUST_CHECK;

/* "%0A" and the like to bytes; ERR_INVALID for half an escape or a zero byte. Malloc'ed. */
int endorse_unescape(const char *text, size_t len, char **out, size_t *out_len,
		     struct err *e) MUST_CHECK;
