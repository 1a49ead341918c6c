/* SPDX-License-Identifier: Apache-2.0 */
/* web_machine.c — the CVMs that managers make for a workspace: which there are, and one of them. */
#include "computations/web/web_machine.h"

#include "common/base/json.h"
#include "computations/machines/machines.h"
#include "computations/store/store_machine.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_place.h"
#include "computations/web/web_sort.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <stdlib.h>
#include <string.h>

struct machines_page {
	struct machine rows[WEB_ROWS];
	struct cvm agent; /* of one, if it has come */
	bool may_change;
};

static void free_page(void *data)
{
	struct machines_page *p = data;

	for (size_t i = 0; i < ARRAY_LEN(p->rows); i++)
		machine_done(&p->rows[i]);
	cvm_done(&p->agent);
	free(p);
}

static struct machines_page *make(struct web_work *work, struct err *e)
{
	struct machines_page *p = calloc(1, sizeof(*p));

	if (!p)
		err_nomem(e);
	work->more = p;
	work->free_more = free_page;
	return p;
}

/* ---- of one workspace ---- */

static int may_change(struct store *store, struct web_work *work, bool *may, struct err *e)
{
	int failed = admin_access_check(store, &work->caller, DEED_MACHINE, work->id, e);

	*may = !failed;
	return failed && !err_is(failed, ERR_DENIED) ? failed : 0;
}

static int run_list(struct store *store, struct web_work *work, struct err *e)
{
	struct machines_page *p = make(work, e);
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	if (!p || admin_access_workspace(store, &work->caller, DEED_LOOK, work->id, &w, e) < 0 ||
	    store_machines_find(store, w.number, work->caller.who.person,
				&(struct list_search){ work->search.text, work->search.before,
						       work->search.sort },
				WEB_ROWS, p->rows, &work->count, &work->next, e) < 0 ||
	    admin_access_machines(store, &work->caller, p->rows, work->count, e) < 0)
		return err_code(e);
	return may_change(store, work, &p->may_change, e);
}

static void put_state(const struct machine *m, struct writer *w)
{
	static const struct {
		const char *state, *class, *icon;
	} looks[] = { { "Provisioning", "warn", "wait" },
		      { "Ready", "done", "done" },
		      { "Busy", "run", "run" },
		      { "Lost", "bad", "fail" },
		      { "Removed", "off", "stop" } };
	const char *state = machine_state(m);
	size_t i = 0;

	while (i < ARRAY_LEN(looks) - 1 && strcmp(looks[i].state, state) != 0)
		i++;
	page_put(w,
		 "<span class=\"state %s\"><svg class=\"i\" aria-hidden=\"true\"><use "
		 "href=\"/icons.svg#%s\"/></svg>%t</span>",
		 looks[i].class, looks[i].icon,
		 m->phase == MACHINE_LEAVING ? "To be removed" : state);
}

static void put_computation(const struct machine *m, struct writer *w)
{
	if (!*m->computation_id)
		page_put(w, "–");
	else if (m->hides)
		page_put(w, "One that you may not see");
	else if (page_can_link(m->computation_id))
		page_put(w, "<a href=\"/c/%u\"><bdi>%t</bdi></a>", m->computation_id,
			 m->computation_id);
	else
		page_put(w, "<bdi>%t</bdi>", m->computation_id);
}

static void put_made_for(const struct machine *m, struct writer *w)
{
	const char *id = machine_made_for(m);

	if (!m->run)
		return;
	page_put(w, "<dt>Made for</dt><dd>");
	if (page_can_link(id))
		page_put(w, "<a href=\"/c/%u\"><bdi>%t</bdi></a>", id, id);
	else
		page_put(w, "<bdi>%t</bdi>", *id ? id : "A computation");
	page_put(w, "<span class=\"sub\">%t</span></dd>", WEB_MACHINE_MADE_FOR);
}

static void put_row(const struct machine *m, struct writer *w)
{
	page_row_begin(w);
	page_put(w, "<a href=\"/w/%u/cvms/%u\"><bdi>%t</bdi></a></th>", m->workspace, m->name,
		 m->name);
	page_cell(w, "State");
	put_state(m, w);
	page_put(w, "</td>");
	page_cell(w, "Computation");
	put_computation(m, w);
	page_put(w, "</td>");
	page_cell(w, "Address");
	page_put(w, "<bdi>%t</bdi></td>", *m->address ? m->address : "–");
	page_cell(w, "Created");
	page_time(w, m->created);
	page_put(w, "</td></tr>\n");
}

