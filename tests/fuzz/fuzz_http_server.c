/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections of browsers to a table of routes: HTTP/1.1 through libmicrohttpd, over a unix socket or loopback, and HTTP/2.
 * Input: flags(1); then steps: what(1) and length(2), and the bytes that a client sends.
 *
 * What reaches a handler is one request that has one reading: one host, one length, that of its body, a type where one is
 * wanted, no name or value that could be two. Who watches a request is told of its end once, and nothing is left of it.
 */
#include "common/base/hostname.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/http/events.h"
#include "common/http/h2.h"
#include "common/http/http_server.h"
#include "common/rpc/conn.h"
#include "tests/fuzz/h2_peer.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { OVER_H2 = 1, OVER_TCP = 2 };
enum { CROWD_MAX = 80, IS_KEPT = 0x8000 }; /* of CONNECTS */
enum { SENDS, ANSWERS, HALF_CLOSES, CONNECTS, TELLS, ENDS, CUTS, READS_NOT, STEPS };
enum {
	STEPS_MAX = 48,
	WAITING_MAX = 8,
	READERS_MAX = 4,
	BODY_MAX = 64,
	TURNS = 8,
	TOLD_MAX = 200000
};

static uv_loop_t loop;
static char path[64]; /* of the unix socket */
static struct http_event_hub *hub;
static struct http_request *waiting[WAITING_MAX];
static size_t waiting_count;
static struct http_events *readers[READERS_MAX];
static unsigned watched, told;
static bool over_h2, over_tcp, reads_not;
static int fd = -1;
static int crowd[CROWD_MAX]; /* connections that are only there */
static size_t crowd_count;

/* ---- what is served ---- */

static bool is_seen(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 ? *text != '\t' : *text == 0x7f)
			return false;
	return true;
}

static void check(struct http_request *r)
{
	static const char *const once[] = { "host", "content-length", "content-type" };
	const char *length = http_request_header(r, "content-length", 0);
	const char *word = http_request_header(r, "x-word", 0);
	size_t len;

	(void)http_request_body(r, &len);
	assert(len <= http_request_route(r)->body_max);
	assert(!length || strtoull(length, NULL, 10) == len || over_h2);
	assert(!word || is_seen(word));
	if (over_h2)
		return;
	for (size_t i = 0; i < ARRAY_LEN(once); i++)
		assert(!http_request_header(r, once[i], 1));
	assert(!http_request_header(r, "transfer-encoding", 0));
	assert(length || !len);
	assert(http_request_identity(r).has_uid == !over_tcp && !http_request_is_tls(r));
}

static void seen(void *data, const struct http_answer *answer)
{
	assert(!answer || answer->status >= 200);
	assert(data == &told && told < watched);
	told++;
}

static void answer_text(struct http_request *r)
{
	struct http_answer a = { .status = 200, .type = "text/plain", .etag = "\"one\"" };

	a.len = 5;
	a.body = (uint8_t *)strdup("text\n");
	assert(a.body);
	http_request_answer(r, &a);
}

static void serve_now(struct http_request *r, void *data)
{
	(void)data;
	check(r);
	answer_text(r);
	answer_text(r); /* forgotten */
}

static void serve_later(struct http_request *r, void *data)
{
	(void)data;
	check(r);
	watched++;
	http_request_watch(r, seen, &told);
	if (waiting_count < WAITING_MAX)
		waiting[waiting_count++] = http_request_ref(r);
}

static void serve_param(struct http_request *r, void *data)
{
	const char *word = http_request_param(r, "word");

	check(r);
	(void)data;
	assert(word && *word && !strpbrk(word, "/\\") && strcmp(word, ".") != 0);
	assert(!http_request_param(r, "other"));
	answer_text(r);
}

static void closed(struct http_events *s, void *data)
{
	*(struct http_events **)data = NULL;
}

static void writable(struct http_events *s, void *data)
{
	assert(*(struct http_events **)data == s && !http_events_is_full(s));
}

