/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/command.h"

#include "cli/base/help.h"
#include "cli/base/text.h"
#include "cli/base/token_text.h"
#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/settings.h"
#include "common/base/written.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Long options come back from getopt as this plus their place in the list. */
enum { LONG_BASE = 0x1000, WORDS_MAX = 3 };

/* The command's options and the common ones, in the forms that getopt_long wants. */
struct option_list {
	const struct cli_option *rows[CLI_OPTIONS_MAX];
	struct option longs[CLI_OPTIONS_MAX + 1];
	char letters[2 * CLI_OPTIONS_MAX + 3];
	size_t count;
};

static void list_add(struct option_list *list, const struct cli_option *row)
{
	size_t at = strlen(list->letters);

	assert(list->count < CLI_OPTIONS_MAX);
	list->longs[list->count] = (struct option){
		.name = row->name,
		.has_arg = row->optional ? optional_argument
			   : row->value  ? required_argument
					 : no_argument,
		.val = LONG_BASE + (int)list->count,
	};
	if (row->letter) {
		list->letters[at++] = row->letter;
		if (row->value)
			list->letters[at++] = ':';
		list->letters[at] = 0;
	}
	list->rows[list->count++] = row;
}

static void list_fill(struct option_list *list, const struct command *command)
{
	/* The colon makes getopt tell a missing value from an unknown option. */
	*list = (struct option_list){ .letters = ":" };
	for (const struct cli_option *row = command->options; row && row->name; row++)
		list_add(list, row);
	for (const struct cli_option *row = help_common_options; row->name; row++)
		list_add(list, row);
}

static const struct cli_option *list_row(const struct option_list *list, int val)
{
	if (val >= LONG_BASE)
		return list->rows[val - LONG_BASE];
	for (size_t i = 0; i < list->count; i++)
		if (list->rows[i]->letter == val)
			return list->rows[i];
	return NULL;
}

