/* SPDX-License-Identifier: Apache-2.0 */
/* Apart from what writes lines: the library for programs of others quotes, and has neither a log nor threads' memory. */
#include "common/base/log.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct log_quoted log_quote_bytes(const void *bytes, size_t len)
{
	struct log_quoted q;
	const uint8_t *b = bytes;
	size_t at = 0;

	q.text[at++] = '\'';
	for (size_t i = 0; i < len; i++) {
		if (at + 4 + 5 > sizeof(q.text)) {
			memcpy(q.text + at, "…", strlen("…"));
			at += strlen("…");
			break;
		}
		if (b[i] >= 0x20 && b[i] < 0x7f && b[i] != '\'' && b[i] != '\\')
			q.text[at++] = (char)b[i];
		else
			at += (size_t)snprintf(q.text + at, 5, "\\x%02x", b[i]);
	}
	q.text[at++] = '\'';
	q.text[at] = '\0';
	return q;
}

struct log_quoted log_quote(const char *text)
{
	return log_quote_bytes(text ? text : "", text ? strlen(text) : 0);
}
