/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy says of registers, over quotes that are believed already. */
#include "attestation/tpm/tpm_policy.h"
#include "tests/unit.h"

static struct tpm_quote quotes[2];
static struct tpm_pcrs pcrs;
static struct verdict verdict;

/* One quote over each bank, and PCR 4 of both. */
static int setup(void **state)
{
	static const uint8_t value[SHA256_LEN] = { 4 };
	struct err e;

	quotes[0].attest.selection_count = quotes[1].attest.selection_count = 1;
	quotes[0].attest.selections[0] = (struct tpm_selection){ TPM_ALG_SHA1, 1u << 4 };
	quotes[1].attest.selections[0] = (struct tpm_selection){ TPM_ALG_SHA256, 1u << 4 };
	assert_ok(tpm_pcrs_add(&pcrs, DIGEST_SHA1, 4,
			       (struct span){ value, digest_len(DIGEST_SHA1) }, &e),
		  e);
	assert_ok(tpm_pcrs_add(&pcrs, DIGEST_SHA256, 4, (struct span){ value, SHA256_LEN }, &e), e);
	return 0;
}

/* Under a policy that names PCR 4 of `bank` as it is. */
static bool judge(enum digest_kind bank, bool allow_sha1_bank)
{
	const struct tpm_facts facts = { quotes, ARRAY_LEN(quotes), &pcrs, NULL };
	struct tpm_policy policy = { .allow_sha1_bank = allow_sha1_bank, .count = 1 };

	policy.pcrs[0] =
		(struct tpm_policy_pcr){ bank, 4, { tpm_pcrs_bank(&pcrs, bank)->values[4], 1 } };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	tpm_policy_judge(&policy, &facts, &verdict);
	return verdict_ok(&verdict);
}

/* Also beside a quote over a better bank, which says nothing of that register: it is another value. */
static void a_register_of_sha1_is_taken_by_name_alone(void **state)
{
	assert_true(judge(DIGEST_SHA256, false));
	assert_true(judge(DIGEST_SHA1, true));
	assert_false(judge(DIGEST_SHA1, false));
	assert_non_null(strstr(verdict_reason(&verdict).text, "policy.pcr4: found a SHA-1 bank"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_register_of_sha1_is_taken_by_name_alone),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
