/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on their way through two instances: whole, both ways, as fast as the slower side, to each end; and who gives way. */
#include "tests/unit.h"
#include "tests/unit/common/relay/relay_room.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MANY = 4 << 20, PIECE = 60001 };

/* What is there at each place. */
static uint8_t at(size_t place)
{
	return (uint8_t)(place * 31 + place / 251);
}

static void fill(uint8_t *bytes, size_t from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = at(from + i);
}

static void assert_filled(const uint8_t *bytes, size_t from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], at(from + i));
}

/* Each as much as its socket takes. */
static void move(struct relay_room *r, int from, int to, size_t total)
{
	static uint8_t bytes[PIECE];
	size_t said = 0, heard = 0;

	while (heard < total) {
		const size_t want = total - said < PIECE ? total - said : PIECE;
		ssize_t n = 0;

		fill(bytes, said, want);
		if (want && (n = write(from, bytes, want)) > 0)
			said += (size_t)n;
		relay_room_turn(r);
		n = read(to, bytes, PIECE);
		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			continue;
		}
		assert_true(n > 0);
		assert_filled(bytes, heard, (size_t)n);
		heard += (size_t)n;
	}
}

static void bytes_go_both_ways(void **state)
{
	struct relay_room r;
	int server, client;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	client = relay_room_through(&r, &server);
	move(&r, client, server, MANY);
	move(&r, server, client, MANY);
	assert_int_equal(relay_front_stats(r.front).out_bytes, MANY + 1);
	assert_int_equal(relay_front_stats(r.front).in_bytes, MANY);
	assert_int_equal(relay_inner_stats(r.inner).in_bytes, MANY + 1);
	assert_int_equal(relay_inner_stats(r.inner).out_bytes, MANY);
	assert_int_equal(relay_front_stats(r.front).now, 1);
	close(client);
	relay_room_close(&r);
}

/* Who does not read stops who writes, and what is held meanwhile is the kernel's. */
static void slow(int from_client)
{
	static uint8_t bytes[PIECE];
	struct relay_room r;
	size_t said = 0, heard = 0;
	int server, client;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	client = relay_room_through(&r, &server);
	const int from = from_client ? client : server, to = from_client ? server : client;

	for (unsigned quiet = 0; quiet < 200; quiet++) {
		ssize_t n;

		fill(bytes, said, PIECE);
		while ((n = write(from, bytes, PIECE)) > 0) {
			said += (size_t)n;
			fill(bytes, said, PIECE);
			quiet = 0;
			assert_true(said < 256 << 20);
		}
		relay_room_turn(&r);
	}
	assert_true(said > PIECE);
	while (heard < said) {
		const ssize_t n = relay_room_read(&r, to, bytes, PIECE);

		assert_true(n > 0);
		assert_filled(bytes, heard, (size_t)n);
		heard += (size_t)n;
	}
	close(client);
	relay_room_close(&r);
}

static void a_slow_server_stops_the_client(void **state)
{
	slow(1);
}

static void a_slow_client_stops_the_server(void **state)
{
	slow(0);
}

static void each_end_is_passed_on(void **state)
{
	struct relay_room r;
	char bytes[8];
	int server, client;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	client = relay_room_through(&r, &server);
	relay_room_write(&r, client, "last", 4);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	assert_int_equal(relay_room_read(&r, server, bytes, sizeof(bytes)), 4);
	assert_int_equal(relay_room_read(&r, server, bytes, sizeof(bytes)), 0);
	/* The other way is open still. */
	relay_room_write(&r, server, "answer", 6);
	assert_int_equal(relay_room_read(&r, client, bytes, sizeof(bytes)), 6);
	close(server);
	r.taken[0] = -1;
	assert_int_equal(relay_room_read(&r, client, bytes, sizeof(bytes)), 0);
	RELAY_ROOM_UNTIL(&r, relay_front_stats(r.front).now == 0 &&
				     relay_inner_stats(r.inner).now == 0);
	assert_int_equal(relay_front_stats(r.front).failed, 0);
	close(client);
	relay_room_close(&r);
}