static void put_at(const struct web_work *work, struct writer *w)
{
	page_put(w, "/w/%u/cvms?q=%q&amp;", work->id, work->search.text);
}

static const struct web_sort at = { put_at, "after" };

static void put_form(const struct web_work *work, struct writer *w)
{
	page_put(w, "<form class=\"find\" role=\"search\" action=\"/w/%u/cvms\" method=\"get\">\n",
		 work->id);
	web_sort_search(work, WEB_FIND_MACHINES, w);
	web_sort_orders(work, w);
	page_put(w, "<button class=\"btn\" type=\"submit\">Find</button>\n</form>\n");
}

static void put_table(const struct web_work *work, struct writer *w)
{
	const struct machines_page *p = work->more;

	web_sort_head(work, "CVMs", w);
	web_sort_column(&at, work, "CVM", LIST_BY_NAME, w);
	web_sort_column(&at, work, "State", LIST_BY_STATE, w);
	page_column(w, &(struct page_column){ "Computation", false });
	page_column(w, &(struct page_column){ "Address", false });
	web_sort_column(&at, work, "Created", LIST_BY_CREATED, w);
	page_head_end(w);
	for (size_t i = 0; i < work->count; i++)
		put_row(&p->rows[i], w);
	page_table_end(w);
	web_sort_pages(&at, work, w);
}

/* A command is there for who may give it, and where it can do something. */
static void put_none(const struct web_work *work, bool may_change, bool is_managed,
		     struct writer *w)
{
	page_put(
		w,
		"<section class=\"panel empty\" aria-labelledby=\"h-empty\"><h2 id=\"h-empty\">No CVM "
		"yet</h2><p>%t</p>\n",
		is_managed ? WEB_NO_MACHINES : WEB_MACHINE_NO_MANAGER);
	if (may_change && is_managed)
		page_command(w, "next",
			     "cocos-cli cvm create NAME --cpus 2 --memory 2G --workspace", work->id,
			     "");
	page_put(w, "</section>\n");
}

static void reply_list(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct machines_page *p = work->more;
	bool is_search = *work->search.text || *work->search.before;
	bool is_managed = machines_table(work->web->service->machines)->count > 0;

	web_place_head(work, "cvms", &w);
	if (p->may_change && *work->csrf && is_managed)
		page_put(&w,
			 "<div class=\"row deeds\"><a class=\"btn main\" "
			 "href=\"/w/%u/new-cvm\">New CVM</a></div>\n",
			 work->id);
	if (work->count || is_search)
		put_form(work, &w);
	if (work->count)
		put_table(work, &w);
	else if (is_search)
		page_put(&w, "<p class=\"note\">%t <a href=\"/w/%u/cvms\">Show all</a></p>\n",
			 WEB_NONE_LIKE, work->id);
	else
		put_none(work, p->may_change, is_managed, &w);
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_machines(struct http_request *r, void *data)
{
	web_work_start(data, r, run_list, reply_list);
}

static void reply_list_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct machines_page *p = work->more;

	writer_text(&w, "{");
	json_put_key(&w, "cvms");
	writer_text(&w, "[");
	for (size_t i = 0; i < work->count; i++) {
		writer_text(&w, i ? "," : "");
		web_json_machine(&w, &p->rows[i], web_is_connected(work->web, p->rows[i].cvm_id));
	}
	writer_text(&w, "]");
	web_json_next(&w, work->next);
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_machines_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_list, reply_list_json);
}

/* ---- one ---- */

static int run_one(struct store *store, struct web_work *work, struct err *e)
{
	struct machines_page *p = make(work, e);
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct machine *m;
	int failed = 0;

	if (!p)
		return err_code(e);
	m = &p->rows[0];
	if (admin_access_workspace(store, &work->caller, DEED_LOOK, work->id, &w, e) < 0 ||
	    store_machine(store, w.number, http_request_param(work->r, "name"), m, e) < 0 ||
	    admin_access_machines(store, &work->caller, m, 1, e) < 0 ||
	    revision_of_machine(m, work->revision, e) < 0)
		return err_code(e);
	if (*m->cvm_id && !machine_is_gone(m->phase))
		failed = store_cvm(store, m->cvm_id, &p->agent, e);
	if (failed && !err_is(failed, ERR_NOT_FOUND))
		return failed;
	return may_change(store, work, &p->may_change, e);
}

