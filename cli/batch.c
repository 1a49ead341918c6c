/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/batch.h"

#include <errno.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/writer.h"

DEFINE_CLEANUP(struct json *, json_free)

enum { OPERANDS_MAX = 16 };

static int give_value(struct cli *cli, const char *name, const struct json *value, struct err *e)
{
	switch (value->type) {
	case JSON_STRING:
	case JSON_NUMBER:
		return cli_give(cli, name, value->text, e);
	case JSON_BOOL:
		return value->boolean ? cli_give(cli, name, NULL, e) : 0;
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

static int take_operands(const struct json *file, const char **operands, int *count, struct err *e)
{
	const struct json *items = file;
	size_t n = 1;

	if (file->type == JSON_ARRAY) {
		items = file->items;
		n = file->count;
	}
	if (n > OPERANDS_MAX)
		return err_set(e, ERR_INVALID, "'file': more than %d", OPERANDS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (items[i].type != JSON_STRING)
			return err_set(e, ERR_INVALID, "'file' is %s",
				       json_type_name(items[i].type));
		operands[i] = items[i].text;
	}
	*count = (int)n;
	return 0;
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
				     : give_value(cli, member->key, member, e);

		if (failed)
			return failed;
	}
	if (!cli->operand_count)
		return err_set(e, ERR_INVALID, "'file' is missing");
	return 0;
}

static void print_error(FILE *out, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(16384);

	json_quote(&w, e->text, strlen(e->text));
	fprintf(out, "{\"verdict\":\"error\",\"reason\":%.*s}\n", (int)w.len, (const char *)w.bytes);
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
	cli.operands = operands;
	if (json_parse(line, len, &object, &e) == 0 &&
	    take_members(&cli, object, operands, &e) == 0) {
		e.text[0] = '\0';
		status = row(&cli, &e);
	}
	if (e.text[0])
		print_error(outer->out, &e);
	cli_done(&cli);
	return status;
}

static enum cli_exit run_lines(struct cli *cli, FILE *in,
			       enum cli_exit (*row)(struct cli *cli, struct err *e), struct err *e)
{
	CLEANUP(free) char *line = NULL;
	enum cli_exit worst = CLI_OK;
	size_t room = 0;
	ssize_t len;

	while ((len = getline(&line, &room, in)) >= 0) {
		if (len > BATCH_LINE_MAX) {
			err_set(e, ERR_EXHAUSTED, "--batch: a line of %zd bytes", len);
			return CLI_USAGE;
		}
		if (strspn(line, " \t\r\n") == (size_t)len)
			continue;
		enum cli_exit status = run_line(cli, line, (size_t)len, row);
		if (status > worst)
			worst = status;
	}
	if (ferror(in) || fflush(cli->out) != 0) {
		err_errno(e, "--batch");
		return CLI_USAGE;
	}
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
