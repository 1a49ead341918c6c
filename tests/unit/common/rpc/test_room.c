/* SPDX-License-Identifier: Apache-2.0 */
/* Which connections and public streams give way to newer ones, and which never do. */
#include "common/base/file.h"
#include "common/rpc/health.h"
#include "health.pb-c.h"
#include "health_paths.h"
#include "tests/self_signed.h"
#include "tests/unit/common/rpc/tls_pair.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"

enum { STRANGERS = 12, GOAWAY = 7, ENHANCE_YOUR_CALM = 11 };

static int connection_from(const struct pair *p, const char *from)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, from, &a.sin_addr), 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons((uint16_t)p->port);
	assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* Speaks HTTP/2, and makes no call; the server has greeted it. */
static int stranger(struct pair *p, const char *from)
{
	int fd = connection_from(p, from);
	char byte;

	assert_int_equal(send(fd, PREFACE, sizeof(PREFACE) - 1, MSG_NOSIGNAL), sizeof(PREFACE) - 1);
	pair_until(p, recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0);
	return fd;
}

/* Reads what there is: the error of a GOAWAY, -1 while the connection goes on. */
static int goodbye(int fd)
{
	uint8_t bytes[4096];
	ssize_t len = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_PEEK);
	int code = -1;

	for (ssize_t at = 0; at + 9 <= len;) {
		ssize_t frame = bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2];

		if (bytes[at + 3] == GOAWAY && at + 17 <= len)
			code = bytes[at + 16];
		at += 9 + frame;
	}
	return code;
}

