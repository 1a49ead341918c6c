/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/target.h"

#include "common/base/cleanup.h"
#include "common/http/decode.h"

#include <string.h>

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

static const char *parse_path(struct http_decoder *d, const char *at, struct http_target *t,
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

		at = http_decode(d, at + 1, "/?", e);
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

int http_target_parse(const char *text, struct http_target *t, struct err *e)
{
	struct http_decoder d = { .to = t->text };
	struct http_pairs query = { .list = t->query, .max = ARRAY_LEN(t->query) };
	const char *at = text;

	t->segment_count = t->query_count = 0;
	if (strlen(text) > HTTP_TARGET_MAX)
		return err_set(e, ERR_OUT_OF_RANGE, "more than %d bytes", HTTP_TARGET_MAX);
	at = parse_path(&d, at, t, e);
	if (!at)
		return err_code(e);
	d.is_query = true;
	while (*at) { /* behind the ? or an & */
		at = http_decode_pair(&d, at + 1, &query, e);
		if (!at)
			return err_code(e);
	}
	t->query_count = query.count;
	return 0;
}

int http_target_parse_tail(const char *text, const char *prefix, struct http_target *t,
			   struct err *e)
{
	const size_t len = strlen(prefix);
	struct http_decoder d = { .to = t->text, .is_tail = true };
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
	end = http_decode(&d, text + len, "?", e);
	if (!end)
		return err_code(e);
	if (*end || !*t->segments[1])
		return err_set(e, ERR_INVALID, "%s behind %s", *end ? "a query" : "nothing",
			       prefix);
	return 0;
}

const char *http_target_query(const struct http_target *t, const char *name)
{
	return http_pair_value(t->query, t->query_count, name);
}
