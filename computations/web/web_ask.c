/* SPDX-License-Identifier: Apache-2.0 */
/* web_ask.c — what is asked before a computation is run, stopped or removed, or a CVM's name released: what that does. */
#include "computations/store/store_machine.h"
#include "computations/web/web_form.h"
#include "computations/web/web_page.h"
#include "computations/web/web_run.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <stdlib.h>
#include <string.h>

enum { CVMS_MAX = 256 }; /* to choose from; where there are more, all are typed */

struct choice {
	struct cvm rows[CVMS_MAX + 1];
	size_t count;
	struct machine made[CVMS_MAX]; /* or these, of the computation's workspace */
	size_t made_count;
};

static void free_choice(void *data)
{
	struct choice *choice = data;

	for (size_t i = 0; i < choice->count; i++)
		cvm_done(&choice->rows[i]);
	for (size_t i = 0; i < choice->made_count; i++)
		machine_done(&choice->made[i]);
	free(choice);
}

/* ---- run ---- */

/* Those that were made for the computation's workspace, whose members see them anyway. */
static int find_made(struct store *store, struct web_work *work, struct choice *choice,
		     struct err *e)
{
	struct admin_caller own = work->caller; /* whose rights are those in the computation */
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct err none;

	if (admin_access_workspace(store, &own, DEED_LOOK, work->c.workspace, &w, &none) < 0)
		return 0;
	return store_machines(store, w.number, 0, CVMS_MAX, choice->made, &choice->made_count, e);
}

static int run_ask_run(struct store *store, struct web_work *work, struct err *e)
{
	struct choice *choice;

	if (store_computation(store, work->id, &work->c, e) < 0 ||
	    admin_access_check(store, &work->caller,
			       web_run_is_again(work) ? DEED_RUN_AGAIN : DEED_RUN, work->id,
			       e) < 0 ||
	    revision_of(&work->c, work->revision, e) < 0)
		return err_code(e);
	work->may_make = web_run_may_make(store, work, e) == 0;
	choice = calloc(1, sizeof(*choice));
	if (!choice)
		return err_nomem(e);
	work->more = choice;
	work->free_more = free_choice;
	/* Others are told the names of no CVMs but their workspace's. */
	if (!work->caller.rights.operates)
		return find_made(store, work, choice, e);
	if (store_cvms(store, "", ARRAY_LEN(choice->rows), choice->rows, &choice->count, e) < 0)
		return err_code(e);
	/* Else those that somebody made up first would be all that there are. */
	if (choice->count > CVMS_MAX) {
		free_choice(choice);
		work->more = NULL;
	}
	return 0;
}

void web_run_put_head(const struct web_work *work, const char *what, struct writer *w)
{
	const char *name = *work->c.name ? work->c.name : work->c.id;

	page_begin(w, &work->caller, what, "");
	page_put(
		w,
		"<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/\">Computations</a> / <a "
		"href=\"/c/%u\"><bdi>%t</bdi></a> /</nav>\n<section class=\"panel gate\" "
		"aria-labelledby=\"gate\"><h1 id=\"gate\">%s <bdi>%t</bdi></h1>\n",
		work->c.id, name, what, name);
}

void web_run_begin_form(const struct web_work *work, const char *what, struct writer *w)
{
	page_put(
		w,
		"<form class=\"stack\" method=\"post\" action=\"/c/%u/%s\">\n<input type=\"hidden\" "
		"name=\"csrf\" value=\"%a\"><input type=\"hidden\" name=\"revision\" value=\"%a\">\n",
		work->c.id, what, work->csrf, work->revision);
}

void web_run_end_form(const struct web_work *work, const char *deed, const char *class,
		      const char *back, struct writer *w)
{
	page_put(w,
		 "<div class=\"row\"><button class=\"btn %s\" type=\"submit\">%s</button><a "
		 "class=\"btn\" href=\"/c/%u\">%s</a></div>\n</form>\n</section>\n",
		 class, deed, work->c.id, back);
	page_end(w);
	web_reply_html(work->r, w, 200);
}