static bool is_over(int fd)
{
	char bytes[4096];
	ssize_t len;

	while ((len = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		;
	return len == 0 || (len < 0 && errno == ECONNRESET);
}

static void on_start_prove(struct rpc_call *call)
{
	pair_on_start(call);
	rpc_call_prove(call);
}

static const struct rpc_handler proving_handlers[] = {
	{ .method = TEST_STREAMING_INPUT_CALL,
	  .start = on_start_prove,
	  .message = pair_on_message,
	  .half_close = pair_on_half_close_reply,
	  .closed = pair_on_closed },
};
static const struct rpc_service proving_service = { .name = TEST_SERVICE,
						    .handlers = proving_handlers,
						    .count = 1 };

static struct rpc_stream *open_with(struct pair *p, unsigned connections_max)
{
	struct rpc_limits limits = rpc_limits_default();
	struct rpc_stream *served;

	limits.connections_max = connections_max;
	limits.quiet_ms = 1;
	pair_open(p, &(struct pair_setup){ .service = &proving_service, .limits = &limits });
	served = pair_call(p, &pair_input_call, 0);
	pair_until(p, p->started);
	return served;
}

static void end_well(struct pair *p, struct rpc_stream *served)
{
	rpc_stream_half_close(served);
	pair_until(p, p->closed);
	if (p->status.code != ERR_OK)
		fail_msg("%s", p->status.text);
}

static void strangers_give_way_oldest_first(void **state)
{
	struct pair p = { 0 };
	struct rpc_stream *served = open_with(&p, 5);
	int fds[STRANGERS];

	for (size_t i = 0; i < STRANGERS; i++)
		fds[i] = stranger(&p, "127.0.0.1");
	for (size_t i = 0; i < STRANGERS - 4; i++) {
		pair_until(&p, goodbye(fds[i]) >= 0);
		assert_int_equal(goodbye(fds[i]), ENHANCE_YOUR_CALM);
		pair_until(&p, is_over(fds[i]));
	}
	for (size_t i = STRANGERS - 4; i < STRANGERS; i++)
		assert_int_equal(goodbye(fds[i]), -1);
	assert_int_equal(rpc_server_connections(p.server), 5);
	end_well(&p, served);
	for (size_t i = 0; i < STRANGERS; i++)
		close(fds[i]);
	pair_close(&p);
}

static void an_address_pushes_out_its_own(void **state)
{
	struct pair p = { 0 };
	struct rpc_stream *served = open_with(&p, 7);
	int others[2] = { stranger(&p, "127.0.0.2"), stranger(&p, "127.0.0.2") };
	int fds[STRANGERS];

	for (size_t i = 0; i < STRANGERS; i++)
		fds[i] = stranger(&p, "127.0.0.3");
	for (size_t i = 0; i < STRANGERS - 4; i++)
		pair_until(&p, is_over(fds[i]));
	for (size_t i = 0; i < 2; i++) {
		assert_false(is_over(others[i]));
		close(others[i]);
	}
	end_well(&p, served);
	for (size_t i = 0; i < STRANGERS; i++)
		close(fds[i]);
	pair_close(&p);
}

static void who_is_served_gives_way_to_nobody(void **state)
{
	struct pair p = { 0 };
	struct rpc_stream *served = open_with(&p, 1);
	int fd;

	for (int i = 0; i < 3; i++) {
		fd = connection_from(&p, "127.0.0.1");
		pair_until(&p, is_over(fd));
		close(fd);
	}
	end_well(&p, served);
	pair_close(&p);
}

static void who_was_served_and_is_quiet_gives_way(void **state)
{
	struct pair p = { 0 };
	struct rpc_stream *served = open_with(&p, 1);
	bool refused = true;

	end_well(&p, served);
	/* Its call is over; a newcomer gets in as soon as that has been so for quiet_ms. */
	while (refused) {
		int fd = connection_from(&p, "127.0.0.1");

		assert_true(send(fd, PREFACE, sizeof(PREFACE) - 1, MSG_NOSIGNAL) > 0);
		pair_until(&p, recv(fd, &(char){ 0 }, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
				       errno == ECONNRESET);
		refused = recv(fd, &(char){ 0 }, 1, MSG_DONTWAIT) != 1;
		close(fd);
	}
	pair_close(&p);
}

/* ---- on the way to HTTP/2 ---- */

static void wait_for_ever(struct rpc_prologue_run *run, void *data)
{
	struct pair *p = data;

	p->started++;
	rpc_prologue_set_user(run, p);
}

static void never(struct rpc_prologue_run *run, void *data)
{
}

static size_t no_bytes(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	return 0;
}

static void one_less(struct rpc_prologue_run *run)
{
	struct pair *p = rpc_prologue_user(run);

	p->server_closed++;
}

static void not_told(struct rpc_prologue_run *run)
{
}

static void those_who_stall_in_one_stage_leave_room_in_the_other(void **state)
{
	static const struct rpc_prologue server = {
		.input_max = 1, .start = wait_for_ever, .bytes = no_bytes, .closed = one_less
	};
	static const struct rpc_prologue client = {
		.input_max = 1, .start = never, .bytes = no_bytes, .closed = not_told
	};
	CLEANUP(rpc_tls_free) struct rpc_tls *server_tls = tls_pair_server(NULL);
	CLEANUP(rpc_tls_free)
	struct rpc_tls *client_tls =
		tls_pair_client(&(struct rpc_tls_config){ .ca = tls_pair_cert });
	struct rpc_limits limits = rpc_limits_default();
	struct rpc_channel *channels[4];
	struct pair p = { 0 };
	int silent[6];
	struct err e;

	limits.unready_max = 4;
	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service,
					    .server_tls = server_tls,
					    .client_tls = client_tls,
					    .server_prologue = &server,
					    .client_prologue = &client,
					    .limits = &limits });
	const struct rpc_channel_config config = { .target = p.target,
						   .tls = client_tls,
						   .prologue = &client };
	for (unsigned i = 0; i < 4; i++) {
		struct rpc_stream_options options = { .user = &p };
		struct rpc_stream *stream;

		assert_ok(rpc_channel_new(&p.loop, &config, &channels[i], &e), e);
		assert_ok(rpc_stream_open(channels[i], &pair_input_call, &pair_events, &options,
					  &stream, &e),
			  e);
		pair_until(&p, p.started == i + 1);
	}
	for (unsigned i = 0; i < 6; i++) {
		silent[i] = connection_from(&p, "127.0.0.1");
		/* The first two take two places of those behind TLS, the others each other's. */
		pair_until(&p, i < 2 ? p.server_closed == i + 1 : is_over(silent[i - 2]));
	}
	assert_int_equal(p.server_closed, 2);
	assert_int_equal(rpc_server_connections(p.server), 4);
	for (unsigned i = 0; i < 6; i++)
		close(silent[i]);
	for (unsigned i = 0; i < 4; i++)
		rpc_channel_free(channels[i]);
	pair_close(&p);
}

/* ---- one certificate ---- */

/* Four connections of one holder, then so many of another one. Each has a call that has proven, whose
 * end is counted in the pair: `gone` of them have to end. */
static void of_two_holders(unsigned others, unsigned places, unsigned gone)
{
	struct rpc_limits limits = rpc_limits_default();
	CLEANUP(free) char *cert = NULL, *key = NULL, *both = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = NULL;
	CLEANUP(X509_free) X509 *x509 = NULL;
	struct rpc_channel *channels[8] = { NULL };
	struct pair p = { 0 };
	struct err e;

	limits.connections_max = places;
	limits.quiet_ms = UINT32_MAX;
	assert_ok(key_generate(KEY_ECDSA, &pkey, &e), e);
	assert_ok(key_to_private_pem(pkey, &key, &e), e);
	x509 = self_signed(pkey, "other", NULL, 0);
	assert_non_null(cert = self_signed_pem(x509));
	assert_ok(text_format(&both, &e, "%s%s", tls_pair_cert, cert), e);
	CLEANUP(rpc_tls_free) struct rpc_tls *server = tls_pair_server(both);
	CLEANUP(rpc_tls_free)
	struct rpc_tls *holder = tls_pair_client(&(struct rpc_tls_config){
		.ca = tls_pair_cert, .cert = tls_pair_cert, .key = tls_pair_key });
	CLEANUP(rpc_tls_free)
	struct rpc_tls *other = tls_pair_client(
		&(struct rpc_tls_config){ .ca = tls_pair_cert, .cert = cert, .key = key });
	pair_open(&p, &(struct pair_setup){ .service = &proving_service,
					    .limits = &limits,
					    .server_tls = server,
					    .client_tls = holder });
	for (unsigned i = 0; i < 4 + others; i++) {
		const struct rpc_channel_config config = { .target = p.target,
							   .tls = i < 4 ? holder : other };
		struct rpc_stream_options options = { .user = &p };
		struct rpc_stream *stream;

		assert_ok(rpc_channel_new(&p.loop, &config, &channels[i], &e), e);
		assert_ok(rpc_stream_open(channels[i], &pair_input_call, &pair_events, &options,
					  &stream, &e),
			  e);
		pair_until(&p, p.started == i + 1);
	}
	pair_until(&p, p.closed >= gone);
	assert_int_equal(p.closed, gone);
	assert_int_equal(rpc_server_connections(p.server), 4 + others - gone);
	for (unsigned i = 0; i < 4 + others; i++)
		rpc_channel_free(channels[i]);
	pair_close(&p);
}

static void a_certificate_keeps_a_quarter_of_the_places(void **state)
{
	of_two_holders(4, 8, 0); /* there is room for all */
	of_two_holders(1, 4, 1); /* a share of one: three are beyond it */
	of_two_holders(3, 4, 3); /* of which each gives way to others, */
	of_two_holders(2, 5, 1);
	of_two_holders(4, 7, 1); /* and so do the other's own */
}

/* ---- streams that anybody may open ---- */

static const struct rpc_method watch = { PROTO_HEALTH_WATCH, RPC_SERVER_STREAM,
					 &grpc__health__v1__health_check_request__descriptor,
					 &grpc__health__v1__health_check_response__descriptor };

static struct rpc_stream *watch_call(struct pair *p)
{
	const Grpc__Health__V1__HealthCheckRequest request =
		GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	struct rpc_stream *stream = pair_call(p, &watch, 0);
	unsigned before = p->messages;
	struct err e;

	assert_ok(rpc_stream_send(stream, &request.base, &e), e);
	rpc_stream_half_close(stream);
	pair_until(p, p->messages > before || p->closed);
	return stream;
}

static void health_open(struct pair *p, const struct rpc_limits *limits, struct rpc_health **health)
{
	struct err e;

	pair_open(p, &(struct pair_setup){ .service = &pair_upload_service, .limits = limits });
	assert_ok(rpc_health_new(p->server, health, &e), e);
}

static void a_public_stream_gives_way_to_a_newer_one(void **state)
{
	struct rpc_limits limits = rpc_limits_default();
	struct rpc_health *health;
	struct pair p = { 0 };

	limits.public_max = 3;
	health_open(&p, &limits, &health);
	for (int i = 0; i < 3; i++)
		watch_call(&p);
	assert_int_equal(p.closed, 0);
	watch_call(&p);
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	assert_non_null(strstr(p.status.text, "gives way"));
	assert_int_equal(p.closed, 1);
	pair_call_once(&p); /* other calls are not touched */
	pair_close(&p);
	rpc_health_free(health);
}

static void a_public_stream_has_an_end(void **state)
{
	struct rpc_limits limits = rpc_limits_default();
	struct rpc_health *health;
	struct pair p = { 0 };

	limits.public_ms = 50;
	health_open(&p, &limits, &health);
	watch_call(&p);
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	assert_non_null(strstr(p.status.text, "ask again"));
	pair_close(&p);
	rpc_health_free(health);
}

static void on_later(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

/* A client whose watch of its backend ended would take it for down. */
static void that_of_somebody_known_has_none(void **state)
{
	struct rpc_tls *server = tls_pair_server(tls_pair_cert);
	struct rpc_tls *client = tls_pair_client(&(struct rpc_tls_config){
		.ca = tls_pair_cert, .cert = tls_pair_cert, .key = tls_pair_key });
	struct rpc_limits limits = rpc_limits_default();
	struct rpc_health *health;
	struct pair p = { 0 };
	uv_timer_t timer;
	bool is_later = false;
	struct err e;

	limits.public_ms = 50;
	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service,
					    .limits = &limits,
					    .server_tls = server,
					    .client_tls = client });
	assert_ok(rpc_health_new(p.server, &health, &e), e);
	watch_call(&p);
	assert_int_equal(p.messages, 1);
	uv_timer_init(&p.loop, &timer);
	timer.data = &is_later;
	uv_timer_start(&timer, on_later, 4 * limits.public_ms, 0);
	pair_until(&p, is_later);
	assert_int_equal(p.closed, 0);
	uv_close((uv_handle_t *)&timer, NULL);
	pair_close(&p);
	rpc_health_free(health);
	rpc_tls_free(server);
	rpc_tls_free(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_give_way_oldest_first),
		cmocka_unit_test(an_address_pushes_out_its_own),
		cmocka_unit_test(who_is_served_gives_way_to_nobody),
		cmocka_unit_test(who_was_served_and_is_quiet_gives_way),
		cmocka_unit_test(those_who_stall_in_one_stage_leave_room_in_the_other),
		cmocka_unit_test(a_public_stream_gives_way_to_a_newer_one),
		cmocka_unit_test(a_public_stream_has_an_end),
		cmocka_unit_test(that_of_somebody_known_has_none),
		cmocka_unit_test(a_certificate_keeps_a_quarter_of_the_places),
	};

	return cmocka_run_group_tests(tests, tls_pair_enter, tls_pair_leave);
}
