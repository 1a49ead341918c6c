/* SPDX-License-Identifier: Apache-2.0 */
/* COSE_Sign1 messages. */
#include "attestation/formats/cose.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct cose m;
	struct err e;

	if (cose_parse(bytes, len, NULL, 0, &m, &e) < 0)
		return 0;
	/* What was accepted lies within the input. */
	if (m.payload < bytes || m.payload_len > len || m.signature_len > len)
		__builtin_trap();
	cose_done(&m);
	return 0;
}
