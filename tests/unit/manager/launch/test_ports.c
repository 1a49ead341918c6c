/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/cleanup.h"
#include "manager/launch/ports.h"
#include "tests/unit.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COUNT = 4 };

/* A socket on that port; with `shares` also if another one is bound there that shares, too, and
 * does not listen. */
static int bind_to(uint16_t port, bool shares)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	CLEANUP(close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (shares && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return -1;
	return TAKE_FD(fd);
}

/* The first of COUNT neighbouring ports that are free, and stay so until the end: they are bound
 * and nobody listens, so that others skip them, and sockets with SO_REUSEADDR still get them.
 * They are below those that outgoing connections use. */
static uint16_t free_range(void)
{
	for (int tries = 0; tries < 1000; tries++) {
		uint16_t first = (uint16_t)(20000 + random() % 12000);
		int fds[COUNT], n = 0;

		while (n < COUNT && (fds[n] = bind_to((uint16_t)(first + n), false)) >= 0)
			n++;
		if (n == COUNT)
			return first;
		while (n > 0)
			close(fds[--n]);
	}
	fail_msg("no free range of ports");
	return 0;
}

static void every_port_is_given_once(void **state)
{
	uint16_t first = free_range(), port;
	bool seen[COUNT] = { 0 };
	struct ports *ports;
	struct err e;

	assert_ok(ports_new("127.0.0.1", first, (uint16_t)(first + COUNT - 1), &ports, &e), e);
	for (int i = 0; i < COUNT; i++) {
		assert_ok(ports_take(ports, &port, &e), e);
		assert_in_range(port, first, first + COUNT - 1);
		assert_false(seen[port - first]);
		seen[port - first] = true;
	}
	assert_refused(ports_take(ports, &port, &e), e, ERR_EXHAUSTED, "is free");
	ports_give(ports, (uint16_t)(first + 2));
	assert_ok(ports_take(ports, &port, &e), e);
	assert_int_equal(port, first + 2);
	ports_free(ports);
}

static void a_port_that_was_given_back_comes_last(void **state)
{
	uint16_t first = free_range(), port, again;
	struct ports *ports;
	struct err e;

	assert_ok(ports_new("127.0.0.1", first, (uint16_t)(first + COUNT - 1), &ports, &e), e);
	assert_ok(ports_take(ports, &port, &e), e);
	ports_give(ports, port);
	for (int i = 0; i < COUNT - 1; i++) {
		assert_ok(ports_take(ports, &again, &e), e);
		assert_int_not_equal(port, again);
	}
	assert_ok(ports_take(ports, &again, &e), e);
	assert_int_equal(port, again);
	ports_free(ports);
}

static void a_port_that_another_process_has_is_stepped_over(void **state)
{
	uint16_t first = free_range(), bound = (uint16_t)(first + 1), port;
	int fd = bind_to(bound, true);
	struct ports *ports;
	struct err e;

	assert_int_equal(listen(fd, 1), 0);
	assert_ok(ports_new("127.0.0.1", first, (uint16_t)(first + COUNT - 1), &ports, &e), e);
	for (int i = 0; i < COUNT - 1; i++) {
		assert_ok(ports_take(ports, &port, &e), e);
		assert_int_not_equal(port, bound);
	}
	assert_refused(ports_take(ports, &port, &e), e, ERR_EXHAUSTED, "is free");
	close(fd);
	assert_ok(ports_take(ports, &port, &e), e);
	assert_int_equal(port, bound);
	ports_free(ports);
}

static void marked_ports_are_in_use(void **state)
{
	uint16_t first = free_range(), port;
	struct ports *ports;
	struct err e;

	assert_ok(ports_new("127.0.0.1", first, (uint16_t)(first + 1), &ports, &e), e);
	ports_mark(ports, first);
	ports_mark(ports, (uint16_t)(first - 1)); /* outside: from an earlier configuration */
	ports_mark(ports, (uint16_t)(first + 2));
	assert_ok(ports_take(ports, &port, &e), e);
	assert_int_equal(port, first + 1);
	assert_refused(ports_take(ports, &port, &e), e, ERR_EXHAUSTED, "is free");
	ports_free(ports);
}

static void only_ipv4(void **state)
{
	struct ports *ports;
	struct err e;

	assert_refused(ports_new("::1", 1, 2, &ports, &e), e, ERR_INVALID, "IPv4");
}

int main(void)
{
	srandom((unsigned int)getpid());
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_port_is_given_once),
		cmocka_unit_test(a_port_that_was_given_back_comes_last),
		cmocka_unit_test(a_port_that_another_process_has_is_stepped_over),
		cmocka_unit_test(marked_ports_are_in_use),
		cmocka_unit_test(only_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
