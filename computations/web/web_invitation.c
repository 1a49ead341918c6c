/* SPDX-License-Identifier: Apache-2.0 */
/* web_invitation.c — an invitation's link: who has an account joins with it, and who has none makes one. */
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "computations/people/account.h"
#include "computations/people/invitation.h"
#include "computations/web/web_access.h"
#include "computations/web/web_act.h"
#include "computations/web/web_enter.h"
#include "computations/web/web_page.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_words.h"
#include "people.pb-c.h"
#include "people_paths.h"

#include <stdlib.h>
#include <string.h>

/* Whom tries of secrets count for, beside names of users (sign_in_rate.h): none is called so. */
#define RATE_NAME " invitation"

static const char *secret_of(const struct http_request *r)
{
	return http_request_param(r, "secret");
}

static int count_try(struct web *web, const struct http_request *r, struct err *e)
{
	const struct rpc_source source = http_request_source(r);

	return sign_in_rate_take(web->rate, &source, RATE_NAME, clock_ms(CLOCK_BOOTTIME), e);
}

static void count_good(struct web *web, const struct http_request *r)
{
	const struct rpc_source source = http_request_source(r);

	sign_in_rate_good(web->rate, &source, RATE_NAME);
}

/* ---- what it shows ---- */

/* Where the invitation's forms go. */
static void put_path(const struct http_request *r, const char *rest, char out[WEB_URL_MAX])
{
	snprintf(out, WEB_URL_MAX, INVITATION_PATH "%.*s%s", INVITATION_TEXT_LEN, secret_of(r),
		 rest);
}

static void begin(struct writer *w, const char *workspace, const struct err *e)
{
	page_begin(w, NULL, "Invitation", "");
	page_put(
		w,
		"<section class=\"panel gate\" aria-labelledby=\"gate\"><h1 id=\"gate\">Join workspace "
		"<bdi>%t</bdi></h1>\n",
		workspace);
	web_form_wrong(w, e);
}

static void show_register(struct web *web, struct http_request *r, const char *workspace,
			  const char *name, unsigned status, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char path[WEB_URL_MAX];

	begin(&w, workspace, e);
	page_put(&w, "<p>%t</p>\n", WEB_INVITED);
	put_path(r, "", path);
	web_form_begin(&w, path, NULL);
	web_form_field(&w, "name", "Name", "text", "username", name, WEB_NAME_HINT);
	web_form_field(&w, "password", "Password", "password", "new-password", "",
		       WEB_PASSWORD_HINT);
	web_form_field(&w, "again", "Password, once more", "password", "new-password", "", NULL);
	web_form_end(&w, "Make an account and join");
	put_path(r, "/sign-in", path);
	page_put(&w, "<p class=\"small\"><a href=\"%a\">I have an account</a></p></section>\n",
		 path);
	web_sign_in_reply(web, r, &w, status);
}

static void show_known(struct web *web, struct http_request *r, const char *workspace,
		       const char *name, unsigned status, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char path[WEB_URL_MAX];

	begin(&w, workspace, e);
	page_put(&w, "<p>%t</p>\n", WEB_INVITED_KNOWN);
	put_path(r, "/sign-in", path);
	web_form_begin(&w, path, NULL);
	web_form_field(&w, "name", "Name", "text", "username", name, NULL);
	web_form_field(&w, "password", "Password", "password", "current-password", "", NULL);
	web_form_end(&w, "Sign in and join");
	put_path(r, "", path);
	page_put(&w, "<p class=\"small\"><a href=\"%a\">I have no account yet</a></p></section>\n",
		 path);
	web_sign_in_reply(web, r, &w, status);
}

static void show_join(struct http_request *r, const struct admin_caller *caller,
		      const struct invitation *i, const char *csrf)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char path[WEB_URL_MAX];

	begin(&w, i->workspace, NULL);
	page_put(&w, "<p>You are <b><bdi>%t</bdi></b>, and become %t there. %t</p>\n",
		 caller->who.name, membership_rules[i->role].name, WEB_INVITED_IN);
	put_path(r, "/join", path);
	web_form_begin(&w, path, csrf);
	web_form_end(&w, "Join");
	page_put(&w, "</section>\n");
	page_end(&w);
	web_reply_html(r, &w, 200);
}

