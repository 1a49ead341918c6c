/* SPDX-License-Identifier: Apache-2.0 */
/* How long what is passed on may take, by a clock that the tests move; and who is let go sooner, for nobody is there any more. */
#include "tests/unit.h"
#include "tests/unit/common/relay/relay_room.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 60001 };

/* Open for as long as it may be, and then no more. It may begin a little later than here: the kernel brings things in its own
 * time. */
static void assert_ends_after(struct relay_room *r, int fd, unsigned ms)
{
	relay_room_pass(r, ms);
	assert_true(relay_room_is_open(r, fd));
	RELAY_ROOM_SOON_UNTIL(r, !relay_room_is_open(r, fd));
}

static void open_room(struct relay_room *r)
{
	relay_room_open(r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	relay_room_lead(r, RELAY_ROOM_FENCE);
}

/* ---- before it is passed on ---- */

static void who_says_nothing_ends(void **state)
{
	struct relay_room r;
	int client;

	open_room(&r);
	client = relay_room_call(&r);
	assert_ends_after(&r, client, RELAY_SILENT_MS);
	assert_int_equal(relay_front_stats(r.front).refused, 1);
	close(client);
	relay_room_close(&r);
}

static void who_waits_for_an_instance_ends(void **state)
{
	struct relay_room r;
	int client;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	client = relay_room_call(&r);
	relay_room_write(&r, client, "!", 1);
	assert_ends_after(&r, client, RELAY_WAIT_MS);
	close(client);
	relay_room_close(&r);
}

/* A socket that takes connections, and says nothing. */
static int listen_mutely(char address[32])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	snprintf(address, 32, "127.0.0.1:%u", ntohs(a.sin_port));
	return fd;
}

static void an_instance_that_does_not_shake_hands_is_given_up(void **state)
{
	struct relay_room r;
	char address[32];
	const int mute = listen_mutely(address);
	const struct relay_lead lead = { "a", address, RELAY_ROOM_FENCE, { 0 } };
	struct err e;
	int client;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	assert_ok(relay_front_lead(r.front, &lead, &e), e);
	client = relay_room_call(&r);
	relay_room_write(&r, client, "!", 1);
	assert_ends_after(&r, client, RELAY_CONNECT_MS);
	close(client);
	close(mute);
	relay_room_close(&r);
}

/* What is logged goes to a file meanwhile. */
static int log_to_file(FILE *file)
{
	const int before = dup(STDERR_FILENO);

	assert_true(before >= 0);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	return before;
}

