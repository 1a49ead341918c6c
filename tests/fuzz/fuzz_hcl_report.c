/* SPDX-License-Identifier: Apache-2.0 */
/* Azure's report around a hardware report. */
#include "attestation/tpm/hcl_report.h"
#include "common/crypto/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct hcl_report hcl;
	struct err e;

	if (hcl_report_parse((struct span){ bytes, len }, &hcl, &e) < 0)
		return 0;
	size_t wanted = hcl.type == HCL_REPORT_TDX ? HCL_TDREPORT_LEN : SNP_REPORT_LEN;
	const uint8_t *data = hcl_report_found_data(&hcl);

	if (hcl.report.len != wanted || data < hcl.report.bytes ||
	    data + HCL_REPORT_DATA_LEN > hcl.report.bytes + hcl.report.len ||
	    hcl.runtime.bytes + hcl.runtime.len > bytes + len)
		__builtin_trap();
	(void)!hcl_report_ak(hcl.runtime, &key, &e);
	return 0;
}
