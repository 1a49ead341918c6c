/* SPDX-License-Identifier: Apache-2.0 */
/* web_factor.c — a user's second factor at that user's own page: set up, other recovery codes, removed. */
#include "common/base/log.h"
#include "computations/web/web.h"
#include "computations/web/web_access.h"
#include "computations/web/web_act.h"
#include "computations/web/web_page.h"
#include "computations/web/web_second.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_token.h"
#include "computations/web/web_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

int web_run_factor(struct store *store, struct web_work *work, struct err *e)
{
	if (!work->caller.who.person)
		return 0;
	return factor_look(&store->db, work->caller.who.person, &work->factor, e);
}

void web_put_factor(const struct web_work *work, struct writer *w)
{
	page_put(w, "<section class=\"part\" aria-labelledby=\"h-factor\"><div class=\"row "
		    "between\"><h2 id=\"h-factor\">Second factor</h2>");
	if (work->factor.is_on)
		page_put(w, "<div class=\"row\"><a class=\"btn\" href=\"/me/factor/codes\">New "
			    "recovery codes</a><a class=\"btn\" href=\"/me/factor/remove\">Remove "
			    "it</a></div></div>\n<p class=\"small\">On since ");
	else
		page_put(w,
			 "<a class=\"btn\" href=\"/me/factor\">Set one up</a></div>\n<p "
			 "class=\"small\">%t",
			 WEB_FACTOR_OFF);
	if (work->factor.is_on) {
		page_time(w, work->factor.since);
		page_put(w, ". Recovery codes left: %d of %d.", work->factor.left,
			 (int64_t)FACTOR_RECOVERY);
	}
	page_put(w, "</p></section>\n");
}

/* ---- pages that begin and end alike ---- */

void web_own_begin(struct writer *w, const struct admin_caller *caller, const char *title)
{
	page_begin(w, caller, title, "");
	page_put(w,
		 "<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/me\">You</a> /</nav>\n"
		 "<section class=\"panel gate\" aria-labelledby=\"gate\"><h1 id=\"gate\">%t</h1>\n",
		 title);
}

static void end(struct http_request *r, struct writer *w, unsigned status)
{
	page_put(w, "</section>\n");
	page_end(w);
	web_reply_html(r, w, status);
}

/* What can be copied. */
static void put_text(struct writer *w, const char *id, const char *what, const char *text)
{
	page_put(w,
		 "<div class=\"cmd plain\"><pre id=\"%s\" tabindex=\"0\" role=\"region\" "
		 "aria-label=\"%s\"><code>%t</code></pre><button class=\"btn quiet\" "
		 "type=\"button\" data-copy=\"%s\">Copy<span class=\"sr\"> the %s</span></button>"
		 "</div>\n",
		 id, what, text, id, what);
}

/* ---- what takes the password, and a code where there is one ---- */

struct ask {
	const char *title, *text, *path, *word;
};
static const struct ask ask_begin = { "Set up a second factor", WEB_FACTOR, "/me/factor",
				      "See its key" };
static const struct ask ask_renew = { "New recovery codes", WEB_FACTOR_RENEW, "/me/factor/codes",
				      "Make them" };
static const struct ask ask_remove = { "Remove your second factor", WEB_FACTOR_REMOVE,
				       "/me/factor/remove", "Remove it" };

static void show(struct web_enter *en, const struct ask *ask, unsigned status, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char csrf[WEB_CSRF_LEN + 1];
	struct err no;

	if (web_access_csrf(en->web, en->r, csrf, &no) < 0) {
		http_request_fail(en->r, &no);
		return;
	}
	web_own_begin(&w, &en->caller, ask->title);
	page_put(&w, "<p>%t</p>\n", ask->text);
	web_form_wrong(&w, e);
	web_form_begin(&w, ask->path, csrf);
	web_form_field(&w, "password", "Your password", "password", "current-password", "", NULL);
	web_enter_code(&w, en->has_factor);
	web_form_end(&w, ask->word);
	end(en->r, &w, status);
}

static void show_begin(struct web_enter *en, unsigned status, const struct err *e)
{
	show(en, &ask_begin, status, e);
}

static void show_renew(struct web_enter *en, unsigned status, const struct err *e)
{
	show(en, &ask_renew, status, e);
}

static void show_remove(struct web_enter *en, unsigned status, const struct err *e)
{
	show(en, &ask_remove, status, e);
}

static void reply(struct web_work *work, const struct ask *ask)
{
	struct web_enter en = { .r = work->r,
				.web = work->web,
				.caller = work->caller,
				.has_factor = work->factor.is_on };

	if (work->caller.has_login)
		show(&en, ask, 200, NULL);
	else
		web_me_note(work);
}

static void reply_begin(struct web_work *work)
{
	reply(work, &ask_begin);
}

static void reply_renew(struct web_work *work)
{
	reply(work, &ask_renew);
}