static void put_box(struct writer *w, const char *name, const char *label, const char *hint)
{
	page_put(
		w,
		"<div><div class=\"box\"><input id=\"f-%s\" name=\"%s\" type=\"checkbox\" "
		"value=\"true\" aria-describedby=\"h-%s\"><label for=\"f-%s\">%t</label></div><span "
		"class=\"hint\" id=\"h-%s\">%t</span></div>\n",
		name, name, name, name, label, name, hint);
}

void web_run_put_unverified(const struct web_work *work, struct writer *w)
{
	if (admin_access_may(&work->caller, DEED_RUN_UNVERIFIED, &work->c))
		put_box(w, "unverified", "Even if it has proven nothing", WEB_RUN_UNVERIFIED);
}

/* One that is made for a run takes no other. */
static bool is_free(const struct web_work *work, const struct machine *m)
{
	return m->phase == MACHINE_MADE && !m->run && !*m->computation_id && *m->cvm_id &&
	       web_is_connected(work->web, m->cvm_id);
}

/* Typed, or of the list. */
static void put_typed(const struct web_work *work, const struct choice *choice, struct writer *w)
{
	bool is_open = false;

	page_put(w, "<div><label for=\"f-cvm\">CVM</label><input id=\"f-cvm\" name=\"cvm\" "
		    "type=\"text\" list=\"l-cvm\" autocomplete=\"off\" "
		    "aria-describedby=\"h-cvm\"><datalist id=\"l-cvm\">");
	for (size_t i = 0; choice && i < choice->made_count; i++) {
		if (!is_free(work, &choice->made[i]))
			continue;
		page_put(w, "<option value=\"%a\">%t</option>", choice->made[i].cvm_id,
			 choice->made[i].name);
		is_open = true;
	}
	page_put(w, "</datalist><span class=\"hint\" id=\"h-cvm\">%t%t</span></div>\n",
		 web_run_is_again(work) && *work->c.cvm_id ? WEB_RUN_CVM_AGAIN : WEB_RUN_CVM,
		 is_open ? "." WEB_RUN_CVM_FREE : "");
}

static void put_cvms(const struct web_work *work, struct writer *w)
{
	const struct choice *choice = work->more;

	if (!choice || !work->caller.rights.operates) {
		put_typed(work, choice, w);
		return;
	}
	page_put(w,
		 "<div><label for=\"f-cvm\">CVM</label><select id=\"f-cvm\" name=\"cvm\" "
		 "aria-describedby=\"h-cvm\"><option value=\"\">%s</option>\n",
		 web_run_is_again(work) && *work->c.cvm_id ? "The one where it ended"
							   : "The one that is free");
	for (size_t i = 0; i < choice->count; i++) {
		const struct cvm *c = &choice->rows[i];

		if (web_is_connected(work->web, c->id))
			page_put(w, "<option value=\"%a\">%t%s</option>\n", c->id, c->id,
				 *c->computation_id ? " (busy)"
				 : c->verified      ? " (accepted)"
						    : " (has proven nothing)");
	}
	page_put(w, "</select><span class=\"hint\" id=\"h-cvm\">%t</span></div>\n", WEB_RUN_CHOOSE);
}

static void reply_ask_run(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const char *deed = web_run_is_again(work) ? "Retry" : "Run";

	web_run_put_head(work, deed, &w);
	page_put(&w, "<p>%t</p>\n", web_run_is_again(work) ? WEB_RUN_AGAIN : WEB_RUN);
	web_run_begin_form(work, "run", &w);
	put_cvms(work, &w);
	if (web_run_is_again(work))
		page_put(&w, "<input type=\"hidden\" name=\"again\" value=\"true\">\n");
	web_run_put_unverified(work, &w);
	if (work->may_make)
		page_put(&w,
			 "<p class=\"small\"><a href=\"/c/%u/run-new\">In a new CVM</a>: %t</p>\n",
			 work->c.id, WEB_RUN_NEW);
	web_run_end_form(work, deed, "main", "Not now", &w);
}

void web_ask_run(struct http_request *r, void *data)
{
	web_work_start(data, r, run_ask_run, reply_ask_run);
}

/* ---- stop ---- */

