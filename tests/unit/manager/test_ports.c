/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit.h"

#include "manager/ports.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { COUNT = 4 };

/* A socket that listens on some port; its successors are most likely free. */
static int listen_somewhere(uint16_t port, uint16_t *bound)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
		close(fd);
		return -1;
	}
	*bound = ntohs(address.sin_port);
	return fd;
}

/* The first of COUNT neighbouring ports that are free just now. */
static uint16_t free_range(void)
{
	for (int tries = 0; tries < 100; tries++) {
		uint16_t first, next;
		int fds[COUNT], n = 0;

		fds[n++] = listen_somewhere(0, &first);
		while (n < COUNT && first < 65000 &&
		       (fds[n] = listen_somewhere((uint16_t)(first + n), &next)) >= 0)
			n++;
		for (int i = 0; i < n; i++)
			close(fds[i]);
		if (n == COUNT)
			return first;
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
	uint16_t first = free_range(), bound, port;
	struct ports *ports;
	struct err e;
	int fd;

	fd = listen_somewhere((uint16_t)(first + 1), &bound);
	assert_true(fd >= 0);
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
	ports_mark(ports, (uint16_t)(first - 1)); /* outside: of an earlier configuration */
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_port_is_given_once),
		cmocka_unit_test(a_port_that_was_given_back_comes_last),
		cmocka_unit_test(a_port_that_another_process_has_is_stepped_over),
		cmocka_unit_test(marked_ports_are_in_use),
		cmocka_unit_test(only_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
