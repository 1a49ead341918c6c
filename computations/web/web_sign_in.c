/* SPDX-License-Identifier: Apache-2.0 */
/* web_sign_in.c — signing in with a password, with a link that lets one choose it, and what follows such a link. */
#include "computations/web/web_sign_in.h"

#include "common/base/log.h"
#include "common/rpc/observer.h"
#include "computations/people/account.h"
#include "computations/people/entry.h"
#include "computations/people/workspace_member.h"
#include "computations/web/web_access.h"
#include "computations/web/web_enter.h"
#include "computations/web/web_oidc.h"
#include "computations/web/web_page.h"
#include "computations/web/web_passkey.h"
#include "computations/web/web_second.h"
#include "computations/web/web_words.h"

#include <stdlib.h>
#include <string.h>

/* Where the answer to a form may lead: a browser asks its page for that, too. */
static void reply(struct web *web, struct http_request *r, struct writer *w, unsigned status,
		  const char *cookie)
{
	struct http_answer answer = { .status = status, .type = WEB_HTML_TYPE, .csp = WEB_CSP };
	char csp[sizeof(WEB_CSP) + 96];
	struct err e;

	if (!http_request_is_tls(r)) {
		snprintf(csp, sizeof(csp), WEB_CSP " http://*.localhost:%u http://localhost:%u",
			 web->door.port, web->door.port);
		answer.csp = csp;
	}
	if (cookie)
		answer.more[0] = (struct rpc_web_field){ "set-cookie", cookie };
	page_end(w);
	if (writer_check(w, "the page", &e) < 0) {
		http_request_fail(r, &e);
		return;
	}
	answer.body = writer_take(w, &answer.len);
	http_request_answer(r, &answer);
}

void web_sign_in_reply(struct web *web, struct http_request *r, struct writer *w, unsigned status)
{
	reply(web, r, w, status, NULL);
}

/* ---- by name and password ---- */

/* A button for passkeys, where they are for this address; `cookie`: the answer has to bring it, or "". */
static void put_passkey(struct web *web, struct http_request *r, char cookie[WEB_URL_MAX],
			struct writer *w)
{
	char browser[2 * WEB_BROWSER_LEN + 1];
	const struct web_passkey_ask ask = { .use = PASSKEY_SIGN_IN,
					     .action = "/sign-in/passkey",
					     .to = browser,
					     .word = "Sign in with a passkey" };
	struct err ignored;
	bool is_new;

	if (!web_passkey_is_here(web, r))
		return;
	if (web_passkey_browser(r, browser, &is_new, &ignored) < 0) {
		w->bad = true;
		return;
	}
	if (is_new)
		web_passkey_cookie(r, browser, cookie);
	web_passkey_put(web, &ask, w);
}

void web_sign_in_show(struct web *web, struct http_request *r, const char *name, unsigned status,
		      const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char cookie[WEB_URL_MAX] = "";

	page_begin(&w, NULL, "Sign in", "/sign-in");
	page_put(
		&w,
		"<section class=\"panel gate\" aria-labelledby=\"gate\"><h1 id=\"gate\">Sign in</h1>\n");
	web_form_wrong(&w, e);
	web_form_begin(&w, "/sign-in", NULL);
	web_form_field(&w, "name", "Name", "text", "username", name, NULL);
	web_form_field(&w, "password", "Password", "password", "current-password", "", NULL);
	web_form_end(&w, "Sign in");
	put_passkey(web, r, cookie, &w);
	web_oidc_put(web, &w);
	page_put(&w, "<p class=\"small dim\">%t</p></section>\n", WEB_NO_PASSWORD);
	reply(web, r, &w, status, *cookie ? cookie : NULL);
}

void web_sign_in(struct http_request *r, void *data)
{
	web_sign_in_show(data, r, "", 200, NULL);
}

static void sign_in_show(struct web_enter *en, unsigned status, const struct err *e)
{
	web_sign_in_show(en->web, en->r, en->user, status, e);
}

static int sign_in_look(struct store *store, struct web_enter *en, struct err *e)
{
	return password_find(&store->db, en->user, &en->owner, e);
}

