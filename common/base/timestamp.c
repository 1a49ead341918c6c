/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/timestamp.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { SECONDS_PER_DAY = 86400, TEXT_LEN = 20 };

static const char pattern[] = "dddd-dd-ddTdd:dd:ddZ";

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Leap days before the 1st of January of `year`, counted from year 1. */
static int64_t leaps_before(int64_t year)
{
	year--;
	return year / 4 - year / 100 + year / 400;
}

static int64_t days_before_year(int year)
{
	return (int64_t)(year - 1970) * 365 + leaps_before(year) - leaps_before(1970);
}

static int digits(const char *text, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++)
		value = value * 10 + (text[i] - '0');
	return value;
}

static bool has_shape(const char *text)
{
	if (strlen(text) != TEXT_LEN)
		return false;
	for (int i = 0; i < TEXT_LEN; i++)
		if (pattern[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != pattern[i])
			return false;
	return true;
}

int timestamp_parse(const char *text, int64_t *seconds, struct err *e)
{
	if (!has_shape(text))
		return err_set(e, ERR_INVALID,
			       "'%.40s' is no time: wanted the form 2026-06-15T00:00:00Z", text);

	int year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
	int hour = digits(text + 11, 2), minute = digits(text + 14, 2);
	int second = digits(text + 17, 2);

	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month) ||
	    hour > 23 || minute > 59 || second > 59)
		return err_set(e, ERR_INVALID, "'%s' is no time: there is no such moment", text);

	int64_t days = days_before_year(year) + day - 1;

	for (int m = 1; m < month; m++)
		days += days_in(year, m);
	*seconds = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
	return 0;
}

void timestamp_format(int64_t seconds, char text[TIMESTAMP_TEXT_MAX])
{
	int64_t days = seconds / SECONDS_PER_DAY, left = seconds % SECONDS_PER_DAY;
	int year = 1970, month = 1;

	if (seconds < 0 || days >= days_before_year(10000)) {
		snprintf(text, TIMESTAMP_TEXT_MAX, "@%" PRId64, seconds);
		return;
	}
	while (days_before_year(year + 1) <= days)
		year++;
	days -= days_before_year(year);
	while (days >= days_in(year, month))
		days -= days_in(year, month++);
	snprintf(text, TIMESTAMP_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month,
		 (int)days + 1, (int)(left / 3600), (int)(left / 60 % 60), (int)(left % 60));
}
