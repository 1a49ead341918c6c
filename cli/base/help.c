/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/help.h"

#include "cli/base/text.h"

#include <stdint.h>
#include <string.h>

enum { COLUMN = 30, LINE = 78 };

static const char *const color_words[] = { "auto", "always", "never", NULL }; /* color.h */

/* clang-format off */
const struct cli_option help_common_options[] = {
	{ .name = "color", .value = "WHEN", .words = color_words,
	  .help = "of verdicts: auto (on a terminal, unless NO_COLOR is set), always or never (auto)" },
	{ .letter = 'v', .name = "verbose", .help = "say more on standard error" },
	{ .letter = 'h', .name = "help", .help = "the options that are used most" },
	{ .name = "help-all", .help = "all options" },
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
	size_t columns = text_columns(left);

	/* printf's widths count bytes. Two spaces are between them: one is within words. */
	if (columns + 4 <= COLUMN)
		fprintf(out, "  %s%*s%s\n", left, COLUMN - 2 - (int)columns, "", right);
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

/* The first word of a command that the short list leaves out; empty: the list has it. */
static const char *left_out(const struct command *command, int *len)
{
	bool listed = command->hidden || command->common;

	*len = listed ? 0 : (int)strcspn(command->name, " ");
	return listed ? "" : command->name;
}

static bool came_before(const struct command *const *row)
{
	int len, other_len;
	const char *word = left_out(*row, &len);

	for (const struct command *const *other = commands; other < row; other++) {
		const char *before = left_out(*other, &other_len);

		if (other_len == len && strncmp(before, word, (size_t)len) == 0)
			return true;
	}
	return false;
}

/* The first words of what the short list leaves out, each once, in lines that fit. */
static void list_groups(FILE *out)
{
	int column = 0, len;

	for (const struct command *const *row = commands; *row; row++) {
		const char *word = left_out(*row, &len);

		if (len == 0 || came_before(row))
			continue;
		if (column + len + 2 > LINE)
			column = 0;
		fprintf(out, "%s%.*s", column ? " " : "\n  ", len, word);
		column += len + 1;
	}
	fputc('\n', out);
}

void help_overview(enum help_extent extent, FILE *out)
{
	fputs("cocos-cli - confidential computations, from the owner's side\n\n"
	      "Usage: cocos-cli COMMAND [OPTION]... [OPERAND]...\n\nCommands:\n",
	      out);
	for (const struct command *const *row = commands; *row; row++)
		if (!(*row)->hidden && (extent == HELP_ALL || (*row)->common))
			list_command(out, *row);
	if (extent == HELP_SHORT) {
		fputs("\nMore, by their first words ('cocos-cli --help-all' lists them all):", out);
		list_groups(out);
	}
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

/* Options of evidence are what a command that judges it is about, and rare in one that connects. */
static bool connects(const struct command *command)
{
	for (const struct cli_option *row = command->options; row && row->name; row++)
		if (strcmp(row->name, "grpc-url") == 0)
			return true;
	return false;
}

void help_command(const struct command *command, enum help_extent extent, FILE *out)
{
	bool shortened = extent == HELP_SHORT && connects(command);
	unsigned left = 0;

	fprintf(out, "cocos-cli %s - %s\n\nUsage: cocos-cli %s [OPTION]...%s%s\n", command->name,
		command->help, command->name, *command->args ? " " : "", command->args);
	if (command->more)
		fprintf(out, "\n%s\n", command->more);
	fputs("\nOptions:\n", out);
	for (const struct cli_option *row = command->options; row && row->name; row++) {
		if (shortened && row->rare)
			left++;
		else
			explain_option(out, row);
	}
	for (const struct cli_option *row = help_common_options; row->name; row++)
		explain_option(out, row);
	if (left)
		fprintf(out, "\n%u more, of connection and proof: 'cocos-cli %s --help-all'\n",
			left, command->name);
}
