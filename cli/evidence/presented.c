/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evidence/presented.h"

#include <string.h>

struct span presented_ak(const struct eat *token, struct tpm_evidence *a)
{
	struct span raw = { token->raw_report.bytes, token->raw_report.len };
	struct err ignored;

	if (!evidence_kind_rows[token->platform].tpm || tpm_attestation_parse(raw, a, &ignored) < 0)
		return (struct span){ NULL, 0 };
	return a->ak_public;
}

/* Every value that the message brings was in a quote's selection (quote.selection). */
bool presented_pcr(const struct eat *token, struct tpm_evidence *a, unsigned pcr,
		   uint8_t value[SHA256_LEN])
{
	if (!presented_ak(token, a).len)
		return false;
	for (size_t i = 0; i < a->quote_count; i++) {
		const struct tpm_pcr_bank *bank = tpm_pcrs_bank(&a->quotes[i].pcrs, DIGEST_SHA256);

		if (!bank || !(bank->present & (UINT32_C(1) << pcr)))
			continue;
		memcpy(value, bank->values[pcr], SHA256_LEN);
		return true;
	}
	return false;
}
