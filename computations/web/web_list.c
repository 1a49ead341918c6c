/* SPDX-License-Identifier: Apache-2.0 */
/* web_list.c — computations: the page, and the same for programs. */
#include "common/base/json.h"
#include "common/http/html.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <stdlib.h>
#include <string.h>

static int run(struct store *store, struct web_work *work, struct err *e)
{
	work->rows = calloc(WEB_ROWS + 1, sizeof(*work->rows));
	if (!work->rows)
		return err_nomem(e);
	if (admin_access_view(store, &work->caller, "", &work->search.view, e) < 0 ||
	    store_find(store, &work->search, WEB_ROWS + 1, work->rows, &work->count, e) < 0)
		return err_code(e);
	work->has_more = work->count > WEB_ROWS;
	if (work->has_more)
		computation_done(&work->rows[--work->count]);
	return 0;
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
	page_put(w,
		 "</select></div>\n<button class=\"btn\" type=\"submit\">Find</button>\n</form>\n");
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
	page_put(w, "</td></tr>\n");
}

/* Within the same search. */
static void put_next(const struct web_work *work, struct writer *w)
{
	const char *state = work->search.state < 0
				    ? ""
				    : web_state_word((enum computation_state)work->search.state);

	page_put(w, "<nav class=\"pages\" aria-label=\"Pages\">");
	if (*work->search.before)
		page_put(w, "<a class=\"btn\" href=\"/?q=%q&amp;state=%s\">Newest</a> ",
			 work->search.text, state);
	if (work->has_more)
		page_put(
			w,
			"<a class=\"btn\" rel=\"next\" href=\"/?q=%q&amp;state=%s&amp;before=%q\">Older</a>",
			work->search.text, state, work->rows[work->count - 1].id);
	page_put(w, "</nav>\n");
}

static void put_table(const struct web_work *work, struct writer *w)
{
	static const struct page_column columns[] = {
		{ "Computation", false }, { "State", false },   { "CVM", false },
		{ "Datasets", true },     { "Created", false },
	};

	page_table_begin(w, "Computations, newest first", columns, ARRAY_LEN(columns));
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
	web_json_next(&w, work->has_more ? work->rows[work->count - 1].id : NULL);
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