/* A machine whose answer takes its time: a refusal that comes later is told as one, and not as a wrong secret. */
static void a_refusal_that_comes_late_is_told(void **state)
{
	CLEANUP(free) char *text = calloc(1, 4096);
	FILE *file = tmpfile();
	struct relay_room r;
	char address[32];
	const int busy = listen_mutely(address);
	const struct relay_lead lead = { "a", address, RELAY_ROOM_FENCE, { 0 } };
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int client, filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err e;

	/* One finds room; who comes then is asked to try again, in a second. */
	assert_int_equal(listen(busy, 0), 0);
	assert_int_equal(getsockname(busy, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(connect(filler, (struct sockaddr *)&a, len), 0);
	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	assert_ok(relay_front_lead(r.front, &lead, &e), e);
	client = relay_room_call(&r);
	relay_room_write(&r, client, "!", 1);
	assert_true(relay_room_is_open(&r, client));
	const int before = log_to_file(file);

	close(busy);
	assert_true(relay_room_read(&r, client, &(char){ 0 }, 1) <= 0);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	close(before);
	rewind(file);
	assert_true(fread(text, 1, 4095, file) > 0);
	assert_non_null(strstr(text, "Connection refused"));
	fclose(file);
	close(filler);
	close(client);
	relay_room_close(&r);
}

static void strangers_do_not_stay(void **state)
{
	struct relay_room r;
	int stranger;

	open_room(&r);
	stranger = relay_room_call_inner(&r);
	assert_ends_after(&r, stranger, RELAY_CONNECT_MS);
	close(stranger);
	relay_room_close(&r);
}

/* Of an instance that has proven to be one: no header; one that is refused, and no end behind it. */
static void an_instance_that_stalls_ends(void **state)
{
	static const struct {
		size_t len;
		unsigned ms;
	} rows[] = {
		{ 0, RELAY_HEADER_MS },
		{ RELAY_HEADER_LEN - 1, RELAY_HEADER_MS },
		{ RELAY_HEADER_LEN, RELAY_LINGER_MS },
	};
	const uint8_t bad[RELAY_HEADER_LEN] = { 0 };
	struct relay_room r;

	open_room(&r);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(relay_tls_free) struct relay_tls *tls = NULL;
		const int fd = relay_room_call_inner(&r);
		char answer[64];
		struct err e;
		size_t n;
		SSL *ssl;

		assert_ok(relay_tls_new(r.secret, RELAY_ROOM_FENCE, false, &tls, &e), e);
		ssl = relay_room_shake_hands(&r, tls, fd);
		assert_non_null(ssl);
		if (rows[i].len) {
			assert_int_equal(SSL_write_ex(ssl, bad, rows[i].len, &n), 1);
			if (rows[i].len == RELAY_HEADER_LEN) /* the answer, and its end */
				assert_int_equal(relay_room_read(&r, fd, answer, sizeof(answer)),
						 47);
		}
		assert_ends_after(&r, fd, rows[i].ms);
		SSL_free(ssl);
		close(fd);
	}
	assert_int_equal(r.taken_count, 0);
	relay_room_close(&r);
}

/* ---- afterwards ---- */

static void who_is_quiet_for_too_long_ends(void **state)
{
	struct relay_room r;
	int server, client;

	open_room(&r);
	client = relay_room_through(&r, &server);
	relay_room_pass(&r, RELAY_IDLE_MS / 2);
	relay_room_write(&r, server, "?", 1);
	assert_int_equal(relay_room_read(&r, client, &(char){ 0 }, 1), 1);
	assert_ends_after(&r, client, RELAY_IDLE_MS);
	close(client);
	relay_room_close(&r);
}

static void half_a_connection_ends_sooner(void **state)
{
	struct relay_room r;
	int server, client;

	open_room(&r);
	client = relay_room_through(&r, &server);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	assert_int_equal(relay_room_read(&r, server, &(char){ 0 }, 1), 0);
	relay_room_pass(&r, RELAY_HALF_MS / 2);
	relay_room_write(&r, server, "?", 1);
	assert_int_equal(relay_room_read(&r, client, &(char){ 0 }, 1), 1);
	assert_ends_after(&r, client, RELAY_HALF_MS);
	close(client);
	relay_room_close(&r);
}

/* Until nothing goes in any more. */
static void stuff(struct relay_room *r, int fd)
{
	static const char bytes[PIECE];

	for (unsigned quiet = 0; quiet < 20; quiet++) {
		while (write(fd, bytes, PIECE) > 0)
			quiet = 0;
		relay_room_pass(r, 0);
	}
}

/* Nor does it help that the other direction moves. */
static void who_takes_nothing_ends(void **state)
{
	for (int speaks = 0; speaks < 2; speaks++) {
		struct relay_room r;
		int server, client;

		open_room(&r);
		client = relay_room_through(&r, &server);
		stuff(&r, server);
		relay_room_pass(&r, RELAY_STALL_MS / 2);
		assert_int_equal(relay_front_stats(r.front).now, 1);
		/* More than once: what it says may bring the kernel to take a little more. */
		for (int i = 0; i < 10 && relay_front_stats(r.front).now; i++) {
			if (speaks)
				relay_room_write(&r, client, "?", 1);
			relay_room_pass(&r, RELAY_STALL_MS / 2 + RELAY_ROOM_STEP_MS);
		}
		assert_int_equal(relay_front_stats(r.front).now, 0);
		assert_int_equal(relay_front_stats(r.front).failed, 1);
		close(client);
		relay_room_close(&r);
	}
}

/* The server has closed; its caller says nothing more, and does not close. Neither instance keeps a place for that. */
static void who_is_served_no_more_ends(void **state)
{
	struct relay_room r;
	int server, client;

	open_room(&r);
	client = relay_room_through(&r, &server);
	close(server);
	r.taken[0] = -1;
	assert_int_equal(relay_room_read(&r, client, &(char){ 0 }, 1), 0);
	RELAY_ROOM_SOON_UNTIL(&r, relay_inner_stats(r.inner).now == 0 &&
					  relay_front_stats(r.front).now == 0);
	assert_int_equal(relay_front_stats(r.front).failed, 0);
	assert_int_equal(relay_inner_stats(r.inner).failed, 0);
	close(client);
	relay_room_close(&r);
}

/* Nor by saying a little more, which nobody hears. */
static void who_goes_on_to_speak_ends_too(void **state)
{
	struct relay_room r;
	int server, client;

	open_room(&r);
	client = relay_room_through(&r, &server);
	close(server);
	r.taken[0] = -1;
	for (int i = 0; i < 2 * RELAY_ROOM_SOON &&
			(relay_inner_stats(r.inner).now || relay_front_stats(r.front).now);
	     i++) {
		(void)!send(client, "?", 1, MSG_NOSIGNAL);
		relay_room_pass(&r, RELAY_ROOM_STEP_MS);
	}
	assert_int_equal(relay_inner_stats(r.inner).now, 0);
	assert_int_equal(relay_front_stats(r.front).now, 0);
	close(client);
	relay_room_close(&r);
}

/* An end that finds its socket full is said when there is room again. */
static void an_end_waits_for_room(void **state)
{
	struct relay_room r;
	char bytes[8];
	int server, client;

	open_room(&r);
	client = relay_room_through(&r, &server);
	relay_room_hold_ends(3);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	RELAY_ROOM_SOON_UNTIL(&r, !relay_room_is_open(&r, server));
	assert_int_equal(recv(server, bytes, sizeof(bytes), 0), 0);
	relay_room_write(&r, server, "answer", 6);
	assert_int_equal(relay_room_read(&r, client, bytes, sizeof(bytes)), 6);
	close(client);
	relay_room_close(&r);
}

/* An instance that ends gives those whom it serves a moment. */
static void an_instance_that_ends_waits_for_a_moment(void **state)
{
	struct relay_room r;
	int server, client;

	open_room(&r);
	client = relay_room_through(&r, &server);
	relay_inner_close(r.inner);
	r.inner = NULL;
	relay_room_pass(&r, RELAY_DRAIN_MS - 1);
	assert_true(relay_room_is_open(&r, client));
	RELAY_ROOM_SOON_UNTIL(&r, !relay_room_is_open(&r, client));
	close(client);
	relay_room_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_says_nothing_ends),
		cmocka_unit_test(who_waits_for_an_instance_ends),
		cmocka_unit_test(an_instance_that_does_not_shake_hands_is_given_up),
		cmocka_unit_test(a_refusal_that_comes_late_is_told),
		cmocka_unit_test(strangers_do_not_stay),
		cmocka_unit_test(an_instance_that_stalls_ends),
		cmocka_unit_test(who_is_quiet_for_too_long_ends),
		cmocka_unit_test(half_a_connection_ends_sooner),
		cmocka_unit_test(who_takes_nothing_ends),
		cmocka_unit_test(who_is_served_no_more_ends),
		cmocka_unit_test(who_goes_on_to_speak_ends_too),
		cmocka_unit_test(an_end_waits_for_room),
		cmocka_unit_test(an_instance_that_ends_waits_for_a_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
