/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte says which message: 0 attest.Attestation, 1 sevsnp.Attestation; 2 a report and a
 * host's table, to be put in the latter. */
#include "attestation/envelope/tpm_attestation.h"
#include "common/base/writer.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 1 << 20 };

/* What is written is read again as it was. */
static void write_again(struct span report, struct span table)
{
	CLEANUP_WRITER struct writer w = writer_up_to(MESSAGE_MAX);
	struct sevsnp_attestation again;
	struct err e;

	if (sevsnp_attestation_write(report, table, &w, &e) < 0)
		return;
	if (sevsnp_attestation_parse((struct span){ w.bytes, w.len }, &again, &e) < 0 ||
	    memcmp(again.report, report.bytes, SNP_REPORT_LEN) != 0)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) struct tpm_evidence *a = malloc(sizeof(*a));
	struct sevsnp_attestation s;
	struct err e;

	if (len == 0 || !a)
		return 0;
	if (bytes[0] == 0 &&
	    tpm_attestation_parse((struct span){ bytes + 1, len - 1 }, a, &e) == 0 &&
	    (a->quote_count < 1 || a->quote_count > TPM_QUOTES_MAX))
		__builtin_trap();
	if (bytes[0] == 1 &&
	    sevsnp_attestation_parse((struct span){ bytes + 1, len - 1 }, &s, &e) == 0)
		write_again((struct span){ s.report, SNP_REPORT_LEN }, (struct span){ NULL, 0 });
	if (bytes[0] == 2 && len > SNP_REPORT_LEN)
		write_again((struct span){ bytes + 1, SNP_REPORT_LEN },
			    (struct span){ bytes + 1 + SNP_REPORT_LEN, len - 1 - SNP_REPORT_LEN });
	return 0;
}
