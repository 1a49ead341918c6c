/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_step.h"

#include "common/rpc/observer.h"
#include "computations/web/web_access.h"
#include "computations/web/web_act.h"
#include "computations/web/web_page.h"

#include <stdlib.h>

static void step_free(struct web_step *step)
{
	web_form_free(step->form);
	if (step->r)
		http_request_unref(step->r);
	free(step);
}

static int step_run(struct store *store, void *data, struct err *e)
{
	struct web_step *step = data;

	if (web_work_check(store, &step->caller, "", e) < 0)
		return err_code(e);
	if (step->way->run(store, step, e) < 0)
		return err_code(e);
	return step->way->changes ? web_trail_add(store, &step->trail, step->caller.who.name, e)
				  : 0;
}

static void step_done(void *data, const struct err *e)
{
	struct web_step *step = data;

	if (step->trail.call && step->caller.who.person)
		(void)!rpc_call_note(step->trail.call, "by", step->caller.who.name);
	web_trail_end(&step->trail, e);
	step->way->done(step, e);
	step_free(step);
}

static int begin(struct web_step *step, struct err *e)
{
	const struct store_queue_op op = { step_run, step_done, step };
	struct service *service = step->web->service;
	const uint64_t account = admin_access_account(service->known, &step->caller);

	if (!step->way->changes)
		return store_queue_add_for(service->queue, account, &op, false, e);
	if (web_trail_begin(&step->trail, step->web, step->r, step->way->deed, e) < 0)
		return err_code(e);
	step->trail.given.caller = step->caller;
	step->trail.given.is_proven = !step->caller.has_login;
	if (web_trail_admit(&step->trail, "", e) < 0)
		return err_code(e);
	return store_queue_add_for(service->queue, account, &op, true, e);
}

void web_step_start(struct web *web, struct http_request *r, const struct web_step_way *way)
{
	struct web_step *step = calloc(1, sizeof(*step));
	struct err e;

	err_nomem(&e);
	if (!step) {
		http_request_fail(r, &e);
		return;
	}
	if (web_form_read(r, way->names, NULL, &step->form, &e) < 0 ||
	    web_check_form(web, r, step->form, &e) < 0 ||
	    web_access_take(web, r, &step->caller, &e) < 0) {
		http_request_fail(r, &e);
		step_free(step);
		return;
	}
	step->r = http_request_ref(r);
	step->web = web;
	step->way = way;
	if (begin(step, &e) < 0)
		step_done(step, &e);
}

void web_step_back(struct web_step *step)
{
	http_request_answer(
		step->r, &(struct http_answer){ .status = 303, .more = { { "location", "/me" } } });
}

void web_step_button(struct writer *w, const char *csrf, const char *action, const char *what,
		     const char *word, const char *about)
{
	page_put(w,
		 "<form method=\"post\" action=\"%s%u\"><input type=\"hidden\" name=\"csrf\" "
		 "value=\"%a\"><button class=\"btn\" type=\"submit\">%t<span class=\"sr\"> "
		 "%t</span></button></form>",
		 action, what, csrf, word, about);
}
