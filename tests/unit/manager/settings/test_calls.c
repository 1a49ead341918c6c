/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/service/service.h"
#include "manager/settings/calls.h"
#include "tests/unit.h"

static bool is_listed(const char *path)
{
	for (size_t i = 0; i < calls_methods_count; i++)
		if (strcmp(calls_methods[i].path, path) == 0)
			return true;
	return false;
}

/* Otherwise it counts as one that changes something, about nobody knows what. */
static void every_method_says_whether_it_changes_something(void **state)
{
	for (size_t i = 0; i < service_manager.count; i++)
		if (!is_listed(service_manager.handlers[i].method.path))
			fail_msg("calls_methods[] lacks %s",
				 service_manager.handlers[i].method.path);
	assert_int_equal(calls_methods_count, service_manager.count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_method_says_whether_it_changes_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
