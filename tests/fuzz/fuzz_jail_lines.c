/* SPDX-License-Identifier: Apache-2.0 */
/* What an algorithm writes, as lines for a log. */
#include "agent/jail/jail_lines.h"
#include "common/base/utf8.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(void *data, int stream, const char *text, size_t len)
{
	size_t *count = data;

	++*count;
	assert(len <= JAIL_LINE_MAX && utf8_valid(text, len));
	for (size_t i = 0; i < len; i++)
		assert((unsigned char)text[i] >= 0x20 || text[i] == '\t');
}

/* Whatever a program writes, in whatever pieces, lines are fit for a log, and not too many. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	size_t count = 0, step = len ? 1 + bytes[0] : 1;
	struct jail_lines lines = { .stream = 1, .emit = check, .data = &count };

	for (size_t at = 0; at < len; at += step)
		jail_lines_feed(&lines, (const char *)bytes + at, step < len - at ? step : len - at,
				5);
	jail_lines_end(&lines, 5);
	assert(count <= JAIL_LINES_PER_SECOND + 1);
	return 0;
}
