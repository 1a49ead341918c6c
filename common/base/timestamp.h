/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timestamp.h — moments as text (RFC 3339) and as seconds since 1970, independent of locale and
 * time zone settings.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { TIMESTAMP_TEXT_MAX = 80 };

struct timestamp_parts {
	unsigned year, month, day, hour, minute, second; /* month and day from 1 on */
};

/* Seconds since 1970 in UTC, by today's calendar, of a moment from the year 1 on; false if there
 * is no such moment. Leap seconds do not count as moments. */
bool timestamp_of(const struct timestamp_parts *parts, int64_t *seconds);

/* "2026-06-15T00:00:00Z", to the second, in UTC, years 1970 to 9999; nothing else. */
int timestamp_parse(const char *text, int64_t *seconds, struct err *e) MUST_CHECK;

/* The same form. Moments outside of those years are written as "@SECONDS". */
void timestamp_format(int64_t seconds, char text[TIMESTAMP_TEXT_MAX]);
