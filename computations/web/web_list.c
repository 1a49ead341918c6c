/* SPDX-License-Identifier: Apache-2.0 */
/* web_list.c — computations: the page, and the same for programs. */
#include "common/base/json.h"
#include "common/http/html.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SORT_MAX = 16 };

static int run(struct store *store, struct web_work *work, struct err *e)
{
	work->rows = calloc(WEB_ROWS, sizeof(*work->rows));
	if (!work->rows)
		return err_nomem(e);
	if (admin_access_view(store, &work->caller, "", &work->search.view, e) < 0)
		return err_code(e);
	return store_find(store, &work->search, WEB_ROWS, work->rows, &work->count, &work->next, e);
}

/* As the query has it: "-name". */
static const char *sort_word(struct list_sort sort, char word[SORT_MAX])
{
	snprintf(word, SORT_MAX, "%s%s", sort.is_up ? "" : "-", list_order_word(sort.by));
	return word;
}

static const char *state_word(const struct web_work *work)
{
	return work->search.state < 0 ? ""
				      : web_state_word((enum computation_state)work->search.state);
}

/* What each order is called. */
static const struct {
	const char *down, *up;
} orders[LIST_ORDERS] = {
	[LIST_BY_CREATED] = { "Newest first", "Oldest first" },
	[LIST_BY_CHANGED] = { "Changed last", "Changed first" },
	[LIST_BY_NAME] = { "Name, from Z", "Name, from A" },
	[LIST_BY_STATE] = { "State, ended first", "State, created first" },
};

static void put_orders(const struct web_work *work, struct writer *w)
{
	char word[SORT_MAX];

	page_put(w, "<div><label for=\"sort\">Order</label><select id=\"sort\" name=\"sort\">");
	for (unsigned i = 0; i < 2 * LIST_ORDERS; i++) {
		const struct list_sort sort = { (enum list_order)(i / 2), i % 2 };
		bool is_this =
			sort.by == work->search.sort.by && sort.is_up == work->search.sort.is_up;

		page_put(w, "<option value=\"%a\"%s>%t</option>", sort_word(sort, word),
			 is_this ? " selected" : "",
			 sort.is_up ? orders[sort.by].up : orders[sort.by].down);
	}
	page_put(w, "</select></div>\n");
}

static void put_form(const struct web_work *work, struct writer *w)
{
	page_put(
		w,
		"<form class=\"find\" role=\"search\" action=\"/\" method=\"get\">\n<div><label "
		"for=\"q\">Search</label><input id=\"q\" name=\"q\" type=\"search\" maxlength=\"200\" "
		"value=\"%a\" aria-describedby=\"q-hint\"><span class=\"hint\" id=\"q-hint\">Name, id, "
		"description, or a manifest’s digest</span></div>\n<div><label for=\"state\">State"
		"</label><select id=\"state\" name=\"state\"><option value=\"\">Any</option>",
		work->search.text);
	for (int i = 0; i < COMPUTATION_STATES; i++)
		page_put(w, "<option value=\"%s\"%s>%s</option>",
			 web_state_word((enum computation_state)i),
			 i == work->search.state ? " selected" : "",
			 state_words((enum computation_state)i));
	page_put(w, "</select></div>\n");
	put_orders(work, w);
	page_put(w, "<button class=\"btn\" type=\"submit\">Find</button>\n</form>\n");
}

static void put_row(const struct web_work *work, const struct computation *c, struct writer *w)
{
	const char *name = *c->name ? c->name : c->id;

	if (page_can_link(c->id))
		page_put(
			w,
			"<tr role=\"row\"><th role=\"rowheader\" scope=\"row\"><a href=\"/c/%u\"><bdi>%t</bdi></a>",
			c->id, name);
	else
		page_put(w, "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\"><bdi>%t</bdi>",
			 name);
	page_put(w, "<span class=\"sub mono\">%t</span></th><td role=\"cell\" data-l=\"State\">",
		 c->id);
	page_state(w, c->state);
	page_put(w,
		 "</td><td role=\"cell\" data-l=\"CVM\"><bdi>%t</bdi></td><td role=\"cell\" "
		 "data-l=\"Datasets\" class=\"num\">%d</td><td role=\"cell\" data-l=\"Created\">",
		 *c->cvm_id ? c->cvm_id : "–", c->datasets);
	page_time(w, c->created);
	page_put(w, "</td><td role=\"cell\" data-l=\"Changed\">");
	page_time(w, c->changed);
	page_put(w, "</td></tr>\n");
}

