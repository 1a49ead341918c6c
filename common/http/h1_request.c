/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/h1_request.h"

#include "common/base/hostname.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* struct h1_request: step */
enum { H1_HEADERS, H1_BODY, H1_SERVED };

/* The n-th of a name. */
struct search {
	const char *name;
	size_t n;
	const char *value;
};

static enum MHD_Result on_field(void *data, enum MHD_ValueKind kind, const char *name,
				const char *value)
{
	struct search *s = data;

	if (strcasecmp(name, s->name) != 0 || s->n-- > 0)
		return MHD_YES;
	s->value = value ? value : "";
	return MHD_NO;
}

static const char *get_field(struct MHD_Connection *conn, const char *name, size_t n)
{
	struct search s = { name, n, NULL };

	MHD_get_connection_values(conn, MHD_HEADER_KIND, on_field, &s);
	return s.value;
}

static const char *get_header(const struct http_request *r, const char *name, size_t n)
{
	struct MHD_Connection *conn = ((const struct h1_request *)r)->conn;

	return conn ? get_field(conn, name, n) : NULL;
}

void h1_respond(struct h1_request *own, struct MHD_Response *response,
		const struct rpc_web_reply *reply)
{
	struct h1_conn *c;

	if (response) {
		for (size_t i = 0; i < reply->count; i++) /* of its length it tells itself */
			if (strcmp(reply->fields[i].name, "content-length") != 0)
				(void)!MHD_add_response_header(response, reply->fields[i].name,
							       reply->fields[i].value);
		own->status = (unsigned)strtoul(reply->status, NULL, 10);
		/* What was refused may not be where the next request begins. */
		if (own->status >= 400)
			(void)!MHD_add_response_header(response, "connection", "close");
	}
	own->response = response;
	if (!own->is_suspended)
		return;
	c = h1_conn_of(own->conn);
	if (c) {
		c->is_ours = false;
		c->since = uv_now(own->h1->loop);
	}
	own->is_suspended = false;
	LIST_REMOVE(own, others);
	MHD_resume_connection(own->conn);
	h1_kick(own->h1);
}

