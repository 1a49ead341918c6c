/* SPDX-License-Identifier: Apache-2.0 */
/* TDX quotes. */
#include "attestation/tdx/tdx_quote.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct tdx_quote q;
	struct err e;

	if (tdx_quote_parse(bytes, len, &q, &e) < 0)
		return 0;
	/* Every byte is accounted for. */
	size_t certified = 4 + q.signature.len + q.key.len + 6 + q.qe_report_bytes.len +
			   q.qe_signature.len + 2 + q.qe_auth.len + 6 + q.pck_chain.len;

	if (q.signed_bytes.bytes != bytes || q.signed_bytes.len + certified + q.padding != len)
		__builtin_trap();
	return 0;
}
