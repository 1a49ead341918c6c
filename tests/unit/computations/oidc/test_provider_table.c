/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/oidc/provider_table.h"
#include "tests/unit.h"

#include <stdio.h>

static struct provider_table table;

static int parse(const char *text, struct err *e)
{
	return provider_table_parse(text, strlen(text), "t", &table, e);
}

#define A     "provider a issuer=https://a.example client=c\n"
#define NAMED "provider n issuer=https://n.example client=c name=preferred_username\n"

static void a_table_is_read(void **state)
{
	const struct provider *row;
	struct err e;

	assert_ok(
		parse("# ours\n\npage https://us.example:9466\n" A NAMED
		      "provider lab issuer=https://lab.example/x/ client=id:7 secret=/s ca=/ca "
		      "scopes=profile,groups acr=phr amr=hwk\n"
		      "map n groups=staff default viewer\nmap n https://x/y=z other administrator\n",
		      &e),
		e);
	assert_string_equal(table.page, "https://us.example:9466");
	assert_int_equal(table.count, 3);
	row = provider_table_find(&table, "lab");
	assert_string_equal(row->issuer, "https://lab.example/x/");
	assert_string_equal(row->client, "id:7");
	assert_string_equal(row->secret_path, "/s");
	assert_string_equal(row->ca_path, "/ca");
	assert_string_equal(row->scopes, "openid profile groups");
	assert_string_equal(row->acr, "phr");
	assert_string_equal(row->amr, "hwk");
	assert_string_equal(provider_table_find(&table, "a")->scopes, "openid");
	assert_null(provider_table_find(&table, "b"));
	assert_int_equal(table.rule_count, 2);
	assert_int_equal(table.rules[1].provider, 1);
	assert_string_equal(table.rules[1].claim, "https://x/y");
	assert_string_equal(table.rules[1].value, "z");
	assert_int_equal(table.rules[1].role, MEMBERSHIP_ADMINISTRATOR);
}

static void everything_else_is_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "", "no provider" },
		{ "host a\n", "page, provider or map" },
		{ "page https://a\npage https://b\n" A, "twice" },
		{ "page http://localhost:1\n" A, "wanted https://" },
		{ "page https://a/path\n" A, "wanted https://" },
		{ "page\n" A, "wanted https://" },
		{ "page https://a b\n" A, "behind it" },
		{ "provider\n", "a name is" },
		{ "provider A issuer=https://a client=c\n", "a name is" },
		{ "provider a/b issuer=https://a client=c\n", "a name is" },
		{ "provider a client=c\n", "issuer= is missing" },
		{ "provider a issuer=https://a\n", "client= is missing" },
		{ "provider a issuer=http://a client=c\n", "this machine only" },
		{ "provider a issuer=https://a/?q client=c\n", "issuer=" },
		{ "provider a issuer=https://a client=c colour=x\n", "is no issuer=" },
		{ "provider a issuer=https://a client=c secret\n", "is no issuer=" },
		{ "provider a issuer=https://a client=c client=d\n", "client is there twice" },
		{ "provider a issuer=https://a client=\n", "client=" },
		{ "provider a issuer=https://a client=c secret=s\n", "absolute path" },
		{ "provider a issuer=https://a client=c ca=s\n", "absolute path" },
		{ "provider a issuer=https://a client=c scopes=a,,b\n", "commas" },
		{ "provider a issuer=https://a client=c scopes=,a\n", "commas" },
		{ "provider a issuer=https://a client=c scopes=a,\n", "commas" },
		{ "provider a issuer=https://a client=c scopes=\"a\n", "commas" },
		{ A A, "twice" },
		{ A "provider b issuer=https://a.example client=c\n", "the issuer of provider a" },
		{ A "map b g=s default viewer\n", "no line above" },
		{ A "map a g=s default viewer\n", "name=CLAIM" },
		{ NAMED "map n g default viewer\n", "CLAIM=VALUE" },
		{ NAMED "map n =s default viewer\n", "CLAIM=VALUE" },
		{ NAMED "map n g= default viewer\n", "CLAIM=VALUE" },
		{ NAMED "map n g=s\n", "name of a workspace" },
		{ NAMED "map n g=s default\n", "map:" },
		{ NAMED "map n g=s default none\n", "none" },
		{ NAMED "map n g=s default owner\n", "owner" },
		{ NAMED "map n g=s default viewer x\n", "wanted CLAIM=VALUE WORKSPACE ROLE" },
		{ NAMED "map n g=s default viewer\nmap n g=s default member\n", "there already" },
		{ "provider \xc3\xa9\n", "t:1" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (parse(rows[i].text, &e) == 0)
			fail_msg("row %zu was taken", i);
		if (!strstr(e.text, rows[i].words))
			fail_msg("row %zu: '%s' does not speak of '%s'", i, e.text, rows[i].words);
	}
}

