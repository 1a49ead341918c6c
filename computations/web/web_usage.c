/* SPDX-License-Identifier: Apache-2.0 */
/* web_usage.c — what a workspace's CVMs ran in a month, and may, bytes in and out, and what was kept: a page, and JSON. */
#include "computations/web/web_usage.h"

#include "common/base/json.h"
#include "computations/core/usage_message.h"
#include "computations/machines/machines.h"
#include "computations/store/store_billing.h"
#include "computations/store/usage_fold.h"
#include "computations/store/usage_limit.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_place.h"
#include "computations/web/web_words.h"

#include <stdlib.h>
#include <string.h>

static void free_page(void *data)
{
	struct usage_page *p = data;

	for (size_t i = 0; p->rows && i < p->room; i++)
		usage_row_done(&p->rows[i]);
	free(p->rows);
	usage_share_done(&p->share);
	usage_statement_done(&p->statement);
	free(p->place);
	free(p);
}

/* ---- in the pool ---- */

bool usage_page_is_now(const struct usage_page *p)
{
	return p->now >= p->month.since && p->now < p->month.until;
}

int64_t usage_page_end(const struct usage_page *p)
{
	return p->now < p->month.until ? p->now : p->month.until;
}

/* Its limits, NULL for none, are those of now: what held in another month is not known. */
static int take_share(struct store *store, struct web_work *work, const char *name,
		      const struct machine_quota *quota, struct err *e)
{
	struct usage_page *p = work->more;
	const struct usage_query query = { .month = &p->month,
					   .workspace = p->workspace,
					   .account = p->account };
	Computations__UsageLimit limit;
	struct usage_sums sums;

	if (store_usage_sums(store, &query, &sums, e) < 0 ||
	    store_usage_bytes(store, &query, &p->bytes, e) < 0)
		return err_code(e);
	p->share.cvm_ms = (unsigned long long)sums.cvm_ms;
	p->share.cpu_ms = (unsigned long long)sums.cpu_ms;
	p->share.memory_mib_seconds = (unsigned long long)sums.memory_mib_s;
	p->share.workspace = strdup(name);
	if (!p->share.workspace)
		return err_nomem(e);
	if (!usage_page_is_now(p) || !quota)
		return 0;
	usage_limit_judge(&sums, quota, &p->month, &p->standing);
	if (usage_message_limit(&limit, quota)) {
		p->share.limit.cvm_hours = limit.cvm_hours;
		p->share.limit.cpu_hours = limit.cpu_hours;
		p->share.limit.memory_gib_hours = limit.memory_gib_hours;
	}
	return 0;
}

static int take_workspace(struct store *store, struct web_work *work, struct err *e)
{
	const struct manager_table *table = machines_table(work->web->service->machines);
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct usage_page *p = work->more;
	struct machine_quota quota;
	bool has_quota;

	if (admin_access_workspace(store, &work->caller, DEED_LOOK, work->id, &w, e) < 0)
		return err_code(e);
	p->workspace = w.number;
	has_quota = manager_table_quota_of(table, w.name, &quota);
	return take_share(store, work, w.name, has_quota ? &quota : NULL, e);
}

/* Its row of the routes is for who administers the service. */
static int take_account(struct store *store, struct web_work *work, const char *name, struct err *e)
{
	const struct manager_table *table = machines_table(work->web->service->machines);
	struct billing_account account = { .name = NULL };
	struct usage_page *p = work->more;
	const struct usage_plan *plan;
	int failed;

	if (billing_find(store, name, p->now, &account, e) < 0)
		return err_code(e);
	p->account = account.number;
	plan = usage_plan_find(&table->plans, account.plan);
	failed = take_share(store, work, account.name, plan ? &plan->quota : NULL, e);
	billing_account_done(&account);
	return failed;
}

int usage_page_rows(struct store *store, struct web_work *work, const struct usage_after *after,
		    struct err *e)
{
	struct usage_page *p = work->more;
	const struct usage_query query = {
		.month = &p->seen,
		.workspace = p->workspace,
		.account = p->account,
		.person = work->caller.rights.operates ? 0 : work->caller.who.person,
		.after = *after,
		.max = p->room,
	};

	if (usage_is_folded(store, &query, &p->is_summed, e) < 0 ||
	    store_usage(store, &query, p->rows, &work->count, e) < 0)
		return err_code(e);
	work->has_more = work->count == p->room;
	work->count -= work->has_more;
	return 0;
}

int usage_page_begin(struct store *store, struct web_work *work, size_t room,
		     struct usage_after *after, struct err *e)
{
	const char *account = http_request_param(work->r, "account");
	const char *month = http_request_query(work->r, "month");
	struct usage_page *p = calloc(1, sizeof(*p));

