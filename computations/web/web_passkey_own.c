/* SPDX-License-Identifier: Apache-2.0 */
/* web_passkey_own.c — a passkey is added by its user: with the password, or a session that has just begun where there is none. */
#include "common/base/log.h"
#include "computations/web/web.h"
#include "computations/web/web_access.h"
#include "computations/web/web_act.h"
#include "computations/web/web_page.h"
#include "computations/web/web_passkey.h"
#include "computations/web/web_second.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_step.h"
#include "computations/web/web_token.h"
#include "computations/web/web_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

/* ---- one is about to be added: the password, and a code ---- */

static void show_ask_as(struct web_enter *en, bool fresh, unsigned status, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char csrf[WEB_CSRF_LEN + 1];
	struct err no;

	if (web_access_csrf(en->web, en->r, csrf, &no) < 0) {
		http_request_fail(en->r, &no);
		return;
	}
	web_own_begin(&w, &en->caller, "Add a passkey");
	page_put(&w, "<p>%t</p>\n", fresh ? WEB_PASSKEY_FRESH : WEB_PASSKEY);
	web_form_wrong(&w, e);
	web_form_begin(&w, fresh ? "/me/passkey/fresh" : "/me/passkey", csrf);
	web_form_field(&w, "name", "Name", "text", "off",
		       en->form ? web_form_text(en->form, "name") : "", WEB_PASSKEY_NAME);
	if (!fresh) {
		web_form_field(&w, "password", "Your password", "password", "current-password", "",
			       NULL);
		web_enter_code(&w, en->has_factor);
	}
	web_form_end(&w, "Go on");
	page_put(&w, "</section>\n");
	web_sign_in_reply(en->web, en->r, &w, status);
}

static void show_ask(struct web_enter *en, unsigned status, const struct err *e)
{
	show_ask_as(en, false, status, e);
}

static void show_fresh(struct web_enter *en, unsigned status, const struct err *e)
{
	show_ask_as(en, true, status, e);
}

/* Who came by a provider of identities, or by a passkey alone, may have no password. */
static int run_ask(struct store *store, struct web_work *work, struct err *e)
{
	struct password_owner *owner = calloc(1, sizeof(*owner));

	if (!owner)
		return err_nomem(e);
	work->more = owner;
	work->free_more = free;
	return web_run_factor(store, work, e) < 0
		       ? err_code(e)
		       : password_find(&store->db, work->caller.who.name, owner, e);
}

static void reply_ask(struct web_work *work)
{
	const struct password_owner *owner = work->more;
	struct web_enter en = { .r = work->r,
				.web = work->web,
				.caller = work->caller,
				.has_factor = work->factor.is_on };

	if (work->caller.has_login)
		show_ask_as(&en, !owner->person, 200, NULL);
	else
		web_me_note(work);
}

void web_passkey_ask(struct http_request *r, void *data)
{
	web_work_start(data, r, run_ask, reply_ask);
}

static int begin_look(struct store *store, struct web_enter *en, struct err *e)
{
	if (!web_passkey_is_set(en->web))
		return err_set(e, ERR_INVALID, "%s", WEB_PASSKEYS_NOT_HERE);
	return web_bringing_new(en, e) ? web_own_look(store, en, e) : err_code(e);
}

static int begin(struct store *store, struct web_enter *en, struct err *e)
{
	struct web_bringing *b = en->more;

	snprintf(en->trail.after, sizeof(en->trail.after), "%s", web_form_text(en->form, "name"));
	return passkey_begin(&store->db, en->caller.who.person, en->caller.login,
			     web_form_text(en->form, "name"), store_now(), b->secret, e);
}

static int begin_keep(struct store *store, struct web_enter *en, struct err *e)
{
	return web_own_look_again(store, en, e) < 0 ? err_code(e) : begin(store, en, e);
}

/* Whoever has a password gives it, and the code of a second factor. */
static int fresh_look(struct store *store, struct web_enter *en, struct err *e)
{
	if (begin_look(store, en, e) < 0)
		return err_code(e);
	if (en->owner.person || en->has_factor)
		return err_set(e, ERR_DENIED, "give your password: begin at the page under You");
	return login_check_fresh(&store->db, en->caller.login, store_now(), e);
}

