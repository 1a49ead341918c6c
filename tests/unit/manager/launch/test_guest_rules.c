/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/guest_rules.h"
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

/* As nft lists packaging/nftables/guests.nft. */
#define HEAD   "table inet cocos_guests {\n"
#define OUTPUT "\tchain output {\n"
#define HOOK   "\t\ttype filter hook output priority filter; policy accept;\n"
#define SENDS  "\t\tmeta skuid 64055 oifname \"lo\" jump to_this_host\n"
#define HERE   "\t}\n\n\tchain to_this_host {\n"
#define RESET  "\t\ttcp flags syn / syn,ack reject with tcp reset\n"
#define REJECT "\t\treject\n"
#define TAIL   "\t}\n}\n"

/* An nft that lists that, if it is asked for the table. */
static const char *listing(const char *text)
{
	char path[sizeof(test_folder) + 16], line[200];
	struct err e;

	snprintf(path, sizeof(path), "%s/listing", test_folder);
	assert_ok(file_write(path, text, strlen(text), 0600, &e), e);
	snprintf(line, sizeof(line), "[ \"$*\" = 'list table inet cocos_guests' ] && cat %s", path);
	return instead(line);
}

static void rules_that_are_loaded_are_found(void **state)
{
	struct err e;

	assert_ok(guest_rules_check(listing(HEAD OUTPUT HOOK SENDS HERE RESET REJECT TAIL), found,
				    &e),
		  e);
}

/* A table is not enough, nor are its chains. */
static void rules_that_lack_something_are_a_failure(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "chain 'output'" },
		{ HEAD OUTPUT SENDS HERE RESET REJECT TAIL,
		  "chain 'output' of nftables' table inet cocos_guests has no 'type filter hook" },
		{ HEAD OUTPUT HOOK HERE RESET REJECT TAIL, "no 'jump to_this_host'" },
		{ HEAD OUTPUT HOOK SENDS TAIL, "chain 'to_this_host'" },
		{ HEAD OUTPUT HOOK SENDS HERE TAIL, "no 'reject with tcp reset'" },
		{ HEAD OUTPUT HOOK SENDS HERE REJECT TAIL, "no 'reject with tcp reset'" },
		{ HEAD OUTPUT HOOK SENDS HERE RESET TAIL, "no 'reject': guests reach" },
		{ HEAD OUTPUT HOOK SENDS RESET REJECT HERE TAIL, "chain 'to_this_host'" },
		{ HEAD OUTPUT HOOK SENDS HERE RESET REJECT, "chain 'to_this_host'" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(guest_rules_check(listing(rows[i].text), found, &e), e,
			       ERR_PRECONDITION, rows[i].says);
}

/* Nothing is waited for but the end, and no more is kept than there is room for. */
static void a_listing_without_end_is_a_failure(void **state)
{
	struct err e;

	assert_refused(guest_rules_check(instead("yes"), found, &e), e, ERR_PRECONDITION,
		       "lists more than 64 KiB");
	/* One byte more than there is room for, and one that just fits. */
	assert_refused(guest_rules_check(instead("head -c 65536 /dev/zero"), found, &e), e,
		       ERR_PRECONDITION, "lists more than 64 KiB");
	assert_refused(guest_rules_check(instead("head -c 65535 /dev/zero"), found, &e), e,
		       ERR_PRECONDITION, "chain 'output'");
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
		cmocka_unit_test(rules_that_lack_something_are_a_failure),
		cmocka_unit_test(a_listing_without_end_is_a_failure),
		cmocka_unit_test(rules_that_are_not_are_a_failure),
		cmocka_unit_test(a_host_without_nftables_is_a_failure),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
