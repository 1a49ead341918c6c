/* SPDX-License-Identifier: Apache-2.0 */
/* web_audit.c — the audit log's rows (store_audit.h), for those who read it: the page, the same for programs, and a file
 * to verify. */
#include "common/audit/audit_file.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/http/field.h"
#include "computations/store/store_audit.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

/* Newest first. */
struct audit {
	struct audit_page page;
	struct audit_head head;
	char last[24];       /* the number of the page's last row */
	struct writer saved; /* the file */
};

static void free_audit(void *data)
{
	struct audit *a = data;

	audit_page_done(&a->page);
	writer_done(&a->saved);
	free(a);
}

static struct audit *begin(struct web_work *work)
{
	struct audit *a = calloc(1, sizeof(*a));

	if (a)
		a->saved = (struct writer)writer_up_to(WEB_PAGE_MAX);
	work->more = a;
	work->free_more = free_audit;
	return a;
}

/* The number in the query: rows before that one. 0: there is none, and so the newest. */
static int take_before(const struct web_work *work, uint64_t *before, struct err *e)
{
	const char *text = work->search.before;
	int64_t number = 0;
	struct err ignored;

	if (*text && (*text == '0' || http_field_event_id(text, &number, &ignored) < 0))
		return err_set(e, ERR_INVALID, "before: it has to be the number of a row, from 1");
	*before = (uint64_t)number;
	return 0;
}

static int run(struct store *store, struct web_work *work, struct err *e)
{
	struct audit *a = begin(work);
	struct audit_head after;
	uint64_t before;

	if (!a)
		return err_nomem(e);
	if (take_before(work, &before, e) < 0 || store_audit_ends(store, &after, &a->head, e) < 0 ||
	    store_audit_newest(store, before, WEB_ROWS, &a->page, e) < 0)
		return err_code(e);
	work->count = a->page.count;
	if (!before || before > a->head.number)
		before = a->head.number + 1;
	/* Rows have no gaps; and long ones may be fewer than were asked for. */
	work->has_more = work->count && before - work->count > after.number + 1;
	snprintf(a->last, sizeof(a->last), "%" PRIu64, before - work->count);
	return 0;
}

static const char *line_of(const struct audit_page *page, size_t i, size_t *len)
{
	size_t at = i ? page->ends[i - 1] : 0;

	*len = page->ends[i] - at;
	return page->bytes + at;
}

/* ---- the page ---- */

/* What it is about: the object, what else was asked for, and what became of it. */
static void put_about(const struct audit_row *row, struct writer *w)
{
	page_put(w, "<span><bdi>%t</bdi><span class=\"sub\"><bdi>%t</bdi></span>",
		 *row->object ? row->object : "–", strcmp(row->about, "{}") == 0 ? "" : row->about);
	if (*row->before || *row->after)
		page_put(w, "<span class=\"sub\"><bdi>%t</bdi> → <bdi>%t</bdi></span>",
			 *row->before ? row->before : "–", *row->after ? row->after : "–");
	page_put(w, "</span>");
}

static void put_row(const struct audit_row *row, struct writer *w)
{
	const char *slash = strrchr(row->what, '/');
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, row->number);
	page_row_begin(w);
	page_put(w, "<bdi>%t</bdi> <span class=\"dim\">%t</span></th>",
		 slash ? slash + 1 : row->what, number);
	page_cell(w, "When");
	page_time(w, (int64_t)row->time);
	page_put(w, "</td>");
	page_cell(w, "Who");
	page_put(w, "<span><bdi>%t</bdi><span class=\"sub\"><bdi>%t</bdi></span></span></td>",
		 *row->who ? row->who : "Nobody known", row->from);
	page_cell(w, "About");
	put_about(row, w);
	page_put(w, "</td>");
	page_cell(w, "How it ended");
	page_put(w,
		 "<span><bdi>%t</bdi><span class=\"sub\"><bdi>%t</bdi></span></span></td></tr>\n",
		 row->outcome, row->cause);
}

/* One that can't be read is told as such: whoever looks here has to hear of it. */
static void put_line(const char *line, size_t len, struct writer *w)
{
	CLEANUP(json_free) struct json *json = NULL;
	uint8_t ignored[SHA3_256_LEN];
	struct audit_row row;
	struct err e;

	if (audit_row_read(line, len, &json, &row, ignored, &e) == 0)
		put_row(&row, w);
	else
		page_put(w,
			 "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">Not a row</th><td "
			 "role=\"cell\" colspan=\"4\" data-l=\"About\"><bdi>%t</bdi></td></tr>\n",
			 e.text);
}

static void put_pages(const struct web_work *work, struct writer *w)
{
	const struct audit *a = work->more;

	page_put(w, "<nav class=\"pages\" aria-label=\"Pages\">");
	if (*work->search.before)
		page_put(w, "<a class=\"btn\" href=\"/audit\">Newest</a> ");
	if (work->has_more)
		page_put(w, "<a class=\"btn\" rel=\"next\" href=\"/audit?before=%q\">Older</a> ",
			 a->last);
	page_put(w,
		 "<a class=\"btn\" href=\"/audit.jsonl\" download=\"audit.jsonl\"><svg class=\"i\" "
		 "aria-hidden=\"true\"><use href=\"/icons.svg#down\"/></svg>Download the newest "
		 "4 MB</a></nav>\n");
}