/* While it was compared it may have been changed, so that whoever came in by it is out. */
int web_sign_in_check(struct store *store, struct web_enter *en, struct err *e)
{
	struct password_owner now;

	if (password_find(&store->db, en->user, &now, e) < 0)
		return err_code(e);
	if (now.person != en->owner.person ||
	    !bytes_equal(now.password.hash, en->owner.password.hash, PASSWORD_HASH_LEN))
		return err_set(e, ERR_UNAUTHENTICATED, WEB_WRONG);
	en->person = en->owner.person;
	return 0;
}

static int sign_in_keep(struct store *store, struct web_enter *en, struct err *e)
{
	return web_sign_in_check(store, en, e) < 0 ? err_code(e) : web_second_begin(store, en, e);
}

void web_sign_in_take(struct web_enter *en)
{
	const char *name = web_form_text(en->form, "name");

	/* What is longer than any name is nobody's. */
	snprintf(en->user, sizeof(en->user), "%s", strlen(name) <= PEOPLE_NAME_MAX ? name : "");
	en->given = web_form_text(en->form, "password");
}

void web_sign_in_try(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_SIGN_IN, false,           sign_in_look,
						  sign_in_keep,  web_second_done, sign_in_show };
	static const char *const names[] = { "name", "password", NULL };
	struct web_enter *en = web_enter_new(data, r, &way, names, NULL);

	if (!en)
		return;
	web_sign_in_take(en);
	web_enter_start(en);
}

/* ---- by a link, where a password is chosen ---- */

static const char *secret_of(const struct http_request *r)
{
	return http_request_param(r, "secret");
}

static void show_choice(struct web *web, struct http_request *r, const char *user, bool is_first,
			unsigned status, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char action[ENTRY_TEXT_LEN + 16];

	snprintf(action, sizeof(action), "/password/%.*s", ENTRY_TEXT_LEN, secret_of(r));
	page_begin(&w, NULL, "Choose a password", "");
	page_put(
		&w,
		"<section class=\"panel gate\" aria-labelledby=\"gate\"><h1 id=\"gate\">Choose a password</h1>\n<p>%t</p>\n",
		is_first ? WEB_FIRST : WEB_CHOOSE);
	web_form_wrong(&w, e);
	web_form_begin(&w, action, NULL);
	if (is_first)
		web_form_field(&w, "name", "Name", "text", "username", user, WEB_NAME_HINT);
	else
		page_put(
			&w,
			"<div><label for=\"f-name\">Name</label><input id=\"f-name\" name=\"name\" "
			"type=\"text\" autocomplete=\"username\" value=\"%a\" readonly></div>\n",
			user);
	web_form_field(&w, "password", "Password", "password", "new-password", "",
		       WEB_PASSWORD_HINT);
	web_form_field(&w, "again", "Password, once more", "password", "new-password", "", NULL);
	web_form_end(&w, is_first ? "Become the administrator" : "Keep it and sign in");
	page_put(&w, "</section>\n");
	web_sign_in_reply(web, r, &w, status);
}

static int look_at_link(struct store *store, void *data, struct err *e)
{
	struct web_enter *en = data;
	struct entry_owner owner;

	if (entry_find(&store->db, secret_of(en->r), store_now(), &owner, e) < 0)
		return err_code(e);
	en->person = owner.person;
	snprintf(en->user, sizeof(en->user), "%s", owner.name);
	return 0;
}

static void looked_at_link(void *data, const struct err *e)
{
	struct web_enter *en = data;

	if (e)
		http_request_fail(en->r, e);
	else
		show_choice(en->web, en->r, en->user, !en->person, 200, NULL);
	web_enter_free(en);
}

void web_choose(struct http_request *r, void *data)
{
	struct web_enter *en = calloc(1, sizeof(*en));
	struct web *web = data;
	struct err e;

	err_nomem(&e);
	if (!en) {
		http_request_fail(r, &e);
		return;
	}
	en->r = http_request_ref(r);
	en->web = web;
	if (web_access_queue(web, r, &(struct store_queue_op){ look_at_link, looked_at_link, en },
			     false, &e) < 0)
		looked_at_link(en, &e);
}

