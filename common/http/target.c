/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/target.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/base/utf8.h"

#include <stdbool.h>
#include <string.h>

/* Where the decoded text grows. */
struct decoder {
	char *to;
	bool is_query, is_tail;
};

static bool is_plain(char c, bool is_query)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr(is_query ? "-._~!$'()*,;:@/?" : "-._~!$&'()*+,;=:@", c));
}

/* One character of the text; returns how many bytes it is written in. */
static int decode_one(struct decoder *d, const char *at, struct err *e)
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

/* Up to one of `ends`, or the text's end; a zero byte behind it. NULL: refused. */
static const char *decode(struct decoder *d, const char *at, const char *ends, struct err *e)
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
	if (memchr(start, 0, len) || !utf8_valid(start, len) || utf8_has_control(start, len)) {
		err_set(e, ERR_INVALID, "%s is not UTF-8 without control characters",
			log_quote_bytes(start, len).text);
		return NULL;
	}
	return at;
}

static int check_segment(const char *segment, struct err *e)
{
	if (!*segment)
		return err_set(e, ERR_INVALID,
			       "an empty segment (a double slash, or one at the end)");
	if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
		return err_set(e, ERR_INVALID, "a dot segment");
	if (strpbrk(segment, "/\\"))
		return err_set(e, ERR_INVALID, "a slash or backslash within a segment");
	if (strlen(segment) > HTTP_SEGMENT_MAX)
		return err_set(e, ERR_OUT_OF_RANGE, "a segment of more than %d bytes",
			       HTTP_SEGMENT_MAX);
	return 0;
}

static const char *parse_path(struct decoder *d, const char *at, struct http_target *t,
			      struct err *e)
{
	if (*at != '/') {
		err_set(e, ERR_INVALID, "a path begins with /");
		return NULL;
	}
	if (!at[1] || at[1] == '?')
		return at + 1;
	while (*at == '/') {
		const char *segment = d->to;

		at = decode(d, at + 1, "/?", e);
		if (!at || check_segment(segment, e) < 0)
			return NULL;
		if (t->segment_count == HTTP_SEGMENTS_MAX) {
			err_set(e, ERR_OUT_OF_RANGE, "more than %d segments", HTTP_SEGMENTS_MAX);
			return NULL;
		}
		t->segments[t->segment_count++] = segment;
	}
	return at;
}

static const char *parse_pair(struct decoder *d, const char *at, struct http_target *t,
			      struct err *e)
{
	struct http_pair pair = { .name = d->to, .value = "" };

	at = decode(d, at, "=&", e);
	if (at && *at == '=') {
		pair.value = d->to;
		at = decode(d, at + 1, "&", e);
	}
	if (!at)
		return NULL;
	if (!*pair.name) {
		err_set(e, ERR_INVALID, "a query has a value without a name");
		return NULL;
	}
	if (http_target_query(t, pair.name)) {
		err_set(e, ERR_INVALID, "the query has %s twice", log_quote(pair.name).text);
		return NULL;
	}
	if (t->query_count == HTTP_PAIRS_MAX) {
		err_set(e, ERR_OUT_OF_RANGE, "more than %d values in the query", HTTP_PAIRS_MAX);
		return NULL;
	}
	t->query[t->query_count++] = pair;
	return at;
}

int http_target_parse(const char *text, struct http_target *t, struct err *e)
{
	struct decoder d = { .to = t->text };
	const char *at = text;

	t->segment_count = t->query_count = 0;
	if (strlen(text) > HTTP_TARGET_MAX)
		return err_set(e, ERR_OUT_OF_RANGE, "more than %d bytes", HTTP_TARGET_MAX);
	at = parse_path(&d, at, t, e);
	if (!at)
		return err_code(e);
	d.is_query = true;
	while (*at) { /* behind the ? or an & */
		at = parse_pair(&d, at + 1, t, e);
		if (!at)
			return err_code(e);
	}
	return 0;
}

int http_target_parse_tail(const char *text, const char *prefix, struct http_target *t,
			   struct err *e)
{
	const size_t len = strlen(prefix);
	struct decoder d = { .to = t->text, .is_tail = true };
	const char *end;

	t->segment_count = t->query_count = 0;
	if (strlen(text) > HTTP_TARGET_MAX)
		return err_set(e, ERR_OUT_OF_RANGE, "more than %d bytes", HTTP_TARGET_MAX);
	if (strncmp(text, prefix, len) != 0 || len < 3)
		return err_set(e, ERR_INVALID, "a path that does not begin with %s", prefix);
	t->segments[t->segment_count++] = d.to;
	memcpy(d.to, prefix + 1, len - 2);
	d.to[len - 2] = 0;
	d.to += len - 1;
	t->segments[t->segment_count++] = d.to;
	end = decode(&d, text + len, "?", e);
	if (!end)
		return err_code(e);
	if (*end || !*t->segments[1])
		return err_set(e, ERR_INVALID, "%s behind %s", *end ? "a query" : "nothing",
			       prefix);
	return 0;
}

const char *http_target_query(const struct http_target *t, const char *name)
{
	for (size_t i = 0; i < t->query_count; i++)
		if (strcmp(t->query[i].name, name) == 0)
			return t->query[i].value;
	return NULL;
}
