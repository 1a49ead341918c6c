/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/text.h"

#include "common/base/log_escape.h"
#include "common/base/utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* How many bytes at the front are a character that does not stand for itself; 0: none. */
static size_t control_at(const char *text)
{
	size_t len = utf8_char(text, strnlen(text, 4));

	return len && utf8_is_control(text, len) ? len : 0;
}

void text_make_plain(char *text)
{
	bool utf8 = utf8_valid(text, strlen(text));

	for (char *c = text; *c; c++) {
		memset(c, '?', control_at(c));
		if (!utf8 && (unsigned char)*c >= 0x80)
			*c = '?';
	}
}

/* A word that begins here and has room in a line, though not in what is left of this one. */
static bool is_for_the_next_line(const char *start, const char *text, unsigned column)
{
	size_t word;

	if (text == start || text[-1] != ' ')
		return false;
	word = strcspn(text, " ");
	return word <= TEXT_ROW && column + word > TEXT_ROW;
}

void text_print_quoted(FILE *out, const char *text)
{
	const char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';
	const char *const start = text;
	size_t left = strlen(text), len;

	fputc(quote, out);
	for (unsigned column = 0; left; text += len, left -= len) {
		len = *text == quote || (*text == '\\' && !log_is_escape(text, left))
			      ? 0
			      : utf8_shown(text, left);
		if (column >= TEXT_ROW || is_for_the_next_line(start, text, column)) {
			fprintf(out, "%c\n%*s%c", quote, TEXT_INDENT, "", quote);
			column = 0;
		}
		if (len) {
			fwrite(text, 1, len, out);
			column += (unsigned)len;
			continue;
		}
		len = 1;
		column += (unsigned)fprintf(out, "\\x%02x", (unsigned char)*text);
	}
	fputc(quote, out);
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

size_t text_columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}
