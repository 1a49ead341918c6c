/* SPDX-License-Identifier: Apache-2.0 */
/* claims_tpm.c — a TPM's quote field by field. */
#include "attestation/claims/claims_fields.h"
#include "attestation/tpm/tpm_attest.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <stdio.h>

int claims_tpm_quote(const struct tpm_evidence_quote *quote, struct writer *w, struct err *e)
{
	struct tpm_attest a;

	if (tpm_attest_parse(quote->quote, &a, e) < 0)
		return err_code(e);
	writer_printf(w,
		      "{\"reset_count\":%u,\"restart_count\":%u,\"clock\":%" PRIu64 ",\"safe\":%s",
		      a.reset_count, a.restart_count, a.clock, a.safe ? "true" : "false");
	writer_printf(w, ",\"firmware_version\":%" PRIu64, a.firmware_version);
	json_put_hex(w, "qualified_signer", a.qualified_signer.bytes, a.qualified_signer.len);
	json_put_hex(w, "extra_data", a.extra_data.bytes, a.extra_data.len);
	json_put_hex(w, "pcr_digest", a.pcr_digest.bytes, a.pcr_digest.len);
	writer_text(w, ",\"pcrs\":{");
	for (size_t b = 0; b < quote->pcrs.count; b++) {
		const struct tpm_pcr_bank *bank = &quote->pcrs.banks[b];

		writer_printf(w, "%s\"%s\":{", b ? "," : "", tpm_bank_name(bank->kind));
		for (unsigned i = 0; i < TPM_PCR_COUNT; i++) {
			char index[4];

			snprintf(index, sizeof(index), "%u", i);
			if (bank->present & UINT32_C(1) << i)
				json_put_hex(w, index, bank->values[i], digest_len(bank->kind));
		}
		writer_text(w, "}");
	}
	writer_text(w, "}}");
	return 0;
}
