/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server.c — routes of common/http that tests ask for. http_server [CERT.pem KEY.pem [CA.pem]] ADDRESS:
 * over TLS, or in plaintext; prints the port, and ends when its input does.
 */
#include "common/http/http_server.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/http/asset.h"
#include "common/http/events.h"
#include "common/rpc/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ECHO_MAX = 1000, BIG_LEN = 8 << 20, EVENT_SIZE_MAX = 100000 };

static struct http_event_hub *hub;

static const char page[] = "<!doctype html><title>here</title><p>A page.\n";

static void serve_page(struct http_request *r, void *data)
{
	http_asset_serve(r, &(struct http_asset){ "text/html; charset=utf-8", page,
						  sizeof(page) - 1, NULL });
}

static void reply(struct http_request *r, const char *text, size_t len)
{
	struct http_answer answer = { .status = 200, .type = "text/plain", .len = len };

	answer.body = malloc(len + 1);
	if (!answer.body)
		abort();
	if (len)
		memcpy(answer.body, text, len);
	http_request_answer(r, &answer);
}

static void serve_echo(struct http_request *r, void *data)
{
	size_t len;
	const uint8_t *body = http_request_body(r, &len);

	reply(r, (const char *)body, len);
}

static void serve_item(struct http_request *r, void *data)
{
	const char *name = http_request_param(r, "name"), *say = http_request_query(r, "say");
	char text[1024];
	int len = snprintf(text, sizeof(text), "%s|%s", name, say ? say : "-");

	reply(r, text, (size_t)len);
}

static void serve_who(struct http_request *r, void *data)
{
	struct rpc_identity who = http_request_identity(r);
	char text[1024];
	int len =
		snprintf(text, sizeof(text), "%s %s %ld", http_request_is_tls(r) ? "tls" : "plain",
			 who.subject ? who.subject : "-", who.has_uid ? (long)who.uid : -1L);

	reply(r, text, (size_t)len);
}

static void serve_big(struct http_request *r, void *data)
{
	struct http_answer answer = { .status = 200, .type = "text/plain", .len = BIG_LEN };

	answer.body = calloc(1, BIG_LEN);
	http_request_answer(r, &answer);
}

static void work(void *data)
{
}

/* Longer than a client may be slow. */
static void work_long(void *data)
{
	sleep(25);
}

static void done(void *data)
{
	struct http_request *r = data;

	reply(r, "later", 5);
	http_request_unref(r);
}

/* Answered from the loop, when a job in the pool is done. */
static void serve_later(struct http_request *r, void *data)
{
	struct err e;

	if (rpc_job_start(data, work, done, http_request_ref(r), &e) < 0)
		abort();
}

static void serve_long(struct http_request *r, void *data)
{
	struct err e;

	if (rpc_job_start(data, work_long, done, http_request_ref(r), &e) < 0)
		abort();
}

/* Never answered: its client gives up, or the server ends. */
static void serve_never(struct http_request *r, void *data)
{
}

static void serve_broken(struct http_request *r, void *data)
{
	struct err e;

	err_set(&e, ERR_INTERNAL, "a secret path is in this text");
	http_request_fail(r, &e);
}

/* Events after a number, up to another, each with so many bytes; then silence, or an end. */
struct counted {
	int64_t number, until;
	size_t size;
	bool ends;
};

static void count_on(struct http_events *s, void *data)
{
	char text[EVENT_SIZE_MAX + 64];
	struct counted *c = data;
	struct err e;

	while (c->number < c->until && !http_events_is_full(s)) {
		int len = snprintf(text, sizeof(text), "%" PRId64 "\nline ", ++c->number);

		memset(text + len, 'x', c->size);
		text[(size_t)len + c->size] = 0;
		if (http_events_send(s, &(struct http_event){ c->number, "count", text }, &e) < 0) {
			http_events_end(s, true);
			return;
		}
	}
	if (c->number == c->until && c->ends)
		http_events_end(s, false);
}

static void count_closed(struct http_events *s, void *data)
{
	free(data);
}

static int64_t number_of(const struct http_request *r, const char *name)
{
	const char *text = http_request_query(r, name);

	return text ? strtoll(text, NULL, 10) : 0;
}

static void serve_events(struct http_request *r, void *data)
{
	static const struct http_events_user user = { count_on, count_closed };
	struct counted *c = calloc(1, sizeof(*c));
	struct http_events *s;
	struct err e;

	if (!c)
		abort();
	c->until = number_of(r, "until");
	c->size = (size_t)number_of(r, "size") % EVENT_SIZE_MAX;
	c->ends = http_request_query(r, "end") != NULL;
	if (http_events_after(r, &c->number, &e) < 0)
		http_request_fail(r, &e);
	s = http_events_begin(hub, r, &user, c);
	if (s)
		count_on(s, c);
	else
		free(c);
}

