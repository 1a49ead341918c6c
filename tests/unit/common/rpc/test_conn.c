/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: who is pushed out, drain, reconnecting, names, sockets, blocking calls, health. */
#include "common/rpc/health.h"
#include "common/rpc/server_state.h"
#include "common/rpc/sync.h"
#include "tests/unit/common/rpc/tls_pair.h"

#include <dlfcn.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int silent_connection(const struct pair *p)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons((uint16_t)p->port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void those_who_say_nothing_push_out_each_other(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = tls_pair_server(NULL);
	CLEANUP(rpc_tls_free)
	struct rpc_tls *client = tls_pair_client(&(struct rpc_tls_config){ .ca = tls_pair_cert });
	struct rpc_limits limits = rpc_limits_default();
	struct pair p = { 0 };
	int silent[12];
	char byte;

	limits.unready_max = 4;
	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service,
					    .server_tls = server,
					    .client_tls = client,
					    .limits = &limits });
	struct rpc_stream *served = pair_call(&p, &pair_input_call, 0);
	pair_until(&p, p.started);
	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		silent[i] = silent_connection(&p);
		uv_run(&p.loop, UV_RUN_ONCE);
	}
	/* The last four are there, the others were closed, and who is served has not noticed. */
	pair_until(&p, recv(silent[ARRAY_LEN(silent) - 5], &byte, 1, MSG_DONTWAIT) >= 0);
	assert_int_equal(p.server->conn_count, 5);
	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		if (i >= ARRAY_LEN(silent) - 4)
			assert_int_equal(recv(silent[i], &byte, 1, MSG_DONTWAIT), -1);
		close(silent[i]);
	}
	rpc_stream_half_close(served);
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_OK);
	pair_close(&p);
}

/* So many bytes, and RST before the server has looked. */
static void reset_behind(size_t len)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
	const struct linger now = { .l_onoff = 1 };
	struct pair p = { 0 };
	char byte;
	int fd;

	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service });
	fd = silent_connection(&p);
	assert_int_equal(send(fd, preface, sizeof(preface) - 1, MSG_NOSIGNAL), sizeof(preface) - 1);
	pair_until(&p, recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0);
	for (unsigned i = 0; i < 50; i++)
		uv_run(&p.loop, UV_RUN_NOWAIT);
	assert_int_equal(p.server->conn_count, 1);
	assert_int_equal(send(fd, "\0\0\4\10", len, MSG_NOSIGNAL), len);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	close(fd);
	for (unsigned i = 0; i < 50; i++)
		uv_run(&p.loop, UV_RUN_NOWAIT);
	assert_int_equal(p.server->conn_count, 0);
	pair_close(&p);
}

static void a_reset_behind_bytes_is_seen(void **state)
{
	reset_behind(0);
	reset_behind(4); /* less than a frame's head */
}

static unsigned trims;

/* In the place of glibc's. */
int malloc_trim(size_t pad)
{
	trims++;
	return 1;
}

static void come_and_go(struct pair *p, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		int fd = silent_connection(p);

		pair_until(p, p->server->conn_count == 1);
		close(fd);
		pair_until(p, p->server->conn_count == 0);
	}
}

static void after_many_have_gone_the_heap_is_trimmed(void **state)
{
	struct pair p = { 0 };

	trims = 0;
	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service });
	come_and_go(&p, SERVER_TRIM_MOVED / 2 - 1);
	pair_until(&p, !uv_is_active((uv_handle_t *)&p.server->tick));
	assert_int_equal(trims, 0);
	come_and_go(&p, 1);
	pair_until(&p, trims);
	pair_until(&p, !uv_is_active((uv_handle_t *)&p.server->tick));
	assert_int_equal(trims, 1);
	/* The last of a crowd are not forgotten because nobody comes after them. */
	p.server->trimmed_at = 0;
	come_and_go(&p, SERVER_TRIM_MOVED / 2);
	pair_until(&p, trims == 2);
	pair_close(&p);
}

static void after_many_have_come_the_heap_is_trimmed(void **state)
{
	struct rpc_limits limits = rpc_limits_default();
	struct pair p = { 0 };
	int fds[SERVER_TRIM_MOVED];

	trims = 0;
	limits.preface_ms = 60 * 60 * 1000;
	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service, .limits = &limits });
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		assert_int_equal(trims, 0);
		fds[i] = silent_connection(&p);
		pair_until(&p, p.server->conn_count == i + 1);
	}
	pair_until(&p, trims);
	assert_int_equal(p.server->conn_count, ARRAY_LEN(fds));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	pair_until(&p, p.server->conn_count == 0);
	pair_close(&p);
}

static void on_drained(void *data)
{
	unsigned *drained = data;

	(*drained)++;
}