/* ---- somebody follows it ---- */

struct landing {
	struct http_request *r; /* a reference */
	struct web *web;
	struct admin_caller caller;
	bool is_known; /* who says that he has an account */
	struct invitation i;
};

/* A session that has ended is none. */
static int run_landing(struct store *store, void *data, struct err *e)
{
	struct landing *l = data;
	int failed = l->caller.has_login ? admin_access_know(store, &l->caller, e) : 0;

	if (err_is(failed, ERR_UNAUTHENTICATED))
		l->caller.has_login = false;
	else if (failed)
		return failed;
	return invitation_find(&store->db, secret_of(l->r), store_now(), &l->i, e);
}

static void landed(void *data, const struct err *e)
{
	struct landing *l = data;
	char csrf[WEB_CSRF_LEN + 1];
	struct err why;

	if (!e)
		count_good(l->web, l->r);
	if (!e && l->caller.has_login && web_access_csrf(l->web, l->r, csrf, &why) < 0)
		e = &why;
	if (e)
		http_request_fail(l->r, e);
	else if (l->caller.has_login)
		show_join(l->r, &l->caller, &l->i, csrf);
	else if (l->is_known)
		show_known(l->web, l->r, l->i.workspace, "", 200, NULL);
	else
		show_register(l->web, l->r, l->i.workspace, "", 200, NULL);
	http_request_unref(l->r);
	invitation_done(&l->i);
	free(l);
}

static void land(struct web *web, struct http_request *r, bool is_known)
{
	struct landing *l = calloc(1, sizeof(*l));
	struct err e, ignored;

	err_nomem(&e);
	if (!l || count_try(web, r, &e) < 0) {
		http_request_fail(r, &e);
		free(l);
		return;
	}
	l->r = http_request_ref(r);
	l->web = web;
	l->is_known = is_known;
	if (web_access_take(web, r, &l->caller, &ignored) < 0)
		l->caller.has_login = false;
	if (web_access_queue(web, r, &(struct store_queue_op){ run_landing, landed, l }, false,
			     &e) < 0)
		landed(l, &e);
}

void web_invited(struct http_request *r, void *data)
{
	land(data, r, false);
}

void web_invited_known(struct http_request *r, void *data)
{
	land(data, r, true);
}

/* ---- an account with it ---- */

/* Also what the form that is shown once more needs. */
static int look_at(struct store *store, struct web_enter *en, struct err *e)
{
	struct invitation i CLEANUP_INVITATION = { .note = NULL };

	if (invitation_find(&store->db, secret_of(en->r), store_now(), &i, e) < 0)
		return err_code(e);
	snprintf(en->trail.workspace, sizeof(en->trail.workspace), "%s", i.workspace);
	return 0;
}

static int take(struct store *store, struct web_enter *en, struct err *e)
{
	struct invitation i CLEANUP_INVITATION = { .note = NULL };

	if (invitation_take(&store->db, secret_of(en->r), en->person, store_now(), &i, e) < 0)
		return err_code(e);
	/* As people_take_invitation() has it: the list forgets within a day who came by which, and with what role. */
	snprintf(en->trail.after, sizeof(en->trail.after), "invitation %lld, %s",
		 (long long)i.number, membership_rules[i.role].name);
	return web_enter_login(store, en, e);
}

/* Whether a name is somebody's is not said before a password was computed, which takes its time. */
static int register_look(struct store *store, struct web_enter *en, struct err *e)
{
	const char *name = web_form_text(en->form, "name");

	if (look_at(store, en, e) < 0 || people_name_check("name", name, e) < 0)
		return err_code(e);
	snprintf(en->user, sizeof(en->user), "%s", name);
	if (strcmp(en->chosen, web_form_text(en->form, "again")) != 0)
		return err_set(e, ERR_INVALID, "the two passwords are not the same");
	return password_check(en->user, en->chosen, e);
}

static int register_keep(struct store *store, struct web_enter *en, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };
	const int64_t now = store_now();

	if (look_at(store, en, e) < 0)
		return err_code(e);
	if (user_add(&store->db, en->user, false, now, e) < 0)
		return e->code == ERR_EXISTS ? err_set(e, ERR_EXISTS, WEB_INVITED_TAKEN)
					     : err_code(e);
	if (user_find(&store->db, en->user, &u, e) < 0 ||
	    account_password(&store->db, u.number, &en->made, 0, now, e) < 0)
		return err_code(e);
	en->person = u.number;
	return take(store, en, e);
}

