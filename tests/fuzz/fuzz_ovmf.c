/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware images, and what they say of an SNP launch. */
#include "attestation/measure/ovmf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint64_t total = 0;
	struct ovmf ovmf;
	struct err e;

	if (ovmf_parse((struct span){ bytes, len }, &ovmf, &e) < 0 ||
	    ovmf_check_sections(&ovmf, &e) < 0)
		return 0;
	for (size_t i = 0; i < ovmf.section_count; i++) {
		total += ovmf.sections[i].len;
		if (!ovmf_has_section(&ovmf, ovmf.sections[i].type))
			__builtin_trap();
	}
	(void)ovmf_has_section(&ovmf, OVMF_SVSM_CAA);
	if (total > OVMF_SECTIONS_BYTES_MAX)
		__builtin_trap();
	return 0;
}