static int run_ask(struct store *store, struct web_work *work, struct err *e)
{
	if (web_run_manifest(store, work, e) < 0 || web_run_held(store, work, e) < 0)
		return err_code(e);
	return revision_of(&work->c, work->revision, e);
}

/* By name. */
static void put_files(const struct web_work *work, struct writer *w)
{
	const Cvms__ComputationRunReq *m = work->manifest;

	page_put(w, "<ul class=\"files\">\n");
	if (m->algorithm)
		page_put(w, "<li>the algorithm</li>\n");
	for (size_t i = 0; i < m->n_datasets; i++)
		page_put(w, "<li>dataset <bdi>%t</bdi></li>\n", m->datasets[i]->filename);
	page_put(w, "<li>results that nobody has fetched yet</li>\n</ul>\n");
}

static void reply_ask_stop(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	web_run_put_head(work, "Stop", &w);
	page_put(&w, "<p class=\"row\">");
	page_state(&w, work->c.state);
	page_put(&w, "</p><p>%t</p>\n", work->is_held ? WEB_STOP : WEB_STOP_EARLY);
	if (work->is_held)
		put_files(work, &w);
	web_run_begin_form(work, "stop", &w);
	web_run_end_form(work, work->is_held ? "Stop and wipe" : "Cancel it", "danger",
			 "Leave it as it is", &w);
}

void web_ask_stop(struct http_request *r, void *data)
{
	web_work_start(data, r, run_ask, reply_ask_stop);
}

/* ---- remove ---- */

static void reply_ask_remove(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	web_run_put_head(work, "Remove", &w);
	page_put(&w, "<p class=\"row\">");
	page_state(&w, work->c.state);
	page_put(&w, "</p><p>%t</p>\n", WEB_REMOVE);
	page_command(&w, "export", "cocos-cli computation export", work->c.id,
		     " --output computation.json");
	if (work->is_held)
		page_put(&w, "<p class=\"note warn\">%t</p>\n", WEB_REMOVE_HELD);
	web_run_begin_form(work, "remove", &w);
	if (work->is_held)
		put_box(&w, "force", "Without waiting for its CVM", WEB_REMOVE_FORCE);
	web_run_end_form(work, "Remove for good", "danger", "Keep it", &w);
}

void web_ask_remove(struct http_request *r, void *data)
{
	web_work_start(data, r, run_ask, reply_ask_remove);
}

/* ---- a CVM's name ---- */

static int run_ask_release(struct store *store, struct web_work *work, struct err *e)
{
	struct choice *choice = calloc(1, sizeof(*choice));

	if (!choice)
		return err_nomem(e);
	work->more = choice;
	work->free_more = free_choice;
	choice->count = 1;
	if (store_cvm(store, work->id, &choice->rows[0], e) < 0)
		return err_code(e);
	return revision_of_cvm(&choice->rows[0], work->revision, e);
}

static void reply_ask_release(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct cvm *c = &((const struct choice *)work->more)->rows[0];

	page_begin(&w, &work->caller, "Release", "");
	page_put(
		&w,
		"<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/cvms\">CVMs</a> / <a "
		"href=\"/cvms/%u\"><bdi>%t</bdi></a> /</nav>\n<section class=\"panel gate\" "
		"aria-labelledby=\"gate\"><h1 id=\"gate\">Release <bdi>%t</bdi></h1>\n<p>%t</p>\n"
		"<form class=\"stack\" method=\"post\" action=\"/cvms/%u/release\">\n<input "
		"type=\"hidden\" name=\"csrf\" value=\"%a\"><input type=\"hidden\" name=\"revision\" "
		"value=\"%a\">\n<div class=\"row\"><button class=\"btn danger\" type=\"submit\">Release its name</button><a class=\"btn\" href=\"/cvms/%u\">"
		"Keep it</a></div>\n</form>\n</section>\n",
		c->id, c->id, c->id, WEB_RELEASE, c->id, work->csrf, work->revision, c->id);
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_ask_release(struct http_request *r, void *data)
{
	web_work_start(data, r, run_ask_release, reply_ask_release);
}
