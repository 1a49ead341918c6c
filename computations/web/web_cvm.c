/* SPDX-License-Identifier: Apache-2.0 */
/* web_cvm.c — CVMs whose agents have connected, and one of them, for the service's administrators. */
#include "common/base/json.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_sort.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <stdlib.h>

struct cvms {
	struct cvm rows[WEB_ROWS];
};

static void free_cvms(void *data)
{
	struct cvms *cvms = data;

	for (size_t i = 0; i < ARRAY_LEN(cvms->rows); i++)
		cvm_done(&cvms->rows[i]);
	free(cvms);
}

static struct cvms *make(struct web_work *work, struct err *e)
{
	struct cvms *cvms = calloc(1, sizeof(*cvms));

	if (!cvms)
		err_nomem(e);
	work->more = cvms;
	work->free_more = free_cvms;
	return cvms;
}

static int run_list(struct store *store, struct web_work *work, struct err *e)
{
	struct cvms *cvms = make(work, e);

	if (!cvms)
		return err_code(e);
	return store_cvms_find(
		store,
		&(struct list_search){ work->search.text, work->search.before, work->search.sort },
		WEB_ROWS, cvms->rows, &work->count, &work->next, e);
}

static void put_connected(const struct web_work *work, const struct cvm *c, struct writer *w)
{
	bool is_connected = web_is_connected(work->web, c->id);

	page_put(w, "<span class=\"live%s\">%s</span>", is_connected ? " on" : "",
		 is_connected ? "Connected" : "Not connected");
}

static void put_computation(const struct cvm *c, struct writer *w)
{
	if (!*c->computation_id)
		page_put(w, "–");
	else if (page_can_link(c->computation_id))
		page_put(w, "<a href=\"/c/%u\"><bdi>%t</bdi></a>", c->computation_id,
			 c->computation_id);
	else
		page_put(w, "<bdi>%t</bdi>", c->computation_id);
}

static void put_row(const struct web_work *work, const struct cvm *c, struct writer *w)
{
	page_row_begin(w);
	if (page_can_link(c->id))
		page_put(w, "<a href=\"/cvms/%u\"><bdi>%t</bdi></a></th>", c->id, c->id);
	else
		page_put(w, "<bdi>%t</bdi></th>", c->id);
	page_cell(w, "Agent");
	put_connected(work, c, w);
	page_put(w, "</td>");
	page_cell(w, "Computation");
	put_computation(c, w);
	page_put(w, "</td>");
	page_cell(w, "This service’s verdict");
	page_put(w, "<bdi>%t</bdi></td>", *c->verdict ? c->verdict : "–");
	page_cell(w, "Last seen");
	page_time(w, c->last_seen);
	page_put(w, "</td></tr>\n");
}

static void put_at(const struct web_work *work, struct writer *w)
{
	page_put(w, "/cvms?q=%q&amp;", work->search.text);
}

static const struct web_sort at = { put_at, "after" };

static void put_form(const struct web_work *work, struct writer *w)
{
	page_put(w, "<form class=\"find\" role=\"search\" action=\"/cvms\" method=\"get\">\n");
	web_sort_search(work, WEB_FIND_CVMS, w);
	web_sort_orders(work, w);
	page_put(w, "<button class=\"btn\" type=\"submit\">Find</button>\n</form>\n");
}

static void put_table(const struct web_work *work, struct writer *w)
{
	const struct cvms *cvms = work->more;

	web_sort_head(work, "CVMs", w);
	web_sort_column(&at, work, "CVM", LIST_BY_NAME, w);
	page_column(w, &(struct page_column){ "Agent", false });
	page_column(w, &(struct page_column){ "Computation", false });
	page_column(w, &(struct page_column){ "This service’s verdict", false });
	web_sort_column(&at, work, "Last seen", LIST_BY_CHANGED, w);
	page_head_end(w);
	for (size_t i = 0; i < work->count; i++)
		put_row(work, &cvms->rows[i], w);
	page_table_end(w);
	web_sort_pages(&at, work, w);
}

static void reply_list(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	bool is_search = *work->search.text || *work->search.before;

	page_begin(&w, &work->caller, "CVMs", "/cvms");
	page_put(&w, "<div class=\"head\"><h1>CVMs</h1><p>%t</p></div>\n", WEB_CVMS);
	if (work->count || is_search)
		put_form(work, &w);
	if (work->count)
		put_table(work, &w);
	else if (is_search)
		page_put(&w, "<p class=\"note\">%t <a href=\"/cvms\">Show all</a></p>\n",
			 WEB_NONE_LIKE);
	else
		page_empty(&w, "No CVM yet", WEB_NO_CVMS,
			   "cocos-cli create-vm --server-url HOST:7001");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_cvms(struct http_request *r, void *data)
{
	web_work_start(data, r, run_list, reply_list);
}

static void reply_list_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct cvms *cvms = work->more;

	writer_text(&w, "{");
	json_put_key(&w, "cvms");
	writer_text(&w, "[");
	for (size_t i = 0; i < work->count; i++) {
		writer_text(&w, i ? "," : "");
		web_json_cvm(&w, &cvms->rows[i], web_is_connected(work->web, cvms->rows[i].id));
	}
	writer_text(&w, "]");
	web_json_next(&w, work->next);
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_cvms_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_list, reply_list_json);
}