static void answer(struct http_request *r, const struct rpc_web_reply *reply)
{
	struct h1_request *own = (struct h1_request *)r;
	struct MHD_Response *response = NULL;

	if (own->conn)
		response = MHD_create_response_from_buffer(reply->len, reply->body,
							   MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(reply->body);
	if (own->conn)
		h1_respond(own, response, reply);
}

static void freed(struct http_request *r)
{
	struct h1_request *own = (struct h1_request *)r;

	peer_unref(own->peer);
	free(own->target);
	free(own->body);
	free(own->stream.bytes);
	free(own);
}

static const struct http_carrier carrier = { .header = get_header,
					     .answer = answer,
					     .freed = freed,
					     .begin = h1_stream_begin,
					     .send = h1_stream_send,
					     .queued = h1_stream_queued,
					     .end = h1_stream_end,
					     .wants_head_body = true };

struct h1_conn *h1_conn_of(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

void *h1_on_target(void *data, const char *target, struct MHD_Connection *conn)
{
	struct h1_conn *c = h1_conn_of(conn);
	struct h1 *h1 = data;
	struct h1_request *own;

	if (!c)
		return NULL;
	c->since = uv_now(h1->loop);
	own = calloc(1, sizeof(*own));
	if (!own)
		return NULL;
	http_request_init(&own->r, &carrier, h1->routes);
	own->h1 = h1;
	own->conn = conn;
	own->peer = c->peer;
	own->peer->refs++;
	own->r.peer = own->peer->name;
	own->r.source = peer_source(own->peer);
	own->r.identity =
		(struct rpc_identity){ .has_uid = own->peer->has_uid, .uid = own->peer->uid };
	own->target = strdup(target);
	return own;
}

void h1_on_completed(void *data, struct MHD_Connection *conn, void **context,
		     enum MHD_RequestTerminationCode why)
{
	struct h1_conn *c = h1_conn_of(conn);
	struct h1_request *own = *context;
	struct h1 *h1 = data;

	*context = NULL;
	if (c) {
		c->since = uv_now(h1->loop);
		c->is_served = c->is_ours = false;
		c->stream = NULL;
	}
	if (!own)
		return;
	own->conn = NULL;
	http_stream_over(&own->r);
	if (own->response)
		MHD_destroy_response(TAKE_PTR(own->response));
	http_request_unref(&own->r);
}

/* What two readers could read in two ways. */
struct audit {
	unsigned count, hosts, lengths, types;
	const char *problem;
};

static bool is_token(const char *name)
{
	return *name && !name[strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
					   "ABCDEFGHIJKLMNOPQRSTUVWXYZ")];
}

static bool is_text(const char *value)
{
	for (; *value; value++)
		if ((unsigned char)*value < 0x20 ? *value != '\t' : *value == 0x7f)
			return false;
	return true;
}

static enum MHD_Result audit_field(void *data, enum MHD_ValueKind kind, const char *name,
				   size_t name_len, const char *value, size_t value_len)
{
	struct audit *a = data;

	if (!value)
		value = "";

	if (++a->count > H1_FIELDS_MAX)
		a->problem = "too many header fields";
	else if (!is_token(name) || strlen(name) != name_len || !is_text(value) ||
		 strlen(value) != value_len)
		a->problem = "a header field whose name or value can't be one";
	else if (strcasecmp(name, "host") == 0 && ++a->hosts > 1)
		a->problem = "host is there twice";
	else if (strcasecmp(name, "content-length") == 0 &&
		 (++a->lengths > 1 || !value[0] || value[strspn(value, "0123456789")]))
		a->problem = "content-length is there twice, or is no number";
	else if (strcasecmp(name, "content-type") == 0 && ++a->types > 1)
		a->problem = "content-type is there twice";
	else if (strcasecmp(name, "transfer-encoding") == 0)
		a->problem = "a body has to say its length: no transfer-encoding";
	return a->problem ? MHD_NO : MHD_YES;
}

static const char *audit(struct MHD_Connection *conn, const char *version)
{
	struct audit a = { 0 };

	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return "a version that is neither HTTP/1.1 nor HTTP/1.0";
	MHD_get_connection_values_n(conn, MHD_HEADER_KIND, audit_field, &a);
	return a.problem;
}

/* Names under localhost are this machine's, and no name server is asked for them (RFC 6761, 6.3). */
static bool is_under_localhost(const char *host)
{
	static const char suffix[] = ".localhost";
	size_t len = strlen(host), tail = sizeof(suffix) - 1;

	return len > tail && strcasecmp(host + len - tail, suffix) == 0;
}

/* A page that a browser was lured to can have a name that leads to this machine. */
static bool is_for_us(const struct h1 *h1, const char *authority)
{
	char host[RPC_WEB_AUTHORITY_MAX + 1];
	size_t len = *authority == '[' ? strcspn(authority, "]") + 1 : strcspn(authority, ":");

	if (h1->is_unix)
		return true;
	if (len >= sizeof(host) || len > strlen(authority))
		return false;
	memcpy(host, authority, len);
	host[len] = 0;
	return hostname_is_loopback(host) || is_under_localhost(host);
}

/* The headers are in. True: a body is wanted. */
static bool begin(struct h1_request *own, const char *method, const char *version)
{
	const char *host = get_field(own->conn, "host", 0);
	const char *type = get_field(own->conn, "content-type", 0);
	struct rpc_web_request q = { .method = method,
				     .target = own->target,
				     .authority = host ? host : "",
				     .content_type = type ? type : "",
				     .why = audit(own->conn, version) };

	own->step = H1_BODY;
	own->r.hides_end = strcmp(version, "HTTP/1.0") == 0;
	if (q.why)
		q.fault = RPC_WEB_BAD_HEADER;
	else if (strlen(own->target) > RPC_WEB_TARGET_MAX)
		q.fault = RPC_WEB_LONG_TARGET;
	else if (strlen(q.authority) > RPC_WEB_AUTHORITY_MAX ||
		 strlen(q.content_type) > RPC_WEB_TYPE_MAX)
		q.fault = RPC_WEB_TOO_LARGE;
	else if (!is_for_us(own->h1, q.authority)) {
		http_request_refuse(&own->r, &(struct http_problem){ 421, "this is not that host",
								     "header host",
								     "ask for localhost", NULL });
		return false;
	}
	return http_request_begin(&own->r, &q, &own->body_room);
}

static enum MHD_Result queue(struct h1_request *own)
{
	enum MHD_Result r;

	if (!own->response)
		return MHD_NO;
	r = MHD_queue_response(own->conn, own->status, own->response);
	MHD_destroy_response(TAKE_PTR(own->response));
	return r;
}

static enum MHD_Result take(struct h1_request *own, const char *bytes, size_t *len)
{
	uint8_t *grown;

	if (*len > own->body_room - own->body_len)
		return MHD_NO;
	grown = realloc(own->body, own->body_len + *len);
	if (!grown)
		return MHD_NO;
	memcpy(grown + own->body_len, bytes, *len);
	own->body = grown;
	own->body_len += *len;
	*len = 0;
	return MHD_YES;
}

static enum MHD_Result serve(struct h1_request *own)
{
	struct h1_conn *c = h1_conn_of(own->conn);

	if (c)
		c->is_served = true;
	own->step = H1_SERVED;
	http_request_run(&own->r, TAKE_PTR(own->body), own->body_len);
	if (!own->r.is_answered && c && c->is_cut_off) /* its request had come before */
		http_request_end(&own->r, NULL);
	if (own->r.is_answered)
		return queue(own);
	own->is_suspended = true;
	if (c)
		c->is_ours = true;
	LIST_INSERT_HEAD(&own->h1->waiting, own, others);
	MHD_suspend_connection(own->conn);
	return MHD_YES;
}

enum MHD_Result h1_on_request(void *data, struct MHD_Connection *conn, const char *url,
			      const char *method, const char *version, const char *bytes,
			      size_t *len, void **context)
{
	struct h1_request *own = *context;

	if (!own || !own->target) /* no memory */
		return MHD_NO;
	switch (own->step) {
	case H1_HEADERS:
		return begin(own, method, version) ? MHD_YES : queue(own);
	case H1_BODY:
		return *len ? take(own, bytes, len) : serve(own);
	default:
		return queue(own);
	}
}

void h1_end_waiting(struct h1 *h1, const struct h1_conn *conn)
{
	struct h1_request *own, *next;
	struct err e;

	err_set(&e, ERR_UNAVAILABLE, conn ? "others come first" : "the server ends");
	for (own = LIST_FIRST(&h1->waiting); own; own = next) {
		next = LIST_NEXT(own, others);
		if (!conn || h1_conn_of(own->conn) == conn)
			http_request_end(&own->r, &e);
	}
}