static void limits_are_exact(void **state)
{
	CLEANUP(free) char *text = calloc(1, PROVIDER_TABLE_FILE_MAX + 2);
	struct err e;

	for (int over = 0; over < 2; over++) {
		size_t len = 0;

		for (int i = 0; i < PROVIDERS_MAX + over; i++)
			len += (size_t)sprintf(text + len,
					       "provider p%d issuer=https://p%d client=c\n", i, i);
		assert_int_equal(parse(text, &e) == 0, !over);
		len = (size_t)sprintf(text, NAMED);
		for (int i = 0; i < PROVIDER_RULES_MAX + over; i++)
			len += (size_t)sprintf(text + len, "map n g=%d default viewer\n", i);
		assert_int_equal(parse(text, &e) == 0, !over);
		sprintf(text, "provider %0*d issuer=https://a client=c\n",
			IDENTITY_PROVIDER_MAX + over, 1);
		assert_int_equal(parse(text, &e) == 0, !over);
		sprintf(text, "provider a issuer=https://a client=%0*d\n",
			PROVIDER_CLIENT_MAX + over, 1);
		assert_int_equal(parse(text, &e) == 0, !over);
		sprintf(text, "provider a issuer=https://a client=c scopes=%0*d\n",
			PROVIDER_SCOPES_MAX - 7 + over, 1);
		assert_int_equal(parse(text, &e) == 0, !over);
		sprintf(text, NAMED "map n %0*d=%0*d default viewer\n", PROVIDER_CLAIM_MAX, 1,
			PROVIDER_VALUE_MAX + over, 1);
		assert_int_equal(parse(text, &e) == 0, !over);
		sprintf(text, NAMED "map n %0*d=x default viewer\n", PROVIDER_CLAIM_MAX + over, 1);
		assert_int_equal(parse(text, &e) == 0, !over);
	}
	strcpy(text, A);
	memset(text + strlen(A), '\n', PROVIDER_TABLE_FILE_MAX - strlen(A));
	assert_ok(provider_table_parse(text, PROVIDER_TABLE_FILE_MAX, "t", &table, &e), e);
	text[PROVIDER_TABLE_FILE_MAX] = '\n';
	assert_refused(provider_table_parse(text, PROVIDER_TABLE_FILE_MAX + 1, "t", &table, &e), e,
		       ERR_INVALID, "more than");
}

static void check_claims(const char *text, const char *matches, bool strong)
{
	const struct provider *row = provider_table_find(&table, "n");
	struct provider_matches m;
	struct id_token token = { .claims = NULL };
	struct err e;

	assert_ok(json_parse(text, strlen(text), &token.claims, &e), e);
	provider_table_match(&table, row, &token, &m);
	assert_int_equal(m.any, strchr(matches, '1') != NULL);
	for (size_t i = 0; matches[i]; i++)
		assert_int_equal(m.bits[0] >> i & 1, matches[i] - '0');
	assert_int_equal(provider_is_strong(row, &token), strong);
	id_token_done(&token);
}

static void unknown_claims_give_nothing(void **state)
{
	struct err e;

	assert_ok(parse("provider n issuer=https://n client=c name=x acr=phr amr=hwk\n"
			"provider m issuer=https://m client=c name=x\n"
			"map n groups=staff default viewer\nmap m groups=staff default viewer\n"
			"map n email=a@x default viewer\n",
			&e),
		  e);
	check_claims("{}", "000", false);
	check_claims("{\"groups\":\"staff\"}", "100", false);
	check_claims("{\"groups\":[\"x\",\"staff\"],\"acr\":\"phr\"}", "100", false);
	check_claims("{\"groups\":[\"staffs\"],\"amr\":[\"hwk\"]}", "000", false);
	check_claims("{\"email\":\"a@x\"}", "000", false);
	check_claims("{\"email\":\"a@x\",\"email_verified\":true,\"acr\":\"phr\",\"amr\":\"hwk\"}",
		     "001", true);
	check_claims("{\"acr\":[\"phr\"],\"amr\":[\"hwk\"]}", "000", false);
	/* Where nothing is wanted of it, nothing is enough. */
	assert_ok(parse(NAMED, &e), e);
	check_claims("{\"acr\":\"phr\",\"amr\":[\"hwk\"]}", "", false);
	assert_ok(parse("provider n issuer=https://n client=c amr=hwk\n", &e), e);
	check_claims("{\"amr\":[\"hwk\"]}", "", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_read),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(limits_are_exact),
		cmocka_unit_test(unknown_claims_give_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
