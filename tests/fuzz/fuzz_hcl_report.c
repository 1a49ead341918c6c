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
	if (hcl.report.len != SNP_REPORT_LEN || hcl.runtime.bytes + hcl.runtime.len > bytes + len)
		__builtin_trap();
	(void)!hcl_report_ak(hcl.runtime, &key, &e);
	return 0;
}
