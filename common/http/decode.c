/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/decode.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/base/utf8.h"

#include <string.h>

static bool is_plain(char c, bool is_query)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr(is_query ? "-._~!$'()*,;:@/?" : "-._~!$&'()*+,;=:@", c));
}

/* One character of the text; returns how many bytes it is written in. */
static int decode_one(struct http_decoder *d, const char *at, struct err *e)
{
	int high, low;

	if (d->is_query && *at == '+') {
		*d->to++ = ' ';
		return 1;
	}
	if (*at != '%') {
		if (!is_plain(*at, d->is_query) && !(d->is_tail && *at == '/'))
			return err_set(e, ERR_INVALID, "%s can't stand in a %s as it is",
				       log_quote_bytes(at, 1).text, d->is_query ? "query" : "path");
		*d->to++ = *at;
		return 1;
	}
	high = hex_digit(at[1]);
	low = high < 0 ? -1 : hex_digit(at[2]);
	if (low < 0)
		return err_set(e, ERR_INVALID, "a %% without two hexadecimal digits behind it");
	*d->to++ = (char)(high << 4 | low);
	return 3;
}

/* Without a zero byte, which ends what was decoded; `is_lines`: "\r\n" and "\n" may stand in it. */
static bool is_text(const char *text, size_t len, bool is_lines)
{
	if (memchr(text, 0, len) || !utf8_valid(text, len))
		return false;
	while (is_lines) {
		const char *end = memchr(text, '\n', len);
		const size_t line = end ? (size_t)(end - text) : len;

		if (!end)
			break;
		if (utf8_has_control(text, line && text[line - 1] == '\r' ? line - 1 : line))
			return false;
		text += line + 1;
		len -= line + 1;
	}
	return !utf8_has_control(text, len);
}

static const char *decode(struct http_decoder *d, const char *at, const char *ends, bool is_lines,
			  struct err *e)
{
	const char *start = d->to;
	size_t len;

	while (*at && !strchr(ends, *at)) {
		int step = decode_one(d, at, e);

		if (step < 0)
			return NULL;
		at += step;
	}
	len = (size_t)(d->to - start);
	*d->to++ = 0;
	if (!is_text(start, len, is_lines)) {
		err_set(e, ERR_INVALID, "%s is not UTF-8 without control characters",
			log_quote_bytes(start, len).text);
		return NULL;
	}
	return at;
}

const char *http_decode(struct http_decoder *d, const char *at, const char *ends, struct err *e)
{
	return decode(d, at, ends, false, e);
}

static bool has_lines(const struct http_decoder *d, const char *name)
{
	for (const char *const *one = d->lines; one && *one; one++)
		if (strcmp(*one, name) == 0)
			return true;
	return false;
}

/* "\r" is nowhere but before "\n": is_text() has seen to that. */
static void join_lines(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (*text != '\r')
			*to++ = *text;
	*to = 0;
}

const char *http_decode_pair(struct http_decoder *d, const char *at, struct http_pairs *pairs,
			     struct err *e)
{
	struct http_pair pair = { .name = d->to, .value = "" };

	at = http_decode(d, at, "=&", e);
	if (at && *at == '=') {
		char *value = d->to;
		const bool is_lines = has_lines(d, pair.name);

		pair.value = value;
		at = decode(d, at + 1, "&", is_lines, e);
		if (at && is_lines)
			join_lines(value);
	}
	if (!at)
		return NULL;
	if (!*pair.name) {
		err_set(e, ERR_INVALID, "a query has a value without a name");
		return NULL;
	}
	if (http_pair_value(pairs->list, pairs->count, pair.name)) {
		err_set(e, ERR_INVALID, "the query has %s twice", log_quote(pair.name).text);
		return NULL;
	}
	if (pairs->count == pairs->max) {
		err_set(e, ERR_OUT_OF_RANGE, "more than %zu values in the query", pairs->max);
		return NULL;
	}
	pairs->list[pairs->count++] = pair;
	return at;
}

const char *http_pair_value(const struct http_pair *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].name, name) == 0)
			return list[i].value;
	return NULL;
}
