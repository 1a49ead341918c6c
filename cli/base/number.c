/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/number.h"

#include "common/base/encode.h"
#include "common/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool number_decimal(const char *text, uint64_t *number)
{
	unsigned long long value;

	/* strtoull would take signs and white space. */
	if (*text == 0 || strspn(text, "0123456789") != strlen(text))
		return false;
	errno = 0;
	value = strtoull(text, NULL, 10);
	if (errno)
		return false;
	*number = value;
	return true;
}

int number_text(const char *text, uint64_t max, uint64_t *number, struct err *e)
{
	bool hex = strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0;
	const char *digits = hex ? text + 2 : text;
	unsigned long long value;

	if (*digits == 0 ||
	    strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
		return err_set(e, ERR_INVALID, "%s: wanted a number", log_quote(text).text);
	errno = 0;
	value = strtoull(digits, NULL, hex ? 16 : 10);
	if (errno || value > max)
		return err_set(e, ERR_INVALID, "%s: at most %" PRIu64, log_quote(text).text, max);
	*number = value;
	return 0;
}

int number_option(const struct cli *cli, const char *name, uint64_t max, uint64_t *number,
		  struct err *e)
{
	const char *text = cli_value(cli, name);

	/* The value's name is its unit. */
	if (text && number_text(text, max, number, e) < 0)
		return err_wrap(e, "--%s %s", name, cli_option_of(cli->command, name)->value);
	return 0;
}

int hex_option(const struct cli *cli, const char *name, uint8_t *bytes, size_t len, bool *given,
	       struct err *e)
{
	const char *text = cli_value(cli, name);

	*given = text != NULL;
	if (text && hex_decode(text, bytes, len, e) < 0)
		return err_wrap(e, "--%s: wanted %zu bytes in hexadecimal", name, len);
	return 0;
}