static void serve_events(struct http_request *r, void *data)
{
	static const struct http_events_user user = { writable, closed };
	int64_t after;
	struct err e;
	size_t i = 0;

	(void)data;
	check(r);
	while (i < READERS_MAX && readers[i])
		i++;
	if (i == READERS_MAX || http_events_after(r, &after, &e) < 0) {
		http_request_refuse(r, &(struct http_problem){ .status = 400, .detail = "no" });
		return;
	}
	assert(after >= 0);
	readers[i] = http_events_begin(hub, r, &user, &readers[i]);
}

static int may_not(struct http_request *r, void *data, struct err *e)
{
	return err_set(e, http_request_header(r, "x-word", 0) ? ERR_DENIED : ERR_UNAUTHENTICATED,
		       "not you");
}

static const char *const after_query[] = { "after", NULL };
static const struct http_route routes[] = {
	{ HTTP_GET, "/now", http_anybody, 0, NULL, http_any_query, serve_now },
	{ HTTP_POST, "/now", http_anybody, BODY_MAX, "text/plain", NULL, serve_now },
	{ HTTP_PUT, "/now", http_anybody, 0, NULL, NULL, serve_now },
	{ HTTP_GET, "/later", http_anybody, 0, NULL, NULL, serve_later },
	{ HTTP_POST, "/later", http_anybody, BODY_MAX, NULL, NULL, serve_later },
	{ HTTP_GET, "/events", http_anybody, 0, NULL, after_query, serve_events },
	{ HTTP_GET, "/of/{word}", http_anybody, 0, NULL, NULL, serve_param },
	{ HTTP_GET, "/no", may_not, 0, NULL, NULL, serve_now },
};

/* For people, but one. */
static bool show(const struct http_request *r, const struct http_problem *problem, void *data,
		 struct http_answer *answer)
{
	(void)r;
	(void)data;
	if (problem->status == 405)
		return false;
	answer->body = (uint8_t *)strdup("<p>");
	answer->len = answer->body ? 3 : 0;
	answer->type = "text/html";
	return true;
}

static const struct http_routes table = { .first = routes,
					  .count = ARRAY_LEN(routes),
					  .show = show };

/* ---- the connection ---- */

static void spin(void)
{
	for (int i = 0; i < TURNS; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		if (fd >= 0 && !reads_not)
			peer_drain(fd);
	}
}

static void connect_h1(unsigned port)
{
	struct sockaddr_un on_file = { .sun_family = AF_UNIX };
	struct sockaddr_in on_port = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int at_once = 1;
	const struct linger no_wait = { .l_onoff = 1 }; /* the machine's ports are others', too */

	snprintf(on_file.sun_path, sizeof(on_file.sun_path), "%s", path);
	fd = socket(over_tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
	assert(fd >= 0);
	if (over_tcp) {
		assert(connect(fd, (struct sockaddr *)&on_port, sizeof(on_port)) == 0);
		assert(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once)) == 0);
		assert(setsockopt(fd, SOL_SOCKET, SO_LINGER, &no_wait, sizeof(no_wait)) == 0);
	} else {
		assert(connect(fd, (struct sockaddr *)&on_file, sizeof(on_file)) == 0);
	}
}

static void connect_h2(struct rpc_server *server)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
	const struct listener listener = { .server = server };
	struct err e;
	int ends[2];

	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	assert(conn_accept(server, &listener, ends[0], &e) == 0);
	fd = ends[1];
	assert(send(fd, preface, sizeof(preface), MSG_NOSIGNAL) == (ssize_t)sizeof(preface));
}

static void connect_again(struct rpc_server *h2, unsigned port, bool is_kept)
{
	if (fd >= 0 && is_kept && crowd_count < CROWD_MAX)
		crowd[crowd_count++] = fd;
	else if (fd >= 0)
		close(fd);
	spin();
	if (h2)
		connect_h2(h2);
	else
		connect_h1(port);
	spin();
}

/* ---- what happens ---- */

static void answer_waiting(void)
{
	while (waiting_count) {
		struct http_request *r = waiting[--waiting_count];

		answer_text(r);
		http_request_unref(r);
	}
}

