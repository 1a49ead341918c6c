/* SPDX-License-Identifier: Apache-2.0 */
/* web_me.c — who is in: his sessions, tokens and password, and the way out. */
#include "common/base/json.h"
#include "common/base/log.h"
#include "computations/people/account.h"
#include "computations/web/web.h"
#include "computations/web/web_access.h"
#include "computations/web/web_act.h"
#include "computations/web/web_enter.h"
#include "computations/web/web_json.h"
#include "computations/web/web_oidc.h"
#include "computations/web/web_page.h"
#include "computations/web/web_passkey.h"
#include "computations/web/web_second.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_step.h"
#include "computations/web/web_token.h"
#include "computations/web/web_words.h"

#include <stdlib.h>
#include <string.h>

/* ---- the page ---- */

static int run_me(struct store *store, struct web_work *work, struct err *e)
{
	int64_t person = work->caller.who.person;

	if (!person)
		return 0;
	if (web_run_factor(store, work, e) < 0 || web_run_identities(store, work, e) < 0 ||
	    web_run_passkeys(store, work, e) < 0 ||
	    login_list(&store->db, person, store_now(), work->logins, &work->login_count, e) < 0)
		return err_code(e);
	return token_list(&store->db, person, work->tokens, &work->token_count, e);
}

static void put_logins(const struct web_work *work, const char *csrf, struct writer *w)
{
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-sessions\"><h2 id=\"h-sessions\">"
		 "Sessions</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
		 "aria-label=\"Table of sessions\"><table class=\"cards\" role=\"table\"><caption "
		 "class=\"sr\">Where you are signed in</caption><thead role=\"rowgroup\"><tr "
		 "role=\"row\"><th role=\"columnheader\" scope=\"col\">Browser</th><th "
		 "role=\"columnheader\" scope=\"col\">Last seen</th><th role=\"columnheader\" "
		 "scope=\"col\">Since</th><th role=\"columnheader\" scope=\"col\">End</th></tr>"
		 "</thead><tbody role=\"rowgroup\">\n");
	for (size_t i = 0; i < work->login_count; i++) {
		const struct login *l = &work->logins[i];
		char number[24];

		snprintf(number, sizeof(number), "%lld", (long long)l->number);
		page_put(
			w,
			"<tr role=\"row\"><th role=\"rowheader\" scope=\"row\"><bdi>%t</bdi>%s<span "
			"class=\"sub mono\">%t</span></th><td role=\"cell\" data-l=\"Last seen\">",
			*l->about ? l->about : "Unknown",
			l->number == work->caller.login ? " (this one)" : "", l->peer);
		page_time(w, l->seen);
		page_put(w, "</td><td role=\"cell\" data-l=\"Since\">");
		page_time(w, l->created);
		page_put(w, "</td><td role=\"cell\" data-l=\"End\">");
		web_step_button(w, csrf, "/me/sessions/", number, "End", "this session");
		page_put(w, "</td></tr>\n");
	}
	page_put(w, "</tbody></table></div>\n");
	web_step_button(w, csrf, "/me/", "others", "End all others", "of your sessions");
	page_put(w, "</section>\n");
}

/* Of somebody who has no session here that could change anything. */
void web_me_note(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	page_begin(&w, &work->caller, "You", "/me");
	page_put(&w, "<div class=\"head\"><h1>You</h1></div>\n<p>%t</p>\n",
		 work->caller.who.person ? WEB_ME_TOKEN : WEB_ME_NOBODY);
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

static void reply_me(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct admin_caller *caller = &work->caller;
	const char *csrf = work->csrf;

	if (!caller->has_login || !*csrf) {
		web_me_note(work);
		return;
	}
	page_begin(&w, caller, "You", "/me");
	page_put(&w, "<div class=\"head\"><h1><bdi>%t</bdi></h1><p>%t</p></div>\n",
		 caller->who.name, caller->who.administrator ? WEB_ME_CHIEF : WEB_ME);
	page_put(
		&w,
		"<div class=\"row deeds\" role=\"group\" aria-label=\"Actions\"><a class=\"btn\" "
		"href=\"/me/password\">Change password</a><a class=\"btn\" href=\"/me/keys\">Your keys</a><a class=\"btn\" href=\"" WEB_DEVICE_PATH
		"\">Let a command line in</a>\n");
	web_step_button(&w, csrf, "/", "sign-out", "Sign out", "of this browser");
	page_put(&w, "</div>\n");
	web_put_factor(work, &w);
	web_put_passkeys(work, &w);
	web_put_identities(work, csrf, &w);
	put_logins(work, csrf, &w);
	web_put_tokens(work, &w);
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_me(struct http_request *r, void *data)
{
	web_work_start(data, r, run_me, reply_me);
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	web_json_me(&w, &work->caller);
	json_put_key(&w, "tokens");
	writer_text(&w, "[");
	for (size_t i = 0; i < work->token_count; i++) {
		writer_text(&w, i ? "," : "");
		web_json_token(&w, &work->tokens[i]);
	}
	writer_text(&w, "]");
	json_put_key(&w, "sessions");
	writer_text(&w, "[");
	for (size_t i = 0; i < work->login_count; i++) {
		writer_text(&w, i ? "," : "");
		web_json_login(&w, &work->logins[i]);
	}
	writer_text(&w, "]}\n");
	web_reply_json(work->r, &w);
}

/* What a token that is not for everything is not told (people_find_person). */
static int run_json(struct store *store, struct web_work *work, struct err *e)
{
	if (work->caller.who.person && work->caller.who.scope != ACTIONS_ALL)
		return 0;
	return run_me(store, work, e);
}

void web_me_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_json, reply_json);
}

