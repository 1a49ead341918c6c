/* SPDX-License-Identifier: Apache-2.0 */
/* The first two bytes say how long the request is; the authenticator follows it. */
#include "attestation/channel/authenticator.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct authenticator_session session = { .hash = DIGEST_SHA256 };
	struct reader r = reader_over(bytes, len);
	size_t request_len = reader_be16(&r);
	const uint8_t *request = reader_take(&r, request_len);
	struct authenticator a;
	struct ea_request parsed;
	struct err e;

	if (!request)
		return 0;
	if (ea_request_parse(request, request_len, &parsed, &e) == 0 &&
	    parsed.scheme_count > EA_SCHEMES_MAX)
		__builtin_trap();
	/* A yes would need a signature over zeros; memory is checked all the same. */
	if (authenticator_verify(&session, request, request_len, r.pos, reader_left(&r), &a, &e) ==
	    0)
		authenticator_done(&a);
	return 0;
}
