/* SPDX-License-Identifier: Apache-2.0 */
/* web_run.c — what a run asks for, by form and API; and the form of one in a CVM that is made for it. */
#include "computations/web/web_run.h"

#include "computations.pb-c.h"
#include "computations/machines/machines.h"
#include "computations/machines/manager_table.h"
#include "computations/store/store_machine.h"
#include "computations/store/store_machine_run.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_free.h"
#include "computations/web/web_machine.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations_paths.h"

enum { GIB = 1 << 30, MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

#define TEXT(name, most, meaning) LINE(#name, false, Computations__RunRequest, name, most, meaning)
#define FLAG(name, meaning)       BODY(#name, INPUT_FLAG, Computations__RunRequest, name, meaning)
#define NUMBER(name_, kind, ...)  COUNT(name_, kind, Computations__RunRequest, __VA_ARGS__)
#define RUN                                                             \
	PATH("id", Computations__RunRequest, id, "a computation's id"), \
		FLAG(unverified, "even if its CVM has proven nothing"), \
		FLAG(again, "it failed or was cancelled, and is to be run again")
#define CVM                                                                                \
	LINE("cvm", false, Computations__RunRequest, cvm_id, STORE_ID_MAX,                 \
	     "the CVM that gets it; without: the only one that is connected and free or, " \
	     "again, where it ended")
#define NEW                                                                                       \
	FLAG(new_cvm,                                                                             \
	     "in a CVM that is made for this run and removed behind it; the rest is of it"),      \
		TEXT(manager, MANAGER_NAME_MAX, "which manager makes it; without: the only one"), \
		TEXT(image, MACHINE_WORD_MAX, "of the manager's images; without: its default"),   \
		TEXT(tee, MACHINE_WORD_MAX,                                                       \
		     "such as snp, tdx or none; without: the manager's default"),                 \
		NUMBER("cpus", INPUT_U32, cpus, MACHINE_CPUS_MAX, 0, "processors")

static const struct web_input run_of_form[] = { RUN, CVM, END };

static const struct web_input new_of_form[] = {
	RUN,
	NEW,
	NUMBER("memory", INPUT_U64, memory, MACHINE_MEMORY_MAX / GIB, GIB, "GiB"),
	NUMBER("hours", INPUT_U64, ttl_ms, MACHINE_TTL_MAX_MS / HOUR_MS, HOUR_MS, "until it ends"),
	NUMBER("keep", INPUT_U64, keep_ms, MACHINE_KEEP_MAX_MS / MINUTE_MS, MINUTE_MS,
	       "minutes that results wait in it"),
	END,
};

static const struct web_input run_of_api[] = {
	RUN,
	CVM,
	NEW,
	NUMBER("memory", INPUT_U64, memory, MACHINE_MEMORY_MAX, 0, "bytes"),
	NUMBER("ttl_ms", INPUT_U64, ttl_ms, MACHINE_TTL_MAX_MS, 0, "milliseconds until it ends"),
	NUMBER("keep_ms", INPUT_U64, keep_ms, MACHINE_KEEP_MAX_MS, 0,
	       "milliseconds that results wait in it; without: an hour"),
	END,
};

ACTION(web_page_run) = { OF_COMPUTATIONS(RUN, run_request), .inputs = run_of_form,
			 .revises = REVISES_COMPUTATION, .leads = "/c/%u" };
ACTION(web_page_run_new) = { OF_COMPUTATIONS(RUN, run_request), .inputs = new_of_form,
			     .revises = REVISES_COMPUTATION, .leads = "/c/%u" };
ACTION(web_api_run) = { OF_COMPUTATIONS(RUN, run_request),
			.inputs = run_of_api,
			.revises = REVISES_COMPUTATION,
			.then = DEED_RUN,
			.answer = web_one_json,
			.tells = NOUN_COMPUTATION };

/* ---- the form ---- */

int web_run_may_make(struct store *store, struct web_work *work, struct err *e)
{
	struct admin_caller own = work->caller; /* whose rights are those in the computation */
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	return admin_access_workspace(store, &own, DEED_MACHINE, work->c.workspace, &w, e);
}

bool web_run_is_again(const struct web_work *work)
{
	return work->c.state == COMPUTATION_FAILED || work->c.state == COMPUTATION_CANCELLED;
}

static int run_ask(struct store *store, struct web_work *work, struct err *e)
{
	if (store_computation(store, work->id, &work->c, e) < 0 ||
	    admin_access_check(store, &work->caller,
			       web_run_is_again(work) ? DEED_RUN_AGAIN : DEED_RUN, work->id,
			       e) < 0 ||
	    web_run_may_make(store, work, e) < 0)
		return err_code(e);
	return revision_of(&work->c, work->revision, e);
}

static void put_keep(struct writer *w)
{
	page_put(w,
		 "<div><label for=\"f-keep\">Minutes that results wait in it</label><input "
		 "id=\"f-keep\" name=\"keep\" type=\"number\" autocomplete=\"off\" min=\"%d\" "
		 "max=\"%d\" value=\"%d\" aria-describedby=\"h-keep\"><span class=\"hint\" "
		 "id=\"h-keep\">%t</span></div>\n",
		 MACHINE_KEEP_MIN_MS / MINUTE_MS, MACHINE_KEEP_MAX_MS / MINUTE_MS,
		 MACHINE_KEEP_DEFAULT_MS / MINUTE_MS, WEB_RUN_KEEP);
}

static void put_form(const struct web_work *work, struct writer *w)
{
	web_run_begin_form(work, "run-new", w);
	page_put(w, "<input type=\"hidden\" name=\"new_cvm\" value=\"true\">\n");
	if (web_run_is_again(work))
		page_put(w, "<input type=\"hidden\" name=\"again\" value=\"true\">\n");
	web_machine_put_wishes(machines_table(work->web->service->machines), w);
	put_keep(w);
	web_run_put_unverified(work, w);
}

static void reply_ask(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	web_run_put_head(work, web_run_is_again(work) ? "Retry in a new CVM" : "Run in a new CVM",
			 &w);
	page_put(&w, "<p>%t</p>\n", WEB_RUN_NEW);
	if (machines_table(work->web->service->machines)->count) {
		web_free_put(work, &w);
		put_form(work, &w);
		web_run_end_form(work, "Have it made", "main", "Not now", &w);
		return;
	}
	page_put(&w, "<p class=\"note warn\">%t</p>\n</section>\n", WEB_MACHINE_NO_MANAGER);
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

static void ask_free(struct web_work *work)
{
	web_free_ask(work, reply_ask);
}

void web_ask_run_new(struct http_request *r, void *data)
{
	web_work_start(data, r, run_ask, ask_free);
}
