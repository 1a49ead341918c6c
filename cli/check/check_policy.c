/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check/check_policy.h"

#include "attestation/policy/policy.h"
#include "attestation/tpm/tpm_policy.h"
#include "cli/base/number.h"

int check_policy_alone(const struct check_input *in, const struct tpm_quote *quotes, size_t count,
		       struct verdict *v, struct err *e)
{
	bool sha1 = true;
	uint64_t resets = 0;

	if (number_option(in->cli, "reset_count", UINT32_MAX, &resets, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < count; i++) {
		sha1 = sha1 && tpm_quote_is_sha1(&quotes[i]);
		if (cli_value(in->cli, "reset_count"))
			verdict_checkf(
				v, CHECK_POLICY_RESET_COUNT, quotes[i].attest.reset_count == resets,
				"the count that was named", "%u", quotes[i].attest.reset_count);
	}
	/* A policy has its own rule. */
	if (!cli_flag(in->cli, "allow_sha1_bank") && !cli_value(in->cli, "policy"))
		verdict_check(v, CHECK_POLICY_BANK, !sha1, "SHA-1 registers alone",
			      "a bank of SHA-256 or better");
	return 0;
}

static int read_policy(const struct check_input *in, struct policy *policy, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	struct policy_file file = { .name = cli_value(in->cli, "policy") };

	if (check_option_file(in, "policy", &bytes, &file.len, e) < 0)
		return err_code(e);
	file.bytes = bytes;
	if (policy_parse(&file, 1, policy, e) < 0)
		return err_code(e);
	if (policy->has_tpm)
		return 0;
	policy_done(policy);
	return err_set(e, ERR_INVALID, "--policy: it says nothing about a TPM's registers");
}

int check_policy_quote(const struct check_input *in, const struct tpm_quote *quote,
		       const struct tpm_pcrs *pcrs, struct verdict *v, struct err *e)
{
	const struct tpm_facts facts = { .quotes = quote, .quote_count = 1, .pcrs = pcrs };
	struct policy policy;

	if (check_policy_alone(in, quote, 1, v, e) < 0)
		return err_code(e);
	if (!cli_value(in->cli, "policy"))
		return 0;
	if (read_policy(in, &policy, e) < 0)
		return err_code(e);
	policy.tpm.allow_sha1_bank |= cli_flag(in->cli, "allow_sha1_bank");
	tpm_policy_judge(&policy.tpm, &facts, v);
	policy_done(&policy);
	return 0;
}
