/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/help.h"

#include <stdint.h>
#include <string.h>

enum { COLUMN = 30 };

/* clang-format off */
const struct cli_option help_common_options[] = {
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
	      "unreadable input.\n'cocos-cli COMMAND --help' explains one. Settings come from "
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
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, row->name, row->value ? " " : "",
		 row->value ? row->value : "");
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

/* The next words of all commands that begin with `group` (NULL: the first ones), each once. */
static void complete_words(FILE *out, const char *group)
{
	const char *last = "";
	size_t last_len = 0;

	for (const struct command *const *row = commands; *row; row++) {
		const char *word = group ? rest_of(*row, group) : (*row)->name;
		size_t len;

		if (!word || (*row)->hidden)
			continue;
		len = strcspn(word, " ");
		/* Commands of a group are neighbours in the table. */
		if (len == last_len && strncmp(word, last, len) == 0)
			continue;
		fprintf(out, "%s%.*s", last_len ? " " : "", (int)len, word);
		last = word;
		last_len = len;
	}
}

/* The groups that have `words` words, each once. */
static void complete_groups_of(FILE *out, unsigned words)
{
	char last[64] = "";

	for (const struct command *const *row = commands; *row; row++) {
		const char *end = (*row)->name;
		char group[sizeof(last)];

		for (unsigned i = 0; end && i < words; i++)
			end = strchr(i ? end + 1 : end, ' ');
		if (!end || (*row)->hidden)
			continue;
		snprintf(group, sizeof(group), "%.*s", (int)(end - (*row)->name), (*row)->name);
		if (strcmp(group, last) == 0)
			continue;
		fprintf(out, "\t\t'%s') words=\"", group);
		complete_words(out, group);
		fputs("\" ;;\n", out);
		memcpy(last, group, sizeof(last));
	}
}

static void complete_options(FILE *out)
{
	for (const struct command *const *row = commands; *row; row++) {
		if ((*row)->hidden)
			continue;
		fprintf(out, "\t'%s') options=\"", (*row)->name);
		for (const struct cli_option *option = (*row)->options; option && option->name;
		     option++)
			fprintf(out, "--%s ", option->name);
		fputs("--verbose --help\" ;;\n", out);
	}
}

/* What may follow an option whose words are known. */
static void complete_values(FILE *out)
{
	for (const struct command *const *row = commands; *row; row++)
		for (const struct cli_option *option = (*row)->options; option && option->name;
		     option++) {
			if (!option->words || (*row)->hidden)
				continue;
			fprintf(out, "\t'%s --%s'", (*row)->name, option->name);
			if (option->letter)
				fprintf(out, "|'%s -%c'", (*row)->name, option->letter);
			fputs(") values=\"", out);
			for (const char *const *word = option->words; *word; word++)
				fprintf(out, "%s%s", word == option->words ? "" : " ", *word);
			fputs("\" ;;\n", out);
		}
}

void help_bash_completion(FILE *out)
{
	fputs("# bash completion for cocos-cli; made by 'cocos-cli completion bash'\n"
	      "_cocos_cli()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal command=${COMP_WORDS[1]} words= options= values=\n"
	      "\tCOMPREPLY=()\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W \"",
	      out);
	complete_words(out, NULL);
	/* A group's words, then those of a group in it, as long as the line names one. */
	fputs("\" -- \"$cur\"))\n\t\treturn\n\tfi\n"
	      "\tlocal at=2\n"
	      "\twhile :; do\n\t\twords=\n\t\tcase $command in\n",
	      out);
	complete_groups_of(out, 1);
	complete_groups_of(out, 2);
	fputs("\t\tesac\n"
	      "\t\tif [ \"$COMP_CWORD\" -eq \"$at\" ] && [ -n \"$words\" ] && [ \"${cur#-}\" = \"$cur\" ]; then\n"
	      "\t\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n\t\t\treturn\n\t\tfi\n"
	      "\t\tcase \" $words \" in\n"
	      "\t\t*\" ${COMP_WORDS[at]} \"*) command=\"$command ${COMP_WORDS[at]}\" at=$((at + 1)) ;;\n"
	      "\t\t*) break ;;\n\t\tesac\n\tdone\n"
	      "\tcase \"$command $prev\" in\n",
	      out);
	complete_values(out);
	fputs("\tesac\n\tif [ -n \"$values\" ]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W \"$values\" -- \"$cur\"))\n\t\treturn\n\tfi\n"
	      "\tcase $command in\n",
	      out);
	complete_options(out);
	fputs("\tesac\n"
	      "\tcase $cur in\n"
	      "\t-*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;\n"
	      "\t*) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
	      "\tesac\n}\n"
	      "complete -o filenames -F _cocos_cli cocos-cli\n",
	      out);
}
