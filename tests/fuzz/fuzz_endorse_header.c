/* SPDX-License-Identifier: Apache-2.0 */
/* Answers and addresses of endorsement services. */
#include "attestation/endorse/endorse_http.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) char *text = NULL;
	size_t got;
	struct err e;

	if (endorse_unescape((const char *)bytes, len, &text, &got, &e) < 0)
		return 0;
	if (got > len || strlen(text) != got)
		__builtin_trap();
	/* Plain HTTP never leaves this machine. */
	if (endorse_http_base(text, &e) == 0 && strncmp(text, "https://", 8) != 0 &&
	    strncmp(text, "http://127.0.0.1", 16) != 0 && strncmp(text, "http://[::1]", 12) != 0 &&
	    strncmp(text, "http://localhost", 16) != 0)
		__builtin_trap();
	return 0;
}
