/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/err.h"

#include "common/base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const code_names[] = {
	[ERR_OK] = "OK",
	[ERR_CANCELLED] = "CANCELLED",
	[ERR_UNKNOWN] = "UNKNOWN",
	[ERR_INVALID] = "INVALID_ARGUMENT",
	[ERR_DEADLINE] = "DEADLINE_EXCEEDED",
	[ERR_NOT_FOUND] = "NOT_FOUND",
	[ERR_EXISTS] = "ALREADY_EXISTS",
	[ERR_DENIED] = "PERMISSION_DENIED",
	[ERR_EXHAUSTED] = "RESOURCE_EXHAUSTED",
	[ERR_PRECONDITION] = "FAILED_PRECONDITION",
	[ERR_ABORTED] = "ABORTED",
	[ERR_OUT_OF_RANGE] = "OUT_OF_RANGE",
	[ERR_UNIMPLEMENTED] = "UNIMPLEMENTED",
	[ERR_INTERNAL] = "INTERNAL",
	[ERR_UNAVAILABLE] = "UNAVAILABLE",
	[ERR_DATA_LOSS] = "DATA_LOSS",
	[ERR_UNAUTHENTICATED] = "UNAUTHENTICATED",
};

const char *err_code_name(enum err_code code)
{
	size_t i = (size_t)code;

	return i < sizeof(code_names) / sizeof(code_names[0]) ? code_names[i] : "UNKNOWN";
}

/* A text that is too long loses its middle: it begins with what failed, and ends with why. */
enum { HEAD_MAX = 2 * ERR_TEXT_MAX / 3, WHOLE_MAX = 8192 /* two paths of the longest kind fit */ };

static const char gap[] = "…";

static bool is_inside(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

static void copy_cut(char *to, const char *text, size_t len)
{
	size_t head = HEAD_MAX, tail = len - (ERR_TEXT_MAX - HEAD_MAX - sizeof(gap));

	while (head > 0 && is_inside(text[head]))
		head--;
	while (tail < len && is_inside(text[tail]))
		tail++;
	memcpy(to, text, head);
	memcpy(to + head, gap, sizeof(gap) - 1);
	memcpy(to + head + sizeof(gap) - 1, text + tail, len - tail + 1);
}

/* It may hold what a peer or a file said, perhaps cut within a character. The result is one line
 * of UTF-8 without anything that a terminal obeys. */
static void make_one_line(char *text, size_t len)
{
	for (size_t at = 0, step; at < len; at += step) {
		size_t found = utf8_char(text + at, len - at);

		step = found ? found : 1;
		if (!found || utf8_is_control(text + at, step))
			memset(text + at, '?', step);
	}
}

__attribute__((format(printf, 2, 0))) static void set_text(struct err *e, const char *fmt,
							   va_list args, const char *tail)
{
	char whole[WHOLE_MAX + 2 + ERR_TEXT_MAX]; /* `tail` may be e->text */
	int used = vsnprintf(whole, WHOLE_MAX, fmt, args);
	size_t len = used < 0 ? 0 : used < WHOLE_MAX ? (size_t)used : WHOLE_MAX - 1;

	whole[len] = '\0';
	make_one_line(whole, len);
	/* The tail is one line already, or the white space in it is a peer's status. */
	if (tail)
		len += (size_t)snprintf(whole + len, sizeof(whole) - len, ": %s", tail);
	if (len < ERR_TEXT_MAX)
		memcpy(e->text, whole, len + 1);
	else
		copy_cut(e->text, whole, len);
}

void err_record(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list args;

	e->code = code > ERR_OK && code <= ERR_CODE_MAX ? code : ERR_INTERNAL;
	va_start(args, fmt);
	set_text(e, fmt, args, NULL);
	va_end(args);
}

static enum err_code code_of(int number)
{
	switch (number) {
	case ENOENT:
		return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
		return ERR_DENIED;
	case EEXIST:
		return ERR_EXISTS;
	case ENOSPC:
	case EDQUOT:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return ERR_EXHAUSTED;
	default:
		return ERR_INTERNAL;
	}
}

void err_record_errno(struct err *e, const char *fmt, ...)
{
	int number = errno;
	va_list args;

	e->code = code_of(number);
	va_start(args, fmt);
	set_text(e, fmt, args, strerror(number));
	va_end(args);
}

void err_record_context(struct err *e, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	set_text(e, fmt, args, e->text);
	va_end(args);
}
