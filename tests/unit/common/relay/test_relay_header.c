/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a connection passed on: each form, each byte changed, each length; and addresses of instances. */
#include "common/relay/relay_address.h"
#include "common/relay/relay_header.h"
#include "tests/unit.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static struct relay_header header_of(enum relay_door door, const char *address)
{
	struct relay_header h = { .door = door };

	strcpy(h.instance, "b-2.example");
	if (!address) {
		h.from.any.sa_family = AF_UNIX;
		h.uid = 1000;
		h.gid = 100;
	} else if (inet_pton(AF_INET, address, &h.from.v4.sin_addr) == 1) {
		h.from.v4.sin_family = AF_INET;
		h.from.v4.sin_port = htons(4711);
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, &h.from.v6.sin6_addr), 1);
		h.from.v6.sin6_family = AF_INET6;
		h.from.v6.sin6_port = htons(65535);
	}
	return h;
}

static const struct {
	enum relay_door door;
	const char *address, *name;
	char kind;
} forms[] = {
	{ RELAY_AGENTS, "192.0.2.1", "192.0.2.1:4711", '4' },
	{ RELAY_ADMINS, "2001:db8::1", "[2001:db8::1]:65535", '6' },
	{ RELAY_PAGE, "127.0.0.1", "127.0.0.1:4711", '4' },
	{ RELAY_ADMIN_SOCKET, NULL, "unix:uid=1000@b-2.example", 'u' },
};

static void each_form_comes_back(void **state)
{
	uint8_t bytes[RELAY_HEADER_LEN], again[RELAY_HEADER_LEN];
	struct rpc_origin origin;
	struct relay_header h;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		h = header_of(forms[i].door, forms[i].address);
		relay_header_write(&h, bytes);
		assert_ok(relay_header_read(bytes, sizeof(bytes), &h, &e), e);
		assert_int_equal(h.door, forms[i].door);
		assert_string_equal(h.instance, "b-2.example");
		relay_header_write(&h, again);
		assert_memory_equal(bytes, again, sizeof(bytes));
		relay_header_origin(&h, &origin);
		assert_string_equal(origin.name, forms[i].name);
		assert_int_equal(origin.source.bytes[0], forms[i].kind);
		assert_int_equal(origin.is_unix, !forms[i].address);
		assert_int_equal(origin.has_uid, !forms[i].address);
	}
}

static void each_other_length_is_refused(void **state)
{
	uint8_t bytes[RELAY_HEADER_LEN + 1] = { 0 };
	struct relay_header h = header_of(RELAY_AGENTS, "192.0.2.1"), read;
	struct err e;

	relay_header_write(&h, bytes);
	for (size_t len = 0; len <= sizeof(bytes); len++)
		if (len != RELAY_HEADER_LEN)
			assert_refused(relay_header_read(bytes, len, &read, &e), e, ERR_INVALID,
				       "are no header");
	assert_ok(relay_header_read(bytes, RELAY_HEADER_LEN, &read, &e), e);
}

/* Whatever one byte becomes: what is read is what is written of it, or nothing. */
static void no_byte_has_two_forms(void **state)
{
	uint8_t bytes[RELAY_HEADER_LEN], again[RELAY_HEADER_LEN];
	struct relay_header h;
	struct err e;
	size_t refused = 0;

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		h = header_of(forms[i].door, forms[i].address);
		for (size_t at = 0; at < sizeof(bytes); at++)
			for (unsigned value = 0; value <= UINT8_MAX; value++) {
				relay_header_write(&h, bytes);
				bytes[at] = (uint8_t)value;
				struct relay_header read;

				if (relay_header_read(bytes, sizeof(bytes), &read, &e) < 0) {
					refused++;
					continue;
				}
				relay_header_write(&read, again);
				assert_memory_equal(bytes, again, sizeof(bytes));
			}
	}
	assert_true(refused > 0);
}

