/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_act.h"

#include "common/base/json.h"
#include "computations/web/web_access.h"
#include "computations/web/web_input.h"
#include "computations/web/web_page.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

struct rpc_local web_local(const struct http_request *r)
{
	return (struct rpc_local){ .peer = http_request_peer(r),
				   .source = http_request_source(r),
				   .identity = http_request_identity(r),
				   .is_tls = http_request_is_tls(r) };
}

int web_check_form(const struct web *web, const struct http_request *r, const struct web_form *form,
		   struct err *e)
{
	char csrf[WEB_CSRF_LEN + 1];
	const char *shown = web_form_text(form, "csrf");

	if (web_access_csrf(web, r, csrf, e) < 0)
		return err_code(e);
	if (strlen(shown) == WEB_CSRF_LEN && CRYPTO_memcmp(csrf, shown, WEB_CSRF_LEN) == 0)
		return 0;
	return err_set(e, ERR_DENIED, "this form is of another session: open the page again");
}

/* ---- how it ends ---- */

static void act_free(struct web_act *act)
{
	http_request_unref(act->r);
	free(act);
}

void web_act_fail(struct http_request *r, const struct err *e, const char *field)
{
	struct http_problem problem = { .detail = e->text, .field = *field ? field : NULL };

	if (e->code == ERR_PRECONDITION) {
		problem.status = 409;
		problem.remedy = "look at its state";
	} else if (e->code == ERR_ABORTED) {
		problem.status = 412;
		problem.remedy = "get it again, and decide anew";
	} else if (e->code == ERR_INVALID && problem.field) {
		const struct http_route *route = http_request_route(r);

		problem.status = 400;
		problem.remedy = strncmp(route->pattern, "/api/", 5) == 0
					 ? "see /api"
					 : "go back and correct it";
	} else {
		http_request_fail(r, e);
		return;
	}
	http_request_refuse(r, &problem);
}

static void lead(struct web_act *act)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_URL_MAX * 8);
	struct http_answer answer = { .status = 303 };
	static const char *const names[] = {
		"account", "id", "cvm", "workspace", "user", "serial"
	};
	const char *of = NULL;
	struct err e;

	for (size_t i = 0; !of && i < ARRAY_LEN(names); i++)
		of = http_request_param(act->r, names[i]);
	page_put(&w, act->action->leads, of);
	writer_u8(&w, 0);
	if (writer_check(&w, "where this leads", &e) < 0) {
		http_request_fail(act->r, &e);
		return;
	}
	answer.more[0] = (struct rpc_web_field){ "location", (const char *)w.bytes };
	http_request_answer(act->r, &answer);
}

static void answered(void *data, const ProtobufCMessage *answer, const struct err *e)
{
	struct web_act *act = data;

	if (e)
		web_act_fail(act->r, e,
			     e->code != ERR_ABORTED ? ""
			     : act->is_form         ? "form revision"
						    : "header if-match");
	else if (act->action->reply)
		act->action->reply(act, answer);
	else if (act->is_form)
		lead(act);
	else if (act->action->answer)
		act->action->answer(act->r, act->web);
	else
		http_request_answer(act->r, &(struct http_answer){ .status = 204 });
	act_free(act);
}

/* ---- how it begins ---- */

/* Quoted, the revision first: what else an ETag of ours has says what the answer was, which may have come to differ. */
static bool is_etag(const char *text)
{
	static const char digits[] = "0123456789abcdef";

	return strlen(text) == WEB_ETAG_LEN && text[0] == '"' && text[WEB_ETAG_LEN - 1] == '"' &&
	       strspn(text + 1, digits) == REVISION_LEN && text[1 + REVISION_LEN] == '.' &&
	       strspn(text + REVISION_LEN + 2, digits) == REVISION_LEN;
}

/* Of what its caller got when he looked, or any. */
static int take_if_match(const struct http_request *r, enum web_revises revises,
			 char revision[REVISION_LEN + 1], struct err *e)
{
	const char *match = http_request_header(r, "if-match", 0);

	if (!match)
		return 0;
	if (revises == REVISES_NOTHING)
		return err_set(e, ERR_INVALID, "if-match: this has no ETag to compare");
	if (http_request_header(r, "if-match", 1) || (strcmp(match, "*") != 0 && !is_etag(match)))
		return err_set(e, ERR_INVALID, "if-match: show the one ETag that you got, or *");
	if (*match != '*')
		snprintf(revision, REVISION_LEN + 1, "%.*s", REVISION_LEN, match + 1);
	return 0;
}