static void a_drain_lets_calls_finish(void **state)
{
	struct pair p = { 0 };
	struct rpc_stream *stream;
	unsigned drained = 0;

	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service });
	stream = pair_call(&p, &pair_input_call, 0);
	pair_until(&p, p.started);
	rpc_server_drain(p.server, 60000, on_drained, &drained);
	for (int i = 0; i < 200; i++)
		uv_run(&p.loop, UV_RUN_NOWAIT);
	assert_int_equal(drained + p.closed, 0);
	pair_send(stream, 100);
	rpc_stream_half_close(stream);
	pair_until(&p, drained);
	assert_int_equal(p.status.code, ERR_OK);
	assert_int_equal(p.closed, 1);
	assert_int_equal(p.server->conn_count, 0);
	/* Nobody listens any more. */
	rpc_stream_half_close(pair_call(&p, &pair_input_call, 0));
	pair_until(&p, p.closed == 2);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	pair_close(&p);
}

static void a_drain_has_an_end(void **state)
{
	struct pair p = { 0 };
	unsigned drained = 0;

	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service });
	pair_call(&p, &pair_input_call, 0);
	pair_until(&p, p.started);
	rpc_server_drain(p.server, 50, on_drained, &drained);
	pair_until(&p, drained && p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	assert_int_equal(p.server_closed, 1);
	pair_close(&p);
	assert_int_equal(drained, 1);
}

static void a_drain_of_nothing_ends_at_once(void **state)
{
	struct pair p = { 0 };
	unsigned drained = 0;

	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service });
	rpc_server_drain(p.server, 60000, on_drained, &drained);
	pair_until(&p, drained);
	pair_close(&p);
}

static void a_channel_connects_again(void **state)
{
	struct pair p = { 0 };
	struct rpc_listen listen = { 0 };
	struct err e;

	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service });
	pair_call_once(&p);
	rpc_server_free(p.server);
	p.server = NULL;
	p.closed = 0;
	pair_until(&p, !rpc_channel_is_ready(p.channel));
	rpc_stream_half_close(pair_call(&p, &pair_input_call, 0));
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	assert_non_null(strstr(p.status.text, "refused"));
	assert_non_null(strstr(p.status.text, p.target));
	assert_ok(rpc_server_new(&p.loop, NULL, &p.server, &e), e);
	assert_ok(rpc_server_add(p.server, &pair_upload_service, &p, &e), e);
	listen.address = p.target;
	assert_ok(rpc_server_listen(p.server, &listen, NULL, &e), e);
	pair_call_once(&p);
	pair_close(&p);
}

static unsigned lookups;

/* libuv's, counted: it wakes a thread. */
int uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb found,
		   const char *node, const char *service, const struct addrinfo *hints)
{
	static __typeof__(uv_getaddrinfo) *real;

	if (!real)
		real = (__typeof__(real))dlsym(RTLD_NEXT, "uv_getaddrinfo");
	lookups++;
	return real(loop, request, found, node, service, hints);
}

/* The types of the HTTP/2 frames behind the preface, a bit for each. */
static unsigned frames_in(const uint8_t *bytes, size_t len)
{
	unsigned types = 0;

	for (size_t at = 24; at + 9 <= len;) {
		types |= 1U << bytes[at + 3];
		at += 9 + ((size_t)bytes[at] << 16 | (size_t)bytes[at + 1] << 8 | bytes[at + 2]);
	}
	return types;
}

static void a_call_is_in_the_first_that_is_sent(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	CLEANUP(close) int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CLEANUP(close) int fd = -1;
	socklen_t len = sizeof(address);
	struct pair p = { 0 };
	struct rpc_channel_config config = { .target = p.target };
	uint8_t bytes[4096];
	ssize_t got = -1;
	struct err e;

	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	snprintf(p.target, sizeof(p.target), "127.0.0.1:%u", ntohs(address.sin_port));
	uv_loop_init(&p.loop);
	assert_ok(rpc_channel_new(&p.loop, &config, &p.channel, &e), e);
	lookups = 0;
	rpc_stream_half_close(pair_call(&p, &pair_input_call, 0));
	/* Accepted by the kernel, whether we are quick or not. */
	while (poll(&(struct pollfd){ .fd = listener, .events = POLLIN }, 1, 0) == 0)
		uv_run(&p.loop, UV_RUN_NOWAIT);
	fd = accept(listener, NULL, NULL);
	while (got < 0) {
		got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (got < 0)
			uv_run(&p.loop, UV_RUN_NOWAIT);
	}
	/* One send(2), since we have looked after each turn of the loop; and no thread was asked. */
	assert_true(frames_in(bytes, (size_t)got) & 1U << NGHTTP2_SETTINGS);
	assert_true(frames_in(bytes, (size_t)got) & 1U << NGHTTP2_HEADERS);
	assert_int_equal(lookups, 0);
	rpc_channel_free(p.channel);
	uv_run(&p.loop, UV_RUN_DEFAULT);
	assert_int_equal(p.closed, 1);
	assert_int_equal(uv_loop_close(&p.loop), 0);
}