static void reply_remove(struct web_work *work)
{
	reply(work, &ask_remove);
}

void web_factor(struct http_request *r, void *data)
{
	web_work_start(data, r, web_run_factor, reply_begin);
}

void web_factor_codes(struct http_request *r, void *data)
{
	web_work_start(data, r, web_run_factor, reply_renew);
}

void web_factor_off(struct http_request *r, void *data)
{
	web_work_start(data, r, web_run_factor, reply_remove);
}

/* ---- on the way ---- */

int web_own_look(struct store *store, struct web_enter *en, struct err *e)
{
	if (web_work_check(store, &en->caller, "", e) < 0)
		return err_code(e);
	if (!en->caller.has_login)
		return err_set(e, ERR_DENIED,
			       "sign in with a name and a password at /sign-in first");
	snprintf(en->user, sizeof(en->user), "%s", en->caller.who.name);
	return web_enter_owner(store, en, e);
}

/* Meanwhile the session may have been ended, or the password changed. */
int web_own_look_again(struct store *store, struct web_enter *en, struct err *e)
{
	struct password_owner now;

	if (web_work_check(store, &en->caller, "", e) < 0 ||
	    password_find(&store->db, en->user, &now, e) < 0)
		return err_code(e);
	return bytes_equal(now.password.hash, en->owner.password.hash, PASSWORD_HASH_LEN)
		       ? 0
		       : err_set(e, ERR_UNAUTHENTICATED, WEB_WRONG);
}

void web_own_start(struct web *web, struct http_request *r, const struct web_enter_way *way,
		   const char *const *names)
{
	struct web_enter *en =
		web_enter_new(web, r, way, names, way->takes_code ? web_enter_codes : NULL);
	struct err e;

	if (!en)
		return;
	if (web_check_form(web, r, en->form, &e) < 0 ||
	    web_access_take(web, r, &en->caller, &e) < 0) {
		http_request_fail(r, &e);
		web_enter_free(en);
		return;
	}
	if (web_form_has(en->form, "password"))
		en->given = web_form_text(en->form, "password");
	web_enter_start(en);
}

static const char *const password_names[] = { "csrf", "password", NULL };

/* ---- set up: its key, and the first code ---- */

static int begin_keep(struct store *store, struct web_enter *en, struct err *e)
{
	if (web_own_look_again(store, en, e) < 0)
		return err_code(e);
	return factor_begin(&store->db, store->secrets, en->owner.person, store_now(), en->totp, e);
}

static void put_key(const struct web_enter *en, struct writer *w)
{
	char text[TOTP_BASE32_LEN + 1], uri[TOTP_URI_MAX];

	totp_base32(en->totp, text);
	totp_uri(text, en->user, uri);
	page_put(w, "<p>%t</p>\n", WEB_FACTOR_SCAN);
	put_text(w, "key", "key", text);
	page_put(w, "<p>Or all of it, for a program that takes an address:</p>\n");
	put_text(w, "uri", "address", uri);
	OPENSSL_cleanse(text, sizeof(text));
	OPENSSL_cleanse(uri, sizeof(uri));
}

static void show_key(struct web_enter *en, bool with_key, unsigned status, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char csrf[WEB_CSRF_LEN + 1];
	struct err no;

	if (web_access_csrf(en->web, en->r, csrf, &no) < 0) {
		http_request_fail(en->r, &no);
		return;
	}
	web_own_begin(&w, &en->caller, ask_begin.title);
	web_form_wrong(&w, e);
	if (with_key)
		put_key(en, &w);
	web_form_begin(&w, "/me/factor/confirm", csrf);
	web_form_field(&w, "code", "Code", "text", "one-time-code", "", WEB_FACTOR_HINT);
	web_form_end(&w, "Switch it on");
	if (!with_key)
		page_put(&w, "<p class=\"small\"><a href=\"/me/factor\">%t</a></p>\n",
			 WEB_FACTOR_AGAIN);
	end(en->r, &w, status);
}

static void begin_done(struct web_enter *en)
{
	show_key(en, true, 200, NULL);
}

void web_factor_begin(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_BEGIN_FACTOR, false,      web_own_look,
						  begin_keep,         begin_done, show_begin };

	web_own_start(data, r, &way, password_names);
}

/* They were made by the password alone, and go on: who sets up a factor since somebody else may know it, sees them here. */
static int find_tokens(struct store *store, struct web_enter *en, struct err *e)
{
	en->tokens = calloc(TOKENS_MAX, sizeof(*en->tokens));
	if (!en->tokens)
		return err_nomem(e);
	return token_list(&store->db, en->caller.who.person, en->tokens, &en->token_count, e);
}

/* So do accounts at providers; of those that say that they saw a second factor, no code is asked here. */
struct linked {
	struct identity rows[IDENTITIES_MAX];
	size_t count;
};