/* Closed by the server while the client still speaks: what it said last arrives. */
static void a_last_word_arrives(void **state)
{
	struct relay_room r;
	char bytes[8];
	int server, client;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	client = relay_room_through(&r, &server);
	relay_room_write(&r, client, "unread", 6);
	relay_room_write(&r, server, "goodbye", 7);
	close(server);
	r.taken[0] = -1;
	assert_int_equal(relay_room_read(&r, client, bytes, sizeof(bytes)), 7);
	assert_memory_equal(bytes, "goodbye", 7);
	assert_int_equal(relay_room_read(&r, client, bytes, sizeof(bytes)), 0);
	close(client);
	RELAY_ROOM_UNTIL(&r, relay_front_stats(r.front).now == 0 &&
				     relay_inner_stats(r.inner).now == 0);
	relay_room_close(&r);
}

static void it_comes_from_where_the_client_is(void **state)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	struct relay_room r;
	char name[64];
	int server, client;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	client = relay_room_through(&r, &server);
	assert_int_equal(getsockname(client, (struct sockaddr *)&a, &len), 0);
	snprintf(name, sizeof(name), "127.0.0.1:%u", ntohs(a.sin_port));
	assert_string_equal(r.origins[0].name, name);
	assert_int_equal(r.doors[0], RELAY_AGENTS);
	assert_false(r.origins[0].is_unix);
	close(client);
	relay_room_close(&r);
}

static void who_comes_before_anybody_serves_waits(void **state)
{
	struct relay_room r;
	char byte;
	int client;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	assert_null(relay_front_holder(r.front));
	client = relay_room_call(&r);
	relay_room_write(&r, client, "!", 1);
	for (int i = 0; i < 20; i++)
		relay_room_turn(&r);
	assert_int_equal(r.taken_count, 0);
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	RELAY_ROOM_UNTIL(&r, r.taken_count == 1);
	assert_int_equal(relay_room_read(&r, r.taken[0], &byte, 1), 1);
	close(client);
	relay_room_close(&r);
}

static void a_silent_one_is_taken_to_nobody(void **state)
{
	struct relay_room r;
	int client;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	client = relay_room_call(&r);
	for (int i = 0; i < 20; i++)
		relay_room_turn(&r);
	assert_int_equal(r.taken_count, 0);
	assert_int_equal(relay_front_stats(r.front).total, 0);
	close(client);
	relay_room_close(&r);
}

static void another_lease_ends_what_was_passed_on(void **state)
{
	struct relay_room r;
	char byte;
	int server, client, next;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	client = relay_room_through(&r, &server);
	relay_room_lead(&r, RELAY_ROOM_FENCE); /* the same again */
	assert_int_equal(relay_front_stats(r.front).now, 1);
	relay_room_lead(&r, RELAY_ROOM_FENCE + 1);
	assert_int_equal(relay_front_stats(r.front).now, 0);
	assert_int_equal(relay_front_stats(r.front).failed, 1);
	assert_true(relay_room_read(&r, client, &byte, 1) <= 0);
	assert_true(relay_room_read(&r, server, &byte, 1) <= 0);
	/* That lease is not the one that runs: who comes by it has nothing to come with. */
	next = relay_room_call(&r);
	relay_room_write(&r, next, "!", 1);
	assert_true(relay_room_read(&r, next, &byte, 1) <= 0);
	assert_int_equal(r.taken_count, 1);
	assert_true(relay_inner_stats(r.inner).refused > 0);
	close(next);
	close(client);
	relay_room_close(&r);
}

