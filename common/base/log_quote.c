/* SPDX-License-Identifier: Apache-2.0 */
/* Apart from what writes lines: the library for programs of others quotes, and has neither a log nor threads' memory. */
#include "common/base/log.h"
#include "common/base/log_escape.h"
#include "common/base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 4 }; /* bytes: an escape, or a character of UTF-8 */

bool log_is_escape(const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const char *b = bytes;

	return len >= 4 && b[0] == '\\' && b[1] == 'x' && memchr(digits, b[2], 16) &&
	       memchr(digits, b[3], 16);
}

struct log_quoted log_quote_bytes(const void *bytes, size_t len)
{
	const char quote = len && memchr(bytes, '\'', len) && !memchr(bytes, '"', len) ? '"' : '\'';
	struct log_quoted q;
	const uint8_t *b = bytes;
	size_t at = 0;

	q.text[at++] = quote;
	for (size_t i = 0, step; i < len; i += step) {
		const bool is_escaped =
			b[i] == quote || (b[i] == '\\' && !log_is_escape(b + i, len - i));
		size_t shown = is_escaped ? 0 : utf8_shown(b + i, len - i);

		if (at + LONGEST + sizeof("…'") > sizeof(q.text)) {
			memcpy(q.text + at, "…", strlen("…"));
			at += strlen("…");
			break;
		}
		step = shown ? shown : 1;
		if (shown)
			memcpy(q.text + at, b + i, shown);
		else
			snprintf(q.text + at, LONGEST + 1, "\\x%02x", b[i]);
		at += shown ? shown : LONGEST;
	}
	q.text[at++] = quote;
	q.text[at] = '\0';
	return q;
}

struct log_quoted log_quote(const char *text)
{
	return log_quote_bytes(text ? text : "", text ? strlen(text) : 0);
}
