/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_usage.c — what the CVMs of workspaces ran in a month, as the computation service has metered it. */
#include "cli/base/text.h"
#include "cli/client/computation_client.h"
#include "cli/client/listing.h"
#include "cli/cmd/commands.h"
#include "common/base/timestamp.h"
#include "common/usage/usage_statement.h"

#include <string.h>

static const struct table_column columns[] = {
	{ "WORKSPACE", "workspace", false },
	{ "REMOVED", "removed", true },
	{ "KIND", "kind", true },
	{ "COMPUTATION", "computation", false },
	{ "CVMS", "cvms", false },
	{ "CVM-HOURS", "cvm_ms", false },
	{ "CPU-HOURS", "cpu_ms", false },
	{ "GIB-HOURS", "memory_mib_seconds", false },
	{ "BYTES-IN", "bytes_in", false },
	{ "BYTES-OUT", "bytes_out", false },
	{ "STORAGE-MIB-HOURS", "storage_mib_seconds", false },
	{ "MAX-CVM-HOURS", "limit_cvm_hours", true },
	{ "MAX-CPU-HOURS", "limit_cpu_hours", true },
	{ "MAX-GIB-HOURS", "limit_memory_gib_hours", true },
	{ NULL, NULL, false },
};

/* table_formats[], and the two of a statement. */
static const char *const formats[] = { "table", "wide", "json", "yaml", "csv", "html", NULL };

struct report {
	struct table table;
	struct usage_statement statement;
	const struct usage_form *form; /* NULL: the table */
	char month[16];                /* that the first page was of */
	struct usage_share share;      /* of the workspace whose row was the last one */
	bool is_summed;                /* as any page said */
	const char *account;           /* that it is of; NULL: of workspaces; */
	struct usage_share whole;      /* with all its workspaces */
};

static void done(struct report *r)
{
	table_done(&r->table);
	usage_statement_done(&r->statement);
	usage_share_done(&r->share);
	usage_share_done(&r->whole);
}

/* All of its rows are there. */
static void say_share(struct report *r, const struct usage_share *share, const char *what)
{
	struct usage_share_row rows[USAGE_SHARE_ROWS];
	size_t count;

	if (!share->workspace)
		return;
	if (r->form)
		r->form->share(&r->statement, share);
	count = usage_share_rows(share, rows);
	for (size_t i = 0; i < count; i++)
		if (rows[i].percent >= USAGE_NEARLY_PERCENT)
			fprintf(stderr, "note: %s %s has used %s of its %llu %s of %s (%u %%)\n",
				what, text_plain(share->workspace).text, rows[i].used,
				rows[i].limit, rows[i].what, text_plain(r->month).text,
				rows[i].percent);
}

static void end_share(struct report *r)
{
	say_share(r, &r->share, "workspace");
}

/* Of the account, whose name a share has in the place of a workspace's. */
static int take_plan(struct report *r, const Computations__UsageResponse *page, struct err *e)
{
	const Computations__UsageLimit *limit = page->plan_limit;

	if (!r->account || r->whole.workspace)
		return 0;
	r->whole.workspace = strdup(r->account);
	if (!r->whole.workspace)
		return err_nomem(e);
	if (limit) {
		r->whole.limit.cvm_hours = limit->cvm_hours;
		r->whole.limit.cpu_hours = limit->cpu_hours;
		r->whole.limit.memory_gib_hours = limit->memory_gib_hours;
	}
	return 0;
}

static int add_share(struct report *r, const Computations__Usage *row, struct err *e)
{
	r->whole.cvm_ms += row->cvm_ms;
	r->whole.cpu_ms += row->cpu_ms;
	r->whole.memory_mib_seconds += row->memory_mib_seconds;
	if (usage_share_is_other(&r->share, row))
		end_share(r);
	return usage_share_add(&r->share, row) ? 0 : err_nomem(e);
}

