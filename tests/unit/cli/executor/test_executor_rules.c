/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/workflow_client.h"
#include "cli/executor/executor_cvm_rules.h"
#include "cli/executor/executor_key.h"
#include "cli/executor/executor_node.h"
#include "common/base/encode.h"
#include "tests/unit.h"

#define FINGERPRINT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SIGNER      "35dae57b7ba2553f8523ce05ddf0c8f5ad3c88e9c0d21ba1c63679913aed9d00"

static void programs_are_functions_and_absolute_paths(void **state)
{
	static const char *const refused[] = { "",
					       "=",
					       "f",
					       "f=",
					       "f=x",
					       "=/bin/true",
					       "f/g=/bin/true",
					       "f g=/bin/true",
					       "f=/bin/false" };
	struct executor_rules rules = { .function_count = 0 };
	char text[WORKFLOW_NAME_MAX + 16];
	struct err e;

	assert_ok(executor_rules_allow(&rules, "f=/bin/true", &e), e);
	assert_string_equal(rules.functions[0].name, "f");
	assert_string_equal(rules.functions[0].path, "/bin/true");
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_refused(executor_rules_allow(&rules, refused[i], &e), e, ERR_INVALID,
			       "program");
	memset(text, 'n', sizeof(text));
	snprintf(text + WORKFLOW_NAME_MAX, 8, "=/x");
	assert_ok(executor_rules_allow(&rules, text, &e), e);
	memset(text, 'm', sizeof(text));
	snprintf(text + WORKFLOW_NAME_MAX + 1, 8, "=/x");
	assert_refused(executor_rules_allow(&rules, text, &e), e, ERR_INVALID, "program");
	for (size_t i = rules.function_count; i < EXECUTOR_FUNCTIONS_MAX; i++) {
		snprintf(text, sizeof(text), "f%zu=/x", i);
		assert_ok(executor_rules_allow(&rules, text, &e), e);
	}
	assert_refused(executor_rules_allow(&rules, "one=/more", &e), e, ERR_INVALID, "at most 64");
	executor_rules_done(&rules);
}

static void submitters_are_fingerprints_and_recipients_keys(void **state)
{
	static const char *const refused[] = {
		"", "00", FINGERPRINT "00", FINGERPRINT " ",
		"x0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	};
	struct executor_rules rules = { .function_count = 0 };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_refused(executor_rules_trust(&rules, refused[i], &e), e, ERR_INVALID,
			       "64 hexadecimal digits");
	for (size_t i = 0; i < EXECUTOR_SUBMITTERS_MAX; i++)
		assert_ok(executor_rules_trust(&rules, FINGERPRINT, &e), e);
	assert_int_equal(rules.submitters[0][31], 0xff);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_refused(executor_rules_hand_to(&rules, refused[i], &e), e, ERR_INVALID,
			       "64 hexadecimal digits");
	for (size_t i = 0; i < EXECUTOR_RECIPIENTS_MAX; i++)
		assert_ok(executor_rules_hand_to(&rules, FINGERPRINT, &e), e);
	assert_refused(executor_rules_hand_to(&rules, FINGERPRINT, &e), e, ERR_INVALID,
		       "at most 64");
	assert_refused(executor_rules_trust(&rules, FINGERPRINT, &e), e, ERR_INVALID, "at most 64");
	executor_rules_done(&rules);
}

/* Always the same of the same key, and of no other. */
static void each_key_has_its_own_key_for_results(void **state)
{
	static const enum key_kind kinds[] = { KEY_RSA, KEY_ECDSA, KEY_ED25519 };
	struct hpke_key one, again, made[ARRAY_LEN(kinds)];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL, *read = NULL;
		char *pem;

		assert_ok(key_generate(kinds[i], &key, &e), e);
		assert_ok(workflow_reply_key(key, &one, &e), e);
		assert_ok(key_to_private_pem(key, &pem, &e), e);
		assert_ok(key_from_private_pem(pem, strlen(pem), NULL, NULL, &read, &e), e);
		free(pem);
		assert_ok(workflow_reply_key(read, &again, &e), e);
		assert_memory_equal(&one, &again, sizeof(one));
		made[i] = one;
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(&made[i], &made[j], sizeof(one));
	}
}

