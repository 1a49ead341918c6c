/* SPDX-License-Identifier: Apache-2.0 */
/* pieces.h — an input that is several texts, with a zero byte after each. */
#pragma once

#include "common/base/span.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The next one, malloc'ed; false after the last. */
static inline bool piece_next(struct span *rest, char **text)
{
	const uint8_t *end = rest->len ? memchr(rest->bytes, 0, rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->bytes) : 0;

	if (!end)
		return false;
	*text = strndup((const char *)rest->bytes, len);
	assert(*text);
	*rest = (struct span){ end + 1, rest->len - len - 1 };
	return true;
}