static void serve_followers(struct http_request *r, void *data)
{
	char text[16];

	reply(r, text, (size_t)snprintf(text, sizeof(text), "%u", http_event_hub_readers(hub)));
}

static int nobody(struct http_request *r, void *data, struct err *e)
{
	return err_set(e, ERR_DENIED, "this is for nobody");
}

static int with_certificate(struct http_request *r, void *data, struct err *e)
{
	return http_request_identity(r).subject
		       ? 0
		       : err_set(e, ERR_UNAUTHENTICATED, "show a certificate");
}

static const char *const item_query[] = { "say", NULL };
static const char *const events_query[] = { "after", "until", "size", "end", NULL };
static const struct http_route rows[] = {
	{ HTTP_GET, "/", http_anybody, 0, NULL, NULL, serve_page },
	{ HTTP_POST, "/", http_anybody, 64 << 10, NULL, NULL, serve_page },
	{ HTTP_POST, "/echo", http_anybody, ECHO_MAX, "text/plain", NULL, serve_echo },
	{ HTTP_GET, "/items/{name}", http_anybody, 0, NULL, item_query, serve_item },
	{ HTTP_PUT, "/items/{name}", http_anybody, ECHO_MAX, NULL, NULL, serve_item },
	{ HTTP_GET, "/who", http_anybody, 0, NULL, NULL, serve_who },
	{ HTTP_GET, "/big", http_anybody, 0, NULL, NULL, serve_big },
	{ HTTP_GET, "/events", http_anybody, 0, NULL, events_query, serve_events },
	{ HTTP_GET, "/followers", http_anybody, 0, NULL, NULL, serve_followers },
	{ HTTP_GET, "/later", http_anybody, 0, NULL, NULL, serve_later },
	{ HTTP_GET, "/long", http_anybody, 0, NULL, NULL, serve_long },
	{ HTTP_GET, "/never", http_anybody, 0, NULL, NULL, serve_never },
	{ HTTP_GET, "/broken", http_anybody, 0, NULL, NULL, serve_broken },
	{ HTTP_GET, "/denied", nobody, 0, NULL, NULL, serve_page },
	{ HTTP_GET, "/certificate", with_certificate, 0, NULL, NULL, serve_page },
};

static void on_input_end(uv_poll_t *poll, int status, int events)
{
	struct http_server **server = poll->data;
	char byte;

	if (status == 0 && read(STDIN_FILENO, &byte, 1) > 0)
		return;
	http_event_hub_free(TAKE_PTR(hub));
	http_server_free(TAKE_PTR(*server));
	uv_close((uv_handle_t *)poll, NULL);
}

static char *read_text(const char *path)
{
	uint8_t *bytes;
	struct err e;
	size_t len;

	if (file_read(path, RPC_TLS_PEM_MAX, &bytes, &len, &e) < 0) {
		log_error("%s", e.text);
		exit(2);
	}
	return (char *)bytes;
}

static struct rpc_tls *tls_of(int argc, char **argv)
{
	CLEANUP(free) char *cert = read_text(argv[1]);
	CLEANUP(free) char *key = read_text(argv[2]);
	CLEANUP(free) char *ca = argc > 4 ? read_text(argv[3]) : NULL;
	struct rpc_tls *tls;
	struct err e;

	if (rpc_tls_new_server(&(struct rpc_tls_config){ .cert = cert, .key = key, .ca = ca }, &tls,
			       &e) < 0) {
		log_error("%s", e.text);
		exit(2);
	}
	return tls;
}

int main(int argc, char **argv)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = argc > 3 ? tls_of(argc, argv) : NULL;
	struct http_routes routes = { .first = rows, .count = ARRAY_LEN(rows) };
	struct http_server *server = NULL;
	unsigned port = 0;
	uv_loop_t loop;
	uv_poll_t end;
	struct err e;

	log_open("http_server");
	uv_loop_init(&loop);
	routes.data = &loop;
	if (http_event_hub_new(&loop, &(struct http_event_limits){ 6, 4, 1000, 0 }, &hub, &e) < 0)
		abort();
	if (argc < 2 || http_server_new(&loop, &routes, &server, &e) < 0 ||
	    http_server_listen(server,
			       &(struct rpc_listen){ .address = argv[argc - 1], .tls = tls }, &port,
			       &e) < 0) {
		log_error("%s", argc < 2 ? "an address is missing" : e.text);
		http_event_hub_free(hub);
		http_server_free(server);
		uv_run(&loop, UV_RUN_DEFAULT);
		uv_loop_close(&loop);
		return 1;
	}
	printf("%u\n", port);
	fflush(stdout);
	uv_poll_init(&loop, &end, STDIN_FILENO);
	end.data = &server;
	uv_poll_start(&end, UV_READABLE, on_input_end);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop) ? 1 : 0;
}
