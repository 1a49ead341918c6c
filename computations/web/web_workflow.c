/* SPDX-License-Identifier: Apache-2.0 */
/* web_workflow.c — the workflows of a workspace, and one of them: its graph, and what became of each node. */
#include "common/base/json.h"
#include "common/base/timestamp.h"
#include "computations/web/web_json.h"
#include "computations/web/web_place.h"
#include "computations/web/web_words.h"
#include "computations/workflow/workflow.h"

#include <stdlib.h>
#include <string.h>

struct workflow_page {
	struct workspace w;
	struct workflow_row rows[WORKFLOW_PAGE_MAX]; /* a page of them, or the one that is shown */
	struct node_rows *nodes;
	struct workflow_order order;
	struct executor executors[EXECUTOR_PAGE_MAX];
	size_t executor_count;
};

static void free_page(void *data)
{
	struct workflow_page *p = data;

	workspace_done(&p->w);
	for (size_t i = 0; i < WORKFLOW_PAGE_MAX; i++)
		workflow_row_done(&p->rows[i]);
	for (size_t i = 0; i < p->executor_count; i++)
		executor_done(&p->executors[i]);
	node_rows_free(p->nodes);
	workflow_order_done(&p->order);
	free(p);
}

static struct workflow_page *page_of(const struct web_work *work)
{
	return work->more;
}

/* ---- in the pool ---- */

static int find_place(struct store *store, struct web_work *work, struct err *e)
{
	struct workflow_page *p = calloc(1, sizeof(*p));

	if (!p)
		return err_nomem(e);
	work->more = p;
	work->free_more = free_page;
	return workspace_find(&store->db, work->id, &p->w, e);
}

/* One of this workspace. */
static int find_one(struct store *store, struct workflow_page *p, const char *id,
		    struct workflow_row *w, struct err *e)
{
	if (workflow_find(&store->db, id, w, e) < 0)
		return err_code(e);
	return w->workspace == p->w.number ? 0 : workflow_unknown(id, e);
}

static int run_list(struct store *store, struct web_work *work, struct err *e)
{
	struct workflow_row behind CLEANUP_WORKFLOW_ROW = { .number = INT64_MAX };
	struct workflow_page *p;
	int failed;

	if (find_place(store, work, e) < 0)
		return err_code(e);
	p = page_of(work);
	failed = *work->after ? find_one(store, p, work->after, &behind, e) : 0;
	if (failed && !err_is(failed, ERR_NOT_FOUND))
		return failed;
	/* One that is there no more was older than all that are, or gave way to them. */
	if (failed)
		behind.number = 0;
	if (workflow_list(&store->db, p->w.number, behind.number, p->rows, &work->count, e) < 0 ||
	    executor_list(&store->db, p->w.number, 0, p->executors, &p->executor_count, e) < 0)
		return err_code(e);
	work->has_more = work->count == WORKFLOW_PAGE_MAX;
	return 0;
}

static int run_one(struct store *store, struct web_work *work, struct err *e)
{
	struct workflow_page *p;

	if (find_place(store, work, e) < 0)
		return err_code(e);
	p = page_of(work);
	if (find_one(store, p, http_request_param(work->r, "workflow"), &p->rows[0], e) < 0 ||
	    workflow_nodes(&store->db, p->rows[0].number, &p->nodes, e) < 0 ||
	    workflow_order_load(&store->db, p->rows[0].number, &p->order, e) < 0)
		return err_code(e);
	if (p->nodes->count != p->order.spec.count)
		return err_set(e, ERR_DATA_LOSS, "database: a workflow lacks nodes");
	return 0;
}

/* ---- parts ---- */

struct look {
	const char *class, *icon;
};

static const struct look workflow_looks[WORKFLOW_STATES] = {
	{ "run", "run" }, { "done", "done" }, { "bad", "fail" }, { "off", "stop" }
};
static const struct look node_looks[NODE_STATES] = { { "plain", "created" }, { "warn", "wait" },
						     { "run", "run" },       { "done", "done" },
						     { "bad", "fail" },      { "off", "stop" } };

static void put_state(const struct look *look, const char *word, struct writer *w)
{
	page_put(w,
		 "<span class=\"state %s\"><svg class=\"i\" aria-hidden=\"true\"><use "
		 "href=\"/icons.svg#%s\"/></svg>%s</span>",
		 look->class, look->icon, word);
}

static const char *name_of(const struct workflow_row *row)
{
	return *row->name ? row->name : row->id;
}

/* ---- all of them ---- */

