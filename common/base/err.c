/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/err.h"

#include <errno.h>
#include <stdarg.h>
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

/* A cut text must not end in half a character: it may travel as grpc-message. */
static void end_on_a_character(char *text)
{
	size_t len = strlen(text), lead = len;

	if (len + 1 < ERR_TEXT_MAX)
		return;
	while (lead > 0 && ((unsigned char)text[lead - 1] & 0xC0) == 0x80)
		lead--;
	if (lead > 0 && (unsigned char)text[lead - 1] >= 0xC0)
		text[lead - 1] = '\0';
}

__attribute__((format(printf, 2, 0))) static void
set_text(struct err *e, const char *fmt, va_list args, const char *tail)
{
	int used = vsnprintf(e->text, sizeof(e->text), fmt, args);

	if (tail && used >= 0 && (size_t)used < sizeof(e->text))
		snprintf(e->text + used, sizeof(e->text) - (size_t)used, ": %s", tail);
	end_on_a_character(e->text);
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list args;

	e->code = code;
	va_start(args, fmt);
	set_text(e, fmt, args, NULL);
	va_end(args);
	return -(int)code;
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

int err_errno(struct err *e, const char *fmt, ...)
{
	int number = errno;
	va_list args;

	e->code = code_of(number);
	va_start(args, fmt);
	set_text(e, fmt, args, strerror(number));
	va_end(args);
	return -(int)e->code;
}

int err_nomem(struct err *e)
{
	return err_set(e, ERR_EXHAUSTED, "out of memory");
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char cause[ERR_TEXT_MAX];
	va_list args;

	memcpy(cause, e->text, sizeof(cause));
	va_start(args, fmt);
	set_text(e, fmt, args, cause);
	va_end(args);
	return -(int)e->code;
}