static void put_wish(const struct machine *m, struct writer *w)
{
	put_made_for(m, w);
	page_put(w, "<dt>Manager</dt><dd><bdi>%t</bdi></dd>", m->manager);
	if (*m->image)
		page_put(w, "<dt>Image</dt><dd><bdi>%t</bdi></dd>", m->image);
	if (*m->tee)
		page_put(w, "<dt>TEE</dt><dd><bdi>%t</bdi></dd>", m->tee);
	if (m->cpus)
		page_put(w, "<dt>CPUs</dt><dd>%d</dd>", m->cpus);
	if (m->memory)
		page_put(w, "<dt>Memory</dt><dd>%d MiB</dd>", m->memory / (1 << 20));
	if (m->ttl_ms)
		page_put(w, "<dt>Ends after</dt><dd>%d min</dd>", m->ttl_ms / 60000);
	page_put(w, "<dt>Created</dt><dd>");
	page_time(w, m->created);
	page_put(w, "</dd>");
	if (m->ended) {
		page_put(w, "<dt>Gone</dt><dd>");
		page_time(w, m->ended);
		page_put(w, "</dd>");
	}
}

static void put_export(const char *address, struct writer *w)
{
	CLEANUP_WRITER struct writer line = writer_up_to(1024);

	writer_text(&line, "AGENT_GRPC_URL=");
	writer_text(&line, address);
	writer_u8(&line, 0);
	if (line.bad)
		w->bad = true;
	else
		page_command(w, "reach", "export", (const char *)line.bytes, "");
}

/* How an owner reaches it, and finds out by himself what it is. */
static void put_check(const struct machine *m, struct writer *w)
{
	if (machine_is_gone(m->phase) || !*m->address)
		return;
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-check\"><h2 id=\"h-check\">Check it "
		 "yourself</h2>\n<p class=\"small\">%t</p>\n",
		 WEB_MACHINE_CHECK);
	put_export(m->address, w);
	if (strcmp(m->tee, "snp") != 0 && strcmp(m->tee, "tdx") != 0) {
		page_put(w, "<p class=\"note warn\">%t</p>\n</section>\n", WEB_MACHINE_NO_TEE);
		return;
	}
	page_command(w, "policy", "cocos-cli policy create --image image --tee", m->tee,
		     " --manifest manifest.json -o policy.json");
	page_command(w, "prove", "cocos-cli attestation get", m->tee,
		     " --attested-tls --attestation-policy policy.json");
	page_put(w,
		 "<p class=\"small\">%t</p>\n<p class=\"row\"><a class=\"btn\" "
		 "href=\"/w/%u/cvms/%u/policy\" download>Policy of its manager</a></p>\n"
		 "</section>\n",
		 WEB_MACHINE_POLICY, m->workspace, m->name);
}

/* What it gave before it had a manifest is the workspace's to see, that of a run its computation's. */
static void put_evidence(const struct machine *m, struct writer *w)
{
	if (machine_is_gone(m->phase) || !*m->cvm_id)
		return;
	page_put(
		w,
		"<p class=\"row\"><a class=\"btn\" href=\"/w/%u/cvms/%u/evidence\">Evidence before "
		"its run</a>",
		m->workspace, m->name);
	if (*m->computation_id && !m->hides && page_can_link(m->computation_id))
		page_put(w, "<a class=\"btn\" href=\"/c/%u/evidence\">Evidence of its run</a>",
			 m->computation_id);
	page_put(w, "</p>\n");
}

static void put_agent(const struct web_work *work, struct writer *w)
{
	const struct machines_page *p = work->more;
	const struct machine *m = &p->rows[0];
	bool is_connected = web_is_connected(work->web, m->cvm_id);
	bool is_judged = p->agent.verdict && *p->agent.verdict;

	page_put(
		w,
		"<section class=\"panel\" aria-labelledby=\"h-agent\"><h2 id=\"h-agent\">Agent</h2>\n"
		"<dl class=\"dl\"><dt>Connection</dt><dd><span class=\"live%s\">%s</span></dd>"
		"<dt>Its id</dt><dd class=\"mono\">%t</dd><dt>Computation</dt><dd>",
		is_connected ? " on" : "", is_connected ? "Connected" : "Not connected",
		*m->cvm_id ? m->cvm_id : "–");
	put_computation(m, w);
	page_put(
		w,
		"</dd><dt>This service’s verdict</dt><dd><bdi>%t</bdi><span class=\"sub\">%t</span>"
		"</dd></dl>\n",
		is_judged ? p->agent.verdict : "None", WEB_VERDICT);
	put_evidence(m, w);
	page_put(w, "</section>\n");
}