static void put_row(const struct workflow_page *p, const struct workflow_row *row, struct writer *w)
{
	page_row_begin(w);
	page_put(w, "<a href=\"/w/%u/workflows/%u\"><bdi class=\"long\">%t</bdi></a></th>",
		 p->w.name, row->id, name_of(row));
	page_cell(w, "State");
	put_state(&workflow_looks[row->state], workflow_state_name(row->state), w);
	page_put(w, "</td>");
	page_cell(w, "Done");
	page_put(w, "%d of %d</td>", (int64_t)row->done, (int64_t)row->nodes);
	page_cell(w, "Submitter");
	page_put(w, "<bdi class=\"long\">%t</bdi></td>", *row->submitter ? row->submitter : "–");
	page_cell(w, "Since");
	page_time(w, row->created);
	page_put(w, "</td></tr>\n");
}

static void put_table(const struct web_work *work, struct writer *w)
{
	static const struct page_column columns[] = { { "Workflow", false },
						      { "State", false },
						      { "Done", false },
						      { "Submitter", false },
						      { "Since", false } };
	const struct workflow_page *p = page_of(work);

	page_table_begin(w, "Workflows", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < work->count; i++)
		put_row(p, &p->rows[i], w);
	page_table_end(w);
	page_put(w, "<nav class=\"pages\" aria-label=\"Pages\">");
	if (*work->after)
		page_put(w, "<a class=\"btn\" href=\"/w/%u/workflows\">First</a> ", p->w.name);
	if (work->has_more)
		page_put(w,
			 "<a class=\"btn\" rel=\"next\" href=\"/w/%u/workflows?after=%q\">Next</a>",
			 p->w.name, p->rows[work->count - 1].id);
	page_put(w, "</nav>\n");
}

/* Their keys whole: whoever orders compares them with what their holders say. */
static void put_executors(const struct workflow_page *p, struct writer *w)
{
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-x\"><h2 id=\"h-x\">Executors</h2>\n"
		 "<p>%t</p>\n<ul class=\"list\">",
		 p->executor_count ? WEB_EXECUTORS : WEB_NO_EXECUTORS);
	for (size_t i = 0; i < p->executor_count; i++) {
		const struct executor *x = &p->executors[i];

		page_put(w, "<li><bdi>%t</bdi> of <bdi>%t</bdi>, %s ", x->type, x->user,
			 x->seen ? "seen" : "never seen");
		if (x->seen)
			page_time(w, x->seen);
		page_put(w, "<br><code>");
		writer_hex(w, x->key, sizeof(x->key));
		page_put(w, "</code></li>\n");
	}
	page_put(w, "</ul></section>\n");
}

