/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets. What was read has one reading: written again by the rules, and read, it is the same. */
#include "common/base/cleanup.h"
#include "common/http/target.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static char *put(char *to, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text; text++) {
		*to++ = '%';
		*to++ = digits[(unsigned char)*text >> 4];
		*to++ = digits[*text & 15];
	}
	return to;
}

static void write_again(const struct http_target *t, char *to)
{
	if (t->segment_count == 0)
		*to++ = '/';
	for (size_t i = 0; i < t->segment_count; i++) {
		assert(*t->segments[i] && !strpbrk(t->segments[i], "/\\"));
		*to++ = '/';
		to = put(to, t->segments[i]);
	}
	for (size_t i = 0; i < t->query_count; i++) {
		assert(http_target_query(t, t->query[i].name) == t->query[i].value);
		*to++ = i ? '&' : '?';
		to = put(to, t->query[i].name);
		*to++ = '=';
		to = put(to, t->query[i].value);
	}
	*to = 0;
}

static void compare(const struct http_target *a, const struct http_target *b)
{
	assert(a->segment_count == b->segment_count && a->query_count == b->query_count);
	for (size_t i = 0; i < a->segment_count; i++)
		assert(strcmp(a->segments[i], b->segments[i]) == 0);
	for (size_t i = 0; i < a->query_count; i++)
		assert(strcmp(a->query[i].name, b->query[i].name) == 0 &&
		       strcmp(a->query[i].value, b->query[i].value) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) char *text = strndup(len ? (const char *)bytes : "", len);
	CLEANUP(free) char *again = malloc(3 * len + 2 + (size_t)2 * HTTP_PAIRS_MAX);
	struct http_target t, second;
	struct err e;

	if (!text || !again)
		return 0;
	if (http_target_parse_tail(text, "/tail/", &t, &e) == 0)
		assert(t.segment_count == 2 && *t.segments[1] && !t.query_count);
	if (http_target_parse(text, &t, &e) < 0)
		return 0;
	write_again(&t, again);
	if (strlen(again) > HTTP_TARGET_MAX)
		return 0;
	if (http_target_parse(again, &second, &e) < 0)
		__builtin_trap();
	compare(&t, &second);
	return 0;
}
