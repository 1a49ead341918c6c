/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole TDX appraisal. An input is a sequence of parts, each a 32-bit little-endian length and
 * its bytes: quote, event log, the seven documents in the order of struct tdx_collateral. The root
 * is that of the corpus, whose keys nobody has any more: what is accepted must be what was signed.
 */
#include "attestation/tdx/tdx_appraise.h"
#include "common/base/bytes.h"
#include "tests/fuzz/tdx_root.h"

#include <stdlib.h>
#include <string.h>

enum { DOCUMENTS = sizeof(struct tdx_collateral) / sizeof(struct span) };

static struct span part(struct reader *r)
{
	size_t len = reader_le32(r);

	return span_take(r, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) struct verdict *v = malloc(sizeof(*v));
	CLEANUP(free) struct tdx_result *result = malloc(sizeof(*result));
	struct reader r = reader_over(bytes, len);
	uint8_t report_data[TDX_REPORT_DATA_LEN];
	struct tdx_input in = { 0 };

	if (!v || !result)
		return 0;
	memset(report_data, 0xc0, sizeof(report_data));
	in.quote = part(&r);
	in.event_log = part(&r);
	for (size_t i = 0; i < DOCUMENTS; i++)
		((struct span *)&in.endorsements.collateral)[i] = part(&r);
	in.endorsements.trusted_root =
		(struct span){ (const uint8_t *)tdx_fuzz_root, strlen(tdx_fuzz_root) };
	in.endorsements.at = TDX_FUZZ_AT;
	in.report_data = report_data;
	verdict_init(v, VERDICT_SCOPE_GENUINE_ONLY);
	tdx_appraise(&in, result, v);
	if (!verdict_ok(v))
		return 0;
	/* As tests/forge/tdx_forge.c signed it. */
	if (!bytes_are(result->quote.body.mrtd, TDX_MR_LEN, 0xa0) ||
	    !bytes_are(result->quote.body.rtmr[3], TDX_MR_LEN, 0xb3) ||
	    result->status != TDX_UP_TO_DATE)
		__builtin_trap();
	return 0;
}
