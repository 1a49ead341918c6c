/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/address.h"
#include "tests/unit.h"

static void addresses_are_taken_apart(void **state)
{
	static const struct {
		const char *text, *host, *port;
	} good[] = {
		{ "localhost:7002", "localhost", "7002" },
		{ "192.0.2.1:1", "192.0.2.1", "1" },
		{ "[::1]:65535", "::1", "65535" },
		{ ":0", "", "0" },
		{ "[fe80::1%eth0]:80", "fe80::1%eth0", "80" },
	};
	struct address a;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_ok(address_parse(good[i].text, &a, &e), e);
		assert_string_equal(a.host, good[i].host);
		assert_string_equal(a.port, good[i].port);
		assert_false(a.is_unix);
	}
	assert_ok(address_parse("unix:/run/x.sock", &a, &e), e);
	assert_true(a.is_unix);
	assert_string_equal(a.path.sun_path, "/run/x.sock");
}

static void others_are_refused(void **state)
{
	static const char *const bad[] = { "",           "host",        "host:",   "host:x",
					   "host:65536", "host:-1",     "::1:80",  "[::1]80",
					   "[::1]",      "[]:80",       "[::1:80", "a b:80",
					   "host:80 ",   "host:080000", "h/x:80",  "http://h:80",
					   "unix:" };
	char host[ADDRESS_HOST_MAX + 8], path[200] = "unix:";
	struct address a;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(address_parse(bad[i], &a, &e), e, ERR_INVALID, "address");
	memset(host, 'h', sizeof(host));
	strcpy(host + ADDRESS_HOST_MAX, ":80");
	assert_refused(address_parse(host, &a, &e), e, ERR_INVALID, "wanted");
	strcpy(host + ADDRESS_HOST_MAX - 1, ":80");
	assert_ok(address_parse(host, &a, &e), e);
	memset(path + 5, 'p', sizeof(a.path.sun_path));
	assert_refused(address_parse(path, &a, &e), e, ERR_INVALID, "path");
	path[5 + sizeof(a.path.sun_path) - 1] = 0;
	assert_ok(address_parse(path, &a, &e), e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_taken_apart),
		cmocka_unit_test(others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
