/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/writer.h"
#include "common/manifest/confirmation.h"
#include "common/manifest/proof.h"
#include "tests/unit.h"

static const struct confirmation own = {
	.service = { 1 },
	.user = "anna",
	.computation = "c",
	.key = { 2 },
	.digest = { 3 },
	.revision = 0x0102,
};

static void the_bytes_are_those_of_the_definition(void **state)
{
	CLEANUP_WRITER struct writer expected = writer_up_to(1024);
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	assert_ok(confirmation_message(&own, &bytes, &len, &e), e);
	writer_bytes(&expected, "cocos-manifest-compared-v1\0\0\0\0\x20\1", 32);
	writer_zeros(&expected, 31);
	writer_bytes(&expected, "\0\0\0\4anna\0\0\0\1c\0\0\0\x20\2", 18);
	writer_zeros(&expected, 31);
	writer_bytes(&expected, "\0\0\0\x20\3", 5);
	writer_zeros(&expected, 31);
	writer_bytes(&expected, "\0\0\0\x08\0\0\0\0\0\0\1\2", 12);
	assert_int_equal(len, expected.len);
	assert_memory_equal(bytes, expected.bytes, len);
}

/* Each member counts, and none runs into the next. */
static void no_two_look_alike(void **state)
{
	struct confirmation all[] = { own, own, own, own, own, own, own, own };
	uint8_t *bytes[ARRAY_LEN(all)];
	size_t len[ARRAY_LEN(all)];
	struct err e;

	all[1].service[31] = 1;
	all[2].user = "ann", all[2].computation = "ac";
	all[3].user = "annac", all[3].computation = "c";
	all[4].key[31] = 1;
	all[5].digest[31] = 1;
	all[6].computation = "d";
	all[7].revision++;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		assert_ok(confirmation_message(&all[i], &bytes[i], &len[i], &e), e);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		for (size_t k = 0; k < i; k++)
			assert_true(len[i] != len[k] || memcmp(bytes[i], bytes[k], len[i]) != 0);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(bytes[i]);
}

/* Nor like what is signed to register a key, or for an agent. */
static void it_is_nothing_else(void **state)
{
	const struct proof call = { .role = PROOF_ROLE_DATA, .method = "/agent.AgentService/Data" };
	const struct possession key = { .user = "anna", .computation = "c" };
	CLEANUP(free) uint8_t *proof = NULL, *bytes = NULL, *possession = NULL;
	size_t proof_len, len, possession_len;
	struct err e;

	assert_ok(proof_message(&call, NULL, &proof, &proof_len, &e), e);
	assert_ok(possession_message(&key, &possession, &possession_len, &e), e);
	assert_ok(confirmation_message(&own, &bytes, &len, &e), e);
	assert_true(memcmp(proof, bytes, sizeof("cocos-")) != 0);
	assert_true(memcmp(possession, bytes, sizeof("cocos-")) != 0);
	assert_true(bytes[0] != 0x20 && bytes[0] < 0x80); /* TLS 1.3's padding; a CBOR array */
}

static void names_have_a_length(void **state)
{
	char longest[POSSESSION_TEXT_MAX + 2];
	CLEANUP(free) uint8_t *bytes = NULL;
	struct confirmation c = own;
	size_t len;
	struct err e;

	memset(longest, 'a', sizeof(longest));
	longest[POSSESSION_TEXT_MAX + 1] = 0;
	const char *const wrong[] = { "", longest };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		c = own, c.user = wrong[i];
		assert_refused(confirmation_message(&c, &bytes, &len, &e), e, ERR_INVALID, "name");
		c = own, c.computation = wrong[i];
		assert_refused(confirmation_message(&c, &bytes, &len, &e), e, ERR_INVALID, "id");
	}
	c.user = c.computation = longest + 1;
	assert_ok(confirmation_message(&c, &bytes, &len, &e), e);
}

static EVP_PKEY *key_of(uint8_t n)
{
	uint8_t secret[32] = { n };

	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof(secret));
}

static void another_key_or_statement_is_refused(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = key_of(1), *other = key_of(2);
	CLEANUP(free) uint8_t *bytes = NULL;
	uint8_t signature[SIGNATURE_MAX];
	struct confirmation c = own;
	size_t len, size;
	struct err e;

	assert_ok(confirmation_message(&own, &bytes, &len, &e), e);
	assert_ok(key_sign(key, true, bytes, len, signature, &size, &e), e);
	assert_ok(confirmation_verify(&own, key, signature, size, &e), e);
	assert_refused(confirmation_verify(&own, other, signature, size, &e), e, ERR_DENIED, "not");
	for (size_t short_of = 0; short_of < size; short_of++)
		assert_refused(confirmation_verify(&own, key, signature, short_of, &e), e,
			       ERR_DENIED, "not");
	c.revision++;
	assert_refused(confirmation_verify(&c, key, signature, size, &e), e, ERR_DENIED, "not");
	c.user = "";
	assert_refused(confirmation_verify(&c, key, signature, size, &e), e, ERR_INVALID, "name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bytes_are_those_of_the_definition),
		cmocka_unit_test(no_two_look_alike),
		cmocka_unit_test(it_is_nothing_else),
		cmocka_unit_test(names_have_a_length),
		cmocka_unit_test(another_key_or_statement_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
