/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/moment.h"

#include "common/base/log.h"
#include "common/base/timestamp.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

/* Whether `text` begins with that shape: 'd' for a digit, letters in both cases. */
static bool has_shape(const char *text, const char *shape)
{
	for (; *shape; text++, shape++)
		if (*shape == 'd' ? !isdigit((unsigned char)*text)
				  : toupper((unsigned char)*text) != *shape)
			return false;
	return true;
}

static unsigned digits(const char *text, size_t count)
{
	unsigned value = 0;

	while (count--)
		value = value * 10 + (unsigned)(*text++ - '0');
	return value;
}

/* "Z" or "+01:30": what has to be taken from the local time. */
static bool read_offset(const char *text, int64_t *seconds)
{
	unsigned hours, minutes;

	*seconds = 0;
	if (has_shape(text, "Z"))
		return !text[1];
	if ((*text != '+' && *text != '-') || !has_shape(text + 1, "dd:dd") || text[6])
		return false;
	hours = digits(text + 1, 2);
	minutes = digits(text + 4, 2);
	*seconds = (*text == '-' ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60);
	return hours < 24 && minutes < 60;
}

static bool read_day_and_time(const char *text, int64_t *seconds)
{
	if (!has_shape(text, "dddd-dd-ddTdd:dd:dd"))
		return false;
	return timestamp_of(&(struct timestamp_parts){ .year = digits(text, 4),
						       .month = digits(text + 5, 2),
						       .day = digits(text + 8, 2),
						       .hour = digits(text + 11, 2),
						       .minute = digits(text + 14, 2),
						       .second = digits(text + 17, 2) },
			    seconds);
}

int moment_parse(const char *text, int64_t *seconds, struct err *e)
{
	int64_t offset;

	if (read_day_and_time(text, seconds)) {
		const char *rest = text + strlen("2026-06-15T00:00:00");

		if (*rest == '.' && isdigit((unsigned char)rest[1]))
			rest += 1 + strspn(rest + 1, "0123456789");
		if (read_offset(rest, &offset)) {
			*seconds -= offset;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "%s is not a moment; write 2026-06-15T00:00:00Z",
		       log_quote(text).text);
}

int moment_at(const struct cli *cli, int64_t *seconds, struct err *e)
{
	const char *text = cli_value(cli, "at");

	*seconds = time(NULL);
	if (text && moment_parse(text, seconds, e) < 0)
		return err_wrap(e, "--at");
	return 0;
}
