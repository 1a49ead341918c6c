/* SPDX-License-Identifier: Apache-2.0 */
/* web_billing.c — accounts that pay for workspaces, for who administers the service: all of them, and one. */
#include "computations/web/web_billing.h"

#include "common/base/json.h"
#include "common/base/timestamp.h"
#include "common/usage/usage_share.h"
#include "computations/machines/machines.h"
#include "computations/store/store_billing.h"
#include "computations/store/store_usage.h"
#include "computations/web/web_form.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"

#include <stdlib.h>
#include <string.h>

struct accounts {
	struct billing_account
		rows[WEB_ROWS + 1]; /* one more than is shown; or the one, in front */
	char *places[BILLING_PLACES_MAX];
	size_t place_count;
	struct usage_month month;
	struct usage_sums sums;
};

static void free_accounts(void *data)
{
	struct accounts *a = data;

	for (size_t i = 0; i < ARRAY_LEN(a->rows); i++)
		billing_account_done(&a->rows[i]);
	for (size_t i = 0; i < a->place_count; i++)
		free(a->places[i]);
	free(a);
}

static const struct usage_plans *plans_of(const struct web_work *work)
{
	return &machines_table(work->web->service->machines)->plans;
}

/* ---- in the pool ---- */

static int begin(struct web_work *work, struct err *e)
{
	struct accounts *a = calloc(1, sizeof(*a));

	if (!a)
		return err_nomem(e);
	work->more = a;
	work->free_more = free_accounts;
	return 0;
}

static int run_list(struct store *store, struct web_work *work, struct err *e)
{
	if (begin(work, e) < 0 ||
	    billing_list(store, work->after, store_now(), WEB_ROWS + 1,
			 ((struct accounts *)work->more)->rows, &work->count, e) < 0)
		return err_code(e);
	work->has_more = work->count > WEB_ROWS;
	work->count -= work->has_more;
	return 0;
}

static int run_one(struct store *store, struct web_work *work, struct err *e)
{
	const int64_t now = store_now();
	struct accounts *a;
	struct usage_query query;

	if (begin(work, e) < 0)
		return err_code(e);
	a = work->more;
	if (billing_find(store, http_request_param(work->r, "account"), now, &a->rows[0], e) < 0 ||
	    usage_month_parse("", now, &a->month, e) < 0 ||
	    billing_places(store, a->rows[0].number, now, BILLING_PLACES_MAX, a->places,
			   &a->place_count, e) < 0)
		return err_code(e);
	query = (struct usage_query){ .month = &a->month, .account = a->rows[0].number };
	return store_usage_sums(store, &query, &a->sums, e);
}

/* ---- the page of all ---- */

static void put_plans(const struct web_work *work, const char *chosen, struct writer *w)
{
	const struct usage_plans *plans = plans_of(work);

	page_put(w, "<div><label for=\"f-plan\">Plan</label><select id=\"f-plan\" name=\"plan\">");
	for (size_t i = 0; i < plans->count; i++)
		page_put(w, "<option value=\"%a\"%s>%t</option>", plans->rows[i].name,
			 strcmp(plans->rows[i].name, chosen) == 0 ? " selected" : "",
			 plans->rows[i].name);
	page_put(w, "</select></div>\n");
}

static void put_form(const struct web_work *work, const char *action, struct writer *w)
{
	page_put(w,
		 "<form class=\"stack\" method=\"post\" action=\"/billing%s\"><input "
		 "type=\"hidden\" name=\"csrf\" value=\"%a\">\n",
		 action, work->csrf);
}

static void put_row(const struct web_work *work, const struct billing_account *a, struct writer *w)
{
	page_row_begin(w);
	page_put(w, "<a class=\"long\" href=\"/billing/%u\"><bdi>%t</bdi></a></th>", a->name,
		 a->name);
	page_cell(w, "Plan");
	page_put(w, "<span class=\"long\">%t<span class=\"sub\">%s</span></span></td>", a->plan,
		 usage_plan_find(plans_of(work), a->plan) ? "" : "There is no such plan");
	page_number_cell(w, "Workspaces");
	page_put(w, "%d</td>", a->workspaces);
	page_cell(w, "Since");
	page_time(w, a->created);
	page_put(w, "</td></tr>\n");
}

