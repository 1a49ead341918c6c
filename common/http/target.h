/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h — what a request asks for: path and query of a request target in origin form (RFC 9112, 3.2.1;
 * RFC 3986, 3.3 and 3.4), decoded strictly.
 *
 * One path has one reading: no empty segment (so no double slash, and none at the end), no dot segment
 * however it is spelt, no slash, backslash or control character behind a %, only UTF-8. A name stands
 * in a query once. '+' in a query is a space, as HTML forms write it.
 */
#pragma once

#include "common/base/err.h"

enum {
	HTTP_TARGET_MAX = 4096, /* bytes as they come */
	HTTP_SEGMENTS_MAX = 16,
	HTTP_SEGMENT_MAX = 255, /* bytes, decoded */
	HTTP_PAIRS_MAX = 32,
};

struct http_pair {
	const char *name, *value;
};

struct http_target {
	const char *segments[HTTP_SEGMENTS_MAX];
	size_t segment_count; /* 0: "/" */
	struct http_pair query[HTTP_PAIRS_MAX];
	size_t query_count;
	char text[HTTP_TARGET_MAX + 2]; /* where all of these are */
};

/* ERR_OUT_OF_RANGE: longer than a limit above. ERR_INVALID: anything else. */
int http_target_parse(const char *text, struct http_target *target, struct err *e) MUST_CHECK;
/* The same of a path that begins with `prefix`, "/ocsp/" say: a second segment follows, which is all that is left, slashes
 * within it and up to HTTP_TARGET_MAX, and no query. For protocols that write base64 into paths. */
int http_target_parse_tail(const char *text, const char *prefix, struct http_target *target,
			   struct err *e) MUST_CHECK;
/* NULL: not in the query. */
const char *http_target_query(const struct http_target *target, const char *name);
