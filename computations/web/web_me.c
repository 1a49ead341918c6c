/* SPDX-License-Identifier: Apache-2.0 */
/* web_me.c — who is in: his sessions, tokens and password, and the way out. */
#include "common/base/log.h"
#include "computations/people/account.h"
#include "computations/web/web_access.h"
#include "computations/web/web_enter.h"
#include "computations/web/web_page.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_words.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

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

/* A form of one button, in a row of a table. */
static void put_button(struct writer *w, const char *csrf, const char *action, const char *what,
		       const char *word, const char *about)
{
	page_put(w,
		 "<form method=\"post\" action=\"%s%u\"><input type=\"hidden\" name=\"csrf\" "
		 "value=\"%a\"><button class=\"btn\" type=\"submit\">%t<span class=\"sr\"> "
		 "%t</span></button></form>",
		 action, what, csrf, word, about);
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
		put_button(w, csrf, "/me/sessions/", number, "End", "this session");
		page_put(w, "</td></tr>\n");
	}
	page_put(w, "</tbody></table></div>\n");
	put_button(w, csrf, "/me/", "others", "End all others", "of your sessions");
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
		put_button(w, csrf, "/me/tokens/", t->name, "Revoke", t->name);
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
	page_put(&w, "<p><a class=\"btn\" href=\"/me/password\">Change password</a></p>\n");
	put_button(&w, csrf, "/", "sign-out", "Sign out", "of this browser");
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

struct step {
	struct http_request *r; /* a reference */
	struct web *web;
	struct admin_caller caller;
	int (*run)(struct store *store, struct step *step, struct err *e);
	bool leaves;
	bool ends_others;
};

/* A form of this very session. */
static int check_form(const struct http_request *r, const struct web_form *form, struct err *e)
{
	char csrf[WEB_CSRF_LEN + 1];
	const char *shown = web_form_text(form, "csrf");

	if (web_access_csrf(r, csrf, e) < 0)
		return err_code(e);
	if (strlen(shown) == WEB_CSRF_LEN && CRYPTO_memcmp(csrf, shown, WEB_CSRF_LEN) == 0)
		return 0;
	return err_set(e, ERR_DENIED, "this form is of another session: open the page again");
}

static void step_free(struct step *step)
{
	http_request_unref(step->r);
	free(step);
}

static int step_run(struct store *store, void *data, struct err *e)
{
	struct step *step = data;

	if (web_work_check(store, &step->caller, "", e) < 0)
		return err_code(e);
	return step->run(store, step, e);
}

static void step_done(void *data, const struct err *e)
{
	struct step *step = data;
	struct http_answer answer = { .status = 303, .more = { { "location", "/me" } } };
	char cookie[WEB_URL_MAX];

	if (e) {
		http_request_fail(step->r, e);
	} else if (!step->leaves) {
		if (step->ends_others)
			web_door_forget(&step->web->door, step->caller.who.person);
		http_request_answer(step->r, &answer);
	} else {
		if (!step->caller.has_login &&
		    http_request_cookie(step->r, WEB_COOKIE, cookie, sizeof(cookie)))
			web_door_end(&step->web->door, cookie);
		snprintf(cookie, sizeof(cookie), "%s=; Path=/; %sHttpOnly; SameSite=Lax; Max-Age=0",
			 web_access_cookie(step->r),
			 http_request_is_tls(step->r) ? "Secure; " : "");
		answer.more[0].value = "/sign-in";
		answer.more[1] = (struct rpc_web_field){ "set-cookie", cookie };
		http_request_answer(step->r, &answer);
	}
	step_free(step);
}

static int run_end_others(struct store *store, struct step *step, struct err *e);

static void step_start(struct web *web, struct http_request *r, bool leaves,
		       int (*run)(struct store *store, struct step *step, struct err *e))
{
	static const char *const names[] = { "csrf", NULL };
	CLEANUP(web_form_free) struct web_form *form = NULL;
	struct step *step = calloc(1, sizeof(*step));
	struct err e;

	err_nomem(&e);
	if (!step || web_form_read(r, names, &form, &e) < 0 || check_form(r, form, &e) < 0 ||
	    web_access_take(web, r, &step->caller, &e) < 0) {
		http_request_fail(r, &e);
		free(step);
		return;
	}
	step->r = http_request_ref(r);
	step->web = web;
	step->run = run;
	step->leaves = leaves;
	step->ends_others = run == run_end_others;
	if (store_queue_add(web->service->queue,
			    &(struct store_queue_op){ step_run, step_done, step }, &e) < 0)
		step_done(step, &e);
}

static int run_end(struct store *store, struct step *step, struct err *e)
{
	const char *text = http_request_param(step->r, "number");
	long long number;
	char *end;

	number = strtoll(text, &end, 10); /* what is no number is no session's */
	return login_end(&store->db, step->caller.who.person, *end ? 0 : number, e);
}

void web_me_end(struct http_request *r, void *data)
{
	step_start(data, r, false, run_end);
}

static int run_end_others(struct store *store, struct step *step, struct err *e)
{
	return login_end_others(&store->db, step->caller.who.person, step->caller.login, e);
}

void web_me_end_others(struct http_request *r, void *data)
{
	step_start(data, r, false, run_end_others);
}

static int run_revoke(struct store *store, struct step *step, struct err *e)
{
	return token_remove(&store->db, step->caller.who.person,
			    http_request_param(step->r, "name"), e);
}

void web_me_revoke(struct http_request *r, void *data)
{
	step_start(data, r, false, run_revoke);
}

static int run_sign_out(struct store *store, struct step *step, struct err *e)
{
	if (!step->caller.has_login)
		return 0;
	return login_end(&store->db, step->caller.who.person, step->caller.login, e);
}

/* Of a session that a link began, too, which is the door's. */
void web_sign_out(struct http_request *r, void *data)
{
	step_start(data, r, true, run_sign_out);
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
	if (check_form(r, en->form, &e) < 0 || web_access_take(en->web, r, &en->caller, &e) < 0) {
		http_request_fail(r, &e);
		web_enter_free(en);
		return;
	}
	en->given = web_form_text(en->form, "now");
	en->chosen = web_form_text(en->form, "password");
	web_enter_start(en);
}
