/* SPDX-License-Identifier: Apache-2.0 */
/* Text as a JSON string; declared in json.h. */
#include "common/base/json.h"
#include "common/base/utf8.h"
#include "common/base/writer.h"

#include <string.h>

/* U+2028 and U+2029 are E2 80 A8 and E2 80 A9. */
static bool is_line_separator(const uint8_t *b, size_t left)
{
	return left >= 3 && b[0] == 0xE2 && b[1] == 0x80 && (b[2] & 0xFE) == 0xA8;
}

/* All but controls, " & < > \ and the first byte of line separators. */
static const bool is_plain[256] = {
	[' '] = 1, ['!'] = 1,         ['#' ... '%'] = 1,  ['\'' ... ';'] = 1,
	['='] = 1, ['?' ... '['] = 1, [']' ... 0xE1] = 1, [0xE3 ... 0xFF] = 1,
};

/* How many bytes at the front need no escape. */
static size_t plain_run(const uint8_t *b, size_t len)
{
	size_t n = 0;

	while (n < len && (is_plain[b[n]] || (b[n] == 0xE2 && !is_line_separator(b + n, len - n))))
		n++;
	return n;
}

/* The same where people read it. */
static size_t shown_run(const uint8_t *b, size_t len)
{
	size_t n = 0;

	while (n < len) {
		size_t step = b[n] < 0x80 && !is_plain[b[n]] ? 0 : utf8_shown(b + n, len - n);

		if (!step)
			break;
		n += step;
	}
	return n;
}

/* U+10000 and more as a pair of surrogates (RFC 8259, section 7). */
static void put_escape(struct writer *w, uint32_t code)
{
	if (code >= 0x10000) {
		code -= 0x10000;
		writer_printf(w, "\\u%04x", 0xD800 + (unsigned)(code >> 10));
		code = 0xDC00 + (code & 0x3FF);
	}
	writer_printf(w, "\\u%04x", (unsigned)code);
}

/* How many bytes at the front need no escape. */
typedef size_t run_of(const uint8_t *b, size_t len);

static void quote_valid(struct writer *w, const uint8_t *b, size_t len, run_of *plain)
{
	static const char short_from[] = "\"\\\b\f\n\r\t", short_to[] = "\"\\bfnrt";

	for (size_t i = 0, step; i < len; i += step) {
		size_t run = plain(b + i, len - i);

		writer_bytes(w, b + i, run);
		i += run;
		if (i == len)
			break;
		const char *found = b[i] ? strchr(short_from, b[i]) : NULL;

		step = utf8_char(b + i, len - i);
		if (found) {
			writer_u8(w, '\\');
			writer_u8(w, (uint8_t)short_to[found - short_from]);
		} else {
			put_escape(w, utf8_code(b + i, step));
		}
	}
}

static void quote(struct writer *w, const char *text, size_t len, run_of *plain)
{
	const uint8_t *b = (const uint8_t *)text;
	bool valid = utf8_valid(b, len);

	writer_u8(w, '"');
	if (valid)
		quote_valid(w, b, len, plain);
	for (size_t at = 0, step; !valid && at < len; at += step) {
		step = utf8_char(b + at, len - at);
		if (step) {
			quote_valid(w, b + at, step, plain);
		} else {
			writer_text(w, "\\ufffd");
			step = 1;
		}
	}
	writer_u8(w, '"');
}

void json_quote(struct writer *w, const char *text, size_t len)
{
	quote(w, text, len, plain_run);
}

void json_quote_shown(struct writer *w, const char *text, size_t len)
{
	quote(w, text, len, shown_run);
}

void json_quote_hex(struct writer *w, const void *bytes, size_t len)
{
	writer_u8(w, '"');
	writer_hex(w, bytes, len);
	writer_u8(w, '"');
}

void json_put_key(struct writer *w, const char *key)
{
	if (w->len && w->bytes[w->len - 1] != '{')
		writer_u8(w, ',');
	writer_printf(w, "\"%s\":", key);
}

void json_put_hex(struct writer *w, const char *key, const void *bytes, size_t len)
{
	json_put_key(w, key);
	json_quote_hex(w, bytes, len);
}
