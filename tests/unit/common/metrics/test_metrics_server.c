/* SPDX-License-Identifier: Apache-2.0 */
#include "common/metrics/metrics_server.h"
#include "tests/unit.h"

static int check(const char *address, bool mutual, struct err *e)
{
	return metrics_address_check("X_METRICS", address, "X_GRPC", mutual, e);
}

static void this_machine_reads_without_certificates(void **state)
{
	static const char *const good[] = { "127.0.0.1:9464", "localhost:0", "[::1]:9464",
					    "unix:/run/x.sock", "127.8.9.1:1" };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_ok(check(good[i], false, &e), e);
		assert_false(metrics_address_is_open(good[i]));
	}
}

static void others_read_with_certificates(void **state)
{
	static const char *const open[] = { ":9464", "0.0.0.0:9464", "[::]:9464", "192.0.2.1:9464",
					    "host.example:9464" };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(open); i++) {
		assert_refused(check(open[i], false, &e), e, ERR_INVALID, "X_GRPC_CLIENT_CA_CERTS");
		assert_ok(check(open[i], true, &e), e);
		assert_true(metrics_address_is_open(open[i]));
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "9464", "127.0.0.1", "127.0.0.1:x", "::1:9464", "127.0.0.1:65536", "unix:x.sock"
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(check(bad[i], true, &e), e, ERR_INVALID, "X_METRICS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_machine_reads_without_certificates),
		cmocka_unit_test(others_read_with_certificates),
		cmocka_unit_test(what_is_no_address_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
