/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/utf8.h"

#include <stdint.h>
#include <string.h>

size_t utf8_char(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;
	uint8_t lead = len ? b[0] : 0xFF;
	size_t more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
	/* The range of the second byte rules out overlong forms and surrogates. */
	uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
	uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;

	if ((more && (lead < 0xC2 || lead > 0xF4)) || len <= more)
		return 0;
	for (size_t i = 1; i <= more; i++, low = 0x80, high = 0xBF)
		if (b[i] < low || b[i] > high)
			return 0;
	return 1 + more;
}

/* How many bytes at the front are ASCII. */
static size_t ascii_run(const uint8_t *b, size_t len)
{
	uint64_t eight;
	size_t n = 0;

	for (; len - n >= sizeof(eight); n += sizeof(eight)) {
		memcpy(&eight, b + n, sizeof(eight));
		if (eight & 0x8080808080808080)
			break;
	}
	while (n < len && b[n] < 0x80)
		n++;
	return n;
}

bool utf8_valid(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t at = ascii_run(b, len); at < len; at += ascii_run(b + at, len - at)) {
		size_t step = utf8_char(b + at, len - at);

		if (!step)
			return false;
		at += step;
	}
	return true;
}

struct range {
	uint32_t first, last;
};

static const struct range controls[] = {
	{ 0x0000, 0x001F }, { 0x007F, 0x009F }, { 0x061C, 0x061C },
	{ 0x200E, 0x200F }, { 0x2028, 0x202E }, { 0x2066, 0x2069 },
};

static const struct range unseen[] = {
	{ 0x00AD, 0x00AD }, { 0x180E, 0x180E }, { 0x200B, 0x200D },   { 0x2060, 0x2064 },
	{ 0xFEFF, 0xFEFF }, { 0xFFF9, 0xFFFB }, { 0xE0000, 0xE007F },
};

static bool is_in(uint32_t code, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

uint32_t utf8_code(const void *character, size_t len)
{
	const uint8_t *b = character;
	/* The lead byte of n has 7 - n bits of the code point, but for ASCII's 7. */
	uint32_t code = len == 1 ? b[0] : b[0] & (0x7Fu >> len);

	for (size_t i = 1; i < len; i++)
		code = code << 6 | (b[i] & 0x3F);
	return code;
}

bool utf8_is_control(const void *character, size_t len)
{
	return is_in(utf8_code(character, len), controls, sizeof(controls) / sizeof(controls[0]));
}

static bool is_unseen(const void *character, size_t len)
{
	return is_in(utf8_code(character, len), unseen, sizeof(unseen) / sizeof(unseen[0]));
}

size_t utf8_shown(const void *bytes, size_t len)
{
	size_t first = utf8_char(bytes, len);

	return first && !utf8_is_control(bytes, first) && !is_unseen(bytes, first) ? first : 0;
}

bool utf8_has_control(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t at = 0, step; at < len; at += step) {
		step = utf8_char(b + at, len - at);
		if (!step || utf8_is_control(b + at, step))
			return true;
	}
	return false;
}
