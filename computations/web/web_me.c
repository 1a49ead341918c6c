/* SPDX-License-Identifier: Apache-2.0 */
/* web_me.c — who is in: his sessions, tokens and password, and the way out. */
#include "common/base/log.h"
#include "computations/people/account.h"
#include "computations/web/web.h"
#include "computations/web/web_access.h"
#include "computations/web/web_enter.h"
#include "computations/web/web_page.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_step.h"
#include "computations/web/web_words.h"

#include <stdlib.h>
#include <string.h>

/* ---- the page ---- */

static int run_me(struct store *store, struct web_work *work, struct err *e)
{
	int64_t person = work->caller.who.person;

	if (!person)
		return 0;
	if (login_list(&store->db, person, store_now(), work->logins, &work->login_count, e) < 0)
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

static void put_tokens(const struct web_work *work, const char *csrf, struct writer *w)
{
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-tokens\"><h2 id=\"h-tokens\">Tokens"
		 "</h2>\n<p class=\"small\">%t</p>\n<ul>\n",
		 WEB_TOKENS);
	for (size_t i = 0; i < work->token_count; i++) {
		const struct token *t = &work->tokens[i];

		page_put(w, "<li><b class=\"mono\">%t</b>, until ", t->name);
		page_time(w, t->expires);
		page_put(w, ", used ");
		page_time(w, t->used);
		web_step_button(w, csrf, "/me/tokens/", t->name, "Revoke", t->name);
		page_put(w, "</li>\n");
	}
	page_put(w, "</ul>\n</section>\n");
}

/* Of somebody who has no session here that could change anything. */
static void reply_note(struct web_work *work)
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
	char csrf[WEB_CSRF_LEN + 1];
	struct err e;

	if (!caller->has_login || web_access_csrf(work->r, csrf, &e) < 0) {
		reply_note(work);
		return;
	}
	page_begin(&w, caller, "You", "/me");
	page_put(&w, "<div class=\"head\"><h1><bdi>%t</bdi></h1><p>%t</p></div>\n",
		 caller->who.name, caller->who.administrator ? WEB_ME_CHIEF : WEB_ME);
	page_put(&w,
		 "<p><a class=\"btn\" href=\"/me/password\">Change password</a> "
		 "<a class=\"btn\" href=\"" WEB_DEVICE_PATH "\">Let a command line in</a></p>\n");
	web_step_button(&w, csrf, "/", "sign-out", "Sign out", "of this browser");
	put_logins(work, csrf, &w);
	put_tokens(work, csrf, &w);
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_me(struct http_request *r, void *data)
{
	web_work_start(data, r, run_me, reply_me);
}

/* ---- what its forms do ---- */

static void done(struct web_step *step, const struct err *e)
{
	if (e)
		http_request_fail(step->r, e);
	else
		web_step_back(step);
}

static void start(struct web *web, struct http_request *r,
		  int (*run)(struct store *store, struct web_step *step, struct err *e),
		  void (*then)(struct web_step *step, const struct err *e))
{
	static const char *const names[] = { "csrf", NULL };

	web_step_start(web, r, names, run, then);
}

static int run_end(struct store *store, struct web_step *step, struct err *e)
{
	const char *text = http_request_param(step->r, "number");
	long long number;
	char *end;

	number = strtoll(text, &end, 10); /* what is no number is no session's */
	return login_end(&store->db, step->caller.who.person, *end ? 0 : number, e);
}

void web_me_end(struct http_request *r, void *data)
{
	start(data, r, run_end, done);
}

static int run_end_others(struct store *store, struct web_step *step, struct err *e)
{
	return login_end_others(&store->db, step->caller.who.person, step->caller.login, e);
}

/* Those that were about to begin are over, too. */
static void ended_others(struct web_step *step, const struct err *e)
{
	if (!e)
		web_door_forget(&step->web->door, step->caller.who.person);
	done(step, e);
}

void web_me_end_others(struct http_request *r, void *data)
{
	start(data, r, run_end_others, ended_others);
}

static int run_revoke(struct store *store, struct web_step *step, struct err *e)
{
	return token_remove(&store->db, step->caller.who.person,
			    http_request_param(step->r, "name"), e);
}

void web_me_revoke(struct http_request *r, void *data)
{
	start(data, r, run_revoke, done);
}

static int run_sign_out(struct store *store, struct web_step *step, struct err *e)
{
	if (!step->caller.has_login)
		return 0;
	return login_end(&store->db, step->caller.who.person, step->caller.login, e);
}

static void signed_out(struct web_step *step, const struct err *e)
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

/* Of a session that a link began, too, which is the door's. */
void web_sign_out(struct http_request *r, void *data)
{
	start(data, r, run_sign_out, signed_out);
}

/* ---- another password ---- */

static void show_password(struct web_enter *en, unsigned status, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char csrf[WEB_CSRF_LEN + 1];
	struct err no;

	if (web_access_csrf(en->r, csrf, &no) < 0) {
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
	web_form_end(&w, "Change it, and end my other sessions");
	page_put(&w, "</section>\n");
	page_end(&w);
	web_reply_html(en->r, &w, status);
}

static void reply_password(struct web_work *work)
{
	struct web_enter en = { .r = work->r, .web = work->web, .caller = work->caller };

	if (work->caller.has_login)
		show_password(&en, 200, NULL);
	else
		reply_note(work);
}

void web_me_password(struct http_request *r, void *data)
{
	web_work_start(data, r, NULL, reply_password);
}

static int change_look(struct store *store, struct web_enter *en, struct err *e)
{
	if (web_work_check(store, &en->caller, "", e) < 0)
		return err_code(e);
	snprintf(en->user, sizeof(en->user), "%s", en->caller.who.name);
	if (strcmp(en->chosen, web_form_text(en->form, "again")) != 0)
		return err_set(e, ERR_INVALID, "the two new passwords are not the same");
	if (password_check(en->user, en->chosen, e) < 0)
		return err_code(e);
	return password_find(&store->db, en->user, &en->owner, e);
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
	static const struct web_enter_way way = { change_look, change_keep, change_done,
						  show_password };
	static const char *const names[] = { "csrf", "now", "password", "again", NULL };
	struct web_enter *en = web_enter_new(data, r, &way, names);
	struct err e;

	if (!en)
		return;
	if (web_step_check(r, en->form, &e) < 0 ||
	    web_access_take(en->web, r, &en->caller, &e) < 0) {
		http_request_fail(r, &e);
		web_enter_free(en);
		return;
	}
	en->given = web_form_text(en->form, "now");
	en->chosen = web_form_text(en->form, "password");
	web_enter_start(en);
}
