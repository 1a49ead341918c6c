/* SPDX-License-Identifier: Apache-2.0 */
#include "common/metrics/metrics_server.h"

#include "common/base/hostname.h"
#include "common/base/log.h"
#include "common/http/field.h"
#include "common/http/request.h"
#include "common/rpc/address.h"

#include <stdlib.h>
#include <string.h>

struct metrics_server {
	struct http_server *http;
	struct http_route route[2];
	struct http_routes routes;
	struct metrics_source source;
};

/* A loopback address is everybody's on this machine, and a socket has its mode. */
static int may(struct http_request *r, void *data, struct err *e)
{
	const struct metrics_server *s = data;
	const struct rpc_identity identity = http_request_identity(r);

	if (!s->source.may || !http_request_is_tls(r))
		return 0;
	return s->source.may(s->source.data, &identity, e);
}

static int choose(const struct http_request *r, enum metrics_format *format, struct err *e)
{
	const char *accept = http_request_header(r, "accept", 0);
	size_t chosen = METRICS_PROMETHEUS;

	if (accept && http_field_accept(accept, metrics_types, 2, &chosen, e) < 0)
		return err_code(e);
	*format = (enum metrics_format)chosen;
	return 0;
}

static void serve(struct http_request *r, void *data)
{
	struct metrics_server *s = data;
	enum metrics_format format;
	struct http_answer answer = { .status = 200 };
	struct metrics_text t;
	struct err e;
	int failed = choose(r, &format, &e);

	if (failed) {
		http_request_refuse(
			r, &(struct http_problem){ err_is(failed, ERR_NOT_FOUND) ? 406 : 400,
						   e.text, "header accept",
						   metrics_types[METRICS_PROMETHEUS], NULL });
		return;
	}
	t = metrics_text_new(format);
	s->source.write(s->source.data, &t);
	answer.type = metrics_types[format];
	answer.body = metrics_text_take(&t, &answer.len, &e);
	if (answer.body)
		http_request_answer(r, &answer);
	else
		http_request_fail(r, &e);
}

enum { READY_MAX = 256 };

static void serve_ready(struct http_request *r, void *data)
{
	struct metrics_server *s = data;
	char line[READY_MAX];
	const bool is_ready = s->source.ready(s->source.data, line, sizeof(line) - 1);
	struct http_answer answer = { .status = is_ready ? 200 : 503, .type = "text/plain" };
	struct err e;

	answer.len = strlen(line);
	line[answer.len++] = '\n';
	answer.body = malloc(answer.len);
	if (!answer.body) {
		err_nomem(&e);
		http_request_fail(r, &e);
		return;
	}
	memcpy(answer.body, line, answer.len);
	http_request_answer(r, &answer);
}

bool metrics_address_is_open(const char *address)
{
	struct address a;
	struct err ignored;

	return address_parse(address, &a, &ignored) < 0 ||
	       (!a.is_unix && !hostname_is_loopback(a.host));
}

int metrics_address_check(const char *setting, const char *address, const char *tls, bool mutual,
			  struct err *e)
{
	struct address a;

	if (address_parse(address, &a, e) < 0)
		return err_wrap(e, "%s", setting);
	if (a.is_unix && a.path.sun_path[0] != '/')
		return err_set(e, ERR_INVALID, "%s: %s is not an absolute path", setting,
			       log_quote(a.path.sun_path).text);
	if (metrics_address_is_open(address) && !mutual)
		return err_set(
			e, ERR_INVALID,
			"%s: others than this machine can reach %s, and would need client "
			"certificates: set %s_CLIENT_CA_CERTS, _SERVER_CERT and _SERVER_KEY, or "
			"use a loopback address or unix:/path",
			setting, log_quote(address).text, tls);
	return 0;
}

int metrics_server_new(uv_loop_t *loop, const char *address, struct rpc_tls *tls,
		       const struct metrics_source *source, struct metrics_server **server,
		       struct err *e)
{
	bool is_open = metrics_address_is_open(address);
	struct metrics_server *s = calloc(1, sizeof(*s));
	unsigned port = 0;

	if (!s)
		return err_nomem(e);
	s->route[0] = (struct http_route){ .pattern = "/metrics", .may = may, .serve = serve };
	s->route[1] = (struct http_route){ .pattern = "/readyz", .may = may, .serve = serve_ready };
	s->routes = (struct http_routes){ .first = s->route,
					  .count = source->ready ? 2 : 1,
					  .data = s };
	s->source = *source;
	*server = s; /* also after a failure: it has to be closed */
	if (http_server_new(loop, &s->routes, &s->http, e) < 0 ||
	    http_server_listen(
		    s->http,
		    &(struct rpc_listen){ .address = address, .tls = is_open ? tls : NULL }, &port,
		    e) < 0)
		return err_wrap(e, "metrics");
	if (port)
		log_info("metrics: listening on %s, port %u, %s", log_quote(address).text, port,
			 is_open ? "with mutual TLS" : "for this machine");
	else
		log_info("metrics: listening on %s", log_quote(address).text);
	return 0;
}

void metrics_server_close(struct metrics_server *server)
{
	if (server)
		http_server_free(TAKE_PTR(server->http));
}

void metrics_server_done(struct metrics_server *server)
{
	free(server);
}
