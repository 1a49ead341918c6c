/* SPDX-License-Identifier: Apache-2.0 */
/* The table of key exchanges, and lists of their names. */
#include "common/crypto/kex_group.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

static const char all[] = "X25519MLKEM768,x25519,secp256r1,secp384r1,secp521r1";

static void names_are_those_of_the_registry(void **state)
{
	static const struct {
		const char *name;
		uint16_t id;
	} registry[] = { { "X25519MLKEM768", 4588 },
			 { "x25519", 29 },
			 { "secp256r1", 23 },
			 { "secp384r1", 24 },
			 { "secp521r1", 25 } };

	assert_int_equal(KEX_GROUPS, sizeof(registry) / sizeof(registry[0]));
	for (size_t i = 0; i < KEX_GROUPS; i++) {
		assert_string_equal(kex_groups[i].name, registry[i].name);
		assert_int_equal(kex_group_of(registry[i].id), 1 << i);
		assert_string_equal(kex_groups_show(UINT32_C(1) << i).text, registry[i].name);
		assert_int_equal(kex_groups[i].is_hybrid, i == 0);
	}
	assert_int_equal(kex_group_of(0), 0);
	assert_int_equal(kex_group_of(0x11eb), 0);
}

static void lists_are_read_and_shown(void **state)
{
	uint32_t set = 0;
	struct err e;

	assert_ok(kex_groups_parse("X25519MLKEM768", &set, &e), e);
	assert_int_equal(set, 1);
	assert_ok(kex_groups_parse("secp384r1,X25519MLKEM768", &set, &e), e);
	assert_int_equal(set, 9);
	assert_string_equal(kex_groups_show(set).text, "X25519MLKEM768 or secp384r1");
	assert_ok(kex_groups_parse(all, &set, &e), e);
	assert_int_equal(set, KEX_GROUPS_ALL);
	assert_string_equal(kex_groups_show(set).text,
			    "X25519MLKEM768 or x25519 or secp256r1 or secp384r1 or secp521r1");
	assert_string_equal(kex_groups_show(0).text, "");
}

static void what_is_no_list_of_ours_is_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "unknown key exchange; there are X25519MLKEM768 or x25519" },
		{ ",", "unknown" },
		{ "x25519,", "unknown" },
		{ ",x25519", "unknown" },
		{ "x25519,,secp256r1", "unknown" },
		{ "x25519 ", "unknown" },
		{ "X25519", "unknown" },
		{ "x25519mlkem768", "unknown" },
		{ "X25519MLKEM7680", "unknown" },
		{ "X25519MLKEM768:x25519", "unknown" },
		{ "x25519,x25519", "x25519 stands there twice" },
	};
	uint32_t set = 77;
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_refused(kex_groups_parse(rows[i].text, &set, &e), e, ERR_INVALID,
			       rows[i].says);
	assert_int_equal(set, 77);
}

/* A list cut short is one of fewer names where a name ends, and none elsewhere. */
static void each_truncation(void **state)
{
	for (size_t len = 0; len < strlen(all); len++) {
		char *cut = strndup(all, len);
		bool whole = all[len] == ',';
		uint32_t set;
		struct err e;

		if (whole)
			assert_ok(kex_groups_parse(cut, &set, &e), e);
		else
			assert_refused(kex_groups_parse(cut, &set, &e), e, ERR_INVALID, "unknown");
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_the_registry),
		cmocka_unit_test(lists_are_read_and_shown),
		cmocka_unit_test(what_is_no_list_of_ours_is_refused),
		cmocka_unit_test(each_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