static void what_contradicts_itself_is_refused(void **state)
{
	static const struct {
		enum relay_door door;
		const char *address;
		size_t at;
		uint8_t value;
		const char *words;
	} rows[] = {
		{ RELAY_AGENTS, "192.0.2.1", 0, 'x', "are no header" },
		{ RELAY_AGENTS, "192.0.2.1", 4, 2, "version 2" },
		{ RELAY_AGENTS, "192.0.2.1", 5, RELAY_DOORS, "door 4" },
		{ RELAY_AGENTS, "192.0.2.1", 5, RELAY_ADMIN_SOCKET, "door 3" },
		{ RELAY_ADMIN_SOCKET, NULL, 5, RELAY_AGENTS, "door 0" },
		{ RELAY_AGENTS, "192.0.2.1", 6, '5', "are no header" },
		{ RELAY_AGENTS, "192.0.2.1", 7, 1, "are no header" },
		{ RELAY_AGENTS, "192.0.2.1", 10, 1, "are no header" },
		{ RELAY_AGENTS, "192.0.2.1", 27, 1, "are no header" },
		{ RELAY_AGENTS, "192.0.2.1", 28, 1, "are no header" },
		{ RELAY_ADMINS, "2001:db8::1", 35, 1, "are no header" },
		{ RELAY_ADMIN_SOCKET, NULL, 9, 1, "are no header" },
		{ RELAY_ADMIN_SOCKET, NULL, 12, 1, "are no header" },
		{ RELAY_PAGE, "192.0.2.1", 36, 0, "names no instance" },
		{ RELAY_PAGE, "192.0.2.1", 36, 'B', "names no instance" },
		{ RELAY_PAGE, "192.0.2.1", 36, '-', "names no instance" },
		{ RELAY_PAGE, "192.0.2.1", 98, 'x', "behind its name" },
		{ RELAY_PAGE, "192.0.2.1", 99, 'x', "behind its name" },
	};
	uint8_t bytes[RELAY_HEADER_LEN];
	struct relay_header h, read;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		h = header_of(rows[i].door, rows[i].address);
		relay_header_write(&h, bytes);
		bytes[rows[i].at] = rows[i].value;
		assert_refused(relay_header_read(bytes, sizeof(bytes), &read, &e), e, ERR_INVALID,
			       rows[i].words);
	}
	/* An IPv4 address has one form, and nobody is user -1. */
	h = header_of(RELAY_AGENTS, "::ffff:192.0.2.1");
	relay_header_write(&h, bytes);
	assert_refused(relay_header_read(bytes, sizeof(bytes), &read, &e), e, ERR_INVALID,
		       "no header");
	h = header_of(RELAY_ADMIN_SOCKET, NULL);
	h.uid = (uid_t)-1;
	relay_header_write(&h, bytes);
	assert_refused(relay_header_read(bytes, sizeof(bytes), &read, &e), e, ERR_INVALID,
		       "no header");
}

static void names_are_as_long_as_they_may_be(void **state)
{
	uint8_t bytes[RELAY_HEADER_LEN];
	struct relay_header h = header_of(RELAY_AGENTS, "192.0.2.1"), read;
	struct err e;

	memset(h.instance, 'n', RELAY_NAME_MAX);
	relay_header_write(&h, bytes);
	assert_ok(relay_header_read(bytes, sizeof(bytes), &read, &e), e);
	assert_int_equal(strlen(read.instance), RELAY_NAME_MAX);
	bytes[RELAY_HEADER_LEN - 1] = 'n';
	assert_refused(relay_header_read(bytes, sizeof(bytes), &read, &e), e, ERR_INVALID,
		       "names no instance");
}

static void a_socket_says_who_it_is(void **state)
{
	struct relay_header h;
	struct rpc_origin origin;
	struct err e;
	char name[64];
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_ok(relay_header_of(ends[0], RELAY_ADMIN_SOCKET, "a", &h, &e), e);
	relay_header_origin(&h, &origin);
	snprintf(name, sizeof(name), "unix:uid=%u@a", getuid());
	assert_string_equal(origin.name, name);
	assert_refused(relay_header_of(ends[0], RELAY_AGENTS, "a", &h, &e), e, ERR_UNAVAILABLE,
		       "no connection of TCP");
	close(ends[0]);
	close(ends[1]);
	int alone = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(relay_header_of(alone, RELAY_AGENTS, "a", &h, &e), -ERR_UNAVAILABLE);
	close(alone);
}

static void addresses_are_of_one_machine(void **state)
{
	static const char *const good[] = { "192.0.2.1:7009", "127.0.0.2:1", "[2001:db8::1]:65535",
					    "[::1]:7009" };
	static const char *const bad[] = {
		"",
		":7009",
		"192.0.2.1",
		"192.0.2.1:",
		"192.0.2.1:0",
		"192.0.2.1:07",
		"192.0.2.1:65536",
		"192.0.2.1:4294967297",
		"192.0.2.1:7x",
		"192.0.2.1: 7",
		"192.0.2:7009",
		"0.0.0.0:7009",
		"0.1.2.3:7009",
		"224.0.0.1:7009",
		"255.255.255.255:7",
		"::1:7009",
		"[::1]",
		"[::1:7009",
		"[::]:7009",
		"[ff02::1]:7009",
		"[fe80::1]:7",
		"[fe80::1%lo]:7",
		"[::ffff:1.2.3.4]:7",
		"a.example:7009",
		"[]:7009",
		"unix:/run/x",
		"[192.0.2.1]:7009",
		"192.0.2.1:7009\n",
	};
	union relay_address address;
	socklen_t len;
	struct err e;
	char long_one[3 * RELAY_ADDRESS_MAX];

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(relay_address_parse(good[i], &address, &len, &e), e);
	assert_int_equal(ntohs(address.v6.sin6_port), 7009);
	assert_int_equal(len, sizeof(struct sockaddr_in6));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(relay_address_parse(bad[i], &address, &len, &e), e, ERR_INVALID,
			       "is not the address and port of one machine");
	memset(long_one, '1', sizeof(long_one));
	strcpy(long_one + sizeof(long_one) - 6, ":7009");
	assert_int_equal(relay_address_parse(long_one, &address, &len, &e), -ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_comes_back),
		cmocka_unit_test(each_other_length_is_refused),
		cmocka_unit_test(no_byte_has_two_forms),
		cmocka_unit_test(what_contradicts_itself_is_refused),
		cmocka_unit_test(names_are_as_long_as_they_may_be),
		cmocka_unit_test(a_socket_says_who_it_is),
		cmocka_unit_test(addresses_are_of_one_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
