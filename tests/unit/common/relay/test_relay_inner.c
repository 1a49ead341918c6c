/* SPDX-License-Identifier: Apache-2.0 */
/* Who comes to the instance that serves: instances, whom it refuses by name, and strangers, who get nothing. */
#include "common/relay/relay_answer.h"
#include "tests/unit.h"
#include "tests/unit/common/relay/relay_room.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static struct relay_header spoofed(void)
{
	struct relay_header h = { .door = RELAY_AGENTS };

	strcpy(h.instance, "b");
	h.from.v4.sin_family = AF_INET;
	inet_pton(AF_INET, "203.0.113.9", &h.from.v4.sin_addr);
	return h;
}

static int answer_of(struct relay_room *r, SSL *ssl)
{
	uint8_t byte;
	size_t n;

	for (;;) {
		if (SSL_read_ex(ssl, &byte, 1, &n) == 1)
			return byte;
		if (SSL_get_error(ssl, 0) != SSL_ERROR_WANT_READ)
			return -1;
		relay_room_turn(r);
	}
}

/* What is answered to `bytes` behind a handshake by the secret. */
static int answer_to(struct relay_room *r, const void *bytes, size_t len)
{
	CLEANUP(relay_tls_free) struct relay_tls *tls = NULL;
	const int fd = relay_room_call_inner(r);
	struct err e;
	size_t n;
	SSL *ssl;
	int answer;

	assert_ok(relay_tls_new(r->secret, RELAY_ROOM_FENCE, false, &tls, &e), e);
	ssl = relay_room_shake_hands(r, tls, fd);
	assert_non_null(ssl);
	assert_int_equal(SSL_write_ex(ssl, bytes, len, &n), 1);
	if (len < RELAY_HEADER_LEN)
		SSL_shutdown(ssl);
	answer = answer_of(r, ssl);
	SSL_free(ssl);
	close(fd);
	return answer;
}

static void an_instance_is_believed(void **state)
{
	uint8_t bytes[RELAY_HEADER_LEN];
	const struct relay_header h = spoofed();
	struct relay_room r;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	relay_header_write(&h, bytes);
	assert_int_equal(answer_to(&r, bytes, sizeof(bytes)), RELAY_TAKEN);
	assert_int_equal(r.taken_count, 1);
	assert_string_equal(r.origins[0].name, "203.0.113.9:0");
	relay_room_close(&r);
}

static void a_bad_header_is_refused_by_name(void **state)
{
	uint8_t bytes[RELAY_HEADER_LEN];
	const struct relay_header h = spoofed();
	struct relay_room r;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	relay_header_write(&h, bytes);
	bytes[7] = 1;
	assert_int_equal(answer_to(&r, bytes, sizeof(bytes)), RELAY_BAD_HEADER);
	/* Half of one, and nothing behind it. */
	relay_header_write(&h, bytes);
	for (size_t len = 1; len < sizeof(bytes); len += 7)
		assert_int_equal(answer_to(&r, bytes, len), -1);
	assert_int_equal(answer_to(&r, bytes, sizeof(bytes) - 1), -1);
	assert_int_equal(r.taken_count, 0);
	RELAY_ROOM_UNTIL(&r, relay_inner_stats(r.inner).now == 0);
	relay_room_close(&r);
}

static void what_it_has_not_is_refused_by_name(void **state)
{
	static const struct {
		enum err_code refuses;
		enum relay_answer answer;
	} rows[] = {
		{ ERR_NOT_FOUND, RELAY_NO_DOOR },
		{ ERR_EXHAUSTED, RELAY_FULL },
		{ ERR_UNAVAILABLE, RELAY_SERVES_NO_MORE },
	};
	uint8_t bytes[RELAY_HEADER_LEN];
	const struct relay_header h = spoofed();
	struct relay_room r;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	relay_header_write(&h, bytes);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		r.refuses = rows[i].refuses;
		assert_int_equal(answer_to(&r, bytes, sizeof(bytes)), rows[i].answer);
	}
	r.refuses = ERR_OK;
	relay_inner_stop(r.inner);
	assert_int_equal(answer_to(&r, bytes, sizeof(bytes)), RELAY_SERVES_NO_MORE);
	assert_int_equal(r.taken_count, 0);
	assert_int_equal(relay_inner_stats(r.inner).refused, ARRAY_LEN(rows) + 1);
	relay_room_close(&r);
}

/* A connection that another instance says to be from 203.0.113.9; taken. */
static SSL *come_from_elsewhere(struct relay_room *r, struct relay_tls *tls, int fd)
{
	const struct relay_header h = spoofed();
	uint8_t bytes[RELAY_HEADER_LEN];
	SSL *ssl = relay_room_shake_hands(r, tls, fd);
	size_t n;

	assert_non_null(ssl);
	relay_header_write(&h, bytes);
	assert_int_equal(SSL_write_ex(ssl, bytes, sizeof(bytes), &n), 1);
	assert_int_equal(answer_of(r, ssl), RELAY_TAKEN);
	return ssl;
}