/* One. */

static int run_one(struct store *store, struct web_work *work, struct err *e)
{
	struct cvms *cvms = make(work, e);
	int64_t after;

	if (!cvms || store_cvm(store, work->id, &cvms->rows[0], e) < 0 ||
	    revision_of_cvm(&cvms->rows[0], work->revision, e) < 0 ||
	    store_newest_records(store, "", work->id, WEB_RECORDS, &after, e) < 0)
		return err_code(e);
	return store_records(store, "", work->id, after, &work->records, &work->record_count, e);
}

static void put_facts(const struct web_work *work, const struct cvm *c, struct writer *w)
{
	page_put(w, "<section class=\"panel\" aria-labelledby=\"h-is\"><h2 id=\"h-is\">Agent</h2>\n"
		    "<dl class=\"dl\"><dt>Connection</dt><dd>");
	put_connected(work, c, w);
	page_put(w, "</dd><dt>It says</dt><dd><bdi>%t</bdi></dd><dt>Computation</dt><dd>",
		 *c->agent_state ? c->agent_state : "–");
	put_computation(c, w);
	page_put(w,
		 "</dd><dt>Address</dt><dd class=\"mono\"><bdi>%t</bdi></dd><dt>Client key</dt>"
		 "<dd class=\"mono\">%t</dd><dt>First seen</dt><dd>",
		 c->peer, *c->key ? c->key : "–");
	page_time(w, c->first_seen);
	page_put(w, "</dd><dt>Last seen</dt><dd>");
	page_time(w, c->last_seen);
	page_put(w, "</dd></dl>\n");
	page_command(w, "show", "cocos-cli cvm show", c->id, "");
	if (*work->csrf && *c->key)
		page_put(w,
			 "<p><a class=\"btn\" href=\"/cvms/%u/release\">Release its name</a></p>\n",
			 c->id);
	page_put(w,
		 "</section>\n<section class=\"panel\" aria-labelledby=\"h-verdict\"><h2 "
		 "id=\"h-verdict\">This service’s verdict</h2>\n<p><bdi>%t</bdi></p>\n<p "
		 "class=\"small\">%t</p>\n<dl class=\"dl\"><dt>Judged</dt><dd>",
		 *c->verdict ? c->verdict : "None", WEB_VERDICT);
	page_time(w, c->judged);
	page_put(w, "</dd></dl>\n");
	if (page_can_link(c->id))
		page_put(w, "<p><a class=\"btn\" href=\"/cvms/%u/evidence\">Evidence</a></p>\n",
			 c->id);
	page_put(w, "</section>\n");
}

static void put_records(const struct web_work *work, struct writer *w)
{
	page_put(
		w,
		"<section class=\"panel\" aria-labelledby=\"h-events\"><h2 id=\"h-events\">Outside "
		"of computations</h2>\n<p class=\"small dim\">The agent’s word, newest first</p>\n");
	if (!work->record_count)
		page_put(w, "<p class=\"dim\">%t</p>\n", WEB_CVM_SILENT);
	page_put(w, "<ol class=\"events\">\n");
	for (size_t i = work->record_count; i > 0; i--)
		web_put_record(&work->records[i - 1], w);
	page_put(w, "</ol>\n</section>\n");
}

static void reply_one(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct cvm *c = &((const struct cvms *)work->more)->rows[0];

	page_begin(&w, &work->caller, c->id, "");
	page_put(
		&w,
		"<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/cvms\">CVMs</a> /</nav>\n"
		"<div class=\"head\"><h1><bdi>%t</bdi></h1></div>\n<div class=\"cols\"><div "
		"class=\"stack\">\n",
		c->id);
	put_facts(work, c, &w);
	page_put(&w, "</div><div class=\"stack\">\n");
	put_records(work, &w);
	page_put(&w, "</div></div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_cvm(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one);
}

static void reply_one_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct cvm *c = &((const struct cvms *)work->more)->rows[0];

	web_json_cvm(&w, c, web_is_connected(work->web, c->id));
	writer_text(&w, "\n");
	web_reply_revision(work->r, &w, work->revision);
}

void web_cvm_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one_json);
}
