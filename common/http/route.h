/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route.h — what can be asked for: one table of {method, path, who may, limits, handler}.
 *
 * From the table come 404, 405 with Allow, OPTIONS, HEAD where there is a GET, and all refusals before
 * a handler is asked. A pattern is a path in which a whole segment may be a {name}.
 */
#pragma once

#include "common/http/target.h"

struct http_answer;
struct http_problem;
struct http_request;

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_TRACE, /* RFC 9110, 9.3.8: known, so that it is refused by its name; nothing is echoed */
	HTTP_METHODS,
};

struct http_route {
	enum http_method method; /* no HEAD or OPTIONS: these come by themselves; no TRACE */
	const char *pattern;
	/* May this caller? ERR_UNAUTHENTICATED, ERR_DENIED: no; ERR_EXHAUSTED: not yet (http_request_put_off()).
	 * Answers nothing. http_anybody says yes to all. */
	int (*may)(struct http_request *r, void *data, struct err *e);
	size_t body_max;       /* bytes; 0: no body is taken */
	const char *body_type; /* that a body must have; NULL: any */
	const char *const
		*query; /* names that may stand in the query, NULL at the end; NULL: none */
	/* Answers, now or later. A HEAD is answered like a GET: the body does not go out. */
	void (*serve)(struct http_request *r, void *data);
};

struct http_routes {
	const struct http_route *first;
	size_t count;
	void *data; /* for may(), serve() and show() */
	/* A problem for people, who asked for text/html: fills in type, body and Content-Security-Policy.
	 * False, or NULL: it is told as to programs. */
	bool (*show)(const struct http_request *r, const struct http_problem *problem, void *data,
		     struct http_answer *answer);
	const char *tail; /* http_target_parse_tail()'s prefix; NULL: there is none */
};

/* A route's `query`: whatever stands in it, for who answers to other programs' addresses. */
extern const char *const http_any_query[];

int http_anybody(struct http_request *r, void *data, struct err *e);

/* HTTP_METHODS: none of these. Methods are case-sensitive. */
enum http_method http_method_of(const char *word);

enum { HTTP_ALLOW_MAX = 64 };

/* The route for this method (a HEAD's is the GET's), or NULL. `allow` gets the methods of all routes with
 * that path, "GET, HEAD, OPTIONS"; "" if there is none. */
const struct http_route *http_route_find(const struct http_routes *routes, enum http_method method,
					 const struct http_target *target,
					 char allow[HTTP_ALLOW_MAX]);

/* What stands in the path for {name}; NULL if the pattern has none. */
const char *http_route_param(const struct http_route *route, const struct http_target *target,
			     const char *name);

/* Patterns that no path can have, rows without who may, two for one path and method: ERR_INVALID. */
int http_routes_check(const struct http_routes *routes, struct err *e) MUST_CHECK;
