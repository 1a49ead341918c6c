/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/encode.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>

void hex_encode(const void *bytes, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++) {
		*text++ = digits[b[i] >> 4];
		*text++ = digits[b[i] & 15];
	}
	*text = '\0';
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode_up_to(const char *text, uint8_t *bytes, size_t max, size_t *len, struct err *e)
{
	size_t digits = strlen(text);

	if (digits % 2 || digits / 2 > max)
		return err_set(e, ERR_INVALID,
			       "%zu hexadecimal digits where an even number up to %zu is wanted",
			       digits, 2 * max);
	for (size_t i = 0; i < digits; i++)
		if (hex_digit(text[i]) < 0)
			return err_set(e, ERR_INVALID,
				       "character %zu of %s is not a hexadecimal digit", i + 1,
				       log_quote(text).text);
	for (size_t i = 0; i < digits / 2; i++)
		bytes[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	*len = digits / 2;
	return 0;
}

int hex_decode(const char *text, uint8_t *bytes, size_t len, struct err *e)
{
	size_t got;

	if (strlen(text) != 2 * len)
		return err_set(e, ERR_INVALID, "%zu hexadecimal digits where %zu are wanted",
			       strlen(text), 2 * len);
	return hex_decode_up_to(text, bytes, len, &got, e);
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	if (len > SIZE_MAX / 2)
		return NULL;
	char *text = malloc((len + 2) / 3 * 4 + 1), *out = text;
	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		size_t have = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)b[i] << 16;

		if (have > 1)
			v |= (uint32_t)b[i + 1] << 8;
		if (have > 2)
			v |= b[i + 2];
		*out++ = base64_digits[v >> 18];
		*out++ = base64_digits[v >> 12 & 63];
		*out++ = have > 1 ? base64_digits[v >> 6 & 63] : '=';
		*out++ = have > 2 ? base64_digits[v & 63] : '=';
	}
	*out = '\0';
	return text;
}

/* The value of each digit plus one, so that 0 means: not a digit. */
static const uint8_t base64_values[256] = {
	['A'] = 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,         12,         13,
	['N'] = 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,         25,         26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37,         38,         39,
	['n'] = 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50,         51,         52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, ['+'] = 63, ['/'] = 64,
};

static int sextet(char c)
{
	return base64_values[(uint8_t)c] - 1;
}

/* Decodes groups of four digits while there are any; returns how many characters they have. */
static size_t decode_groups(const char *text, size_t chars, uint8_t *out)
{
	size_t i = 0;

	for (; chars - i >= 4; i += 4, out += 3) {
		int a = sextet(text[i]), b = sextet(text[i + 1]), c = sextet(text[i + 2]),
		    d = sextet(text[i + 3]);

		if ((a | b | c | d) < 0)
			break;
		out[0] = (uint8_t)(a << 2 | b >> 4);
		out[1] = (uint8_t)(b << 4 | c >> 2);
		out[2] = (uint8_t)(c << 6 | d);
	}
	return i;
}

int base64_decode_unpadded(const char *text, size_t chars, uint8_t **bytes, size_t *len,
			   struct err *e)
{
	if (chars && chars % 4 == 0) {
		chars -= text[chars - 1] == '=';
		chars -= text[chars - 1] == '=';
	}
	if (chars % 4 == 1)
		return err_set(e, ERR_INVALID,
			       "base64: %zu characters are not a whole number of bytes", chars);
	CLEANUP(free) uint8_t *out = malloc(chars / 4 * 3 + 3);
	if (!out)
		return err_nomem(e);

	uint32_t v = 0;
	size_t done = decode_groups(text, chars, out), n = done / 4 * 3;
	for (size_t i = done; i < chars; i++) {
		int s = sextet(text[i]);

		if (s < 0)
			return err_set(e, ERR_INVALID,
				       "base64: character %zu is not of the alphabet", i + 1);
		v = v << 6 | (uint32_t)s;
		if (i % 4 == 0)
			continue;
		unsigned spare = 6 - 2 * (unsigned)(i % 4);
		out[n++] = (uint8_t)(v >> spare);
		if (i + 1 == chars && v & ((1u << spare) - 1))
			return err_set(e, ERR_INVALID, "base64: bits are left over at the end");
	}
	*bytes = TAKE_PTR(out);
	*len = n;
	return 0;
}

int base64_decode(const char *text, size_t chars, uint8_t **bytes, size_t *len, struct err *e)
{
	if (chars % 4)
		return err_set(e, ERR_INVALID, "base64: %zu characters, padding is missing", chars);
	return base64_decode_unpadded(text, chars, bytes, len, e);
}

int base64url_decode(const char *text, size_t chars, uint8_t **bytes, size_t *len, struct err *e)
{
	CLEANUP(free) char *plain = malloc(chars + 1);

	if (!plain)
		return err_nomem(e);
	for (size_t i = 0; i < chars; i++) {
		if (strchr("+/=", text[i]))
			return err_set(e, ERR_INVALID,
				       "base64url: character %zu is not of the alphabet", i + 1);
		plain[i] = (char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
	}
	return base64_decode_unpadded(plain, chars, bytes, len, e);
}
