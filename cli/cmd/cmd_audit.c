/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_audit.c — who changed what at the computation service: shown as it is, followed, and cut. */
#include "cli/base/number.h"
#include "cli/base/table.h"
#include "cli/base/text.h"
#include "cli/client/audit_client.h"
#include "cli/cmd/commands.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN = 50, FOLLOWED = 10, FOLLOW_S = 1, TABLE_ROWS_MAX = 100000 };

static const struct table_column columns[] = {
	{ "NUMBER", "number", false },   { "TIME", "time", false },
	{ "WHO", "who", false },         { "FROM", "from", true },
	{ "WHAT", "what", false },       { "METHOD", "method", true },
	{ "OBJECT", "object", false },   { "ABOUT", "about", true },
	{ "BEFORE", "before", false },   { "AFTER", "after", false },
	{ "OUTCOME", "outcome", false }, { "CAUSE", "cause", false },
	{ NULL, NULL, false },
};

/* Of computations.ComputationService/Stop. */
static const char *short_name(const char *method)
{
	const char *slash = strrchr(method, '/');

	return slash ? slash + 1 : method;
}

static int keep_row(void *data, const struct audit_row *row, const char *line, struct err *e)
{
	struct table *t = data;

	if (t->count / t->width >= TABLE_ROWS_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "a table has %d rows at most: --json prints each as it comes",
			       TABLE_ROWS_MAX);
	table_number(t, row->number, NULL);
	table_moment(t, (int64_t)row->time);
	table_text(t, row->who);
	table_text(t, row->from);
	table_text(t, short_name(row->what));
	table_text(t, row->what);
	table_text(t, row->object);
	table_text(t, strcmp(row->about, "{}") == 0 ? "" : row->about);
	table_text(t, row->before);
	table_text(t, row->after);
	table_text(t, row->outcome);
	table_text(t, row->cause);
	return 0;
}

static void put(struct cli *cli, const char *before, const char *text)
{
	if (*text)
		fprintf(cli->out, "%s%s", before, text_plain(text).text);
}

static int print_row(void *data, const struct audit_row *row, const char *line, struct err *e)
{
	const Google__Protobuf__Timestamp time = { .seconds = (int64_t)(row->time / 1000),
						   .nanos = (int32_t)(row->time % 1000) * 1000000 };
	char when[COMPUTATION_TIME_MAX];
	struct cli *cli = data;

	if (cli_flag(cli, "json")) {
		fprintf(cli->out, "%s\n", line);
	} else {
		computation_time(&time, when);
		fprintf(cli->out, "%" PRIu64 "  %s  ", row->number, when);
		put(cli, "", *row->who ? row->who : "-");
		put(cli, "  ", short_name(row->what));
		put(cli, "  ", row->object);
		put(cli, "  ", strcmp(row->about, "{}") == 0 ? "" : row->about);
		put(cli, "  ", row->before);
		put(cli, " -> ", row->after);
		put(cli, "  ", row->outcome);
		put(cli, ": ", row->cause);
		fputc('\n', cli->out);
	}
	return fflush(cli->out) == 0 ? 0 : err_errno(e, "standard output");
}

/* Behind which row the last `count` are. */
static int before_last(struct client *client, uint64_t count, uint64_t *after, struct err *e)
{
	struct audit_head head;

	if (audit_client_head(client, &head, e) < 0)
		return err_code(e);
	*after = head.number > count ? head.number - count : 0;
	return 0;
}

static int follow(struct client *client, uint64_t count, struct err *e)
{
	struct audit_client a = { .client = client, .take = print_row, .data = client->cli };
	uint64_t after;

	if (before_last(client, count, &after, e) < 0)
		return err_code(e);
	while (audit_client_read(&a, after, e) == 0) {
		sleep(FOLLOW_S);
		after = 0;
	}
	return err_code(e);
}

static int list(struct client *client, uint64_t count, struct err *e)
{
	bool as_they_are = cli_flag(client->cli, "json");
	struct table table CLEANUP_TABLE;
	struct audit_client a = { .client = client, .take = keep_row, .data = &table };
	uint64_t after;

	table_init(&table, columns);
	if (as_they_are) {
		a.take = print_row;
		a.data = client->cli;
	}
	if (before_last(client, count, &after, e) < 0 || audit_client_read(&a, after, e) < 0)
		return err_code(e);
	return as_they_are ? 0 : table_print(&table, client->cli, "none", e);
}

static enum cli_exit show_last(struct cli *cli, uint64_t count,
			       int (*show)(struct client *client, uint64_t count, struct err *e),
			       struct err *e)
{
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	const char *last = cli_value(cli, "last");

	if (last && !number_decimal(last, &count))
		return cli_usage(e, "--last: give a number of rows");
	if (client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	return show(&client, count, e) < 0 ? audit_client_failed(&client, e) : CLI_OK;
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	if (cli_flag(cli, "json") && cli_value(cli, "output"))
		return cli_usage(e, "give either --json, which prints rows as the log has them, or "
				    "--output");
	return show_last(cli, SHOWN, list, e);
}

static enum cli_exit run_follow(struct cli *cli, struct err *e)
{
	return show_last(cli, FOLLOWED, follow, e);
}

/* clang-format off */
static const struct cli_option list_options[] = {
	{ .name = "last", .value = "NUMBER", .help = "so many rows (50)" },
	{ .letter = 'o', .name = "output", .value = "FORMAT",
	  .help = "table, wide (all columns), json or yaml (table)", .words = table_formats },
	{ .name = "json", .help = "print each row as the log has it, one in a line" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
static const struct cli_option follow_options[] = {
	{ .name = "last", .value = "NUMBER", .help = "begin with so many rows (10)" },
	{ .name = "json", .help = "print each row as the log has it, one in a line" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_audit_list = {
	.name = "audit list",
	.args = "",
	.help = "show who changed what at the computation service",
	.options = list_options,
	.run = run_list,
	.more = "For administrators of the service, and its auditors ('user auditor'). Each row is checked to be\n"
		"the one behind the row before; exit 3: one does not fit.",
};

const struct command cmd_audit_follow = {
	.name = "audit follow",
	.args = "",
	.help = "show it as it comes",
	.options = follow_options,
	.run = run_follow,
	.more = "Until it is interrupted. Exit 3: a row does not fit the one that was shown before it.",
};

/* ---- the cut ---- */

static enum cli_exit run_trim(struct cli *cli, struct err *e)
{
	Computations__TrimAuditRequest request = COMPUTATIONS__TRIM_AUDIT_REQUEST__INIT;
	ProtobufCMessage *response;
	struct audit_head through;
	enum cli_exit status;

	if (audit_head_parse(cli->operands[0], &through, e) < 0)
		return CLI_USAGE;
	request.through = (char *)(uintptr_t)cli->operands[0];
	status = computation_call(cli, &computation_trim_audit, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	protobuf_c_message_free_unpacked(response, NULL);
	fprintf(cli->out, "the audit log begins with row %" PRIu64 " now\n", through.number + 1);
	return CLI_OK;
}

const struct command cmd_audit_trim = {
	.name = "audit trim",
	.args = "HEAD",
	.help = "cut off the rows up to that head, which were saved",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_trim,
	.more = "HEAD is the NUMBER:DIGEST that 'audit export' and 'audit verify' print: keep their file. The service\n"
		"compares it, and the cut is a row of its own, from which on the log can be verified together with\n"
		"that file. For administrators alone.",
};