/* Meanwhile the session may have ended, or a password been chosen. */
static int fresh_keep(struct store *store, struct web_enter *en, struct err *e)
{
	struct password_owner now;

	if (web_work_check(store, &en->caller, "", e) < 0 ||
	    password_find(&store->db, en->user, &now, e) < 0)
		return err_code(e);
	if (now.person)
		return err_set(e, ERR_DENIED, "give your password: begin at the page under You");
	return begin(store, en, e);
}

static void begin_done(struct web_enter *en)
{
	const struct web_bringing *b = en->more;

	web_passkey_go(en->web, en->r, b->secret);
}

/* On loopback the way leads there. */
static bool is_there(const struct web *web, struct http_request *r)
{
	struct err e;

	if (!http_request_is_tls(r) || !web_passkey_is_set(web) || web_passkey_is_here(web, r))
		return true;
	err_set(&e, ERR_PRECONDITION, "passkeys are for %s: open the page there",
		web->passkeys.origin);
	http_request_fail(r, &e);
	return false;
}

void web_passkey_begin(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_BEGIN_PASSKEY, true,       begin_look,
						  begin_keep,          begin_done, show_ask };
	static const char *const names[] = { "csrf", "name", "password", NULL };

	if (is_there(data, r))
		web_own_start(data, r, &way, names);
}

void web_passkey_fresh(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_BEGIN_PASSKEY, false,      fresh_look,
						  fresh_keep,          begin_done, show_fresh };
	static const char *const names[] = { "csrf", "name", NULL };

	if (is_there(data, r))
		web_own_start(data, r, &way, names);
}

/* ---- it is added, at the address that it is for ---- */

/* Back where the session is. */
static void put_home(const struct web_enter *en, const struct web_bringing *b,
		     char url[WEB_URL_MAX])
{
	if (*b->begun.host)
		snprintf(url, WEB_URL_MAX, "http://%s.localhost:%u/me", b->begun.host,
			 en->web->door.port);
	else
		snprintf(url, WEB_URL_MAX, "/me");
}

static void show_new(struct web_enter *en, unsigned status, const struct err *e)
{
	const struct web_bringing *b = en->more;
	const struct web_passkey_ask ask = { .use = PASSKEY_NEW,
					     .word = "Make the passkey",
					     .rows = b->rows,
					     .count = b->count,
					     .begun = &b->begun };
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	web_passkey_page(
		en, &(struct web_passkey_page){ "Add a passkey", WEB_PASSKEY_NEW, &ask, e }, &w);
	web_sign_in_reply(en->web, en->r, &w, status);
}

static int look_new(struct store *store, struct web_enter *en, struct err *e)
{
	return web_passkey_look(store, en, false, e);
}

/* Whatever comes of it, the page has worked: a refusal is kept beside the end of what was begun. */
static int add_keep(struct store *store, struct web_enter *en, struct err *e)
{
	struct web_bringing *b = en->more;
	const struct webauthn_want want = { en->web->passkeys.name, en->web->passkeys.origin,
					    b->challenge, true };
	struct webauthn_new made;

	if (look_new(store, en, e) < 0 || passkey_begun_end(&store->db, &b->begun, e) < 0)
		return err_code(e);
	en->refused = b->late;
	if (!en->refused.code &&
	    webauthn_register(&want, b->brought->parts[BROUGHT_CLIENT],
			      b->brought->parts[BROUGHT_OBJECT], &made, &en->refused) == 0)
		en->refused.code = ERR_OK;
	if (en->refused.code)
		return 0;
	snprintf(en->trail.after, sizeof(en->trail.after), "%s", b->begun.name);
	return passkey_add(&store->db, &b->begun, &made, store_now(), e);
}

static void add_done(struct web_enter *en)
{
	const struct web_bringing *b = en->more;
	char url[WEB_URL_MAX];

	log_info("page: user %s has a passkey %s", en->user, b->begun.name);
	put_home(en, b, url);
	http_request_answer(
		en->r, &(struct http_answer){ .status = 303, .more = { { "location", url } } });
}

static const struct web_enter_way add_way = { TRAIL_ADD_PASSKEY, false,    look_new,
					      add_keep,          add_done, show_new };

void web_passkey_new_show(struct web_enter *en)
{
	show_new(en, 200, NULL);
}

void web_passkey_add(struct http_request *r, void *data)
{
	struct web_enter *en =
		web_bringing_read(data, r, &add_way, PASSKEY_NEW, web_passkey_secret(r));

	if (en)
		web_enter_start(en);
}
