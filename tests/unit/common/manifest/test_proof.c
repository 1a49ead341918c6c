/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/digest.h"
#include "common/manifest/proof.h"
#include "tests/unit.h"

static const struct proof call = {
	.role = "data-provider",
	.method = "/agent.AgentService/Data",
	.manifest = { 1 },
	.session = { 2 },
	.asset = { 3 },
};

static void the_bytes_are_those_of_the_definition(void **state)
{
	static const char parameters_bytes[] = "\0\0\0\x08"
					       "filename\0\0\0\x01x";
	CLEANUP_WRITER struct writer parameters = writer_up_to(PROOF_PARAMETERS_MAX);
	CLEANUP_WRITER struct writer expected = writer_up_to(4096);
	CLEANUP(free) uint8_t *bytes = NULL;
	uint8_t d[SHA3_256_LEN];
	size_t len;
	struct err e;

	proof_parameter_text(&parameters, "filename", "x");
	assert_int_equal(parameters.len, sizeof(parameters_bytes) - 1);
	assert_memory_equal(parameters.bytes, parameters_bytes, parameters.len);
	assert_ok(digest(DIGEST_SHA3_256, parameters_bytes, parameters.len, d, &e), e);
	writer_bytes(&expected, "cocos-proof-v1\0data-provider\0/agent.AgentService/Data", 54);
	writer_u8(&expected, 1), writer_zeros(&expected, 31);
	writer_u8(&expected, 2), writer_zeros(&expected, 31);
	writer_u8(&expected, 3), writer_zeros(&expected, 31);
	writer_bytes(&expected, d, sizeof(d));
	assert_ok(proof_message(&call, &parameters, &bytes, &len, &e), e);
	assert_int_equal(len, expected.len);
	assert_memory_equal(bytes, expected.bytes, len);
}

static void no_two_parameter_lists_look_alike(void **state)
{
	CLEANUP_WRITER struct writer a = writer_up_to(64), b = writer_up_to(64);

	proof_parameter_text(&a, "k", "xy");
	proof_parameter_text(&a, "k", "");
	proof_parameter_text(&b, "k", "x");
	proof_parameter_text(&b, "k", "y");
	assert_true(a.len != b.len || memcmp(a.bytes, b.bytes, a.len) != 0);
}

static void too_many_parameters_are_refused(void **state)
{
	CLEANUP_WRITER struct writer parameters = writer_up_to(8);
	uint8_t *bytes;
	size_t len;
	struct err e;

	proof_parameter_text(&parameters, "k", "long");
	assert_refused(proof_message(&call, &parameters, &bytes, &len, &e), e, ERR_EXHAUSTED,
		       "parameters");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bytes_are_those_of_the_definition),
		cmocka_unit_test(no_two_parameter_lists_look_alike),
		cmocka_unit_test(too_many_parameters_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
