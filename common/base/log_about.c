/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/log_about.h"

#include <stddef.h>
#include <string.h>

/* Jobs of the pool log as well. */
static _Thread_local struct log_about now, otherwise;

bool log_about_put(struct log_about *about, enum log_about_field field, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len == 0 || len > LOG_ABOUT_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	memcpy(about->text[field], text, len + 1);
	return true;
}

struct log_about log_about_now(void)
{
	struct log_about about = now;

	for (int field = 0; field < LOG_ABOUT_FIELDS; field++)
		if (!*about.text[field])
			memcpy(about.text[field], otherwise.text[field], LOG_ABOUT_MAX + 1);
	return about;
}

void log_about_add(enum log_about_field field, const char *text)
{
	(void)log_about_put(&now, field, text);
}

void log_about_else(const struct log_about *about)
{
	otherwise = *about;
}

struct log_about log_about_enter(const struct log_about *about)
{
	const struct log_about before = now;

	now = *about;
	return before;
}

void log_about_leave(const struct log_about *before)
{
	now = *before;
}
