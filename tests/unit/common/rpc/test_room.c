/* SPDX-License-Identifier: Apache-2.0 */
/* Which connections and public streams give way to newer ones, and which never do. */
#include "common/base/file.h"
#include "common/rpc/health.h"
#include "common/rpc/server_state.h"
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
	assert_int_equal(p.server->conn_count, 5);
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
	assert_int_equal(p.server->conn_count, 4);
	for (unsigned i = 0; i < 6; i++)
		close(silent[i]);
	for (unsigned i = 0; i < 4; i++)
		rpc_channel_free(channels[i]);
	pair_close(&p);
}

/* ---- one certificate ---- */

/* A connection of a holder, and its call that has proven. */
struct seat {
	struct rpc_channel *channel;
	struct rpc_stream *stream;
	bool is_over;
	enum err_code code;
};

/* Two holders of a certificate each at one server. */
struct holders {
	struct pair p;
	struct rpc_tls *server, *tls[2];
	struct seat seats[8];
	unsigned count;
};

static void on_seat_bytes(struct rpc_stream *stream, uint8_t *bytes, size_t len)
{
	free(bytes);
}

static void on_seat_closed(struct rpc_stream *stream, const struct err *status)
{
	struct seat *seat = rpc_stream_user(stream);

	seat->is_over = true;
	seat->code = status->code;
}

static const struct rpc_stream_events seat_events = { .bytes = on_seat_bytes,
						      .closed = on_seat_closed };

static void holders_open(struct holders *h, unsigned places)
{
	struct rpc_limits limits = rpc_limits_default();
	CLEANUP(free) char *cert = NULL, *key = NULL, *both = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = NULL;
	CLEANUP(X509_free) X509 *x509 = NULL;
	struct err e;

	*h = (struct holders){ .count = 0 };
	limits.connections_max = places;
	limits.quiet_ms = UINT32_MAX;
	assert_ok(key_generate(KEY_ECDSA, &pkey, &e), e);
	assert_ok(key_to_private_pem(pkey, &key, &e), e);
	x509 = self_signed(pkey, "other", NULL, 0);
	assert_non_null(cert = self_signed_pem(x509));
	assert_ok(text_format(&both, &e, "%s%s", tls_pair_cert, cert), e);
	h->server = tls_pair_server(both);
	h->tls[0] = tls_pair_client(&(struct rpc_tls_config){
		.ca = tls_pair_cert, .cert = tls_pair_cert, .key = tls_pair_key });
	h->tls[1] = tls_pair_client(
		&(struct rpc_tls_config){ .ca = tls_pair_cert, .cert = cert, .key = key });
	pair_open(&h->p, &(struct pair_setup){ .service = &proving_service,
					       .limits = &limits,
					       .server_tls = h->server,
					       .client_tls = h->tls[0] });
}

static void holders_close(struct holders *h)
{
	for (unsigned i = 0; i < h->count; i++)
		rpc_channel_free(h->seats[i].channel);
	pair_close(&h->p);
	rpc_tls_free(h->tls[0]);
	rpc_tls_free(h->tls[1]);
	rpc_tls_free(h->server);
}

/* One more connection, and its call has been taken. */
static struct seat *sit(struct holders *h, unsigned holder)
{
	const struct rpc_channel_config config = { .target = h->p.target, .tls = h->tls[holder] };
	struct seat *seat = &h->seats[h->count++];
	struct rpc_stream_options options = { .user = seat };
	struct err e;

	assert_ok(rpc_channel_new(&h->p.loop, &config, &seat->channel, &e), e);
	assert_ok(rpc_stream_open(seat->channel, &pair_input_call, &seat_events, &options,
				  &seat->stream, &e),
		  e);
	pair_until(&h->p, h->p.started == h->count || seat->is_over);
	assert_false(seat->is_over);
	return seat;
}

static void end_seat(struct holders *h, struct seat *seat)
{
	rpc_stream_half_close(seat->stream);
	pair_until(&h->p, seat->is_over);
	assert_int_equal(seat->code, ERR_OK);
}

static unsigned seats_over(const struct holders *h)
{
	unsigned over = 0;

	for (unsigned i = 0; i < h->count; i++)
		over += h->seats[i].is_over;
	return over;
}

/* Four connections of one holder, then so many of another one: `gone` of their calls have to end. */
static void of_two_holders(unsigned others, unsigned places, unsigned gone)
{
	struct holders h;

	holders_open(&h, places);
	for (unsigned i = 0; i < 4 + others; i++)
		sit(&h, i >= 4);
	pair_until(&h.p, seats_over(&h) >= gone);
	assert_int_equal(seats_over(&h), gone);
	assert_int_equal(h.p.server->conn_count, 4 + others - gone);
	holders_close(&h);
}

static void a_certificate_keeps_a_quarter_of_the_places(void **state)
{
	of_two_holders(4, 8, 0); /* there is room for all */
	of_two_holders(1, 4, 1); /* a share of one: three are beyond it */
	of_two_holders(3, 4, 3); /* of which each gives way to others, */
	of_two_holders(2, 5, 1);
	of_two_holders(4, 7, 1); /* and so do the other's own */
}

/* A share of one: three of four that have become quiet are beyond it, however short their calls were. */
static void quiet_ones_are_in_the_quarter(void **state)
{
	struct holders h;

	holders_open(&h, 4);
	for (unsigned i = 0; i < 4; i++)
		end_seat(&h, sit(&h, 0));
	for (unsigned i = 1; i < 4; i++) {
		sit(&h, 1);
		pair_until(&h.p, !rpc_channel_is_ready(h.seats[i].channel));
	}
	assert_true(rpc_channel_is_ready(h.seats[0].channel));
	assert_int_equal(seats_over(&h), 4);
	holders_close(&h);
}

/* The oldest beyond the share is in it as soon as another ends. */
static void who_was_beyond_takes_the_place_of_one_that_ends(void **state)
{
	struct seat *first, *second, *other;
	struct holders h;

	holders_open(&h, 4);
	first = sit(&h, 0);
	second = sit(&h, 0);
	rpc_channel_free(TAKE_PTR(first->channel));
	pair_until(&h.p, h.p.server->conn_count == 1);
	sit(&h, 1);
	other = sit(&h, 1);
	sit(&h, 1);
	sit(&h, 1); /* one of those beyond gives way */
	pair_until(&h.p, other->is_over || second->is_over);
	assert_true(other->is_over);
	end_seat(&h, second);
	holders_close(&h);
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
		cmocka_unit_test(quiet_ones_are_in_the_quarter),
		cmocka_unit_test(who_was_beyond_takes_the_place_of_one_that_ends),
	};

	return cmocka_run_group_tests(tests, tls_pair_enter, tls_pair_leave);
}