static int find_linked(struct store *store, struct web_enter *en, struct err *e)
{
	struct linked *linked = calloc(1, sizeof(*linked));

	if (!linked)
		return err_nomem(e);
	en->more = linked;
	en->free_more = free;
	return identity_list(&store->db, en->caller.who.person, linked->rows, &linked->count, e);
}

static int confirm_keep(struct store *store, struct web_enter *en, struct err *e)
{
	if (web_work_check(store, &en->caller, "", e) < 0 || find_tokens(store, en, e) < 0 ||
	    find_linked(store, en, e) < 0)
		return err_code(e);
	return factor_confirm(&store->db, store->secrets, en->caller.who.person,
			      web_form_text(en->form, "code"), en->caller.login, store_now(),
			      &en->recovery, e);
}

static void put_token(const struct token *t, struct writer *w)
{
	page_put(w, "<li><strong><bdi>%t</bdi></strong> <span class=\"sub\">made ", t->name);
	page_time(w, t->created);
	page_put(w, "</span></li>\n");
}

static void put_tokens(const struct web_enter *en, struct writer *w)
{
	int64_t now = store_now();
	size_t shown = 0;

	for (size_t i = 0; i < en->token_count; i++) {
		if (en->tokens[i].expires <= now)
			continue;
		if (!shown++)
			page_put(w, "<p class=\"note\">%t</p>\n<ul class=\"list\">\n",
				 WEB_FACTOR_TOKENS);
		put_token(&en->tokens[i], w);
	}
	if (shown)
		page_put(w, "</ul>\n");
}

static void put_linked(const struct linked *linked, struct writer *w)
{
	if (!linked || !linked->count)
		return;
	page_put(w, "<p class=\"note\">%t</p>\n<ul class=\"list\">\n", WEB_FACTOR_LINKED);
	for (size_t i = 0; i < linked->count; i++) {
		page_put(
			w,
			"<li><strong><bdi>%t</bdi></strong> <span class=\"mono\"><bdi>%t</bdi></span> "
			"<span class=\"sub\">linked ",
			linked->rows[i].provider, linked->rows[i].subject);
		page_time(w, linked->rows[i].created);
		page_put(w, "</span></li>\n");
	}
	page_put(w, "</ul>\n");
}

static void show_codes(struct web_enter *en, const char *note)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char text[FACTOR_RECOVERY * (FACTOR_RECOVERY_TEXT_LEN + 1) + 1];
	size_t len = 0;

	for (int i = 0; i < FACTOR_RECOVERY; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? "\n" : "",
					en->recovery.codes[i]);
	web_own_begin(&w, &en->caller, "Your recovery codes");
	page_put(&w, "<p>%t%s%t</p>\n", note, *note ? " " : "", WEB_FACTOR_CODES);
	put_text(&w, "codes", "recovery codes", text);
	put_tokens(en, &w);
	put_linked(en->more, &w);
	page_put(&w, "<p><a class=\"btn\" href=\"/me\">They are kept</a></p>\n");
	end(en->r, &w, 200);
	OPENSSL_cleanse(text, sizeof(text));
}

static void confirm_done(struct web_enter *en)
{
	log_info("page: user %s has a second factor", en->user);
	web_door_forget(&en->web->door, en->caller.who.person);
	show_codes(en, WEB_FACTOR_IS_ON);
}

static void show_confirm(struct web_enter *en, unsigned status, const struct err *e)
{
	show_key(en, false, status, e);
}

void web_factor_confirm(struct http_request *r, void *data)
{
	static const struct web_enter_way way = {
		TRAIL_CONFIRM_FACTOR, false, web_own_look, confirm_keep, confirm_done, show_confirm
	};
	static const char *const names[] = { "csrf", "code", NULL };

	web_own_start(data, r, &way, names);
}

/* ---- other recovery codes; none of it any more ---- */

static int renew_keep(struct store *store, struct web_enter *en, struct err *e)
{
	if (web_own_look_again(store, en, e) < 0)
		return err_code(e);
	return factor_renew(&store->db, en->owner.person, &en->recovery, e);
}

static void renew_done(struct web_enter *en)
{
	show_codes(en, "");
}

void web_factor_renew(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_RENEW_CODES, true,       web_own_look,
						  renew_keep,        renew_done, show_renew };

	web_own_start(data, r, &way, password_names);
}

static int remove_keep(struct store *store, struct web_enter *en, struct err *e)
{
	if (web_own_look_again(store, en, e) < 0)
		return err_code(e);
	return factor_remove(&store->db, en->owner.person, e);
}

static void remove_done(struct web_enter *en)
{
	log_info("page: user %s has no second factor any more", en->user);
	http_request_answer(
		en->r, &(struct http_answer){ .status = 303, .more = { { "location", "/me" } } });
}

void web_factor_remove(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_REMOVE_FACTOR, true,        web_own_look,
						  remove_keep,         remove_done, show_remove };

	web_own_start(data, r, &way, password_names);
}
