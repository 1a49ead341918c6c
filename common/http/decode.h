/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.h — what stands behind % in paths, queries and forms, for those who read them (target.h, form.h). For this folder
 * only.
 */
#pragma once

#include "common/http/target.h"

#include <stdbool.h>
#include <stddef.h>

struct http_decoder {
	char *to; /* where the decoded text grows: as long as what is read, and one byte more for each piece */
	bool is_query, is_tail;
	const char *const
		*lines; /* names of pairs whose values may have several lines; NULL: none */
};

struct http_pairs {
	struct http_pair *list;
	size_t count, max;
};

/* Up to one of `ends`, or the text's end, where it returns; a zero byte behind what was decoded. NULL: refused. */
const char *http_decode(struct http_decoder *d, const char *at, const char *ends, struct err *e);
/* The same of a name and its value, up to a '&'. A line's end is one "\n", however it came. */
const char *http_decode_pair(struct http_decoder *d, const char *at, struct http_pairs *pairs,
			     struct err *e);
/* NULL: it is not there. */
const char *http_pair_value(const struct http_pair *list, size_t count, const char *name);
