/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/help.h"

#include <stdint.h>
#include <string.h>

enum { COLUMN = 30 };

static const char *const color_words[] = { "auto", "always", "never", NULL }; /* color.h */

/* clang-format off */
const struct cli_option help_common_options[] = {
	{ .name = "color", .value = "WHEN", .words = color_words,
	  .help = "auto (a terminal, without NO_COLOR), always or never (auto)" },
	{ .letter = 'v', .name = "verbose", .help = "say more on standard error" },
	{ .letter = 'h', .name = "help", .help = "this text" },
	{ .name = NULL },
};
/* clang-format on */

static const char *rest_of(const struct command *command, const char *group)
{
	size_t len = strlen(group);

	if (strncmp(command->name, group, len) == 0 && command->name[len] == ' ')
		return command->name + len + 1;
	return NULL;
}

/* `left`, and `right` in the column beside it or on the next line. */
static void two_columns(FILE *out, const char *left, const char *right)
{
	if (strlen(left) + 2 < COLUMN)
		fprintf(out, "  %-*s%s\n", COLUMN - 2, left, right);
	else
		fprintf(out, "  %s\n%*s%s\n", left, COLUMN, "", right);
}

static void list_command(FILE *out, const struct command *command)
{
	char left[160];

	snprintf(left, sizeof(left), "%s%s%s", command->name, *command->args ? " " : "",
		 command->args);
	two_columns(out, left, command->help);
}

void help_overview(FILE *out)
{
	fputs("cocos-cli - confidential computations, from the owner's side\n\n"
	      "Usage: cocos-cli COMMAND [OPTION]... [OPERAND]...\n\nCommands:\n",
	      out);
	for (const struct command *const *row = commands; *row; row++)
		if (!(*row)->hidden)
			list_command(out, *row);
	fputs("\nExit status: 0 done (of a verdict: yes), 1 refused or failed, 2 wrong call or "
	      "unreadable input;\nof evidence: 3 not genuine, 4 malformed.\n'cocos-cli COMMAND --help' explains one. Settings come from "
	      "options, then from the environment (AGENT_GRPC_URL, MANAGER_GRPC_URL,\n"
	      "COMPUTATIONS_GRPC_URL and their companions): see cocos-cli(1).\n",
	      out);
}

bool help_group(int count, const char *const *words, FILE *out)
{
	char group[160] = "";
	bool found = false;

	for (int i = 0; i < count; i++) {
		size_t len = strlen(group);

		snprintf(group + len, sizeof(group) - len, "%s%s", i ? " " : "", words[i]);
	}

	for (const struct command *const *row = commands; *row; row++)
		if (rest_of(*row, group) && !(*row)->hidden) {
			if (!found)
				fprintf(out, "Commands of 'cocos-cli %s':\n", group);
			list_command(out, *row);
			found = true;
		}
	return found;
}

static void explain_option(FILE *out, const struct cli_option *row)
{
	char left[120], letter[5] = "";

	if (row->letter)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s%s", letter, row->name,
		 row->optional ? "[="
		 : row->value  ? " "
			       : "",
		 row->value ? row->value : "", row->optional ? "]" : "");
	two_columns(out, left, row->help);
}

void help_command(const struct command *command, FILE *out)
{
	fprintf(out, "cocos-cli %s - %s\n\nUsage: cocos-cli %s [OPTION]...%s%s\n", command->name,
		command->help, command->name, *command->args ? " " : "", command->args);
	if (command->more)
		fprintf(out, "\n%s\n", command->more);
	fputs("\nOptions:\n", out);
	for (const struct cli_option *row = command->options; row && row->name; row++)
		explain_option(out, row);
	for (const struct cli_option *row = help_common_options; row->name; row++)
		explain_option(out, row);
}
