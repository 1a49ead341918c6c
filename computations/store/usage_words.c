/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/usage_words.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/timestamp.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_DIGITS = 18 };

static bool first_of(unsigned year, unsigned month, int64_t *ms)
{
	int64_t seconds;

	if (!timestamp_of(&(struct timestamp_parts){ .year = year, .month = month, .day = 1 },
			  &seconds))
		return false;
	*ms = seconds * 1000;
	return true;
}

static bool read_month(const char *text, unsigned *year, unsigned *month)
{
	static const char form[] = "dddd-dd";

	for (size_t i = 0; i < USAGE_MONTH_LEN; i++)
		if (form[i] == '-' ? text[i] != '-' : text[i] < '0' || text[i] > '9')
			return false; /* also at the end of the text */
	*year = (unsigned)strtoul(text, NULL, 10);
	*month = (unsigned)strtoul(text + 5, NULL, 10);
	return !text[USAGE_MONTH_LEN] && *year >= 1970 && *year < 9999 && *month >= 1 &&
	       *month <= 12;
}

int usage_month_parse(const char *text, int64_t now, struct usage_month *month, struct err *e)
{
	char today[TIMESTAMP_TEXT_MAX];
	struct usage_month got;
	unsigned year, number;

	if (!*text) {
		timestamp_format(now / 1000, today);
		today[USAGE_MONTH_LEN] = 0;
		text = today;
	}
	if (!read_month(text, &year, &number) || !first_of(year, number, &got.since) ||
	    !first_of(number == 12 ? year + 1 : year, number == 12 ? 1 : number + 1, &got.until))
		return err_set(e, ERR_INVALID,
			       "month %s: give one as 2026-11, from 1970-01 to 9998-12",
			       log_quote(text).text);
	memcpy(got.name, text, sizeof(got.name));
	*month = got;
	return 0;
}

int usage_after_parse(const char *text, struct usage_after *after, struct err *e)
{
	size_t digits = strspn(text, "0123456789");

	*after = (struct usage_after){ .computation = "" };
	if (!*text)
		return 0;
	if (!digits || digits > NUMBER_DIGITS || text[digits] != '.' || text[digits + 1] < '0' ||
	    text[digits + 1] >= '0' + USAGE_KINDS || text[digits + 2] != '.')
		return err_set(e, ERR_INVALID, "after: %s is no place in a list of usage",
			       log_quote(text).text);
	after->workspace_number = strtoll(text, NULL, 10);
	after->kind = text[digits + 1] - '0';
	after->computation = text + digits + 3;
	return 0;
}

int usage_after_format(const struct usage_after *after, char **text, struct err *e)
{
	return text_format(text, e, "%lld.%d.%s", (long long)after->workspace_number,
			   (int)after->kind, after->computation);
}
