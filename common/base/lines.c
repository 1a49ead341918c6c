/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/lines.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char spaces[] = " \t";

int line_refuse(const struct line *l, struct err *e, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return l->where ? err_set(e, ERR_INVALID, "%s:%u: %s", l->where, l->number, text)
			: err_set(e, ERR_INVALID, "%s", text);
}

static void skip_space(struct line *l)
{
	l->rest += strspn(l->rest, spaces);
}

char *line_word(struct line *l)
{
	char *word = l->rest;

	l->rest += strcspn(l->rest, spaces);
	if (*l->rest) {
		*l->rest++ = '\0';
		skip_space(l);
	}
	return word;
}

static bool is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != ' ' && text[i] != '\t' && (text[i] < 0x21 || text[i] > 0x7e))
			return false;
	return true;
}

int lines_read(const char *text, size_t len, size_t line_max, const char *where,
	       int (*take)(void *data, struct line *l, struct err *e), void *data, struct err *e)
{
	char copy[LINE_MAX_LIMIT + 1];
	size_t max = line_max < LINE_MAX_LIMIT ? line_max : LINE_MAX_LIMIT;

	for (unsigned number = 1; len; number++) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;
		struct line l = { .where = where, .number = number, .rest = copy };

		if (n > max)
			return line_refuse(&l, e, "a line of more than %zu characters", max);
		if (!is_plain(text, n))
			return line_refuse(&l, e, "a character that is not printable ASCII");
		memcpy(copy, text, n);
		copy[n] = '\0';
		skip_space(&l);
		if (*l.rest && *l.rest != '#' && take(data, &l, e) < 0)
			return err_code(e);
		text += n + (end != NULL);
		len -= n + (end != NULL);
	}
	return 0;
}
