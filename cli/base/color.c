/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/color.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const begins[] = {
	[COLOR_GOOD] = "\033[32m",
	[COLOR_CAUTION] = "\033[33m",
	[COLOR_BAD] = "\033[31m",
};

static bool is_wanted(const struct cli *cli, FILE *out)
{
	const char *when = cli_value(cli, "color"), *no = getenv("NO_COLOR"),
		   *term = getenv("TERM");

	if (when && strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	return !(no && *no) && term && *term && strcmp(term, "dumb") != 0 && isatty(fileno(out));
}

void color_print(const struct cli *cli, FILE *out, enum color color, const char *text)
{
	if (is_wanted(cli, out))
		fprintf(out, "%s%s\033[0m", begins[color], text);
	else
		fputs(text, out);
}