	if (!p)
		return err_nomem(e);
	work->more = p;
	work->free_more = free_page;
	p->room = room + 1;
	p->rows = calloc(p->room, sizeof(*p->rows));
	if (!p->rows)
		return err_nomem(e);
	p->now = store_now();
	if (usage_month_parse(month ? month : "", p->now, &p->month, e) < 0 ||
	    usage_after_parse(work->after, after, e) < 0)
		return err_code(e);
	p->seen = p->month;
	return account ? take_account(store, work, account, e) : take_workspace(store, work, e);
}

static int run_list(struct store *store, struct web_work *work, struct err *e)
{
	struct usage_after after;

	if (usage_page_begin(store, work, WEB_ROWS, &after, e) < 0)
		return err_code(e);
	return usage_page_rows(store, work, &after, e);
}

int usage_page_next(const struct usage_row *last, char **text, struct err *e)
{
	const struct usage_after behind = { last->workspace_number, last->kind, last->computation };

	return usage_after_format(&behind, text, e);
}

/* ---- the page ---- */

static void put_month(const struct web_work *work, int64_t at, const char *word, const char *rel,
		      struct writer *w)
{
	struct usage_month month;
	struct err none;

	if (usage_month_parse("", at, &month, &none) == 0)
		page_put(w, "<a class=\"btn\" rel=\"%s\" href=\"/w/%u/usage?month=%q\">%s %t</a>\n",
			 rel, work->id, month.name, word, month.name);
}

static void put_limits(const struct usage_page *p, struct writer *w)
{
	struct usage_share_row rows[USAGE_SHARE_ROWS];
	size_t count = usage_share_rows(&p->share, rows);
	char hours[USAGE_HOURS_MAX];

	if (p->standing.level != USAGE_WITHIN)
		page_put(w, "<p class=\"note warn\"><b>%t</b> %t</p>\n",
			 p->standing.level == USAGE_SPENT ? WEB_USAGE_SPENT : WEB_USAGE_NEARLY,
			 WEB_USAGE_ENDS);
	page_put(w, "<dl class=\"dl\"><dt>CVM hours</dt><dd>");
	usage_hours(p->share.cvm_ms, hours);
	page_put(w, "%t</dd><dt>CPU hours</dt><dd>", hours);
	usage_hours(p->share.cpu_ms, hours);
	page_put(w, "%t</dd><dt>GiB hours</dt><dd>", hours);
	usage_gib_hours(p->share.memory_mib_seconds, hours);
	page_put(w, "%t</dd><dt>Bytes in</dt><dd>", hours);
	usage_bytes((unsigned long long)p->bytes.in, hours);
	page_put(w, "%t</dd><dt>Bytes out</dt><dd>", hours);
	usage_bytes((unsigned long long)p->bytes.out, hours);
	page_put(w, "%t</dd><dt>Storage MiB hours</dt><dd>", hours);
	usage_mib_hours((unsigned long long)p->bytes.storage_mib_s, hours);
	page_put(w, "%t</dd>", hours);
	for (size_t i = 0; i < count; i++)
		page_put(w, "<dt>Limit of %s</dt><dd>%d (%d%s used)</dd>", rows[i].what,
			 (int64_t)rows[i].limit, (int64_t)rows[i].percent, " %");
	page_put(w, "</dl>\n");
}

static void put_hours(const char *column, const char *hours, struct writer *w)
{
	page_number_cell(w, column);
	page_put(w, "%t</td>", hours);
}

static void put_row(const struct usage_row *row, struct writer *w)
{
	char hours[USAGE_HOURS_MAX];

	page_row_begin(w);
	if (row->kind != USAGE_OF_COMPUTATION)
		page_put(w, "%t</th>",
			 row->kind == USAGE_IDLE ? "No computation (waiting)"
						 : "Others’ computations");
	else if (page_can_link(row->computation))
		page_put(w, "<a href=\"/c/%u\"><bdi>%t</bdi></a></th>", row->computation,
			 row->computation);
	else
		page_put(w, "<bdi>%t</bdi></th>", row->computation);
	page_number_cell(w, "CVMs");
	page_put(w, "%d</td>", row->cvms);
	usage_hours((unsigned long long)row->cvm_ms, hours);
	put_hours("CVM hours", hours, w);
	usage_hours((unsigned long long)row->cpu_ms, hours);
	put_hours("CPU hours", hours, w);
	usage_gib_hours((unsigned long long)row->memory_mib_s, hours);
	put_hours("GiB hours", hours, w);
	usage_bytes((unsigned long long)row->bytes_in, hours);
	put_hours("Bytes in", hours, w);
	usage_bytes((unsigned long long)row->bytes_out, hours);
	put_hours("Bytes out", hours, w);
	usage_mib_hours((unsigned long long)row->storage_mib_s, hours);
	put_hours("Storage MiB hours", hours, w);
	page_put(w, "</tr>\n");
}

