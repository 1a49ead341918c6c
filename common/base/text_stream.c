/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/text_stream.h"

#include "common/base/utf8.h"

#include <stdbool.h>
#include <string.h>

static void put_unknown(FILE *out, size_t count)
{
	while (count-- > 0)
		fputc('?', out);
}

/* More bytes may make a character of these. */
static bool is_beginning(const uint8_t *bytes, size_t len)
{
	uint8_t whole[4] = { 0 };

	if (len == 0 || len >= sizeof(whole))
		return false;
	/* Some continuation of it is one: those that make the shortest or the longest of their kind are. */
	for (uint8_t next = 0x80; next >= 0x80 && next <= 0xbf; next = (uint8_t)(next + 0x3f)) {
		memset(whole, next, sizeof(whole));
		memcpy(whole, bytes, len);
		if (utf8_char(whole, sizeof(whole)) > len)
			return true;
	}
	return false;
}

static void put_character(FILE *out, const uint8_t *c, size_t len)
{
	if (*c == '\n' || *c == '\t')
		fputc(*c, out);
	else if (*c == '\r')
		return;
	else if (utf8_is_control(c, len))
		put_unknown(out, len);
	else
		fwrite(c, 1, len, out);
}

/* As much as is whole; how much that was. */
static size_t print_whole(FILE *out, const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t n = utf8_char(bytes + at, len - at);

		if (n) {
			put_character(out, bytes + at, n);
		} else if (is_beginning(bytes + at, len - at)) {
			break;
		} else {
			put_unknown(out, 1);
			n = 1;
		}
		at += n;
	}
	return at;
}

void text_stream_print(struct text_stream *s, FILE *out, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	/* What waits, with one byte after the other until it is whole, or turns out to be nothing. */
	while (s->count && len) {
		size_t done;

		s->waits[s->count++] = *from++;
		len--;
		done = print_whole(out, s->waits, s->count);
		memmove(s->waits, s->waits + done, s->count - done);
		s->count -= done;
	}
	if (len) {
		size_t done = print_whole(out, from, len);

		s->count = len - done;
		memcpy(s->waits, from + done, s->count);
	}
}

void text_stream_end(struct text_stream *s, FILE *out)
{
	put_unknown(out, s->count);
	s->count = 0;
}
