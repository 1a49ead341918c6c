/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/span.h"

#include <string.h>

bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
}

struct reader span_reader(struct span s)
{
	return reader_over(s.bytes, s.len);
}

struct span span_take(struct reader *r, size_t len)
{
	const uint8_t *bytes = reader_take(r, len);

	return (struct span){ bytes, bytes ? len : 0 };
}