static void put_table(const struct web_work *work, struct writer *w)
{
	static const struct page_column columns[] = {
		{ "Account", false }, { "Plan", false }, { "Workspaces", true }, { "Since", false }
	};
	const struct accounts *a = work->more;

	page_table_begin(w, "Accounts, by name", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < work->count; i++)
		put_row(work, &a->rows[i], w);
	page_table_end(w);
	page_put(w, "<nav class=\"pages\" aria-label=\"Pages\">");
	if (*work->after)
		page_put(w, "<a class=\"btn\" href=\"/billing\">First</a> ");
	if (work->has_more)
		page_put(w, "<a class=\"btn\" rel=\"next\" href=\"/billing?after=%q\">More</a>",
			 a->rows[work->count - 1].name);
	page_put(w, "</nav>\n");
}

static void put_new(const struct web_work *work, struct writer *w)
{
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-new\"><h2 id=\"h-new\">Make an "
		 "account</h2>\n<p>%t</p>\n",
		 plans_of(work)->count ? WEB_BILLING_NEW : WEB_NO_PLANS);
	if (*work->csrf && plans_of(work)->count) {
		put_form(work, "", w);
		web_form_field(w, "account", "Name", "text", "off", "", "");
		put_plans(work, "", w);
		page_put(w, "<div><button class=\"btn main\" type=\"submit\">Make it</button>"
			    "</div>\n</form>");
	}
	page_put(w, "</section>\n");
}

