/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/guest_rules.h"
#include "tests/unit/folder.h"

static char found[PREFLIGHT_TEXT_MAX];

/* A program in place of nft, which ends as that line says. */
static const char *instead(const char *line)
{
	static char path[sizeof(test_folder) + 8];
	char script[256];
	struct err e;

	snprintf(path, sizeof(path), "%s/nft", test_folder);
	snprintf(script, sizeof(script), "#!/bin/sh\n%s\n", line);
	assert_ok(file_write(path, script, strlen(script), 0700, &e), e);
	return path;
}

static void rules_that_are_loaded_are_found(void **state)
{
	struct err e;

	assert_ok(guest_rules_check(instead("[ \"$*\" = 'list chain inet cocos_guests output' ]"),
				    found, &e),
		  e);
}

static void rules_that_are_not_are_a_failure(void **state)
{
	struct err e;

	assert_refused(guest_rules_check(instead("exit 1"), found, &e), e, ERR_PRECONDITION,
		       "guests reach every port");
	assert_refused(guest_rules_check(instead("kill -9 $$"), found, &e), e, ERR_PRECONDITION,
		       "guests reach every port");
}

static void a_host_without_nftables_is_a_failure(void **state)
{
	struct err e;

	assert_refused(guest_rules_check("/nowhere/nft", found, &e), e, ERR_NOT_FOUND,
		       "/nowhere/nft");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_are_loaded_are_found),
		cmocka_unit_test(rules_that_are_not_are_a_failure),
		cmocka_unit_test(a_host_without_nftables_is_a_failure),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
