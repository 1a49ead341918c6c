/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence in JSON. */
#include "attestation/envelope/evidence_json.h"
#include "attestation/envelope/tpm_attestation.h"
#include "common/base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct sevsnp_attestation sevsnp;
	static struct tpm_evidence tpm;
	const struct span text = { bytes, len };

	for (int kind = EVIDENCE_SNP; kind < EVIDENCE_KINDS; kind++) {
		CLEANUP(free) uint8_t *made = NULL;
		size_t made_len;
		struct err e;

		if (evidence_from_json(text, (enum evidence_kind)kind, &made, &made_len, &e) < 0)
			continue;
		if (!made_len || evidence_is_json((struct span){ made, made_len }))
			__builtin_trap();
		(void)!sevsnp_attestation_parse((struct span){ made, made_len }, &sevsnp, &e);
		(void)!tpm_attestation_parse((struct span){ made, made_len }, &tpm, &e);
	}
	return 0;
}