static void a_name_that_is_not_known(void **state)
{
	const struct rpc_channel_config config = { .target = "no-such-host.invalid:1" };
	struct rpc_channel *channel;
	uv_loop_t loop;
	struct err e;

	uv_loop_init(&loop);
	assert_ok(rpc_channel_new(&loop, &config, &channel, &e), e);
	lookups = 0;
	assert_refused(rpc_sync_connect(channel, &e), e, ERR_UNAVAILABLE, "no-such-host.invalid:1");
	assert_int_equal(lookups, 1);
	rpc_channel_free(channel);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_server_that_says_nothing(void **state)
{
	CLEANUP(rpc_tls_free)
	struct rpc_tls *client = tls_pair_client(&(struct rpc_tls_config){ .ca = tls_pair_cert });
	struct rpc_limits limits = rpc_limits_default();
	struct pair p = { 0 };

	/* A plaintext server waits for HTTP/2 while the client waits for TLS... within its limit. */
	limits.preface_ms = 60000;
	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service,
					    .client_tls = client,
					    .limits = &limits,
					    .connect_ms = 200 });
	rpc_stream_half_close(pair_call(&p, &pair_input_call, 0));
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	pair_close(&p);
}

static void unix_sockets_work_and_are_private(void **state)
{
	char folder[] = "/tmp/rpc-unit-XXXXXX", address[80], lock[80];
	struct pair p = { 0 };
	struct rpc_listen listen = { .address = address };
	struct rpc_channel_config config = { .target = address };
	struct rpc_channel *channel;
	struct err e;

	assert_non_null(mkdtemp(folder));
	snprintf(address, sizeof(address), "unix:%s/s", folder);
	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service });
	assert_ok(rpc_server_listen(p.server, &listen, NULL, &e), e);
	assert_refused(rpc_server_listen(p.server, &listen, NULL, &e), e, ERR_EXISTS, "listen on");
	assert_ok(rpc_channel_new(&p.loop, &config, &channel, &e), e);
	assert_ok(rpc_sync_connect(channel, &e), e);
	rpc_channel_free(channel);
	pair_close(&p);
	snprintf(lock, sizeof(lock), "%s/s.lock", folder);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(rmdir(folder), 0); /* the socket went with the listener */
}

static void blocking_calls(void **state)
{
	const struct rpc_method check = { "/grpc.testing.TestService/EmptyCall", RPC_UNARY,
					  &grpc__testing__empty__descriptor,
					  &grpc__testing__empty__descriptor };
	const Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;
	ProtobufCMessage *answer = NULL;
	struct rpc_sync *sync;
	struct pair p = { 0 };
	struct err e;

	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service });
	assert_ok(rpc_sync_connect(p.channel, &e), e);
	assert_refused(rpc_sync_unary(p.channel, &check, NULL, &request.base, &answer, &e), e,
		       ERR_UNIMPLEMENTED, p.target);
	assert_ok(rpc_sync_open(p.channel, &pair_input_call, NULL, &sync, &e), e);
	for (int i = 0; i < 40; i++)
		assert_ok(rpc_sync_send_bytes(sync, NULL, 7, calloc(1, 1 << 20), 1 << 20, &e), e);
	assert_ok(rpc_sync_finish(sync, &answer, &e), e);
	assert_int_equal(p.got, 40);
	protobuf_c_message_free_unpacked(answer, NULL);
	rpc_sync_free(sync);
	assert_ok(rpc_sync_open(p.channel, &pair_input_call, NULL, &sync, &e), e);
	rpc_sync_free(sync); /* open: is cancelled */
	pair_close(&p);
}

static void health_is_told(void **state)
{
	struct rpc_health *health;
	struct pair p = { 0 };
	char name[RPC_HEALTH_NAME_MAX + 1];
	struct err e;

	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service });
	assert_ok(rpc_health_new(p.server, &health, &e), e);
	for (int i = 1; i < RPC_HEALTH_SERVICES_MAX; i++) {
		snprintf(name, sizeof(name), "service %d", i);
		assert_ok(rpc_health_set(health, name, true, &e), e);
	}
	assert_ok(rpc_health_set(health, name, false, &e), e);
	assert_refused(rpc_health_set(health, "one more", true, &e), e, ERR_EXHAUSTED, "services");
	pair_close(&p);
	rpc_health_free(health);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_who_say_nothing_push_out_each_other),
		cmocka_unit_test(a_reset_behind_bytes_is_seen),
		cmocka_unit_test(after_many_have_gone_the_heap_is_trimmed),
		cmocka_unit_test(after_many_have_come_the_heap_is_trimmed),
		cmocka_unit_test(a_drain_lets_calls_finish),
		cmocka_unit_test(a_drain_has_an_end),
		cmocka_unit_test(a_drain_of_nothing_ends_at_once),
		cmocka_unit_test(a_channel_connects_again),
		cmocka_unit_test(a_call_is_in_the_first_that_is_sent),
		cmocka_unit_test(a_name_that_is_not_known),
		cmocka_unit_test(a_server_that_says_nothing),
		cmocka_unit_test(unix_sockets_work_and_are_private),
		cmocka_unit_test(blocking_calls),
		cmocka_unit_test(health_is_told),
	};

	return cmocka_run_group_tests(tests, tls_pair_enter, tls_pair_leave);
}
