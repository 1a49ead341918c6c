/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/writer.h"
#include "common/manifest/possession.h"
#include "common/manifest/proof.h"
#include "tests/unit.h"

static const struct possession own = {
	.service = { 1 },
	.user = "anna",
	.computation = "c",
	.key = { 2 },
	.challenge = { 3 },
};

static void the_bytes_are_those_of_the_definition(void **state)
{
	CLEANUP_WRITER struct writer expected = writer_up_to(1024);
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	assert_ok(possession_message(&own, &bytes, &len, &e), e);
	writer_bytes(&expected, "cocos-user-key-v1\0\0\0\0\x20\1", 23);
	writer_zeros(&expected, 31);
	writer_bytes(&expected, "\0\0\0\4anna\0\0\0\1c\0\0\0\x20\2", 18);
	writer_zeros(&expected, 31);
	writer_bytes(&expected, "\0\0\0\x20\3", 5);
	writer_zeros(&expected, 31);
	assert_int_equal(len, expected.len);
	assert_memory_equal(bytes, expected.bytes, len);
}

/* Each member counts, and none runs into the next. */
static void no_two_look_alike(void **state)
{
	struct possession all[] = { own, own, own, own, own, own, own };
	uint8_t *bytes[ARRAY_LEN(all)];
	size_t len[ARRAY_LEN(all)];
	struct err e;

	all[1].service[31] = 1;
	all[2].user = "annac", all[2].computation = "";
	all[3].user = "ann", all[3].computation = "ac";
	all[4].key[31] = 1;
	all[5].challenge[31] = 1;
	all[6].computation = "d";
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		assert_ok(possession_message(&all[i], &bytes[i], &len[i], &e), e);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		for (size_t k = 0; k < i; k++)
			assert_true(len[i] != len[k] || memcmp(bytes[i], bytes[k], len[i]) != 0);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(bytes[i]);
}

/* Nor like what is signed for an agent, now or by stock clients. */
static void it_is_no_proof(void **state)
{
	const struct proof call = { .role = PROOF_ROLE_DATA, .method = "/agent.AgentService/Data" };
	CLEANUP(free) uint8_t *proof = NULL, *bytes = NULL;
	size_t proof_len, len;
	struct err e;

	assert_ok(proof_message(&call, NULL, &proof, &proof_len, &e), e);
	assert_ok(possession_message(&own, &bytes, &len, &e), e);
	assert_true(memcmp(proof, bytes, sizeof("cocos-")) != 0);
	assert_true(strncmp((const char *)bytes, PROOF_ROLE_DATA, 4) != 0);
	assert_true(bytes[0] != 0x20 && bytes[0] < 0x80); /* TLS 1.3's padding; a CBOR array */
}

static void names_have_a_length(void **state)
{
	char longest[POSSESSION_TEXT_MAX + 2];
	struct possession p = own;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	memset(longest, 'a', sizeof(longest));
	longest[POSSESSION_TEXT_MAX + 1] = 0;
	p.user = longest;
	assert_refused(possession_message(&p, &bytes, &len, &e), e, ERR_INVALID, "name");
	p.user = "anna", p.computation = longest;
	assert_refused(possession_message(&p, &bytes, &len, &e), e, ERR_INVALID, "id");
	p.user = "";
	assert_refused(possession_message(&p, &bytes, &len, &e), e, ERR_INVALID, "name");
	p.user = p.computation = longest + 1;
	assert_ok(possession_message(&p, &bytes, &len, &e), e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bytes_are_those_of_the_definition),
		cmocka_unit_test(no_two_look_alike),
		cmocka_unit_test(it_is_no_proof),
		cmocka_unit_test(names_have_a_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