/* Who holds many places, through whichever instance, loses his own, and nobody is refused for them. */
static void full_places_are_those_of_who_has_most(void **state)
{
	CLEANUP(relay_tls_free) struct relay_tls *tls = NULL;
	struct relay_room r;
	int client[2], server[2], fd[3];
	SSL *ssl[3];
	struct err e;
	char byte;

	relay_room_open(&r, RELAY_ROOM_MOST, 6); /* three may be there */
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	assert_ok(relay_tls_new(r.secret, RELAY_ROOM_FENCE, false, &tls, &e), e);
	client[0] = relay_room_through(&r, &server[0]);
	for (int i = 0; i < 3; i++) {
		fd[i] = relay_room_call_inner(&r);
		ssl[i] = come_from_elsewhere(&r, tls, fd[i]);
	}
	client[1] = relay_room_through(&r, &server[1]);
	assert_int_equal(relay_inner_stats(r.inner).now, 3);
	assert_int_equal(answer_of(&r, ssl[0]), -1);
	assert_int_equal(answer_of(&r, ssl[1]), -1);
	assert_true(relay_room_is_open(&r, fd[2]));
	for (int i = 0; i < 2; i++) {
		relay_room_write(&r, client[i], "?", 1);
		assert_int_equal(relay_room_read(&r, server[i], &byte, 1), 1);
		close(client[i]);
	}
	for (int i = 0; i < 3; i++) {
		SSL_free(ssl[i]);
		close(fd[i]);
	}
	relay_room_close(&r);
}

/* Each ends without a byte that says more than that this is TLS. */
static void strangers_get_nothing(void **state)
{
	const struct relay_header h = spoofed();
	uint8_t header[RELAY_HEADER_LEN];
	const struct {
		const void *bytes;
		size_t len;
	} rows[] = {
		{ header, sizeof(header) },
		{ "PROXY TCP4 203.0.113.9 127.0.0.1 1 1\r\n", 38 },
		{ "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16 },
		{ "GET / HTTP/1.1\r\n\r\n", 18 },
		{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24 },
	};
	struct relay_room r;
	uint8_t said[64];

	relay_header_write(&h, header);
	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const int fd = relay_room_call_inner(&r);
		size_t len = 0;
		ssize_t n;

		relay_room_write(&r, fd, rows[i].bytes, rows[i].len);
		while ((n = relay_room_read(&r, fd, said + len, sizeof(said) - len)) > 0)
			len += (size_t)n;
		assert_true(len <= 7); /* an alert of TLS */
		close(fd);
	}
	assert_int_equal(r.taken_count, 0);
	assert_int_equal(relay_inner_stats(r.inner).refused, ARRAY_LEN(rows));
	relay_room_close(&r);
}

static void another_secret_or_lease_is_no_proof(void **state)
{
	struct relay_room r;
	uint8_t secret[RELAY_SECRET_LEN];
	struct err e;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	memcpy(secret, r.secret, sizeof(secret));
	for (int i = 0; i < 3; i++) {
		CLEANUP(relay_tls_free) struct relay_tls *tls = NULL;
		const int fd = relay_room_call_inner(&r);

		secret[RELAY_SECRET_LEN - 1] = i == 0 ? 'x' : 's';
		assert_ok(relay_tls_new(secret, RELAY_ROOM_FENCE + (i == 1) - (i == 2), false, &tls,
					&e),
			  e);
		assert_null(relay_room_shake_hands(&r, tls, fd));
		close(fd);
	}
	RELAY_ROOM_UNTIL(&r, relay_inner_stats(r.inner).refused == 3);
	assert_int_equal(r.taken_count, 0);
	relay_room_close(&r);
}

/* Somebody at the address of the one that serves, who has not its secret, is told nothing of the client. */
static void a_false_instance_hears_nothing(void **state)
{
	struct relay_room r;
	char byte;
	int client;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	r.secret[0] = 'x'; /* what the front is told now, the inner one does not know */
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	client = relay_room_call(&r);
	relay_room_write(&r, client, "secret", 6);
	assert_true(relay_room_read(&r, client, &byte, 1) <= 0);
	assert_int_equal(relay_front_stats(r.front).out_bytes, 0);
	assert_int_equal(relay_front_stats(r.front).refused, 1);
	close(client);
	relay_room_close(&r);
}

static void strangers_who_stall_give_way(void **state)
{
	struct relay_room r;
	int stranger[3], server, client;
	char byte;

	relay_room_open(&r, RELAY_ROOM_MOST, 4); /* two handshakes at a time */
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	for (int i = 0; i < 3; i++) {
		stranger[i] = relay_room_call_inner(&r);
		relay_room_turn(&r);
	}
	assert_true(relay_room_read(&r, stranger[0], &byte, 1) <= 0);
	client = relay_room_through(&r, &server);
	for (int i = 0; i < 3; i++)
		close(stranger[i]);
	close(client);
	relay_room_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_instance_is_believed),
		cmocka_unit_test(a_bad_header_is_refused_by_name),
		cmocka_unit_test(what_it_has_not_is_refused_by_name),
		cmocka_unit_test(full_places_are_those_of_who_has_most),
		cmocka_unit_test(strangers_get_nothing),
		cmocka_unit_test(another_secret_or_lease_is_no_proof),
		cmocka_unit_test(a_false_instance_hears_nothing),
		cmocka_unit_test(strangers_who_stall_give_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