static void tell(size_t len, bool is_cut, bool is_end)
{
	char *text = calloc(1, TOLD_MAX + 1);
	struct err e;

	assert(text);
	memset(text, 'x', len * 4 < TOLD_MAX ? len * 4 : TOLD_MAX);
	if (len > 2) /* several lines */
		memcpy(text + len, len % 2 ? "\r\n" : "\n\r", 2);
	for (size_t i = 0; i < READERS_MAX; i++) {
		const struct http_event event = { (int64_t)len, "word", text };

		if (readers[i] && (is_end || http_events_send(readers[i], &event, &e) < 0))
			http_events_end(readers[i], is_cut);
	}
	free(text);
}

static void feed(const uint8_t *bytes, size_t len)
{
	while (len && fd >= 0) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent <= 0)
			break;
		bytes += sent;
		len -= (size_t)sent;
		spin();
	}
	spin();
}

static void step(struct reader *r, struct rpc_server *h2, unsigned port)
{
	const uint8_t what = reader_u8(r) % STEPS;
	const size_t len = reader_be16(r);
	const uint8_t *bytes;

	switch (what) {
	case SENDS:
		bytes = reader_take(r, len);
		if (bytes)
			feed(bytes, len);
		break;
	case ANSWERS:
		answer_waiting();
		break;
	case HALF_CLOSES:
		(void)shutdown(fd, SHUT_WR);
		break;
	case CONNECTS:
		for (size_t i = 0; i <= len % CROWD_MAX; i++)
			connect_again(h2, port, len & IS_KEPT);
		break;
	case READS_NOT:
		reads_not = !reads_not;
		break;
	default:
		tell(len, what == CUTS, what != TELLS);
		break;
	}
	spin();
}

static void prepare(void)
{
	setenv("UV_THREADPOOL_SIZE", "1", 1);
	log_set(LOG_LEVEL_ERROR);
	assert(uv_loop_init(&loop) == 0);
	snprintf(path, sizeof(path), "/dev/shm/fuzz-http-%d.sock", (int)getpid());
}

static struct http_server *open_h1(unsigned *port)
{
	struct rpc_listen listen = { .address = "127.0.0.1:0" };
	char address[sizeof(path) + 8];
	struct http_server *server;
	struct err e;

	snprintf(address, sizeof(address), "unix:%s", path);
	if (!over_tcp)
		listen.address = address;
	assert(http_server_new(&loop, &table, &server, &e) == 0);
	assert(http_server_listen(server, &listen, port, &e) == 0);
	return server;
}

static void run(struct reader *r)
{
	static const struct http_event_limits limits = {
		.readers = 3, .per_source = 2, .beat_ms = 60000, .longest_ms = 0
	};
	struct http_server *h1 = NULL;
	struct rpc_server *h2 = NULL;
	unsigned port = 0;
	struct err e;

	assert(http_event_hub_new(&loop, &limits, &hub, &e) == 0);
	if (over_h2) {
		assert(rpc_server_new(&loop, NULL, &h2, &e) == 0);
		h2_attach(h2, &table);
	} else {
		h1 = open_h1(&port);
	}
	connect_again(h2, port, false);
	for (int i = 0; i < STEPS_MAX && reader_ok(r) && reader_left(r); i++)
		step(r, h2, port);
	http_event_hub_free(hub);
	http_server_free(h1);
	rpc_server_free(h2);
	/* Some of those who wait are answered after the server's end. */
	spin();
	answer_waiting();
	close(fd);
	fd = -1;
	while (crowd_count)
		close(crowd[--crowd_count]);
	while (uv_run(&loop, UV_RUN_DEFAULT))
		continue;
	assert(told == watched);
	for (size_t i = 0; i < READERS_MAX; i++)
		assert(!readers[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	const uint8_t flags = reader_u8(&r);

	if (!*path)
		prepare();
	over_h2 = flags & OVER_H2;
	over_tcp = flags & OVER_TCP;
	reads_not = false;
	watched = told = 0;
	run(&r);
	return 0;
}