/* A statement goes to a terminal as well as to a file. */
static void make_plain(Computations__UsageResponse *page)
{
	for (size_t i = 0; i < page->n_rows; i++) {
		text_make_plain(page->rows[i]->workspace);
		text_make_plain(page->rows[i]->computation);
	}
}

static void add_row(struct report *r, const Computations__Usage *row)
{
	const Computations__UsageLimit *limit = row->limit;
	struct table *t = &r->table;
	char shown[USAGE_HOURS_MAX];

	if (r->form) {
		usage_statement_add(&r->statement, r->form, row);
		return;
	}
	table_text(t, row->workspace);
	table_text(t, row->removed ? "yes" : "");
	table_text(t, usage_kind(row));
	table_text(t, row->others ? "(others)" : row->computation);
	table_number(t, row->cvms, NULL);
	usage_hours(row->cvm_ms, shown);
	table_number(t, row->cvm_ms, shown);
	usage_hours(row->cpu_ms, shown);
	table_number(t, row->cpu_ms, shown);
	usage_gib_hours(row->memory_mib_seconds, shown);
	table_number(t, row->memory_mib_seconds, shown);
	usage_bytes(row->bytes_in, shown);
	table_number(t, row->bytes_in, shown);
	usage_bytes(row->bytes_out, shown);
	table_number(t, row->bytes_out, shown);
	usage_mib_hours(row->storage_mib_seconds, shown);
	table_number(t, row->storage_mib_seconds, shown);
	table_number(t, limit ? limit->cvm_hours : 0, NULL);
	table_number(t, limit ? limit->cpu_hours : 0, NULL);
	table_number(t, limit ? limit->memory_gib_hours : 0, NULL);
}

/* A month as we write it: what a service says goes into a page. */
static int take_month(const char *month, int64_t *end, struct err *e)
{
	unsigned year, number;
	char rest;

	if (strlen(month) == 7 && strspn(month, "0123456789") == 4 && month[4] == '-' &&
	    strspn(month + 5, "0123456789") == 2 &&
	    sscanf(month, "%u-%u%c", &year, &number, &rest) == 2 &&
	    timestamp_of(&(struct timestamp_parts){ .year = number == 12 ? year + 1 : year,
						    .month = number == 12 ? 1 : number + 1,
						    .day = 1 },
			 end))
		return 0;
	return err_set(e, ERR_DATA_LOSS, "the service speaks of a month %s: it is not believed",
		       text_plain(month).text);
}

/* Of the first page. */
static int begin(struct report *r, const Computations__UsageResponse *page, struct err *e)
{
	struct usage_statement *s = &r->statement;
	char until[TIMESTAMP_TEXT_MAX];
	int64_t end;

	if (!r->form)
		return 0;
	if (take_month(page->month, &end, e) < 0)
		return err_code(e);
	if (!page->now)
		return err_set(e, ERR_DATA_LOSS, "the service does not say when it says this");
	timestamp_format(page->now->seconds < end ? page->now->seconds : end, until);
	snprintf(s->month, sizeof(s->month), "%s", page->month);
	snprintf(s->until, sizeof(s->until), "%s", until);
	r->form->begin(s);
	return 0;
}

/* Every page; the last one has no `next`. */
static int read_pages(struct client *client, Computations__UsageRequest *request, struct report *r,
		      struct err *e)
{
	CLEANUP(free) char *after = NULL;

	for (int pages = 0; pages < LISTING_PAGES_MAX; pages++) {
		Computations__UsageResponse *page;
		ProtobufCMessage *response;
		int failed;

		if (after)
			request->after = after;
		if (client_call(client, &computation_usage, &request->base, &response, e) < 0)
			return err_code(e);
		page = (Computations__UsageResponse *)response;
		if (r->form)
			make_plain(page);
		failed = take_plan(r, page, e);
		if (!failed && !pages)
			failed = begin(r, page, e);
		/* Pages are of the same month, also if it ends meanwhile. */
		snprintf(r->month, sizeof(r->month), "%s", page->month);
		r->is_summed |= page->summed;
		for (size_t i = 0; !failed && i < page->n_rows; i++) {
			add_row(r, page->rows[i]);
			failed = add_share(r, page->rows[i], e);
		}
		request->month = r->month;
		free(after);
		after = strdup(page->next);
		protobuf_c_message_free_unpacked(response, NULL);
		if (failed)
			return failed;
		if (!after)
			return err_nomem(e);
		if (!*after)
			return 0;
	}
	return listing_refuse(e);
}

