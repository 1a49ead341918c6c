/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/text.h"

#include "common/base/utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* C0, DEL, and C1, which UTF-8 writes as c2 80 to c2 9f. */
static size_t control_at(const char *text)
{
	unsigned char c = (unsigned char)text[0], next = c ? (unsigned char)text[1] : 0;

	if (c < 0x20 || c == 0x7f)
		return 1;
	return c == 0xc2 && next >= 0x80 && next <= 0x9f ? 2 : 0;
}

void text_make_plain(char *text)
{
	bool utf8 = utf8_valid(text, strlen(text));

	for (char *c = text; *c; c++) {
		size_t len = control_at(c);

		for (size_t i = 0; i < len; i++)
			c[i] = '?';
		if (!utf8 && (unsigned char)*c >= 0x80)
			*c = '?';
	}
}

struct text_plain text_plain(const char *text)
{
	static const char more[] = "…";
	struct text_plain out;
	size_t len = strnlen(text, sizeof(out.text));

	if (len < sizeof(out.text)) {
		memcpy(out.text, text, len + 1);
	} else {
		len = sizeof(out.text) - sizeof(more);
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
		memcpy(out.text, text, len);
		memcpy(out.text + len, more, sizeof(more));
	}
	text_make_plain(out.text);
	return out;
}
