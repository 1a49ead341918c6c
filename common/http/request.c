/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/http/field.h"
#include "common/http/request_state.h"
#include "common/rpc/trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>

void http_request_init(struct http_request *r, const struct http_carrier *carrier,
		       const struct http_routes *routes)
{
	r->refs = 1;
	r->carrier = carrier;
	r->routes = routes;
	r->method = HTTP_METHODS;
	r->peer = "";
}

struct http_request *http_request_ref(struct http_request *r)
{
	r->refs++;
	return r;
}

void http_request_unref(struct http_request *r)
{
	if (--r->refs > 0)
		return;
	http_request_tell(r, NULL);
	/* A password may have been in it. */
	if (r->body)
		OPENSSL_cleanse(r->body, r->body_len);
	free(TAKE_PTR(r->body));
	r->carrier->freed(r);
}

void http_request_watch(struct http_request *r,
			void (*seen)(void *data, const struct http_answer *answer), void *data)
{
	r->seen = seen;
	r->seen_data = data;
}

void http_request_tell(struct http_request *r, const struct http_answer *answer)
{
	void (*seen)(void *data, const struct http_answer *answer) = r->seen;

	r->seen = NULL;
	if (seen)
		seen(r->seen_data, answer);
}

const struct http_route *http_request_route(const struct http_request *r)
{
	return r->route;
}

const char *http_request_param(const struct http_request *r, const char *name)
{
	return http_route_param(r->route, &r->target, name);
}

const char *http_request_query(const struct http_request *r, const char *name)
{
	return http_target_query(&r->target, name);
}

const char *http_request_header(const struct http_request *r, const char *name, size_t n)
{
	return r->carrier->header(r, name, n);
}

const uint8_t *http_request_body(const struct http_request *r, size_t *len)
{
	*len = r->body_len;
	return r->body;
}

struct rpc_identity http_request_identity(const struct http_request *r)
{
	return r->identity;
}

const char *http_request_cookie(const struct http_request *r, const char *name, char *value,
				size_t size)
{
	unsigned found = 0;
	const char *field;
	struct err ignored;

	for (size_t n = 0; (field = http_request_header(r, "cookie", n)); n++) {
		int got = http_field_cookie(field, name, value, size, &ignored);

		if (got == 0 && ++found > 1)
			return NULL;
		if (got < 0 && !err_is(got, ERR_NOT_FOUND))
			return NULL;
	}
	return found ? value : NULL;
}

const char *http_request_peer(const struct http_request *r)
{
	return r->peer;
}

struct rpc_source http_request_source(const struct http_request *r)
{
	return r->source;
}

const char *http_request_host(const struct http_request *r)
{
	return r->host;
}

bool http_request_is_tls(const struct http_request *r)
{
	return r->is_tls;
}

static bool refuse(struct http_request *r, const struct http_problem *problem)
{
	http_request_refuse(r, problem);
	return false;
}

/* Before anybody asks for what it is. */
static bool check_form(struct http_request *r, const struct rpc_web_request *q)
{
	static const char shorten[] = "send less";
	struct err e;
	int failed;

	r->method = http_method_of(q->method);
	snprintf(r->host, sizeof(r->host), "%s", q->authority);
	switch (q->fault) {
	case RPC_WEB_GOOD:
		break;
	case RPC_WEB_TOO_LARGE:
		return refuse(r, &(struct http_problem){ 431, "the header fields are too large",
							 "header", shorten, NULL });
	case RPC_WEB_LONG_TARGET:
		return refuse(r, &(struct http_problem){ 414, "the target is too long", "target",
							 shorten, NULL });
	case RPC_WEB_BAD_HEADER:
		return refuse(r, &(struct http_problem){ 400, q->why, "header", NULL, NULL });
	}
	if (r->method == HTTP_METHODS)
		return refuse(r, &(struct http_problem){ 501, "no such method", "method",
							 "use GET, HEAD, POST, PUT, PATCH, DELETE "
							 "or OPTIONS",
							 NULL });
	failed =
		r->routes->tail && strncmp(q->target, r->routes->tail, strlen(r->routes->tail)) == 0
			? http_target_parse_tail(q->target, r->routes->tail, &r->target, &e)
			: http_target_parse(q->target, &r->target, &e);
	if (failed)
		return refuse(r, &(struct http_problem){
					 err_is(failed, ERR_OUT_OF_RANGE) ? 414 : 400, e.text,
					 "target", "see RFC 3986, sections 3.3 and 3.4", NULL });
	return true;
}