static void reply_list(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	page_begin(&w, &work->caller, "Billing", "/billing");
	page_put(&w, "<div class=\"head\"><h1>Billing</h1></div>\n<div class=\"cols\"><div "
		     "class=\"stack\">\n");
	if (work->count || *work->after)
		put_table(work, &w);
	else
		page_put(&w, "<p class=\"note\">%t</p>\n", WEB_NO_ACCOUNTS);
	page_put(&w, "</div><div class=\"stack\">\n");
	put_new(work, &w);
	page_put(&w, "</div></div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_billing(struct http_request *r, void *data)
{
	web_work_start(data, r, run_list, reply_list);
}

/* ---- the page of one ---- */

static struct usage_share share_of(const struct web_work *work)
{
	const struct accounts *a = work->more;
	const struct usage_plan *plan = usage_plan_find(plans_of(work), a->rows[0].plan);
	struct usage_share share = {
		.cvm_ms = (unsigned long long)a->sums.cvm_ms,
		.cpu_ms = (unsigned long long)a->sums.cpu_ms,
		.memory_mib_seconds = (unsigned long long)a->sums.memory_mib_s,
	};

	if (plan && plan->quota.cvm_hours <= USAGE_LIMIT_MAX)
		share.limit.cvm_hours = plan->quota.cvm_hours;
	if (plan && plan->quota.cpu_hours <= USAGE_LIMIT_MAX)
		share.limit.cpu_hours = plan->quota.cpu_hours;
	if (plan && plan->quota.memory_hours <= USAGE_LIMIT_MAX)
		share.limit.memory_gib_hours = plan->quota.memory_hours;
	return share;
}

static void put_about(const struct web_work *work, struct writer *w)
{
	const struct accounts *a = work->more;
	const struct billing_account *one = &a->rows[0];
	struct usage_share share = share_of(work);
	struct usage_share_row rows[USAGE_SHARE_ROWS];
	size_t count = usage_share_rows(&share, rows);
	unsigned most = 0; /* percent of a limit */
	char hours[USAGE_HOURS_MAX];

	page_put(w, "<section class=\"panel\" aria-label=\"What it is\">\n");
	if (!usage_plan_find(plans_of(work), one->plan))
		page_put(w, "<p class=\"note warn\">%t</p>\n", WEB_PLAN_GONE);
	for (size_t i = 0; i < count; i++)
		most = rows[i].percent > most ? rows[i].percent : most;
	if (most >= USAGE_NEARLY_PERCENT)
		page_put(w, "<p class=\"note warn\"><b>%t</b> %t</p>\n",
			 most >= 100 ? WEB_USAGE_SPENT : WEB_USAGE_NEARLY, WEB_BILLING_ENDS);
	page_put(w, "<dl class=\"dl\"><dt>Plan</dt><dd>%t</dd><dt>Month</dt><dd>%t</dd>", one->plan,
		 a->month.name);
	usage_hours(share.cvm_ms, hours);
	page_put(w, "<dt>CVM hours</dt><dd>%t</dd>", hours);
	usage_hours(share.cpu_ms, hours);
	page_put(w, "<dt>CPU hours</dt><dd>%t</dd>", hours);
	usage_gib_hours(share.memory_mib_seconds, hours);
	page_put(w, "<dt>GiB hours</dt><dd>%t</dd>", hours);
	for (size_t i = 0; i < count; i++)
		page_put(w, "<dt>Limit of %s</dt><dd>%d (%d%s used)</dd>", rows[i].what,
			 (int64_t)rows[i].limit, (int64_t)rows[i].percent, " %");
	page_put(w, "<dt>Made by</dt><dd><bdi>%t</bdi></dd><dt>Since</dt><dd>",
		 *one->maker ? one->maker : "the service’s operator");
	page_time(w, one->created);
	page_put(w, "</dd></dl>\n</section>\n");
}

static void put_statement(const struct accounts *a, const char *month, const char *so_far,
			  struct writer *w)
{
	const char *name = a->rows[0].name;

	page_put(w,
		 "<li class=\"row between\"><span>%s%s</span><span class=\"row\"><a class=\"btn\" "
		 "href=\"/api/billing/%u/usage.csv?month=%q\" download>CSV<span class=\"sr\"> of "
		 "%s</span></a><a class=\"btn\" href=\"/api/billing/%u/usage.html?month=%q\" "
		 "download>To print<span class=\"sr\"> the one of %s</span></a></span></li>\n",
		 month, so_far, name, month, month, name, month, month);
}

/* Of this month, and of the one that ended last. */
static void put_statements(const struct web_work *work, struct writer *w)
{
	const struct accounts *a = work->more;
	struct usage_month before;
	struct err none;

	page_put(w, "<section class=\"panel\" aria-labelledby=\"h-statements\"><h2 "
		    "id=\"h-statements\">Statements</h2>\n<ul class=\"list\">\n");
	put_statement(a, a->month.name, ", so far", w);
	if (a->month.since > 0 && usage_month_parse("", a->month.since - 1, &before, &none) == 0)
		put_statement(a, before.name, "", w);
	page_put(w, "</ul>\n</section>\n");
}

static void put_place(const struct web_work *work, const char *place, struct writer *w)
{
	const char *name = ((const struct accounts *)work->more)->rows[0].name;

	if (!*place) {
		page_put(w, "<li>One that is removed</li>\n");
		return;
	}
	page_put(w, "<li class=\"row between\"><a href=\"/w/%u/usage\"><bdi>%t</bdi></a>", place,
		 place);
	if (*work->csrf)
		page_put(w,
			 " <form class=\"inline\" method=\"post\" "
			 "action=\"/billing/%u/workspaces/%u/take\"><input type=\"hidden\" "
			 "name=\"csrf\" value=\"%a\"><button class=\"btn\" type=\"submit\">Pay no "
			 "more<span class=\"sr\"> for %t</span></button></form>",
			 name, place, work->csrf, place);
	page_put(w, "</li>\n");
}

static void put_places(const struct web_work *work, struct writer *w)
{
	const struct accounts *a = work->more;

	page_put(w, "<section class=\"panel\" aria-labelledby=\"h-places\"><h2 "
		    "id=\"h-places\">Workspaces that it pays for</h2>\n");
	if (a->place_count)
		page_put(w, "<ul class=\"list\">\n");
	for (size_t i = 0; i < a->place_count; i++)
		put_place(work, a->places[i], w);
	if (a->place_count)
		page_put(w, "</ul>\n");
	page_put(w, "<p class=\"small\">%t</p>\n", WEB_BILLING_MONTHS);
	if (*work->csrf) {
		page_put(w,
			 "<form class=\"stack\" method=\"post\" "
			 "action=\"/billing/%u/workspaces\"><input type=\"hidden\" name=\"csrf\" "
			 "value=\"%a\">\n",
			 a->rows[0].name, work->csrf);
		web_form_field(w, "workspace", "Workspace", "text", "off", "", "");
		page_put(w, "<div><button class=\"btn\" type=\"submit\">Pay for it</button></div>\n"
			    "</form>");
	}
	page_put(w, "</section>\n");
}

static void put_changes(const struct web_work *work, struct writer *w)
{
	const struct billing_account *one = &((const struct accounts *)work->more)->rows[0];

	if (!*work->csrf)
		return;
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-plan\"><h2 id=\"h-plan\">Another "
		 "plan</h2>\n<p>%t</p>\n<form class=\"stack\" method=\"post\" "
		 "action=\"/billing/%u/plan\"><input type=\"hidden\" name=\"csrf\" value=\"%a\">\n",
		 WEB_BILLING_PLAN, one->name, work->csrf);
	put_plans(work, one->plan, w);
	page_put(w,
		 "<div><button class=\"btn\" type=\"submit\">Change it</button></div>\n</form>\n"
		 "</section>\n<section class=\"panel\" aria-labelledby=\"h-remove\"><h2 "
		 "id=\"h-remove\">Remove</h2>\n<p class=\"small\">%t</p>\n<form class=\"stack\" "
		 "method=\"post\" action=\"/billing/%u/remove\"><input type=\"hidden\" "
		 "name=\"csrf\" value=\"%a\"><div><button class=\"btn danger\" "
		 "type=\"submit\">Remove the account</button></div></form></section>\n",
		 WEB_BILLING_REMOVE, one->name, work->csrf);
}

static void reply_one(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct accounts *a = work->more;

	page_begin(&w, &work->caller, a->rows[0].name, "/billing");
	page_put(&w,
		 "<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/billing\">Billing</a> "
		 "/</nav><div class=\"head\"><h1><bdi>%t</bdi></h1></div>\n<div class=\"cols\">"
		 "<div class=\"stack\">\n",
		 a->rows[0].name);
	put_about(work, &w);
	put_statements(work, &w);
	page_put(&w, "</div><div class=\"stack\">\n");
	put_places(work, &w);
	put_changes(work, &w);
	page_put(&w, "</div></div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_billing_one(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one);
}

/* ---- JSON ---- */

static void put_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

static void put_limit(struct writer *w, const char *key, uint64_t hours)
{
	json_put_key(w, key);
	if (hours <= USAGE_LIMIT_MAX)
		writer_printf(w, "%llu", (unsigned long long)hours);
	else
		writer_text(w, "null");
}

static void put_plan(struct writer *w, const struct usage_plan *plan)
{
	writer_text(w, "{");
	put_text(w, "plan", plan->name);
	put_limit(w, "cvm_hours", plan->quota.cvm_hours);
	put_limit(w, "cpu_hours", plan->quota.cpu_hours);
	put_limit(w, "memory_gib_hours", plan->quota.memory_hours);
	writer_text(w, "}");
}

static void put_account(const struct web_work *work, const struct billing_account *a,
			struct writer *w)
{
	const struct usage_plan *plan = usage_plan_find(plans_of(work), a->plan);
	char created[TIMESTAMP_TEXT_MAX];

	timestamp_format(a->created / 1000, created);
	put_text(w, "account", a->name);
	put_text(w, "plan", a->plan);
	put_text(w, "maker", a->maker);
	put_text(w, "created", created);
	json_put_key(w, "workspaces");
	writer_printf(w, "%lld", (long long)a->workspaces);
	json_put_key(w, "limits");
	if (plan)
		put_plan(w, plan);
	else
		writer_text(w, "null");
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct usage_plans *plans = plans_of(work);
	const struct accounts *a = work->more;

	writer_text(&w, "{");
	json_put_key(&w, "plans");
	writer_text(&w, "[");
	for (size_t i = 0; i < plans->count; i++) {
		writer_text(&w, i ? "," : "");
		put_plan(&w, &plans->rows[i]);
	}
	writer_text(&w, "]");
	json_put_key(&w, "accounts");
	writer_text(&w, "[");
	for (size_t i = 0; i < work->count; i++) {
		writer_text(&w, i ? ",{" : "{");
		put_account(work, &a->rows[i], &w);
		writer_text(&w, "}");
	}
	writer_text(&w, "]");
	web_json_next(&w, work->has_more ? a->rows[work->count - 1].name : NULL);
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_billing_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_list, reply_json);
}

static void reply_one_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct accounts *a = work->more;

	writer_text(&w, "{");
	put_account(work, &a->rows[0], &w);
	put_text(&w, "month", a->month.name);
	writer_printf(&w, ",\"cvm_ms\":%lld,\"cpu_ms\":%lld,\"memory_mib_seconds\":%lld",
		      (long long)a->sums.cvm_ms, (long long)a->sums.cpu_ms,
		      (long long)a->sums.memory_mib_s);
	json_put_key(&w, "pays_for");
	writer_text(&w, "[");
	for (size_t i = 0; i < a->place_count; i++) {
		writer_text(&w, i ? "," : "");
		json_quote(&w, a->places[i], strlen(a->places[i]));
	}
	writer_text(&w, "]}\n");
	web_reply_json(work->r, &w);
}

void web_billing_one_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one_json);
}