/* ---- the way out ---- */

/* Of a session that a link began, too, which is the door's. */
static int run_leave(struct store *store, struct web_step *step, struct err *e)
{
	if (!step->caller.has_login)
		return 0;
	return login_end(&store->db, step->caller.who.person, step->caller.login, e);
}

static void left(struct web_step *step, const struct err *e)
{
	struct http_answer answer = { .status = 303, .more = { { "location", "/sign-in" } } };
	char cookie[WEB_URL_MAX];

	if (e) {
		http_request_fail(step->r, e);
		return;
	}
	if (!step->caller.has_login &&
	    http_request_cookie(step->r, WEB_COOKIE, cookie, sizeof(cookie)))
		web_door_end(&step->web->door, cookie);
	snprintf(cookie, sizeof(cookie), "%s=; Path=/; %sHttpOnly; SameSite=Lax; Max-Age=0",
		 web_access_cookie(step->r), http_request_is_tls(step->r) ? "Secure; " : "");
	answer.more[1] = (struct rpc_web_field){ "set-cookie", cookie };
	http_request_answer(step->r, &answer);
}

void web_sign_out(struct http_request *r, void *data)
{
	static const char *const names[] = { "csrf", NULL };
	static const struct web_step_way way = { names, run_leave, left, true, TRAIL_SIGN_OUT };

	web_step_start(data, r, &way);
}

/* ---- another password ---- */

static void show_password(struct web_enter *en, unsigned status, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char csrf[WEB_CSRF_LEN + 1];
	struct err no;

	if (web_access_csrf(en->web, en->r, csrf, &no) < 0) {
		http_request_fail(en->r, &no);
		return;
	}
	page_begin(&w, &en->caller, "Change password", "");
	page_put(
		&w,
		"<section class=\"panel gate\" aria-labelledby=\"gate\"><h1 id=\"gate\">Change password</h1>\n");
	web_form_wrong(&w, e);
	web_form_begin(&w, "/me/change", csrf);
	web_form_field(&w, "now", "Password now", "password", "current-password", "", NULL);
	web_form_field(&w, "password", "New password", "password", "new-password", "",
		       WEB_PASSWORD_HINT);
	web_form_field(&w, "again", "New password, once more", "password", "new-password", "",
		       NULL);
	web_enter_code(&w, en->has_factor);
	web_form_end(&w, "Change it, and end my other sessions");
	page_put(&w, "</section>\n");
	page_end(&w);
	web_reply_html(en->r, &w, status);
}

static void reply_password(struct web_work *work)
{
	struct web_enter en = { .r = work->r,
				.web = work->web,
				.caller = work->caller,
				.has_factor = work->factor.is_on };

	if (work->caller.has_login)
		show_password(&en, 200, NULL);
	else
		web_me_note(work);
}

void web_me_password(struct http_request *r, void *data)
{
	web_work_start(data, r, web_run_factor, reply_password);
}

static int change_look(struct store *store, struct web_enter *en, struct err *e)
{
	if (web_work_check(store, &en->caller, "", e) < 0)
		return err_code(e);
	snprintf(en->user, sizeof(en->user), "%s", en->caller.who.name);
	if (web_enter_owner(store, en, e) < 0)
		return err_code(e);
	if (strcmp(en->chosen, web_form_text(en->form, "again")) != 0)
		return err_set(e, ERR_INVALID, "the two new passwords are not the same");
	return password_check(en->user, en->chosen, e);
}

/* Meanwhile the session may have been ended. */
static int change_keep(struct store *store, struct web_enter *en, struct err *e)
{
	if (web_work_check(store, &en->caller, "", e) < 0)
		return err_code(e);
	return account_password(&store->db, en->caller.who.person, &en->made, en->caller.login,
				store_now(), e);
}

static void change_done(struct web_enter *en)
{
	log_info("page: user %s has another password", en->user);
	web_door_forget(&en->web->door, en->caller.who.person);
	http_request_answer(
		en->r, &(struct http_answer){ .status = 303, .more = { { "location", "/me" } } });
}

void web_me_password_try(struct http_request *r, void *data)
{
	static const struct web_enter_way way = {
		TRAIL_CHANGE_PASSWORD, true, change_look, change_keep, change_done, show_password
	};
	static const char *const names[] = { "csrf", "now", "password", "again", NULL };
	struct web_enter *en = web_enter_new(data, r, &way, names, web_enter_codes);
	struct err e;

	if (!en)
		return;
	if (web_check_form(en->web, r, en->form, &e) < 0 ||
	    web_access_take(en->web, r, &en->caller, &e) < 0) {
		http_request_fail(r, &e);
		web_enter_free(en);
		return;
	}
	en->given = web_form_text(en->form, "now");
	en->chosen = web_form_text(en->form, "password");
	web_enter_start(en);
}