static void choose_show(struct web_enter *en, unsigned status, const struct err *e)
{
	show_choice(en->web, en->r, en->user, !en->person, status, e);
}

/* Of the first administrator the form says who it is. */
static int choose_look(struct store *store, struct web_enter *en, struct err *e)
{
	if (look_at_link(store, en, e) < 0)
		return err_code(e);
	if (!en->person) {
		const char *name = web_form_text(en->form, "name");

		if (people_name_check("name", name, e) < 0)
			return err_code(e);
		snprintf(en->user, sizeof(en->user), "%s", name);
	}
	if (strcmp(en->chosen, web_form_text(en->form, "again")) != 0)
		return err_set(e, ERR_INVALID, "the two passwords are not the same");
	return password_check(en->user, en->chosen, e);
}

static int add_first(struct store *store, const char *name, int64_t now, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	if (workspace_first(&store->db, &w, e) < 0)
		return err_code(e);
	return workspace_member_new(&store->db, &w, name, true, now, e);
}

static int choose_keep(struct store *store, struct web_enter *en, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };
	struct entry_owner owner;
	int64_t now = store_now();

	if (entry_take(&store->db, secret_of(en->r), now, &owner, e) < 0 ||
	    (!owner.person && add_first(store, en->user, now, e) < 0) ||
	    user_find(&store->db, en->user, &u, e) < 0 ||
	    account_password(&store->db, u.number, &en->made, 0, now, e) < 0)
		return err_code(e);
	en->person = u.number;
	return web_second_begin(store, en, e);
}

static void choose_done(struct web_enter *en)
{
	log_info("page: user %s has chosen a password", en->user);
	web_door_forget(&en->web->door, en->person);
	web_second_done(en);
}

void web_choose_try(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_CHOOSE_PASSWORD, false,       choose_look,
						  choose_keep,           choose_done, choose_show };
	static const char *const names[] = { "name", "password", "again", NULL };
	struct web_enter *en = web_enter_new(data, r, &way, names, NULL);

	if (!en)
		return;
	en->chosen = web_form_text(en->form, "password");
	web_enter_start(en);
}

/* ---- what follows a link ---- */

struct arrival {
	struct http_request *r; /* a reference */
	struct web *web;
	struct web_trail trail;
	struct web_pass pass;
	char about[LOGIN_ABOUT_MAX + 1];
	char secret[LOGIN_TEXT_LEN + 1];
	char user[PEOPLE_NAME_MAX + 1]; /* whose link it was; "": an operator's */
};

static int name_user(struct store *store, struct arrival *a, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };

	if (user_numbered(&store->db, a->pass.person, &u, e) < 0)
		return err_code(e);
	snprintf(a->user, sizeof(a->user), "%s", u.name);
	return 0;
}

/* A link that the password alone was worth, from before a second factor was there: that ends such links, but one may
 * have been under way. */
static int check_link(struct store *store, const struct web_pass *pass, struct err *e)
{
	struct factor_state state = { .is_on = false };

	if (pass->person && !pass->with_code &&
	    factor_look(&store->db, pass->person, &state, e) < 0)
		return err_code(e);
	return state.is_on
		       ? err_set(e, ERR_UNAUTHENTICATED,
				 "a second factor was set up since you signed in: sign in again")
		       : 0;
}

static int run_arrive(struct store *store, void *data, struct err *e)
{
	struct arrival *a = data;
	const struct login from = { .peer = (char *)(uintptr_t)http_request_peer(a->r),
				    .about = a->about };

	if (check_link(store, &a->pass, e) < 0)
		return err_code(e);
	if (a->pass.person && (login_add(&store->db, a->pass.person, a->pass.name, &from,
					 store_now(), a->secret, e) < 0 ||
			       name_user(store, a, e) < 0))
		return err_code(e);
	return web_trail_add(store, &a->trail, a->user, e);
}

