/* SPDX-License-Identifier: Apache-2.0 */
/* SNP reports. */
#include "attestation/snp/snp_report.h"
#include "common/base/bytes.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct snp_report report;
	uint8_t again[SNP_REPORT_LEN];
	struct err e;

	if (snp_report_parse(bytes, len, &report, &e) < 0)
		return 0;
	/* One report, one encoding. */
	snp_report_write(&report, again);
	if (len != SNP_REPORT_LEN || memcmp(again, bytes, len) != 0)
		__builtin_trap();
	/* What firmware that masks the chip's key signs, and numbers that are no signature. */
	if (snp_report_mask_chip_key(&report) != !!(report.flags & SNP_FLAG_MASK_CHIP_KEY) ||
	    snp_report_author_key_en(&report) != (report.flags & 1) ||
	    (snp_report_signature_in_range(&report) &&
	     bytes_are(report.signature_r, SNP_SIGNATURE_PART_LEN, 0)))
		__builtin_trap();
	return 0;
}