static void put_table(const struct web_work *work, struct writer *w)
{
	static const struct page_column columns[] = {
		{ "For", false },      { "CVMs", true },
		{ "CVM hours", true }, { "CPU hours", true },
		{ "GiB hours", true }, { "Bytes in", true },
		{ "Bytes out", true }, { "Storage MiB hours", true }
	};
	const struct usage_page *p = work->more;
	CLEANUP(free) char *next = NULL;
	struct err e;

	page_table_begin(w, "By computation", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < work->count; i++)
		put_row(&p->rows[i], w);
	page_table_end(w);
	if (!work->has_more)
		return;
	if (usage_page_next(&p->rows[work->count - 1], &next, &e) < 0)
		w->bad = true;
	else
		page_put(w,
			 "<nav class=\"pages\" aria-label=\"Pages\"><a class=\"btn\" rel=\"next\" "
			 "href=\"/w/%u/usage?month=%q&amp;after=%q\">More</a></nav>\n",
			 work->id, p->month.name, next);
}

static void reply_list(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct usage_page *p = work->more;

	web_place_head(work, "usage", &w);
	page_put(&w, "<nav class=\"row deeds\" aria-label=\"Months\">\n");
	if (p->month.since > 0)
		put_month(work, p->month.since - 1, "Before:", "prev", &w);
	if (p->month.until <= p->now)
		put_month(work, p->month.until, "After:", "next", &w);
	page_put(&w,
		 "</nav>\n<section class=\"panel\" aria-labelledby=\"h-month\"><h2 "
		 "id=\"h-month\">CVMs in %t</h2>\n<p class=\"small\">%t ",
		 p->month.name, WEB_USAGE);
	page_time(&w, usage_page_end(p));
	page_put(&w, "</p>\n<p class=\"small\">%t %t</p>\n", WEB_USAGE_BYTES, WEB_USAGE_STORAGE);
	if (p->is_summed)
		page_put(&w, "<p class=\"small\">%t</p>\n", WEB_USAGE_SUMMED);
	put_limits(p, &w);
	page_put(
		&w,
		"<div class=\"row\"><a class=\"btn\" href=\"/api/workspaces/%u/usage.csv?month=%q\" "
		"download>CSV</a><a class=\"btn\" "
		"href=\"/api/workspaces/%u/usage.html?month=%q\" download>To print</a></div>\n"
		"</section>\n",
		work->id, p->month.name, work->id, p->month.name);
	if (work->count || *work->after)
		put_table(work, &w);
	else
		page_empty(&w, "Nothing ran", WEB_NO_USAGE, "cocos-cli usage");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_usage(struct http_request *r, void *data)
{
	web_work_start(data, r, run_list, reply_list);
}

/* ---- JSON ---- */

static void put_limit(struct writer *w, const char *key, unsigned long long hours)
{
	json_put_key(w, key);
	if (hours)
		writer_printf(w, "%llu", hours);
	else
		writer_text(w, "null");
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct usage_page *p = work->more;
	CLEANUP(free) char *next = NULL;
	struct err e;

	if (work->has_more && usage_page_next(&p->rows[work->count - 1], &next, &e) < 0) {
		http_request_fail(work->r, &e);
		return;
	}
	writer_text(&w, "{");
	web_json_usage_head(&w, p->month.name, usage_page_end(p), p->is_summed);
	writer_printf(&w, ",\"cvm_ms\":%llu,\"cpu_ms\":%llu,\"memory_mib_seconds\":%llu",
		      p->share.cvm_ms, p->share.cpu_ms, p->share.memory_mib_seconds);
	writer_printf(&w, ",\"bytes_in\":%lld,\"bytes_out\":%lld,\"storage_mib_seconds\":%lld",
		      (long long)p->bytes.in, (long long)p->bytes.out,
		      (long long)p->bytes.storage_mib_s);
	json_put_key(&w, "limits");
	writer_text(&w, "{");
	put_limit(&w, "cvm_hours", p->share.limit.cvm_hours);
	put_limit(&w, "cpu_hours", p->share.limit.cpu_hours);
	put_limit(&w, "memory_gib_hours", p->share.limit.memory_gib_hours);
	writer_text(&w, "}");
	json_put_key(&w, "usage");
	writer_text(&w, "[");
	for (size_t i = 0; i < work->count; i++) {
		Computations__Usage row;

		usage_message_fill(&row, &p->rows[i]);
		writer_text(&w, i ? "," : "");
		web_json_usage(&w, usage_kind(&row), &p->rows[i], p->account != 0);
	}
	writer_text(&w, "]");
	web_json_next(&w, next);
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_usage_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_list, reply_json);
}