static void what_cvms_may_do_is_digests(void **state)
{
	struct executor_rules rules = { .function_count = 0 };
	struct err e;

	assert_refused(executor_rules_allow_policy(&rules, "00", &e), e, ERR_INVALID,
		       "policy '00': a SHA3-256");
	assert_refused(executor_rules_allow_algorithm(&rules, FINGERPRINT "0", &e), e, ERR_INVALID,
		       "64 hexadecimal digits");
	for (size_t i = 0; i < EXECUTOR_CVM_DIGESTS_MAX; i++) {
		assert_ok(executor_rules_allow_algorithm(&rules, FINGERPRINT, &e), e);
		assert_ok(executor_rules_allow_policy(&rules, FINGERPRINT, &e), e);
	}
	assert_int_equal(rules.algorithms[63][31], 0xff);
	assert_int_equal(rules.policies[63][31], 0xff);
	assert_refused(executor_rules_allow_algorithm(&rules, FINGERPRINT, &e), e, ERR_INVALID,
		       "at most 64");
	assert_refused(executor_rules_allow_policy(&rules, FINGERPRINT, &e), e, ERR_INVALID,
		       "at most 64");
	assert_refused(executor_rules_allow_requirements(&rules, "00", &e), e, ERR_INVALID,
		       "requirements '00': a SHA3-256");
	for (size_t i = 0; i < EXECUTOR_CVM_DIGESTS_MAX; i++)
		assert_ok(executor_rules_allow_requirements(&rules, FINGERPRINT, &e), e);
	assert_refused(executor_rules_allow_requirements(&rules, FINGERPRINT, &e), e, ERR_INVALID,
		       "at most 64");
}

static void what_says_less_than_its_owner_meant_is_refused(void **state)
{
	struct executor_rules rules = { .type = "home" };
	struct err e;

	assert_ok(executor_cvm_rules_check(&rules, &e), e);
	rules.requirements_count = 1;
	assert_refused(executor_cvm_rules_check(&rules, &e), e, ERR_INVALID, "both");
	rules.algorithm_count = 1;
	assert_refused(executor_cvm_rules_check(&rules, &e), e, ERR_INVALID, "both");
	rules.policy_count = 1;
	assert_ok(executor_cvm_rules_check(&rules, &e), e);
	rules.requirements_count = 0;
	assert_ok(executor_cvm_rules_check(&rules, &e), e);
	rules.type = "cvm:x";
	assert_refused(executor_cvm_rules_check(&rules, &e), e, ERR_INVALID, "of type cvm:x");
	rules.type = "home";
	rules.algorithm_count = 0;
	assert_refused(executor_cvm_rules_check(&rules, &e), e, ERR_INVALID, "both");
}

/* Fixed for ever: orders name it. Computed by another hand (Python's hmac and cryptography). */
static void an_executor_signs_by_a_key_of_the_same_file(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *signer = NULL;
	uint8_t public[EXECUTOR_SIGNER_LEN];
	char hex[2 * EXECUTOR_SIGNER_LEN + 1];
	struct hpke_key own;
	struct err e;

	memset(own.secret, 1, sizeof(own.secret));
	assert_ok(executor_key_signer(&own, &signer, public, &e), e);
	hex_encode(public, sizeof(public), hex);
	assert_string_equal(hex, SIGNER);
	assert_int_equal(key_kind_of(signer), KEY_ED25519);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_are_functions_and_absolute_paths),
		cmocka_unit_test(submitters_are_fingerprints_and_recipients_keys),
		cmocka_unit_test(each_key_has_its_own_key_for_results),
		cmocka_unit_test(what_cvms_may_do_is_digests),
		cmocka_unit_test(what_says_less_than_its_owner_meant_is_refused),
		cmocka_unit_test(an_executor_signs_by_a_key_of_the_same_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
