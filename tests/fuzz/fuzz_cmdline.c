/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel command lines against init's table. */
#include "guest/cmdline.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct err e;

	/* A line that passes has only bytes that words of the table have. */
	if (cmdline_check((const char *)bytes, len, &e) == 0 && len > 0 &&
	    (memchr(bytes, '"', len) || memchr(bytes, '/', len) || memchr(bytes, '\0', len)))
		__builtin_trap();
	return 0;
}