static void nobody_to_lead_to_ends_them_too(void **state)
{
	struct relay_lead bad = { "a", "a.example:1", 1, { 0 } };
	struct relay_room r;
	struct err e;
	char byte;
	int server, client;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	client = relay_room_through(&r, &server);
	assert_refused(relay_front_lead(r.front, &bad, &e), e, ERR_INVALID, "in numbers");
	assert_null(relay_front_holder(r.front));
	assert_true(relay_room_read(&r, client, &byte, 1) <= 0);
	assert_ok(relay_front_lead(r.front, NULL, &e), e);
	close(client);
	relay_room_close(&r);
}

/* One more than the silent ones may be: the oldest goes; who was passed on stays. */
static void silent_ones_give_way_to_each_other(void **state)
{
	struct relay_room r;
	int server, client, silent[3];
	char byte;

	relay_room_open(&r, 4, RELAY_ROOM_MOST); /* two of each kind */
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	client = relay_room_through(&r, &server);
	for (int i = 0; i < 2; i++)
		silent[i] = relay_room_call(&r);
	for (int i = 0; i < 20; i++)
		relay_room_turn(&r);
	assert_int_equal(relay_front_stats(r.front).refused, 0);
	silent[2] = relay_room_call(&r);
	assert_true(relay_room_read(&r, silent[0], &byte, 1) <= 0);
	assert_int_equal(relay_front_stats(r.front).refused, 1);
	relay_room_write(&r, client, "?", 1);
	assert_int_equal(relay_room_read(&r, server, &byte, 1), 1);
	for (int i = 0; i < 3; i++)
		close(silent[i]);
	close(client);
	relay_room_close(&r);
}

static void full_places_are_the_oldest_ones(void **state)
{
	struct relay_room r;
	int server[3], client[3];
	char byte;

	relay_room_open(&r, 4, RELAY_ROOM_MOST);
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	for (int i = 0; i < 2; i++)
		client[i] = relay_room_through(&r, &server[i]);
	assert_int_equal(relay_front_stats(r.front).now, 2);
	client[2] = relay_room_through(&r, &server[2]);
	assert_int_equal(relay_front_stats(r.front).now, 2);
	assert_true(relay_room_read(&r, client[0], &byte, 1) <= 0);
	for (int i = 1; i < 3; i++) {
		relay_room_write(&r, server[i], "?", 1);
		assert_int_equal(relay_room_read(&r, client[i], &byte, 1), 1);
	}
	for (int i = 0; i < 3; i++)
		close(client[i]);
	relay_room_close(&r);
}

/* The one that serves ends in order: what it has said is with the client. */
static void an_end_in_order_says_all(void **state)
{
	struct relay_room r;
	char bytes[8];
	int server, client;

	relay_room_open(&r, RELAY_ROOM_MOST, RELAY_ROOM_MOST);
	relay_room_lead(&r, RELAY_ROOM_FENCE);
	client = relay_room_through(&r, &server);
	relay_room_write(&r, server, "goodbye", 7);
	close(server);
	r.taken[0] = -1;
	relay_inner_close(r.inner);
	assert_int_equal(relay_room_read(&r, client, bytes, sizeof(bytes)), 7);
	assert_true(relay_room_read(&r, client, bytes, sizeof(bytes)) <= 0);
	r.inner = NULL;
	close(client);
	relay_room_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_go_both_ways),
		cmocka_unit_test(a_slow_server_stops_the_client),
		cmocka_unit_test(a_slow_client_stops_the_server),
		cmocka_unit_test(each_end_is_passed_on),
		cmocka_unit_test(a_last_word_arrives),
		cmocka_unit_test(it_comes_from_where_the_client_is),
		cmocka_unit_test(who_comes_before_anybody_serves_waits),
		cmocka_unit_test(a_silent_one_is_taken_to_nobody),
		cmocka_unit_test(another_lease_ends_what_was_passed_on),
		cmocka_unit_test(nobody_to_lead_to_ends_them_too),
		cmocka_unit_test(silent_ones_give_way_to_each_other),
		cmocka_unit_test(full_places_are_the_oldest_ones),
		cmocka_unit_test(an_end_in_order_says_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
