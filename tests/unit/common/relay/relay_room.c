/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/common/relay/relay_room.h"

#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	TURNS = 40,        /* until what is under way has come */
	TLS_END_LEN = 24,  /* close_notify of TLS 1.3: header, two bytes, type, tag */
	TLS_APP_DATA = 23, /* what every record of it looks like */
};

/* ---- what libuv and OpenSSL ask the system for ---- */

static int64_t passed_ms;
static unsigned ends_held;

/* In place of the C library's, for other libraries to see, too. */
#define SHOWN __attribute__((visibility("default")))

SHOWN int clock_gettime(clockid_t clock, struct timespec *t);
SHOWN ssize_t write(int fd, const void *bytes, size_t len);

/* Monotonic clocks stand still. */
int clock_gettime(clockid_t clock, struct timespec *t)
{
	if (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE)
		return (int)syscall(SYS_clock_gettime, clock, t);
	t->tv_sec = 1000 + passed_ms / 1000;
	t->tv_nsec = passed_ms % 1000 * 1000000;
	return 0;
}

/* A socket may be full. */
ssize_t write(int fd, const void *bytes, size_t len)
{
	if (ends_held && len == TLS_END_LEN && *(const uint8_t *)bytes == TLS_APP_DATA) {
		ends_held--;
		errno = EAGAIN;
		return -1;
	}
	return (ssize_t)syscall(SYS_write, fd, bytes, len);
}

void relay_room_hold_ends(unsigned count)
{
	ends_held = count;
}

/* ---- the room ---- */

/* One that nobody has, and nobody else gets: the socket has it, and lets those listen there who are told it. */
static unsigned hold_port(int *held)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);

	*held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*held, (struct sockaddr *)&a, len), 0);
	assert_int_equal(getsockname(*held, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(setsockopt(*held, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)), 0);
	return ntohs(a.sin_port);
}

static int take(void *data, enum relay_door door, int fd, const struct rpc_origin *origin,
		struct err *e)
{
	struct relay_room *r = data;

	if (r->refuses != ERR_OK) {
		close(fd);
		return err_set(e, r->refuses, "not now");
	}
	assert_true(r->taken_count < RELAY_ROOM_TAKEN);
	r->doors[r->taken_count] = door;
	r->origins[r->taken_count] = *origin;
	r->taken[r->taken_count++] = fd;
	return 0;
}

void relay_room_open(struct relay_room *r, unsigned front_most, unsigned inner_most)
{
	char address[32];
	struct err e;

	signal(SIGPIPE, SIG_IGN);
	*r = (struct relay_room){ .refuses = ERR_OK };
	assert_int_equal(uv_loop_init(&r->loop), 0);
	memset(r->secret, 's', sizeof(r->secret));
	r->front_port = hold_port(&r->held[0]);
	r->inner_port = hold_port(&r->held[1]);
	snprintf(address, sizeof(address), "127.0.0.1:%u", r->front_port);
	snprintf(r->inner_address, sizeof(r->inner_address), "127.0.0.1:%u", r->inner_port);
	assert_ok(relay_front_new(&(struct relay_front_config){ &r->loop, "b", front_most },
				  &r->front, &e),
		  e);
	assert_ok(relay_front_listen(r->front, RELAY_AGENTS, address, NULL, &e), e);
	assert_ok(relay_inner_new(&(struct relay_inner_config){ .loop = &r->loop,
								.address = r->inner_address,
								.fence = RELAY_ROOM_FENCE,
								.secret = r->secret,
								.most = inner_most,
								.take = take,
								.data = r },
				  &r->inner, &e),
		  e);
}

void relay_room_close(struct relay_room *r)
{
	relay_front_close(r->front);
	relay_inner_close(r->inner);
	for (size_t i = 0; i < r->taken_count; i++)
		if (r->taken[i] >= 0)
			close(r->taken[i]);
	while (uv_loop_alive(&r->loop))
		relay_room_pass(r, RELAY_DRAIN_MS);
	assert_int_equal(uv_loop_close(&r->loop), 0);
	close(r->held[0]);
	close(r->held[1]);
}

void relay_room_lead(struct relay_room *r, int64_t fence)
{
	struct relay_lead lead = { "a", r->inner_address, fence, { 0 } };
	struct err e;

	memcpy(lead.secret, r->secret, sizeof(lead.secret));
	assert_ok(relay_front_lead(r->front, &lead, &e), e);
	assert_string_equal(relay_front_holder(r->front), "a");
}

void relay_room_turn(struct relay_room *r)
{
	uv_run(&r->loop, UV_RUN_NOWAIT);
	sched_yield();
}

static void turn_often(struct relay_room *r)
{
	for (unsigned i = 0; i < TURNS; i++)
		relay_room_turn(r);
}

void relay_room_pass(struct relay_room *r, unsigned ms)
{
	turn_often(r);
	passed_ms += ms;
	usleep(1000); /* for the kernel, which brings what was sent in its own time */
	turn_often(r);
}

static int call(unsigned port)
{
	const struct sockaddr_in a = { .sin_family = AF_INET,
				       .sin_addr = { htonl(INADDR_LOOPBACK) },
				       .sin_port = htons((uint16_t)port) };
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)), 0);
	return fd;
}

int relay_room_call(struct relay_room *r)
{
	return call(r->front_port);
}

int relay_room_call_inner(struct relay_room *r)
{
	return call(r->inner_port);
}

ssize_t relay_room_read(struct relay_room *r, int fd, void *bytes, size_t len)
{
	for (;;) {
		const ssize_t n = read(fd, bytes, len);

		if (n >= 0 || errno != EAGAIN)
			return n;
		relay_room_turn(r);
	}
}

void relay_room_write(struct relay_room *r, int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		const ssize_t n = write(fd, at, len);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			relay_room_turn(r);
			continue;
		}
		at += n;
		len -= (size_t)n;
	}
}

bool relay_room_is_open(struct relay_room *r, int fd)
{
	char byte;

	turn_often(r);
	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

SSL *relay_room_shake_hands(struct relay_room *r, struct relay_tls *tls, int fd)
{
	struct err e;
	SSL *ssl = relay_tls_open(tls, fd, &e);

	assert_non_null(ssl);
	for (;;) {
		const int n = SSL_do_handshake(ssl);

		if (n == 1 && relay_tls_is_proven(ssl))
			return ssl;
		if (n == 1 || (SSL_get_error(ssl, n) != SSL_ERROR_WANT_READ &&
			       SSL_get_error(ssl, n) != SSL_ERROR_WANT_WRITE)) {
			SSL_free(ssl);
			return NULL;
		}
		relay_room_turn(r);
	}
}

int relay_room_through(struct relay_room *r, int *server)
{
	const size_t before = r->taken_count;
	const int fd = relay_room_call(r);
	char byte;

	relay_room_write(r, fd, "!", 1);
	RELAY_ROOM_UNTIL(r, r->taken_count > before);
	*server = r->taken[before];
	assert_int_equal(relay_room_read(r, *server, &byte, 1), 1);
	assert_int_equal(byte, '!');
	return fd;
}