static int print(struct cli *cli, struct report *r, struct err *e)
{
	struct writer *w = &r->statement.w;

	if (!r->form)
		return table_print(&r->table, cli, "none", e);
	r->form->end(&r->statement);
	if (writer_check(&r->statement.limits, "statement", e) < 0 ||
	    writer_check(w, "statement", e) < 0)
		return err_code(e);
	if (fwrite(w->bytes, 1, w->len, cli->out) != w->len || fflush(cli->out) != 0)
		return err_errno(e, "standard output");
	return 0;
}

static enum cli_exit run_usage(struct cli *cli, struct err *e)
{
	const char *workspace = cli_value(cli, "workspace"), *month = cli_value(cli, "month");
	Computations__UsageRequest request = COMPUTATIONS__USAGE_REQUEST__INIT;
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	struct report r __attribute__((
		cleanup(done))) = { .statement = { .w = writer_up_to(USAGE_STATEMENT_MAX),
						   .limits = writer_up_to(USAGE_STATEMENT_MAX) } };
	const char *format = cli_value(cli, "output");

	table_init(&r.table, columns);
	if (format && strcmp(format, "csv") == 0)
		r.form = &usage_csv;
	if (format && strcmp(format, "html") == 0)
		r.form = &usage_html;
	r.account = cli_value(cli, "account");
	if (r.account)
		request.account = (char *)(uintptr_t)r.account;
	if (workspace)
		request.workspace = (char *)(uintptr_t)workspace;
	if (month)
		request.month = (char *)(uintptr_t)month;
	if (table_check(cli, e) < 0 || client_open(&client, CLIENT_COMPUTATIONS, NULL, cli, e) < 0)
		return CLI_USAGE;
	if (read_pages(&client, &request, &r, e) < 0) {
		computation_hint(&client, e);
		return CLI_FAILED;
	}
	end_share(&r);
	say_share(&r, &r.whole, "account");
	if (r.is_summed)
		fprintf(stderr,
			"note: %s is long ago: its times are kept as sums, which this is made of\n",
			text_plain(r.month).text);
	return print(cli, &r, e) < 0 ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "workspace", .value = "NAME", .help = "of that one (all that you are in)" },
	{ .name = "account", .value = "NAME", .help = "of all workspaces that it pays for, for the service's administrators" },
	{ .name = "month", .value = "YYYY-MM", .help = "in that month, in UTC (this one)" },
	{ .letter = 'o', .name = "output", .value = "FORMAT", .words = formats,
	  .help = "table, wide (all columns), json, yaml, csv or html: a page to print (table)" },
	{ .name = "json", .help = "the same as -o json" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_usage = {
	.name = "usage",
	.args = "",
	.help = "show what the CVMs of your workspaces ran in a month, bytes in and out, and storage",
	.options = options,
	.run = run_usage,
	.more = "Of CVMs that managers made for them: for how long, times their CPUs and their memory, for each\n"
		"computation. Without one a CVM waited; computations that you may not see are \"(others)\".\n"
		"Who administers the service sees all workspaces. A workspace may have limits\n"
		"of each month; a note says when it has used 80 % of one, and at all of it its CVMs are removed.\n"
		"Bytes in and out are what owners sent and consumers fetched, as each computation's own agent said in\n"
		"its journal, by the month in which the service heard of it: they limit nothing. An agent without a\n"
		"journal counts none, nor do results whose size the manifest hides (docs/operators.md, Usage).\n"
		"Storage is what the service keeps of a computation, as it looks at that each hour: its manifest, sealed key,\n"
		"evidence, log lines, events and journals.",
};