/* A user's session is in the database, that of whoever may open the socket at the door. */
static int begin(struct arrival *a, char cookie[WEB_URL_MAX], struct err *e)
{
	if (!a->pass.person)
		return web_door_begin(&a->web->door, &a->pass, cookie, e);
	/* Lax: the browser comes from where it signed in, which is another name. Forms have more (web_access_csrf). */
	snprintf(cookie, WEB_URL_MAX, WEB_COOKIE "=%s; Path=/; HttpOnly; SameSite=Lax", a->secret);
	return 0;
}

static void arrived(void *data, const struct err *e)
{
	char cookie[WEB_URL_MAX] = "";
	struct arrival *a = data;
	struct err why;

	if (!e && begin(a, cookie, &why) < 0)
		e = &why;
	if (*a->user)
		(void)!rpc_call_note(a->trail.call, "by", a->user);
	web_trail_end(&a->trail, e);
	if (e) {
		http_request_fail(a->r, e);
	} else {
		log_info("page: %s came with a link, and is in", http_request_peer(a->r));
		http_request_answer(a->r,
				    &(struct http_answer){ .status = 303,
							   .more = { { "location", "/" },
								     { "set-cookie", cookie } } });
	}
	explicit_bzero(cookie, sizeof(cookie));
	http_request_unref(a->r);
	explicit_bzero(a, sizeof(*a));
	free(a);
}

static int take(struct arrival *a, struct err *e)
{
	if (web_trail_begin(&a->trail, a->web, a->r, TRAIL_COME_IN, e) < 0)
		return err_code(e);
	if (web_door_take(&a->web->door, http_request_host(a->r), secret_of(a->r), &a->pass, e) <
	    0) {
		log_info("page: %s came with a link that does not work", http_request_peer(a->r));
		return err_code(e);
	}
	return web_trail_admit(&a->trail, "", e);
}

void web_arrive(struct http_request *r, void *data)
{
	struct arrival *a = calloc(1, sizeof(*a));
	struct web *web = data;
	struct err e;

	if (!a) {
		http_request_fail(r, (err_nomem(&e), &e));
		return;
	}
	a->r = http_request_ref(r);
	a->web = web;
	web_enter_about(r, a->about);
	if (take(a, &e) < 0 ||
	    web_access_queue(web, r, &(struct store_queue_op){ run_arrive, arrived, a }, true, &e) <
		    0)
		arrived(a, &e);
}

/* ---- who may open the administrators' socket lets a browser in ---- */

struct gift {
	struct http_request *r; /* a reference */
	struct web *web;
	struct web_trail trail;
};

static int run_give(struct store *store, void *data, struct err *e)
{
	const struct gift *gift = data;

	return web_trail_add(store, &gift->trail, "", e);
}

static void answer_link(struct http_request *r, const char *url)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_URL_MAX + 1);
	struct http_answer answer = { .status = 200, .type = "text/plain; charset=utf-8" };

	log_info("page: user %u got a link that works once",
		 (unsigned)http_request_identity(r).uid);
	writer_text(&w, url);
	writer_text(&w, "\n");
	answer.body = writer_take(&w, &answer.len);
	http_request_answer(r, &answer);
}

static void given(void *data, const struct err *e)
{
	struct gift *gift = data;
	char url[WEB_URL_MAX];
	struct err why;

	if (!e && web_door_link(&gift->web->door, 0, false, url, &why) < 0)
		e = &why;
	web_trail_end(&gift->trail, e);
	if (e)
		http_request_fail(gift->r, e);
	else
		answer_link(gift->r, url);
	explicit_bzero(url, sizeof(url));
	http_request_unref(gift->r);
	free(gift);
}

void web_give_link(struct http_request *r, void *data)
{
	struct gift *gift = calloc(1, sizeof(*gift));
	struct web *web = data;
	struct err e;

	if (!gift) {
		http_request_fail(r, (err_nomem(&e), &e));
		return;
	}
	gift->r = http_request_ref(r);
	gift->web = web;
	if (web_trail_begin(&gift->trail, web, r, TRAIL_GIVE_LINK, &e) < 0 ||
	    web_trail_admit(&gift->trail, "", &e) < 0 ||
	    store_queue_add_audited(web->service->queue,
				    &(struct store_queue_op){ run_give, given, gift }, &e) < 0)
		given(gift, &e);
}
