/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/admin.h"
#include "computations/admin_calls.h"
#include "tests/unit.h"

static bool is_listed(const char *path)
{
	for (size_t i = 0; i < admin_calls_methods_count; i++)
		if (strcmp(admin_calls_methods[i].path, path) == 0)
			return true;
	return false;
}

/* Otherwise it counts as one that changes something, about nobody knows what. */
static void every_method_says_whether_it_changes_something(void **state)
{
	for (size_t i = 0; i < admin_rpc.count; i++)
		if (!is_listed(admin_rpc.handlers[i].method.path))
			fail_msg("admin_calls_methods[] lacks %s",
				 admin_rpc.handlers[i].method.path);
	assert_int_equal(admin_calls_methods_count, admin_rpc.count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_method_says_whether_it_changes_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
