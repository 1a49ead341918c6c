/* SPDX-License-Identifier: Apache-2.0 */
/* A client's records in arbitrary pieces: whatever the cuts, the same hellos are refused. */
#include "common/rpc/tls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct tls_hello whole = { 0 }, pieces = { 0 };
	size_t step = len ? 1u + bytes[0] % 32 : 1, at = len ? 1 : 0;
	bool is_refused = false;
	struct err e;

	for (size_t from = at; from < len && !is_refused; from += step)
		is_refused = tls_hello_add(&pieces, bytes + from,
					   len - from < step ? len - from : step, &e) < 0;
	if ((tls_hello_add(&whole, bytes + at, len - at, &e) < 0) != is_refused)
		__builtin_trap();
	return 0;
}