static bool find_route(struct http_request *r)
{
	char allow[HTTP_ALLOW_MAX];

	r->route = http_route_find(r->routes, r->method, &r->target, allow);
	if (r->route)
		return true;
	if (!*allow)
		return refuse(r, &(struct http_problem){ 404, "nothing is here", "target",
							 "look at the path", NULL });
	if (r->method == HTTP_OPTIONS) {
		http_request_answer(
			r, &(struct http_answer){ .status = 204, .more = { { "allow", allow } } });
		return false;
	}
	return refuse(
		r, &(struct http_problem){ 405, "not with this method", "method", allow, allow });
}

const char *const http_any_query[] = { NULL };

static bool is_known(const char *const *names, const char *name)
{
	if (names == http_any_query)
		return true;
	for (; names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool check_query(struct http_request *r)
{
	for (size_t i = 0; i < r->target.query_count; i++) {
		const char *name = r->target.query[i].name;

		if (!is_known(r->route->query, name))
			return refuse(r, &(struct http_problem){
						 400, "the query has a name that is not known here",
						 log_quote(name).text, "leave it out", NULL });
	}
	return true;
}

/* How long the body says that it is; what is no number is longer than anything. */
static unsigned long long announced(const struct http_request *r)
{
	const char *text = http_request_header(r, "content-length", 0);
	unsigned long long len;
	char *end;

	if (!text)
		return 0;
	errno = 0;
	len = strtoull(text, &end, 10);
	return errno || *end || *text < '0' || *text > '9' ? ~0ULL : len;
}

static bool check_body(struct http_request *r, const struct rpc_web_request *q)
{
	const struct http_route *route = r->route;
	bool is = false;
	struct err e;

	if (announced(r) > route->body_max)
		return refuse(r, &(struct http_problem){
					 413, "the body is too large", "body",
					 route->body_max ? "send less" : "send none", NULL });
	if (!route->body_max || !route->body_type)
		return true;
	if (http_field_is_type(q->content_type, route->body_type, &is, &e) < 0 || !is)
		return refuse(r, &(struct http_problem){ 415, "the body has another type",
							 "header content-type", route->body_type,
							 NULL });
	return true;
}

/* That of the call which carries it, if it is one. */
static void begin_trace(struct http_request *r)
{
	bool is_one = http_request_header(r, TRACE_PARENT_KEY, 0) &&
		      !http_request_header(r, TRACE_PARENT_KEY, 1);

	r->about = log_about_now();
	trace_begin(&r->about, is_one ? http_request_header(r, TRACE_PARENT_KEY, 0) : NULL);
}

bool http_request_begin(struct http_request *r, const struct rpc_web_request *q, size_t *body_max)
{
	struct err e;

	begin_trace(r);
	LOG_ABOUT(&r->about);
	if (!check_form(r, q) || !find_route(r))
		return false;
	if (r->route->may(r, r->routes->data, &e) < 0) {
		http_request_fail(r, &e);
		return false;
	}
	if (!check_query(r) || !check_body(r, q))
		return false;
	*body_max = r->route->body_max;
	return true;
}

void http_request_run(struct http_request *r, uint8_t *body, size_t len)
{
	LOG_ABOUT(&r->about);
	r->body = body;
	r->body_len = len;
	http_request_ref(r);
	r->route->serve(r, r->routes->data);
	http_request_unref(r);
}

void http_request_end(struct http_request *r, const struct err *why)
{
	void (*seen)(void *data, const struct http_answer *answer) = r->seen;

	r->seen = NULL; /* its handler goes on, and will say how that ended */
	if (why && why->code == ERR_OUT_OF_RANGE)
		http_request_refuse(
			r, &(struct http_problem){ 413, why->text, "body", "send less", NULL });
	else if (why && why->code == ERR_DEADLINE)
		http_request_refuse(
			r, &(struct http_problem){ 408, why->text, NULL, "send faster", NULL });
	else
		http_request_refuse(r, &(struct http_problem){ 503, "others come first", NULL,
							       "ask again", NULL });
	r->seen = seen;
}
