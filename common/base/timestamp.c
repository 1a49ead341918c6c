/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/timestamp.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { SECONDS_PER_DAY = 86400, TEXT_LEN = 20 };

static const char pattern[] = "dddd-dd-ddTdd:dd:ddZ";

static unsigned days_in(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Howard Hinnant's days_from_civil, for years from 1 on. */
static int64_t days_since_1970(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool timestamp_of(const struct timestamp_parts *p, int64_t *seconds)
{
	if (p->year < 1 || p->month < 1 || p->month > 12 || p->day < 1 ||
	    p->day > days_in(p->year, p->month) || p->hour > 23 || p->minute > 59 || p->second > 59)
		return false;
	*seconds = days_since_1970(p->year, p->month, p->day) * SECONDS_PER_DAY +
		   (int64_t)p->hour * 3600 + (int64_t)p->minute * 60 + p->second;
	return true;
}

static unsigned digits(const char *text, int count)
{
	unsigned value = 0;

	for (int i = 0; i < count; i++)
		value = value * 10 + (unsigned)(text[i] - '0');
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
			       "'%.40s' is not a time: wanted the form 2026-06-15T00:00:00Z", text);

	const struct timestamp_parts p = { digits(text, 4),      digits(text + 5, 2),
					   digits(text + 8, 2),  digits(text + 11, 2),
					   digits(text + 14, 2), digits(text + 17, 2) };

	if (p.year < 1970 || !timestamp_of(&p, seconds))
		return err_set(e, ERR_INVALID, "'%s' is not a time: there is no such moment", text);
	return 0;
}

void timestamp_format(int64_t seconds, char text[TIMESTAMP_TEXT_MAX])
{
	int64_t days = seconds / SECONDS_PER_DAY, left = seconds % SECONDS_PER_DAY;
	unsigned year = 1970, month = 1;

	if (seconds < 0 || days >= days_since_1970(10000, 1, 1)) {
		snprintf(text, TIMESTAMP_TEXT_MAX, "@%" PRId64, seconds);
		return;
	}
	while (days_since_1970(year + 1, 1, 1) <= days)
		year++;
	days -= days_since_1970(year, 1, 1);
	while (days >= days_in(year, month))
		days -= days_in(year, month++);
	snprintf(text, TIMESTAMP_TEXT_MAX, "%04u-%02u-%02dT%02d:%02d:%02dZ", year, month,
		 (int)days + 1, (int)(left / 3600), (int)(left / 60 % 60), (int)(left % 60));
}
