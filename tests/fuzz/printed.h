/* SPDX-License-Identifier: Apache-2.0 */
/* printed.h — what a command prints is UTF-8 that a terminal does not obey. */
#pragma once

#include "common/base/utf8.h"

#include <assert.h>

static inline void printed_check(const char *text, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		n = utf8_char(text + at, len - at);
		assert(n > 0);
		/* Lines of CSV end with both. */
		if (text[at] != '\n' && !(text[at] == '\r' && at + 1 < len && text[at + 1] == '\n'))
			assert(!utf8_is_control(text + at, n));
	}
}