/* What to keep, by which a log that was written anew is found out. */
static void put_head(const struct audit *a, struct writer *w)
{
	char text[AUDIT_HEAD_TEXT_MAX + 1];

	audit_head_text(&a->head, text);
	page_put(
		w,
		"<section class=\"panel\" aria-labelledby=\"h-head\"><h2 id=\"h-head\">Where it ends"
		"</h2><p>%t</p>\n<p><code class=\"hex\">%t</code></p>\n",
		WEB_AUDIT_HEAD, text);
	page_command(w, "export", "cocos-cli audit export audit.jsonl", NULL, "");
	page_command(w, "verify", "cocos-cli audit verify audit.jsonl --head", text, "");
	page_put(w, "</section>\n");
}

static void put_table(const struct web_work *work, struct writer *w)
{
	static const struct page_column columns[] = { { "What", false },
						      { "When", false },
						      { "Who", false },
						      { "About", false },
						      { "How it ended", false } };
	const struct audit *a = work->more;

	page_table_begin(w, "Audit log, newest first", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < work->count; i++) {
		size_t len;
		const char *line = line_of(&a->page, i, &len);

		put_line(line, len, w);
	}
	page_table_end(w);
	put_pages(work, w);
	put_head(a, w);
}

static void reply(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	page_begin(&w, &work->caller, "Audit log", "/audit");
	page_put(&w, "<div class=\"head\"><h1>Audit log</h1><p>%t</p></div>\n", WEB_AUDIT);
	if (work->count)
		put_table(work, &w);
	else if (*work->search.before)
		page_put(&w, "<p class=\"note\">%t <a href=\"/audit\">Newest</a></p>\n",
			 WEB_AUDIT_NONE);
	else
		page_empty(&w, "No row yet", WEB_AUDIT_EMPTY,
			   "cocos-cli computation create manifest.json");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_audit(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply);
}

/* ---- for programs ---- */

/* Rows as the log has them: their lines are JSON. */
static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char head[AUDIT_HEAD_TEXT_MAX + 1];
	const struct audit *a = work->more;

	audit_head_text(&a->head, head);
	writer_text(&w, "{\"head\":");
	json_quote(&w, head, strlen(head));
	json_put_key(&w, "rows");
	writer_text(&w, "[");
	for (size_t i = 0; i < work->count; i++) {
		size_t len;
		const char *line = line_of(&a->page, i, &len);

		writer_text(&w, i ? "," : "");
		writer_bytes(&w, line, len);
	}
	writer_text(&w, "]");
	web_json_next(&w, work->has_more ? a->last : NULL);
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_audit_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply_json);
}

/* ---- the file ---- */

/* Behind which row the newest are that fit into `room` bytes, each with the end of its line. */
static int find_start(struct store *store, const struct audit_head *after,
		      const struct audit_head *head, size_t room, uint64_t *start, struct err *e)
{
	for (*start = head->number; *start > after->number;) {
		struct audit_page page CLEANUP_AUDIT_PAGE = { .count = 0 };

		if (store_audit_newest(store, *start + 1, AUDIT_PAGE_MAX, &page, e) < 0)
			return err_code(e);
		if (!page.count)
			return err_set(e, ERR_DATA_LOSS,
				       "database: the audit log has no row %" PRIu64, *start);
		for (size_t i = 0, len; i < page.count; i++) {
			line_of(&page, i, &len);
			if (len + 1 > room)
				return 0;
			room -= len + 1;
			(*start)--;
		}
	}
	return 0;
}

static int put_rows(struct store *store, uint64_t start, const struct audit_head *head,
		    struct writer *w, struct err *e)
{
	while (start < head->number) {
		struct audit_page page CLEANUP_AUDIT_PAGE = { .count = 0 };

		if (store_audit_rows(store, start, AUDIT_PAGE_MAX, &page, e) < 0)
			return err_code(e);
		if (!page.count)
			return err_set(e, ERR_DATA_LOSS,
				       "database: the audit log has no row %" PRIu64, start + 1);
		for (size_t i = 0, len; i < page.count; i++) {
			const char *line = line_of(&page, i, &len);

			writer_bytes(w, line, len);
			writer_text(w, "\n");
		}
		start += page.count;
	}
	return 0;
}

/* As 'audit export' writes it, so that 'audit verify' reads it; of a log that is larger, its end. */
static int run_file(struct store *store, struct web_work *work, struct err *e)
{
	struct audit *a = begin(work);
	struct audit_head after;
	uint64_t start;

	if (!a)
		return err_nomem(e);
	if (store_audit_ends(store, &after, &a->head, e) < 0 ||
	    find_start(store, &after, &a->head, WEB_PAGE_MAX - 2 * (AUDIT_FILE_EDGE_MAX + 1),
		       &start, e) < 0 ||
	    store_audit_head(store, start, &after, e) < 0)
		return err_code(e);
	audit_file_begin_write(&after, &a->saved);
	writer_text(&a->saved, "\n");
	if (put_rows(store, start, &a->head, &a->saved, e) < 0)
		return err_code(e);
	audit_file_end_write(&a->head, &a->saved);
	writer_text(&a->saved, "\n");
	return writer_check(&a->saved, "the audit log", e);
}

static void reply_file(struct web_work *work)
{
	struct http_answer answer = { .status = 200, .type = "application/jsonl" };
	struct audit *a = work->more;

	answer.body = writer_take(&a->saved, &answer.len);
	answer.more[0] = (struct rpc_web_field){ "content-disposition",
						 "attachment; filename=\"audit.jsonl\"" };
	http_request_answer(work->r, &answer);
}

void web_audit_file(struct http_request *r, void *data)
{
	web_work_start(data, r, run_file, reply_file);
}
