/* SPDX-License-Identifier: Apache-2.0 */
/* SNP reports. */
#include "attestation/snp/snp_report.h"

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
	return 0;
}