static void reply_one(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct machines_page *p = work->more;
	const struct machine *m = &p->rows[0];

	web_place_below(work, "cvms", m->name, &w);
	if (p->may_change && *work->csrf && !machine_is_gone(m->phase))
		page_put(&w,
			 "<div class=\"row deeds\" role=\"group\" aria-label=\"Actions\"><a "
			 "class=\"btn\" href=\"/w/%u/cvms/%u/console\">Console</a>\n<a "
			 "class=\"btn\" href=\"/w/%u/cvms/%u/remove\">Remove</a></div>\n",
			 m->workspace, m->name, m->workspace, m->name);
	page_put(&w, "<div class=\"cols\"><div class=\"stack\">\n<section class=\"panel\" "
		     "aria-labelledby=\"h-is\"><h2 id=\"h-is\">CVM</h2>\n<p class=\"row\">");
	put_state(m, &w);
	page_put(&w, "</p>\n");
	if (*m->reason)
		page_put(&w, "<p class=\"note warn\"><b>Reason:</b> <bdi>%t</bdi></p>\n",
			 m->reason);
	page_put(&w, "<dl class=\"dl\">");
	put_wish(m, &w);
	page_put(&w, "</dl>\n</section>\n");
	put_check(m, &w);
	page_put(&w, "</div><div class=\"stack\">\n");
	put_agent(work, &w);
	page_put(&w, "</div></div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_machine(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one);
}

static void reply_one_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct machine *m = &((const struct machines_page *)work->more)->rows[0];

	web_json_machine(&w, m, web_is_connected(work->web, m->cvm_id));
	writer_text(&w, "\n");
	web_reply_revision(work->r, &w, work->revision);
}

void web_machine_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one_json);
}

/* ---- what is asked before one is removed ---- */

static void reply_ask_remove(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct machine *m = &((const struct machines_page *)work->more)->rows[0];

	page_begin(&w, &work->caller, "Remove", "/workspaces");
	page_put(
		&w,
		"<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/w/%u/cvms\">CVMs of "
		"<bdi>%t</bdi></a> / <a href=\"/w/%u/cvms/%u\"><bdi>%t</bdi></a> /</nav>\n<section "
		"class=\"panel gate\" aria-labelledby=\"gate\"><h1 id=\"gate\">Remove <bdi>%t</bdi>"
		"</h1>\n<p class=\"row\">",
		m->workspace, m->workspace, m->workspace, m->name, m->name, m->name);
	put_state(m, &w);
	page_put(&w,
		 "</p>\n<p>%t</p>\n<form class=\"stack\" method=\"post\" "
		 "action=\"/w/%u/cvms/%u/remove\">\n<input type=\"hidden\" name=\"csrf\" "
		 "value=\"%a\"><input type=\"hidden\" name=\"revision\" value=\"%a\">\n",
		 WEB_MACHINE_REMOVE, m->workspace, m->name, work->csrf, work->revision);
	if (*machine_owes(m))
		page_put(&w,
			 "<div><div class=\"box\"><input id=\"f-force\" name=\"force\" "
			 "type=\"checkbox\" value=\"true\" aria-describedby=\"h-force\"><label "
			 "for=\"f-force\">Although it holds <bdi>%t</bdi></label></div><span "
			 "class=\"hint\" id=\"h-force\">%t</span></div>\n",
			 machine_owes(m), WEB_MACHINE_FORCE);
	page_put(
		&w,
		"<div class=\"row\"><button class=\"btn danger\" type=\"submit\">Remove it</button>"
		"<a class=\"btn\" href=\"/w/%u/cvms/%u\">Keep it</a></div>\n</form>\n</section>\n",
		m->workspace, m->name);
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_machine_ask_remove(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_ask_remove);
}

/* ---- one, for what else is done with it ---- */

static void free_machine(void *data)
{
	machine_done(data);
	free(data);
}

int web_machine_find(struct store *store, struct web_work *work, enum deed deed, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct machine *m = calloc(1, sizeof(*m));

	work->more = m;
	work->free_more = free_machine;
	if (!m)
		return err_nomem(e);
	if (admin_access_workspace(store, &work->caller, deed, work->id, &w, e) < 0)
		return err_code(e);
	return store_machine(store, w.number, http_request_param(work->r, "name"), m, e);
}
