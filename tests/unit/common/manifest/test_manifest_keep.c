/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/manifest_keep.h"
#include "tests/unit.h"

/* Two Ed25519 SPKIs: RFC 8410's prefix, and keys that OpenSSL takes. */
#define KEY   "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
#define OTHER "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define ONES  "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"
#define TWOS  "[2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2]"

#define FIRST                                                                                  \
	"{\"id\":\"1\",\"name\":\"n\",\"description\":\"d\",\"datasets\":[{\"hash\":" ONES     \
	",\"user_key\":\"" KEY "\",\"filename\":\"a.csv\"}],\"algorithm\":{\"hash\":" ONES     \
	",\"user_key\":\"" KEY "\",\"algo_type\":\"bin\",\"algo_args\":[\"x\"]},"              \
	"\"result_consumers\":[{\"user_key\":\"" KEY "\"}],\"cocos\":{\"layout\":\"folders\"," \
	"\"logs\":\"consumers\",\"requirements_hash\":" ONES "}}"

/* One change each, and whether leave for another algorithm covers it; leave for a retry covers none. */
static const struct {
	const char *from, *to;
	bool covered;
} changes[] = {
	{ "\"id\":\"1\"", "\"id\":\"2\"", true },
	{ "\"name\":\"n\"", "\"name\":\"m\"", false },
	{ "\"description\":\"d\"", "\"description\":\"e\"", false },
	{ "[{\"hash\":" ONES, "[{\"hash\":" TWOS, false },
	{ "\"user_key\":\"" KEY "\",\"filename\"", "\"user_key\":\"" OTHER "\",\"filename\"",
	  false },
	{ "\"a.csv\"", "\"b.csv\"", false },
	{ "\"a.csv\"}", "\"a.csv\",\"decompress\":true}", false },
	{ "\"a.csv\"}", "\"a.csv\",\"cache\":true}", false },
	{ "\"algorithm\":{\"hash\":" ONES, "\"algorithm\":{\"hash\":" TWOS, true },
	{ "\"user_key\":\"" KEY "\",\"algo_type\"", "\"user_key\":\"" OTHER "\",\"algo_type\"",
	  false },
	{ "\"bin\"", "\"python\"", true },
	{ "[\"x\"]", "[\"x\",\"y\"]", true },
	{ ",\"algo_args\":[\"x\"]", "", true },
	{ "[{\"user_key\":\"" KEY "\"}]", "[{\"user_key\":\"" OTHER "\"}]", false },
	{ "[{\"user_key\":\"" KEY "\"}]",
	  "[{\"user_key\":\"" KEY "\"},{\"user_key\":\"" OTHER "\"}]", false },
	{ "\"folders\"", "\"stock\"", false },
	{ "\"consumers\",\"req", "\"all\",\"req", false },
	{ "\"requirements_hash\":" ONES, "\"requirements_hash\":" TWOS, true },
	{ ",\"requirements_hash\":" ONES, "", true },
	{ "\"requirements_hash\":" ONES, "\"requirements_hash\":" ONES ",\"replace\":true", false },
};

static void form_of(const char *json, enum manifest_keep keep, const char *port,
		    uint8_t out[SHA3_256_LEN])
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	Cvms__AgentConfig message = CVMS__AGENT_CONFIG__INIT;
	struct agent_config config;
	char port_text[8];
	struct err e;

	snprintf(port_text, sizeof(port_text), "%s", port);
	message.port = port_text;
	assert_ok(manifest_from_json(json, strlen(json), &m, &e), e);
	assert_ok(agent_config_load(&message, NULL, &config, &e), e);
	assert_ok(manifest_keep_digest(m, &config, keep, out, &e), e);
	agent_config_done(&config);
}

static char *changed(const char *from, const char *to)
{
	const char *at = strstr(FIRST, from);
	char *text = NULL;

	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - FIRST), FIRST, to, at + strlen(from)) >
		    0);
	return text;
}

static bool same(const char *json, enum manifest_keep keep)
{
	uint8_t first[SHA3_256_LEN], next[SHA3_256_LEN];

	form_of(FIRST, keep, "7002", first);
	form_of(json, keep, "7002", next);
	return memcmp(first, next, sizeof(first)) == 0;
}

static void a_change_is_covered_or_not(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		CLEANUP(free) char *json = changed(changes[i].from, changes[i].to);

		assert_false(same(json, MANIFEST_KEEP_RETRY));
		if (same(json, MANIFEST_KEEP_ALGORITHM) != changes[i].covered)
			fail_msg("%s", changes[i].to);
	}
	assert_true(same(FIRST, MANIFEST_KEEP_RETRY));
	assert_true(same(FIRST, MANIFEST_KEEP_ALGORITHM));
}

static void the_agents_configuration_and_the_leave_count(void **state)
{
	static const enum manifest_keep all[] = { MANIFEST_KEEP_RETRY, MANIFEST_KEEP_ALGORITHM };
	uint8_t first[ARRAY_LEN(all)][SHA3_256_LEN], other[SHA3_256_LEN];

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		form_of(FIRST, all[i], "7002", first[i]);
		form_of(FIRST, all[i], "7003", other);
		assert_memory_not_equal(first[i], other, sizeof(other));
	}
	assert_memory_not_equal(first[0], first[1], sizeof(other));
}

static void words_are_two(void **state)
{
	enum manifest_keep keep = MANIFEST_KEEP_NOTHING;

	assert_true(manifest_keep_find("retry", &keep));
	assert_int_equal(keep, MANIFEST_KEEP_RETRY);
	assert_true(manifest_keep_find("algorithm", &keep));
	assert_int_equal(keep, MANIFEST_KEEP_ALGORITHM);
	assert_string_equal(manifest_keep_word(keep), "algorithm");
	assert_false(manifest_keep_find("nothing", &keep));
	assert_false(manifest_keep_find("", &keep));
	assert_false(manifest_keep_find("Retry", &keep));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_covered_or_not),
		cmocka_unit_test(the_agents_configuration_and_the_leave_count),
		cmocka_unit_test(words_are_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
