/* SPDX-License-Identifier: Apache-2.0 */
/* web_list.c — computations: the page, and the same for programs. */
#include "common/base/json.h"
#include "common/http/html.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_sort.h"
#include "computations/web/web_words.h"

#include <stdlib.h>

static int run(struct store *store, struct web_work *work, struct err *e)
{
	work->rows = calloc(WEB_ROWS, sizeof(*work->rows));
	if (!work->rows)
		return err_nomem(e);
	if (admin_access_view(store, &work->caller, "", &work->search.view, e) < 0)
		return err_code(e);
	return store_find(store, &work->search, WEB_ROWS, work->rows, &work->count, &work->next, e);
}

static const char *state_word(const struct web_work *work)
{
	return work->search.state < 0 ? ""
				      : web_state_word((enum computation_state)work->search.state);
}

static void put_at(const struct web_work *work, struct writer *w)
{
	page_put(w, "/?q=%q&amp;state=%s&amp;", work->search.text, state_word(work));
}

static const struct web_sort at = { put_at, "before" };

static void put_form(const struct web_work *work, struct writer *w)
{
	page_put(w, "<form class=\"find\" role=\"search\" action=\"/\" method=\"get\">\n");
	web_sort_search(work, WEB_FIND_COMPUTATIONS, w);
	page_put(w, "<div><label for=\"state\">State</label><select id=\"state\" name=\"state\">"
		    "<option value=\"\">Any</option>");
	for (int i = 0; i < COMPUTATION_STATES; i++)
		page_put(w, "<option value=\"%s\"%s>%s</option>",
			 web_state_word((enum computation_state)i),
			 i == work->search.state ? " selected" : "",
			 state_words((enum computation_state)i));
	page_put(w, "</select></div>\n");
	web_sort_orders(work, w);
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

static void put_table(const struct web_work *work, struct writer *w)
{
	web_sort_head(work, "Computations", w);
	web_sort_column(&at, work, "Computation", LIST_BY_NAME, w);
	web_sort_column(&at, work, "State", LIST_BY_STATE, w);
	page_column(w, &(struct page_column){ "CVM", false });
	page_column(w, &(struct page_column){ "Datasets", true });
	web_sort_column(&at, work, "Created", LIST_BY_CREATED, w);
	web_sort_column(&at, work, "Changed", LIST_BY_CHANGED, w);
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
		web_sort_pages(&at, work, &w);
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
