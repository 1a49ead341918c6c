/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.h — one HTTP request as its handler sees it, and the answer to it.
 *
 * All on the loop's thread, nothing blocks. A handler answers before it returns, or takes a reference and
 * answers later; a request whose client has left takes an answer, too, and forgets it.
 */
#pragma once

#include "common/http/target.h"
#include "common/rpc/identity.h"
#include "common/rpc/source.h"
#include "common/rpc/web.h"

struct http_request;
struct http_route;

struct http_request *http_request_ref(struct http_request *r);
void http_request_unref(struct http_request *r);

/* All of these live as long as the request. */
const struct http_route *http_request_route(const struct http_request *r);      /* of the table */
const char *http_request_param(const struct http_request *r, const char *name); /* of the pattern */
const char *http_request_query(const struct http_request *r, const char *name); /* NULL: absent */
/* The n-th field (from 0) of that name, in lower case; NULL: there is none. */
const char *http_request_header(const struct http_request *r, const char *name, size_t n);
/* NULL if it is empty, perhaps. */
const uint8_t *http_request_body(const struct http_request *r, size_t *len);
struct rpc_identity http_request_identity(const struct http_request *r);
/* The value of that cookie, copied; NULL: it is not there, or not once, or longer. */
const char *http_request_cookie(const struct http_request *r, const char *name, char *value,
				size_t size);
const char *http_request_peer(const struct http_request *r); /* as rpc_call_peer() */
struct rpc_source http_request_source(const struct http_request *r);
/* The name and port that it is asked by: Host, or :authority; "" if there is none. */
const char *http_request_host(const struct http_request *r);
bool http_request_is_tls(const struct http_request *r);

struct http_answer {
	unsigned status;
	const char *type;  /* of the body; NULL: there is none */
	const char *etag;  /* `"…"`, or NULL; a GET whose If-None-Match has it gets 304 */
	const char *cache; /* Cache-Control; NULL: "no-store" */
	const char *csp;   /* Content-Security-Policy; NULL: nothing is allowed */
	struct rpc_web_field more[2]; /* others; a name of NULL: none */
	uint8_t *body;                /* malloc'ed, taken over in every case */
	size_t len;
};
/* IMF-fixdate (RFC 9110, section 5.6.7) of seconds since 1970; "": no calendar has it. */
enum { HTTP_DATE_MAX = 48 };
void http_date(int64_t seconds, char text[HTTP_DATE_MAX]);

/* Once; later ones are forgotten. */
void http_request_answer(struct http_request *r, const struct http_answer *answer);

/* One for each request: `seen` is called once, with what its handler answers, before that goes out, and also if the client
 * has left by then; what the carrier ends a request with is not meant. `answer` NULL: its handler gave none. It frees
 * `data`; the answer is lent. */
void http_request_watch(struct http_request *r,
			void (*seen)(void *data, const struct http_answer *answer), void *data);

/* What a client did wrong, or we (RFC 9457), for programs and people. */
struct http_problem {
	unsigned status;
	const char *detail;
	const char *
		field; /* what it is about: "query since", "header accept"; NULL: nothing by name */
	const char *remedy; /* what to do; NULL: nothing is known */
	const char *allow;  /* of 405 and OPTIONS: Allow */
};
void http_request_refuse(struct http_request *r, const struct http_problem *problem);
/* "Not Found" */
const char *http_status_title(unsigned status);
/* The status that an error's code stands for, with its text. ERR_INTERNAL and ERR_DATA_LOSS are logged, and the
 * client is told nothing of them. */
void http_request_fail(struct http_request *r, const struct err *e);
/* Its answer, which refuses it, says that it may come again in so many seconds: Retry-After (RFC 9110, section 10.2.3). */
void http_request_put_off(struct http_request *r, unsigned seconds);
