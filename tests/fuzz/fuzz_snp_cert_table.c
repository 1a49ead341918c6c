/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate table next to an SNP report. */
#include "attestation/snp/snp_cert_table.h"

static void inside(struct span part, const uint8_t *bytes, size_t len)
{
	if (part.len && (part.bytes < bytes || part.bytes + part.len > bytes + len))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct snp_cert_table table;
	struct err e;

	if (snp_cert_table_parse((struct span){ bytes, len }, &table, &e) < 0)
		return 0;
	inside(table.vcek, bytes, len);
	inside(table.vlek, bytes, len);
	inside(table.ask, bytes, len);
	inside(table.ark, bytes, len);
	inside(table.crl, bytes, len);
	return 0;
}
