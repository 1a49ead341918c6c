/* SPDX-License-Identifier: Apache-2.0 */
/* Forms. What was read has one reading: written again by the rules, and read, it is the same. */
#include "common/base/cleanup.h"
#include "common/http/form.h"

#include <assert.h>
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

static size_t write_again(const struct http_form *f, char *to)
{
	char *at = to;

	for (size_t i = 0; i < f->count; i++) {
		assert(http_form_value(f, f->pairs[i].name) == f->pairs[i].value);
		if (i)
			*at++ = '&';
		at = put(at, f->pairs[i].name);
		*at++ = '=';
		at = put(at, f->pairs[i].value);
	}
	return (size_t)(at - to);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const lines[] = { "text", "t", NULL };
	CLEANUP(free) char *again = malloc(3 * len + 1 + (size_t)2 * HTTP_FORM_PAIRS_MAX);
	struct http_form f CLEANUP_HTTP_FORM = { .count = 0 };
	struct http_form second CLEANUP_HTTP_FORM = { .count = 0 };
	struct err e;
	size_t size;

	if (!again || http_form_parse(bytes, len, lines, &f, &e) < 0)
		return 0;
	size = write_again(&f, again);
	if (size > HTTP_FORM_MAX)
		return 0;
	if (http_form_parse((const uint8_t *)again, size, lines, &second, &e) < 0)
		__builtin_trap();
	assert(f.count == second.count);
	for (size_t i = 0; i < f.count; i++)
		assert(strcmp(f.pairs[i].name, second.pairs[i].name) == 0 &&
		       strcmp(f.pairs[i].value, second.pairs[i].value) == 0);
	return 0;
}