static void register_done(struct web_enter *en)
{
	count_good(en->web, en->r);
	log_info("page: user %s is new, by an invitation to workspace %s", en->user,
		 en->trail.workspace);
	web_enter_in(en);
}

static int run_missed(struct store *store, void *data, struct err *e)
{
	return invitation_missed(&store->db, secret_of(data), e);
}

static void missed(void *data, const struct err *e)
{
	if (e)
		log_error("an invitation by which names of others are tried: %s", e->text);
	http_request_unref(data);
}

/* Tries are counted once the one is refused, which changes nothing else. */
static void register_show(struct web_enter *en, unsigned status, const struct err *e)
{
	struct err why;

	if (e->code == ERR_EXISTS) {
		struct http_request *r = http_request_ref(en->r);

		if (web_access_queue(en->web, r, &(struct store_queue_op){ run_missed, missed, r },
				     false, &why) < 0)
			missed(r, &why);
	}
	show_register(en->web, en->r, en->trail.workspace, en->user, status, e);
}

void web_invited_register(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_REGISTER, false,         register_look,
						  register_keep,  register_done, register_show };
	static const char *const names[] = { "name", "password", "again", NULL };
	struct web *web = data;
	struct web_enter *en;
	struct err e;

	if (count_try(web, r, &e) < 0) {
		http_request_fail(r, &e);
		return;
	}
	en = web_enter_new(web, r, &way, names, NULL);
	if (!en)
		return;
	en->chosen = web_form_text(en->form, "password");
	web_enter_start(en);
}

/* ---- with the password of one that there is ---- */

static int sign_in_look(struct store *store, struct web_enter *en, struct err *e)
{
	if (look_at(store, en, e) < 0)
		return err_code(e);
	return password_find(&store->db, en->user, &en->owner, e);
}

/* Whoever owes a code as well gives it where that is asked for: a session joins without a password. */
static int sign_in_keep(struct store *store, struct web_enter *en, struct err *e)
{
	struct factor_state factor;

	if (web_sign_in_check(store, en, e) < 0 ||
	    factor_look(&store->db, en->person, &factor, e) < 0)
		return err_code(e);
	return factor.is_on ? err_set(e, ERR_INVALID, WEB_INVITED_FACTOR) : take(store, en, e);
}

static void sign_in_done(struct web_enter *en)
{
	count_good(en->web, en->r);
	web_enter_in(en);
}

static void sign_in_show(struct web_enter *en, unsigned status, const struct err *e)
{
	show_known(en->web, en->r, en->trail.workspace, en->user, status, e);
}

void web_invited_sign_in(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_JOIN,   false,        sign_in_look,
						  sign_in_keep, sign_in_done, sign_in_show };
	static const char *const names[] = { "name", "password", NULL };
	struct web *web = data;
	struct web_enter *en;
	struct err e;

	if (count_try(web, r, &e) < 0) {
		http_request_fail(r, &e);
		return;
	}
	en = web_enter_new(web, r, &way, names, NULL);
	if (!en)
		return;
	web_sign_in_take(en);
	web_enter_start(en);
}

/* ---- by a session, or a token ---- */

static void join_json(struct web_act *act, const ProtobufCMessage *answer)
{
	const People__Joined *m = (const People__Joined *)answer;
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_BODY_MAX);

	writer_text(&w, "{");
	json_put_key(&w, "workspace");
	json_quote(&w, m->workspace, strlen(m->workspace));
	json_put_key(&w, "role");
	json_quote(&w, m->role, strlen(m->role));
	writer_text(&w, "}\n");
	web_reply_json(act->r, &w);
}

const struct web_action web_page_join = {
	.method = PROTO_PEOPLE_TAKE_INVITATION,
	.request = &people__take_invitation_request__descriptor,
	.inputs = web_input_join,
	.leads = "/",
};
const struct web_action web_api_join = {
	.method = PROTO_PEOPLE_TAKE_INVITATION,
	.request = &people__take_invitation_request__descriptor,
	.inputs = web_input_join_api,
	.reply = join_json,
	.tells = NOUN_JOINED,
};