static int take_revision(const struct web_form *form, char revision[REVISION_LEN + 1],
			 struct err *e)
{
	const char *text = web_form_text(form, "revision");

	if (strlen(text) != REVISION_LEN)
		return err_set(e, ERR_INVALID, "the form's revision is none: open the page again");
	memcpy(revision, text, REVISION_LEN + 1);
	return 0;
}

int web_act_seen(const struct http_request *r, const struct web_form *form,
		 enum web_revises revises, char revision[REVISION_LEN + 1], struct err *e)
{
	if (!form)
		return take_if_match(r, revises, revision, e);
	return revises == REVISES_NOTHING ? 0 : take_revision(form, revision, e);
}

static struct web_act *act_new(struct web *web, struct http_request *r,
			       const struct web_action *action, bool is_form)
{
	struct web_act *act = calloc(1, sizeof(*act));

	if (!act)
		return NULL;
	act->r = http_request_ref(r);
	act->web = web;
	act->action = action;
	act->is_form = is_form;
	act->given.via = is_form ? "page" : "api";
	return act;
}

static struct rpc_local local_of(struct web_act *act)
{
	struct rpc_local local = web_local(act->r);

	act->given.is_proven = !act->given.caller.has_token && !act->given.caller.has_login;
	local.given = &act->given;
	local.answered = answered;
	local.data = act;
	return local;
}

/* Seen by the audit log. */
static void refuse(struct web_act *act, const struct err *why)
{
	const struct rpc_local local = local_of(act);

	rpc_local_refuse(act->web->service->admins, act->action->method, why, &local);
}

static void start(struct web_act *act, struct web_form *form)
{
	struct web_message m CLEANUP_WEB_MESSAGE = { .form = form };
	const struct rpc_local local = local_of(act);
	struct err e;

	if ((form &&
	     web_act_seen(act->r, form, act->action->revises, act->given.revision, &e) < 0) ||
	    web_input_take(act->r, act->action, form, &m, &e) < 0) {
		web_act_fail(act->r, &e, m.field);
		act_free(act);
		return;
	}
	rpc_local_call(act->web->service->admins, act->action->method, m.message, &local);
}

void web_act_form(struct http_request *r, void *data)
{
	struct web *web = data;
	struct web_act *act = act_new(web, r, web_row_of(web, r)->action, true);
	CLEANUP(web_form_free) struct web_form *form = NULL;
	struct err e;

	err_nomem(&e);
	if (!act || web_input_form(r, act->action, &form, &e) < 0 ||
	    web_access_take(web, r, &act->given.caller, &e) < 0) {
		http_request_fail(r, &e);
		if (act)
			act_free(act);
		return;
	}
	if (web_check_form(web, r, form, &e) < 0)
		refuse(act, &e);
	else
		start(act, form);
}

void web_act_confirmed(struct web *web, struct http_request *r, const struct web_action *action,
		       const struct admin_caller *caller, struct web_form *form)
{
	struct web_act *act = act_new(web, r, action, true);
	struct err e;

	if (!act) {
		http_request_fail(r, (err_nomem(&e), &e));
		return;
	}
	act->given.caller = *caller;
	act->given.is_confirmed = true;
	start(act, form);
}

void web_act_api(struct http_request *r, void *data)
{
	struct web *web = data;
	struct web_act *act = act_new(web, r, web_row_of(web, r)->action, false);
	struct err e;

	err_nomem(&e);
	if (!act || web_access_take(web, r, &act->given.caller, &e) < 0) {
		http_request_fail(r, &e);
	} else if (web_act_seen(r, NULL, act->action->revises, act->given.revision, &e) < 0) {
		web_act_fail(r, &e, "header if-match");
	} else {
		start(act, NULL);
		return;
	}
	if (act)
		act_free(act);
}