/* Within the same search. */
static void put_next(const struct web_work *work, struct writer *w)
{
	char sort[SORT_MAX];

	sort_word(work->search.sort, sort);
	page_put(w, "<nav class=\"pages\" aria-label=\"Pages\">");
	if (*work->search.before)
		page_put(
			w,
			"<a class=\"btn\" href=\"/?q=%q&amp;state=%s&amp;sort=%s\">First page</a> ",
			work->search.text, state_word(work), sort);
	if (work->next)
		page_put(
			w,
			"<a class=\"btn\" rel=\"next\" href=\"/?q=%q&amp;state=%s&amp;sort=%s&amp;before=%q\">Next page</a>",
			work->search.text, state_word(work), sort, work->next);
	page_put(w, "</nav>\n");
}

/* Another order begins with what is looked for first: names with A, moments with the last. */
static void put_column(const struct web_work *work, const char *title, enum list_order by,
		       struct writer *w)
{
	const struct list_sort now = work->search.sort;
	bool is_this = now.by == by;
	const struct list_sort other = { by, is_this ? !now.is_up
						     : by == LIST_BY_NAME || by == LIST_BY_STATE };
	char sort[SORT_MAX];

	page_sorted_column(w, !is_this ? "none" : now.is_up ? "ascending" : "descending");
	page_put(w,
		 "<a href=\"/?q=%q&amp;state=%s&amp;sort=%s\">%t<span aria-hidden=\"true\">%t"
		 "</span></a></th>",
		 work->search.text, state_word(work), sort_word(other, sort), title,
		 !is_this    ? ""
		 : now.is_up ? " \xe2\x86\x91"
			     : " \xe2\x86\x93");
}

static void put_table(const struct web_work *work, struct writer *w)
{
	const struct list_sort sort = work->search.sort;
	char what[64];

	snprintf(what, sizeof(what), "Computations: %s",
		 sort.is_up ? orders[sort.by].up : orders[sort.by].down);
	page_head_begin(w, what);
	put_column(work, "Computation", LIST_BY_NAME, w);
	put_column(work, "State", LIST_BY_STATE, w);
	page_column(w, &(struct page_column){ "CVM", false });
	page_column(w, &(struct page_column){ "Datasets", true });
	put_column(work, "Created", LIST_BY_CREATED, w);
	put_column(work, "Changed", LIST_BY_CHANGED, w);
	page_head_end(w);
	for (size_t i = 0; i < work->count; i++)
		put_row(work, &work->rows[i], w);
	page_table_end(w);
}

static void reply(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	bool is_search = *work->search.text || work->search.state >= 0 || *work->search.before;

	page_begin(&w, &work->caller, "Computations", "/");
	page_put(&w, "<div class=\"head row between\"><h1>Computations</h1>%s</div>\n",
		 *work->csrf ? "<a class=\"btn main\" href=\"/new\">New computation</a>" : "");
	if (work->count || is_search)
		put_form(work, &w);
	if (work->count) {
		put_table(work, &w);
		put_next(work, &w);
	} else if (is_search) {
		page_put(&w, "<p class=\"note\">%t <a href=\"/\">Show all</a></p>\n",
			 WEB_NONE_FOUND);
	} else {
		page_empty(&w, "No computation yet", WEB_EMPTY,
			   "cocos-cli computation create manifest.json");
	}
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	writer_text(&w, "{");
	json_put_key(&w, "computations");
	writer_text(&w, "[");
	for (size_t i = 0; i < work->count; i++) {
		writer_text(&w, i ? ",{" : "{");
		web_json_computation(&w, &work->rows[i],
				     web_is_connected(work->web, work->rows[i].cvm_id));
		writer_text(&w, "}");
	}
	writer_text(&w, "]");
	web_json_next(&w, work->next);
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_list(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply);
}

void web_list_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply_json);
}
