/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check_policy.h"

#include "attestation/policy.h"
#include "attestation/tpm_policy.h"
#include "cli/number.h"

/* Without a policy: the two rules that stand for themselves. */
static void judge_alone(const struct tpm_quote *quote, bool sha1, const uint64_t *resets,
			struct verdict *v)
{
	if (!sha1)
		verdict_check(v, "policy.bank", "attestation.md", !tpm_quote_is_sha1(quote),
			      "SHA-1 registers alone", "a bank of SHA-256 or better");
	if (resets)
		verdict_checkf(v, "policy.reset_count", "TPM 2.0 part 2, 10.11.1",
			       quote->attest.reset_count == *resets, "the count that was named",
			       "%u", quote->attest.reset_count);
}

static int read_policy(const struct check_input *in, struct policy *policy, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	struct policy_file file = { .name = cli_value(in->cli, "policy") };

	if (check_option_file(in, "policy", &bytes, &file.len, e) < 0)
		return -(int)e->code;
	file.bytes = bytes;
	if (policy_parse(&file, 1, policy, e) < 0)
		return -(int)e->code;
	if (policy->has_tpm)
		return 0;
	policy_done(policy);
	return err_set(e, ERR_INVALID, "--policy: it says nothing of a TPM's registers");
}

int check_policy_quote(const struct check_input *in, const struct tpm_quote *quote,
		       const struct tpm_pcrs *pcrs, struct verdict *v, struct err *e)
{
	const struct tpm_facts facts = { .quotes = quote, .quote_count = 1, .pcrs = pcrs };
	bool sha1 = cli_flag(in->cli, "allow_sha1_bank"),
	     counted = cli_value(in->cli, "reset_count");
	struct policy policy;
	uint64_t resets = 0;

	if (number_option(in->cli, "reset_count", UINT32_MAX, &resets, e) < 0)
		return -(int)e->code;
	judge_alone(quote, sha1 || cli_value(in->cli, "policy"), counted ? &resets : NULL, v);
	if (!cli_value(in->cli, "policy"))
		return 0;
	if (read_policy(in, &policy, e) < 0)
		return -(int)e->code;
	policy.tpm.allow_sha1_bank |= sha1;
	tpm_policy_judge(&policy.tpm, &facts, v);
	policy_done(&policy);
	return 0;
}