static void reply(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	web_place_head(work, "workflows", &w);
	page_put(&w, "<div class=\"cols\"><div class=\"stack\">\n");
	if (work->count || *work->after)
		put_table(work, &w);
	else
		page_put(&w, "<p class=\"note\">%t</p>\n", WEB_NO_WORKFLOWS);
	page_put(&w, "</div><div class=\"stack\">\n");
	put_executors(page_of(work), &w);
	page_put(&w, "</div></div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_workflows(struct http_request *r, void *data)
{
	web_work_start(data, r, run_list, reply);
}

/* ---- one of them ---- */

/* How many steps there are before it. */
static void find_depths(const struct workflow_spec *spec, uint16_t depths[WORKFLOW_NODES_MAX])
{
	bool changed = true;

	memset(depths, 0, WORKFLOW_NODES_MAX * sizeof(*depths));
	while (changed) {
		changed = false;
		for (size_t i = 0; i < spec->count; i++)
			for (size_t k = 0; k < spec->nodes[i].dependencies_count; k++) {
				const uint16_t least =
					(uint16_t)(depths[spec->nodes[i].dependencies[k]] + 1);

				if (depths[i] < least) {
					depths[i] = least;
					changed = true;
				}
			}
	}
}

static void put_dependencies(const struct workflow_spec *spec, size_t at, struct writer *w)
{
	const struct workflow_node *node = &spec->nodes[at];

	page_put(w, "<span class=\"sub long\">");
	for (size_t i = 0; i < node->dependencies_count; i++)
		page_put(w, "%s<a href=\"#n-%d\"><bdi>%t</bdi></a>", i ? ", " : "waits for ",
			 (int64_t)node->dependencies[i], spec->nodes[node->dependencies[i]].name);
	page_put(w, "</span>");
}

enum { KWARGS_SHOWN = 240 /* bytes; 'workflow get' has all of them */ };

/* Its arguments, and what it gets of those that it depends on. */
static void put_input(const struct workflow_page *p, size_t at, struct writer *w)
{
	const struct workflow_node *spec = &p->order.spec.nodes[at];
	size_t len = spec->kwargs_len < KWARGS_SHOWN ? spec->kwargs_len : KWARGS_SHOWN;
	char kwargs[KWARGS_SHOWN + 1] = "";
	int64_t there = 0, bytes = 0;

	while (len < spec->kwargs_len && ((uint8_t)spec->kwargs[len] & 0xc0) == 0x80)
		len--; /* no half of a character */
	memcpy(kwargs, spec->kwargs, len);
	page_put(w, "<span class=\"long\"><bdi>%t</bdi>%s<span class=\"sub\">", kwargs,
		 len < spec->kwargs_len ? "…" : "");
	for (size_t i = 0; i < spec->dependencies_count; i++) {
		const struct node_row *from = &p->nodes->rows[spec->dependencies[i]];

		there += from->has_digest;
		bytes += from->size;
	}
	if (spec->dependencies_count)
		page_put(w, "%d of %d outputs", there, (int64_t)spec->dependencies_count);
	if (bytes)
		page_put(w, ", %d bytes, sealed", bytes);
	else if (there)
		page_put(w, ", wiped");
	page_put(w, "</span></span></td>");
}

static void put_output(const struct node_row *n, bool is_end, struct writer *w)
{
	if (!n->has_digest) {
		page_put(w, "–</td>");
		return;
	}
	page_put(w, "<span>");
	if (n->size)
		page_put(w, "%d bytes, sealed", n->size);
	else
		page_put(w, "wiped");
	page_put(w, "<span class=\"sub\">for %s</span></span></td>",
		 is_end ? "the submitter" : "the next executors");
}

static void put_node(const struct workflow_page *p, size_t at, struct writer *w)
{
	const struct workflow_node *spec = &p->order.spec.nodes[at];
	const struct node_row *n = &p->nodes->rows[at];

	page_row_begin(w);
	page_put(w, "<span id=\"n-%d\" class=\"long\"><bdi>%t</bdi></span>", (int64_t)at,
		 spec->name);
	put_dependencies(&p->order.spec, at, w);
	page_put(w, "</th>");
	page_cell(w, "State");
	page_put(w, "<span class=\"long\">");
	put_state(&node_looks[n->state], node_state_name(n->state), w);
	page_put(w, "<span class=\"sub long\"><bdi>%t</bdi></span></span></td>", n->failure);
	page_cell(w, "Function");
	page_put(
		w,
		"<span class=\"long\"><bdi>%t</bdi><span class=\"sub long\"><bdi>%t</bdi></span></span></td>",
		spec->function, spec->type);
	page_cell(w, "Attempt");
	page_put(w, "%d of %d</td>", (int64_t)n->attempt, (int64_t)n->attempts);
	page_cell(w, "Executor");
	page_put(w, "<bdi class=\"long\">%t</bdi></td>", *n->user ? n->user : "–");
	page_cell(w, "Input");
	put_input(p, at, w);
	page_cell(w, "Output");
	put_output(n, spec->is_end, w);
	page_put(w, "</tr>\n");
}

/* In the order in which they can run. */
static void put_nodes(const struct workflow_page *p, struct writer *w)
{
	static const struct page_column columns[] = { { "Node", false },     { "State", false },
						      { "Function", false }, { "Attempt", false },
						      { "Executor", false }, { "Input", false },
						      { "Output", false } };
	uint16_t depths[WORKFLOW_NODES_MAX];
	size_t left = p->nodes->count;

	find_depths(&p->order.spec, depths);
	page_table_begin(w, "Nodes", columns, ARRAY_LEN(columns));
	for (uint16_t depth = 0; left; depth++)
		for (size_t i = 0; i < p->nodes->count; i++)
			if (depths[i] == depth) {
				put_node(p, i, w);
				left--;
			}
	page_table_end(w);
}

static void reply_one(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct workflow_page *p = page_of(work);
	const struct workflow_row *row = &p->rows[0];

	web_place_below(work, "workflows", name_of(row), &w);
	page_put(
		&w,
		"<section class=\"panel\" aria-label=\"What it is\"><span class=\"live\" id=\"live\" "
		"hidden></span>\n<div id=\"status\"%s><p>",
		row->state == WORKFLOW_RUNNING ? " data-again=\"\"" : "");
	put_state(&workflow_looks[row->state], workflow_state_name(row->state), &w);
	page_put(&w,
		 " <bdi>%t</bdi></p>\n<dl class=\"dl\"><dt>Submitter</dt><dd><bdi>%t</bdi></dd>"
		 "<dt>Signed by</dt><dd>",
		 row->reason, *row->submitter ? row->submitter : "–");
	page_key(&w, row->fingerprint);
	page_put(&w, "</dd><dt>Since</dt><dd>");
	page_time(&w, row->created);
	page_put(&w, "</dd><dt>Ended</dt><dd>");
	page_time(&w, row->ended);
	page_put(&w, "</dd><dt>Order good until</dt><dd>");
	page_time(&w, row->expires);
	page_put(&w, "</dd></dl></div>\n");
	page_digest(&w, "digest", "Its id, which is the order's digest", p->order.id);
	page_put(&w, "<p>%t</p>\n", WEB_WORKFLOW_CHECK);
	page_command(&w, "get", "cocos-cli workflow get", row->id, "");
	page_put(&w, "</section>\n<div id=\"progress\">\n");
	put_nodes(p, &w);
	page_put(&w, "</div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_workflow(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one);
}

/* ---- the API ---- */

static void put_text(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

static void put_number(struct writer *w, const char *key, int64_t number)
{
	json_put_key(w, key);
	writer_printf(w, "%lld", (long long)number);
}

static void put_time(struct writer *w, const char *key, int64_t ms)
{
	char text[TIMESTAMP_TEXT_MAX];

	if (!ms)
		return;
	timestamp_format(ms / 1000, text);
	put_text(w, key, text);
}

static void put_workflow(struct writer *w, const struct workflow_row *row)
{
	put_text(w, "id", row->id);
	put_text(w, "name", row->name);
	put_text(w, "state", workflow_state_name(row->state));
	put_text(w, "reason", row->reason);
	put_text(w, "submitter", row->submitter);
	json_put_hex(w, "key", row->fingerprint, sizeof(row->fingerprint));
	put_number(w, "nodes_total", row->nodes);
	put_number(w, "nodes_done", row->done);
	put_time(w, "created", row->created);
	put_time(w, "ended", row->ended);
	put_time(w, "expires", row->expires);
}

static void put_node_json(struct writer *w, const struct workflow_page *p, size_t at)
{
	const struct workflow_node *spec = &p->order.spec.nodes[at];
	const struct node_row *n = &p->nodes->rows[at];

	put_text(w, "name", spec->name);
	put_text(w, "state", node_state_name(n->state));
	put_text(w, "executortype", spec->type);
	put_text(w, "funcname", spec->function);
	json_put_key(w, "kwargs");
	writer_bytes(w, spec->kwargs, spec->kwargs_len);
	json_put_key(w, "dependencies");
	writer_text(w, "[");
	for (size_t i = 0; i < spec->dependencies_count; i++) {
		const char *name = p->order.spec.nodes[spec->dependencies[i]].name;

		writer_text(w, i ? "," : "");
		json_quote(w, name, strlen(name));
	}
	writer_text(w, "]");
	put_number(w, "attempt", n->attempt);
	put_number(w, "attempts_max", n->attempts);
	put_text(w, "executor_user", n->user);
	if (n->has_key)
		json_put_hex(w, "executor", n->key, sizeof(n->key));
	put_text(w, "failure", n->failure);
	put_number(w, "output_bytes", n->size);
	if (n->has_digest)
		json_put_hex(w, "output_digest", n->digest, sizeof(n->digest));
	put_time(w, "taken", n->taken);
	put_time(w, "ended", n->ended);
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct workflow_page *p = page_of(work);

	writer_text(&w, "{");
	json_put_key(&w, "workflows");
	writer_text(&w, "[");
	for (size_t i = 0; i < work->count; i++) {
		writer_text(&w, i ? ",{" : "{");
		put_workflow(&w, &p->rows[i]);
		writer_text(&w, "}");
	}
	writer_text(&w, "]");
	web_json_next(&w, work->has_more ? p->rows[work->count - 1].id : NULL);
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_workflows_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_list, reply_json);
}

static void reply_one_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct workflow_page *p = page_of(work);

	writer_text(&w, "{");
	put_workflow(&w, &p->rows[0]);
	json_put_key(&w, "nodes");
	writer_text(&w, "[");
	for (size_t i = 0; i < p->nodes->count; i++) {
		writer_text(&w, i ? ",{" : "{");
		put_node_json(&w, p, i);
		writer_text(&w, "}");
	}
	writer_text(&w, "]}\n");
	web_reply_json(work->r, &w);
}

void web_workflow_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one_json);
}
