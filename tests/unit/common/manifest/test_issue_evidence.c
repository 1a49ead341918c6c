/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent's identity signs to get a certificate, against values that were computed elsewhere. */
#include "common/base/encode.h"
#include "common/manifest/issue_evidence.h"
#include "tests/unit.h"

/* By sha256sum, of "cocos-certificate-evidence-v1" 00, and the digests of "token" and "request". */
static void it_is_as_it_is_written(void **state)
{
	static const char label[] = ISSUE_EVIDENCE_LABEL;
	static const char token[] =
		"3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0";
	static const char nonce[] =
		"8ce1869b2d51e58ffe232af3e93b0cfd98863eb58fc619965c84f244acaa8c52";
	struct issue_evidence about;
	char text[2 * SHA256_LEN + 1];
	struct err e;

	assert_int_equal(sizeof(about.message), 30 + 64);
	assert_ok(issue_evidence_make("token", (struct span){ (const uint8_t *)"request", 7 },
				      &about, &e),
		  e);
	assert_memory_equal(about.message, label, sizeof(label));
	hex_encode(about.message + sizeof(label), SHA256_LEN, text);
	assert_string_equal(text, token);
	hex_encode(about.nonce, sizeof(about.nonce), text);
	assert_string_equal(text, nonce);
}

/* Each of both counts, and where one ends. */
static void each_part_counts(void **state)
{
	static const struct {
		const char *token, *request;
	} rows[] = { { "token", "request" },
		     { "toke", "nrequest" },
		     { "token", "request2" },
		     { "token2", "request" },
		     { "", "tokenrequest" } };
	struct issue_evidence all[ARRAY_LEN(rows)];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct span request = { (const uint8_t *)rows[i].request,
					      strlen(rows[i].request) };

		assert_ok(issue_evidence_make(rows[i].token, request, &all[i], &e), e);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(all[i].nonce, all[j].nonce, SHA256_LEN);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_as_it_is_written),
		cmocka_unit_test(each_part_counts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
