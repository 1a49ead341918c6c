/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/hostname.h"
#include "tests/unit.h"

static void what_only_this_machine_reaches_is_loopback(void **state)
{
	static const char *const here[] = { "localhost", "127.0.0.1", "127.255.255.254",
					    "::1",       "[::1]",     "0:0:0:0:0:0:0:1" };

	for (size_t i = 0; i < ARRAY_LEN(here); i++)
		if (!hostname_is_loopback(here[i]))
			fail_msg("%s is this machine's own", here[i]);
}

static void anything_else_is_not(void **state)
{
	static const char *const elsewhere[] = {
		"",           "0.0.0.0", "::",   "126.0.0.1",        "128.0.0.1",
		"10.0.0.1",   "127.1",   "::2",  "::ffff:127.0.0.1", "localhost.example",
		"Localhost ", "[::]",    "[::1", "127.0.0.1:80",     "127.0.0.1.example",
		"unix:/x",
	};

	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
		if (hostname_is_loopback(elsewhere[i]))
			fail_msg("%s may be reached from elsewhere", elsewhere[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_only_this_machine_reaches_is_loopback),
		cmocka_unit_test(anything_else_is_not),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