static const struct cli_option *find(const struct cli_option *rows, const char *name)
{
	for (const struct cli_option *row = rows; row && row->name; row++)
		if (row->name[0] == name[0] && strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

const struct cli_option *cli_option_of(const struct command *command, const char *name)
{
	const struct cli_option *found = find(command->options, name);

	return found ? found : find(help_common_options, name);
}

void cli_init(struct cli *cli, const struct command *command)
{
	static const char *const none[] = { NULL };

	*cli = (struct cli){ .command = command, .operands = none, .out = stdout };
}

void cli_done(struct cli *cli)
{
	free(cli->given);
	cli->given = NULL;
	cli->given_count = cli->given_room = 0;
}

const char *cli_value_at(const struct cli *cli, const char *name, size_t n)
{
	assert(cli_option_of(cli->command, name));
	for (size_t i = 0; i < cli->given_count; i++)
		if (strcmp(cli->given[i].option->name, name) == 0 && n-- == 0)
			return cli->given[i].value;
	return NULL;
}

const char *cli_value(const struct cli *cli, const char *name)
{
	return cli_value_at(cli, name, 0);
}

bool cli_flag(const struct cli *cli, const char *name)
{
	assert(cli_option_of(cli->command, name));
	for (size_t i = 0; i < cli->given_count; i++)
		if (strcmp(cli->given[i].option->name, name) == 0)
			return true;
	return false;
}

static int check_word(const struct cli_option *row, const char *value, struct err *e)
{
	struct err list = { .text = "" };

	if (!row->words || !value)
		return 0;
	for (const char *const *word = row->words; *word; word++)
		if (strcmp(*word, value) == 0)
			return 0;
	for (const char *const *word = row->words; *word; word++) {
		size_t at = strlen(list.text);

		snprintf(list.text + at, sizeof(list.text) - at, "%s%s", at ? ", " : "", *word);
	}
	return err_set(e, ERR_INVALID, "--%s %s: use one of %s", row->name, log_quote(value).text,
		       list.text);
}

static int give(struct cli *cli, const struct cli_option *row, const char *value, struct err *e)
{
	if (check_word(row, value, e) < 0)
		return err_code(e);
	if (row->times == CLI_ONCE && row->value && cli_flag(cli, row->name))
		return err_set(e, ERR_INVALID, "--%s is given twice", row->name);
	if (cli->given_count == CLI_GIVEN_MAX)
		return err_set(e, ERR_INVALID, "more than %d options", CLI_GIVEN_MAX);
	if (cli->given_count == cli->given_room) {
		size_t room = cli->given_room ? 2 * cli->given_room : 16;
		struct cli_given *given = reallocarray(cli->given, room, sizeof(*given));

		if (!given)
			return err_nomem(e);
		cli->given = given;
		cli->given_room = room;
	}
	cli->given[cli->given_count++] = (struct cli_given){ .option = row, .value = value };
	return 0;
}

int cli_give(struct cli *cli, const char *name, const char *value, struct err *e)
{
	const struct cli_option *row = cli_option_of(cli->command, name);

	if (!row)
		return err_set(e, ERR_INVALID, "unknown option --%s", log_quote(name).text);
	if (row->value && !row->optional && !value)
		return err_set(e, ERR_INVALID, "--%s needs a value (%s)", row->name, row->value);
	if (!row->value && value)
		return err_set(e, ERR_INVALID, "--%s takes no value", row->name);
	return give(cli, row, value, e);
}

enum cli_exit cli_usage(struct err *e, const char *fmt, ...)
{
	va_list args;

	e->code = ERR_INVALID;
	va_start(args, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	return CLI_USAGE;
}

void cli_hint(struct cli *cli, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(cli->hint, sizeof(cli->hint), fmt, args);
	va_end(args);
}

/* How many words the row's name has, if argv begins with all of them; else 0. */
static int words_matched(const struct command *command, int argc, const char *const *argv)
{
	const char *rest = command->name;

	for (int word = 1; word < argc && word <= WORDS_MAX; word++) {
		size_t len = strcspn(rest, " ");

		if (strlen(argv[word]) != len || strncmp(rest, argv[word], len) != 0)
			return 0;
		rest += len;
		if (!*rest)
			return word;
		rest++;
	}
	return 0;
}

const struct command *command_find(int argc, const char *const *argv, int *words)
{
	const struct command *found = NULL;

	*words = 0;
	for (const struct command *const *row = commands; *row; row++) {
		int matched = words_matched(*row, argc, argv);

		if (matched > *words) {
			found = *row;
			*words = matched;
		}
	}
	return found;
}

/* "-k=rsa" is "-k rsa", as people type it who know other programs; getopt takes the sign for a part of
 * the value. */
static const char *value_of(const char *word)
{
	return optarg && word[0] == '-' && word[1] != '-' && optarg == word + 2 && *optarg == '='
		       ? optarg + 1
		       : optarg;
}

/* As it was typed, without its value, which may be a secret where the option is none of the command's. */
static struct log_quoted name_of(const char *word)
{
	return log_quote_bytes(word, strcspn(word, "="));
}

/* getopt takes every beginning that fits one option: what a slip of the fingers meant is not guessed. */
static int check_whole(const struct option_list *list, int val, char **argv, struct err *e)
{
	const char *name = val >= LONG_BASE ? list->longs[val - LONG_BASE].name : NULL;
	const char *word = argv[optind - 1] == optarg ? argv[optind - 2] : argv[optind - 1];

	if (!name || strcspn(word, "=") == strlen("--") + strlen(name))
		return 0;
	return err_set(e, ERR_INVALID, "unknown option %s: is --%s meant?", name_of(word).text,
		       name);
}

/* What would be a file's name behind an option whose value stands behind '='. */
static int refuse_apart(struct cli *cli, const struct cli_option *row, const char *next,
			struct err *e)
{
	uint64_t ms;
	struct err ignored;

	if (!row->optional || optarg || !next || duration_parse(next, &ms, &ignored) < 0 ||
	    access(next, F_OK) == 0)
		return 0;
	cli_hint(cli, "--%s=%s", row->name, next);
	return err_set(e, ERR_INVALID, "--%s %s: its value stands behind '='", row->name, next);
}

/* Reads options and operands; `*help` if --help or --help-all is among them. */
static int parse(struct cli *cli, int argc, char **argv, enum help_extent *help, struct err *e)
{
	struct option_list list;
	int val;

	list_fill(&list, cli->command);
	opterr = 0;
	optind = 1;
	while ((val = getopt_long(argc, argv, list.letters, list.longs, NULL)) != -1) {
		const char *said = optopt && optopt < LONG_BASE ? (char[]){ '-', (char)optopt, 0 }
								: argv[optind - 1];
		const struct cli_option *row;

		if (val == '?')
			return err_set(e, ERR_INVALID, "unknown option %s", name_of(said).text);
		if (val == ':')
			return err_set(e, ERR_INVALID, "%s needs a value", log_quote(said).text);
		if (check_whole(&list, val, argv, e) < 0)
			return err_code(e);
		row = list_row(&list, val);
		if (refuse_apart(cli, row, argv[optind], e) < 0)
			return err_code(e);
		if (strcmp(row->name, "help") == 0)
			*help = *help == HELP_ALL ? HELP_ALL : HELP_SHORT;
		else if (strcmp(row->name, "help-all") == 0)
			*help = HELP_ALL;
		else if (strcmp(row->name, "verbose") == 0)
			cli->verbose = true;
		else if (give(cli, row, row->value ? value_of(argv[optind - 1]) : NULL, e) < 0)
			return err_code(e);
	}
	cli->operands = (const char *const *)argv + optind;
	cli->operand_count = argc - optind;
	return 0;
}

static int check_operands(const struct cli *cli, struct err *e)
{
	const struct command *c = cli->command;

	if (cli->operand_count < c->operands_min)
		return err_set(e, ERR_INVALID, "too few operands: give %s", c->args);
	if (c->operands_max != CLI_ANY && cli->operand_count > c->operands_max)
		return err_set(e, ERR_INVALID, "%s is one operand too many",
			       log_quote(cli->operands[c->operands_max]).text);
	return 0;
}

/* Ours or a server's: the message says which file has no room. */
static bool is_of_a_full_disk(const char *text)
{
	return strstr(text, strerror(ENOSPC)) || strstr(text, strerror(EDQUOT));
}

static void report(const struct cli *cli, enum cli_exit status, const struct err *e)
{
	if (e->text[0])
		fprintf(stderr, "cocos-cli %s: %s\n", cli->command->name, text_plain(e->text).text);
	if (cli->hint[0])
		fprintf(stderr, "hint: %s\n", cli->hint);
	else if (is_of_a_full_disk(e->text))
		fputs("hint: make room on that disk, or name a folder on another one\n", stderr);
	else if (status == CLI_USAGE && e->text[0])
		fprintf(stderr, "hint: 'cocos-cli %s --help' shows how to call it\n",
			cli->command->name);
}

static enum cli_exit as_written(enum cli_exit status)
{
	return !written_all("cocos-cli", stdout) && status == CLI_OK ? CLI_FAILED : status;
}

/* Nothing of the line is read, shown or sent then. */
static bool has_token(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (token_text_is_in(argv[i]))
			return true;
	return false;
}

enum cli_exit command_main(int argc, char **argv, command_run *run)
{
	struct err e = { .code = ERR_OK };
	enum cli_exit status = CLI_USAGE;
	enum help_extent help = HELP_NONE;
	struct cli cli;
	int words;
	const struct command *command = command_find(argc, (const char *const *)argv, &words);

	if (has_token(argc, argv)) {
		fprintf(stderr, "cocos-cli: this line has the token itself, which others may have "
				"read: revoke it ('token revoke'), write the next one to a file, "
				"and name that (--token FILE)\n");
		return CLI_USAGE;
	}
	if (!command)
		return as_written(help_unknown(argc, argv));
	cli_init(&cli, command);
	if (parse(&cli, argc - words, argv + words, &help, &e) == 0) {
		if (help != HELP_NONE) {
			help_command(command, help, stdout);
			status = CLI_OK;
		} else if (check_operands(&cli, &e) == 0) {
			log_set(cli.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN);
			status = run(&cli, &e);
		}
	}
	if (status != CLI_OK)
		report(&cli, status, &e);
	cli_done(&cli);
	return as_written(status);
}
