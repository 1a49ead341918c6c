/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/batch.h"

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <errno.h>
#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

enum { OPERANDS_MAX = 16 };

/* False leaves a flag unset; for an option with a value it would be a missing value. */
static int give_bool(struct cli *cli, const char *name, bool set, struct err *e)
{
	if (!set && cli_option_of(cli->command, name)->value)
		return err_set(e, ERR_INVALID, "'%s' is false", name);
	return set ? cli_give(cli, name, NULL, e) : 0;
}

static int give_value(struct cli *cli, const char *name, const struct json *value, struct err *e)
{
	switch (value->type) {
	case JSON_STRING:
	case JSON_NUMBER:
		return cli_give(cli, name, value->text, e);
	case JSON_BOOL:
		return give_bool(cli, name, value->boolean, e);
	case JSON_ARRAY:
		for (size_t i = 0; i < value->count; i++)
			if (value->items[i].type == JSON_ARRAY ||
			    give_value(cli, name, &value->items[i], e) < 0)
				return err_set(e, ERR_INVALID, "'%s': %s", name,
					       e->text[0] ? e->text : "an array in an array");
		return 0;
	default:
		return err_set(e, ERR_INVALID, "'%s' is %s", name, json_type_name(value->type));
	}
}

static int take_operand(const char *text, const char **operands, int *count, struct err *e)
{
	if (*count == OPERANDS_MAX)
		return err_set(e, ERR_INVALID, "'file': more than %d files", OPERANDS_MAX);
	operands[(*count)++] = text;
	return 0;
}

static int take_operands(const struct json *file, const char **operands, int *count, struct err *e)
{
	const struct json *items = file->type == JSON_ARRAY ? file->items : file;
	size_t n = file->type == JSON_ARRAY ? file->count : 1;

	for (size_t i = 0; i < n; i++) {
		if (items[i].type != JSON_STRING)
			return err_set(e, ERR_INVALID, "'file' is %s",
				       json_type_name(items[i].type));
		if (take_operand(items[i].text, operands, count, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* An unknown option is refused even if it says nothing: false, or an empty array. */
static int take_option(struct cli *cli, const struct json *member, struct err *e)
{
	if (!cli_option_of(cli->command, member->key) || strcmp(member->key, "batch") == 0)
		return err_set(e, ERR_INVALID, "the rows of a batch have no option %s",
			       log_quote(member->key).text);
	return give_value(cli, member->key, member, e);
}

static int take_members(struct cli *cli, const struct json *object, const char **operands,
			struct err *e)
{
	if (object->type != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "%s where an object is wanted",
			       json_type_name(object->type));
	for (size_t i = 0; i < object->count; i++) {
		const struct json *member = &object->items[i];
		int failed = strcmp(member->key, "file") == 0
				     ? take_operands(member, operands, &cli->operand_count, e)
				     : take_option(cli, member, e);

		if (failed)
			return failed;
	}
	if (!cli->operand_count)
		return err_set(e, ERR_INVALID, "'file' is missing");
	if (cli->operand_count > cli->command->operands_max)
		return err_set(e, ERR_INVALID, "'file': %d are named, and one is judged here",
			       cli->operand_count);
	return 0;
}

/* Options beside --batch apply to every row: one that both have is given twice. */
static int take_common(struct cli *cli, const struct cli *outer, const char **operands,
		       struct err *e)
{
	for (size_t i = 0; i < outer->given_count; i++) {
		const struct cli_given *given = &outer->given[i];
		int failed = strcmp(given->option->name, "batch") == 0
				     ? 0
				     : cli_give(cli, given->option->name, given->value, e);

		if (failed)
			return failed;
	}
	for (int i = 0; i < outer->operand_count; i++)
		if (take_operand(outer->operands[i], operands, &cli->operand_count, e) < 0)
			return err_code(e);
	return 0;
}

static void print_error(FILE *out, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(16384);

	json_quote_shown(&w, e->text, strlen(e->text));
	fprintf(out, "{\"verdict\":\"error\",\"reason\":%.*s}\n", (int)w.len,
		(const char *)w.bytes);
}

static enum cli_exit run_line(struct cli *outer, const char *line, size_t len,
			      enum cli_exit (*row)(struct cli *cli, struct err *e))
{
	CLEANUP(json_free) struct json *object = NULL;
	const char *operands[OPERANDS_MAX + 1] = { NULL };
	struct err e = { 0 };
	struct cli cli;
	enum cli_exit status = CLI_USAGE;

	cli_init(&cli, outer->command);
	cli.out = outer->out;
	cli.shared = outer->shared;
	cli.operands = operands;
	if (json_parse(line, len, &object, &e) == 0 &&
	    take_common(&cli, outer, operands, &e) == 0 &&
	    take_members(&cli, object, operands, &e) == 0) {
		e.text[0] = '\0';
		status = row(&cli, &e);
	}
	if (e.text[0])
		print_error(outer->out, &e);
	cli_done(&cli);
	return status;
}

static bool is_blank(const char *line, size_t len)
{
	while (len && strchr(" \t\r", line[len - 1]) && line[len - 1])
		len--;
	return len == 0;
}

/* The next line without its end, cut after BATCH_LINE_MAX + 1 bytes; its whole length, or -1 after
 * the last. */
static ssize_t next_line(FILE *in, char *line)
{
	size_t len = 0;
	int c;

	while ((c = getc_unlocked(in)) != EOF && c != '\n')
		if (len <= BATCH_LINE_MAX)
			line[len++] = (char)c;
	return c == EOF && len == 0 ? -1 : (ssize_t)len;
}

static enum cli_exit too_long(const struct cli *cli)
{
	struct err e;

	err_set(&e, ERR_EXHAUSTED, "a line of more than %d bytes", BATCH_LINE_MAX);
	print_error(cli->out, &e);
	return CLI_USAGE;
}

static enum cli_exit run_lines(struct cli *cli, FILE *in,
			       enum cli_exit (*row)(struct cli *cli, struct err *e), struct err *e)
{
	CLEANUP(free) char *line = malloc(BATCH_LINE_MAX + 1);
	enum cli_exit worst = CLI_OK, status;
	size_t rows = 0;
	ssize_t len;

	if (!line) {
		err_nomem(e);
		return CLI_USAGE;
	}
	while ((len = next_line(in, line)) >= 0) {
		if (len <= BATCH_LINE_MAX && is_blank(line, (size_t)len))
			continue;
		status = len > BATCH_LINE_MAX ? too_long(cli)
					      : run_line(cli, line, (size_t)len, row);
		if (worst != CLI_USAGE && (status > worst || status == CLI_USAGE))
			worst = status;
		rows++;
	}
	if (ferror(in) || fflush(cli->out) != 0) {
		err_errno(e, "--batch");
		return CLI_USAGE;
	}
	if (!rows) /* nothing was judged: that is not a yes */
		return cli_usage(e, "--batch: there is no row");
	return worst;
}

enum cli_exit batch_run(struct cli *cli, const char *path,
			enum cli_exit (*row)(struct cli *cli, struct err *e), struct err *e)
{
	if (strcmp(path, "-") == 0)
		return run_lines(cli, stdin, row, e);
	CLEANUP(fclose) FILE *in = fopen(path, "re");
	if (!in) {
		err_errno(e, "--batch '%s'", path);
		return CLI_USAGE;
	}
	return run_lines(cli, in, row, e);
}
