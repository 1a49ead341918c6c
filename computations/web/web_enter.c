/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_enter.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/rpc/observer.h"
#include "computations/web/web_access.h"
#include "computations/web/web_words.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

void web_enter_about(const struct http_request *r, char about[LOGIN_ABOUT_MAX + 1])
{
	const char *text = http_request_header(r, "user-agent", 0);

	snprintf(about, LOGIN_ABOUT_MAX + 1, "%s", text ? text : "");
}

static void take_old(struct web_enter *en)
{
	char old[LOGIN_TEXT_LEN + 1];
	struct err ignored;

	en->has_old = http_request_cookie(en->r, web_access_cookie(en->r), old, sizeof(old)) &&
		      login_hash(old, en->old, &ignored) == 0;
	OPENSSL_cleanse(old, sizeof(old));
}

struct web_enter *web_enter_plain(struct web *web, struct http_request *r,
				  const struct web_enter_way *way)
{
	struct web_enter *en = calloc(1, sizeof(*en));
	struct err e;

	if (!en) {
		http_request_fail(r, (err_nomem(&e), &e));
		return NULL;
	}
	en->r = http_request_ref(r);
	en->web = web;
	en->way = way;
	web_enter_about(r, en->about);
	take_old(en);
	return en;
}

struct web_enter *web_enter_new(struct web *web, struct http_request *r,
				const struct web_enter_way *way, const char *const *names,
				const char *const *others)
{
	struct web_form *form;
	struct web_enter *en;
	struct err e;

	if (web_form_read(r, names, others, &form, &e) < 0) {
		http_request_fail(r, &e);
		return NULL;
	}
	en = web_enter_plain(web, r, way);
	if (en)
		en->form = form;
	else
		web_form_free(form);
	return en;
}

void web_enter_free(struct web_enter *en)
{
	web_trail_end(&en->trail, NULL);
	web_form_free(en->form);
	if (en->free_more)
		en->free_more(en->more);
	free(en->keys);
	for (size_t i = 0; i < en->token_count; i++)
		token_done(&en->tokens[i]);
	free(en->tokens);
	http_request_unref(en->r);
	OPENSSL_cleanse(en, sizeof(*en));
	free(en);
}

/* Something that can be guessed. */
static bool gives(const struct web_enter *en)
{
	return en->given || en->way->takes_code || en->brings;
}

/* What a person can mend is shown with the form; all else as everywhere. */
static void fail(struct web_enter *en, const struct err *e)
{
	web_trail_end(&en->trail, e);
	if (e->code == ERR_INVALID || e->code == ERR_EXISTS)
		en->way->show(en, 400, e);
	else if (e->code == ERR_UNAUTHENTICATED && gives(en))
		en->way->show(en, 401, e);
	else if (e->code == ERR_EXHAUSTED)
		en->way->show(en, 429, e);
	else
		http_request_fail(en->r, e);
	web_enter_free(en);
}

static int run_keep(struct store *store, void *data, struct err *e)
{
	struct web_enter *en = data;

	if (en->way->takes_code &&
	    factor_try(&store->db, store->secrets, en->owner.person,
		       web_form_text(en->form, WEB_FACTOR_FIELD), store_now(), &en->answer, e) < 0)
		return err_code(e);
	/* What was counted stays. */
	if (en->answer != FACTOR_RIGHT)
		return 0;
	if (en->way->keep(store, en, e) < 0)
		return err_code(e);
	/* The refusal gets its own row. */
	if (en->refused.code)
		return 0;
	return web_trail_add(store, &en->trail, en->user, e);
}

/* A password alone is not right yet where a code is owed: else whoever has it takes all places of halves, at no cost. */
static void count_good(struct web_enter *en)
{
	const struct rpc_source source = http_request_source(en->r);

	if (gives(en) && (en->way->takes_code || en->brings || !*en->half))
		sign_in_rate_good(en->web->rate, &source, en->user);
}

static void kept(void *data, const struct err *e)
{
	struct web_enter *en = data;
	struct err wrong;

	if (!e && en->answer != FACTOR_RIGHT) {
		log_info("page: %s gave a wrong code of user %s's second factor",
			 http_request_peer(en->r), en->user);
		factor_refuse(en->answer, &wrong);
		e = &wrong;
	}
	if (!e && en->refused.code)
		e = &en->refused;
	if (e) {
		fail(en, e);
		return;
	}
	count_good(en);
	web_trail_end(&en->trail, NULL);
	en->way->done(en);
	web_enter_free(en);
}

static void queue(struct web_enter *en, int (*run)(struct store *store, void *data, struct err *e),
		  void (*done)(void *data, const struct err *e))
{
	struct err e;

	if (web_access_queue(en->web, en->r, &(struct store_queue_op){ run, done, en }, true, &e) <
	    0)
		fail(en, &e);
}

static void wait_in_line(struct web_enter *en, const char *text, bool is_new,
			 void (*done)(void *data, const struct password_job *job,
				      const struct err *e))
{
	struct password_job job = { .source = http_request_source(en->r),
				    .text = strdup(text),
				    .is_new = is_new,
				    .password = en->owner.password,
				    .done = done,
				    .data = en };
	struct err e;

	err_nomem(&e);
	if (!job.text || password_line_add(en->web->service->passwords, &job, &e) < 0)
		fail(en, &e);
}

/* The name of an account that is to be made is only typed, and may be another user's, who asks for nothing. */
static int admit(struct web_enter *en, struct err *e)
{
	if (en->way->deed != TRAIL_REGISTER && en->way->deed != TRAIL_REGISTER_WITH)
		return web_trail_admit(&en->trail, en->user, e);
	if (!rpc_call_note(en->trail.call, "user", en->user))
		return err_nomem(e);
	return web_trail_admit(&en->trail, "", e);
}

/* An entry in the audit log comes first. */
static void keep(struct web_enter *en)
{
	struct err e;

	if (admit(en, &e) < 0)
		fail(en, &e);
	else
		queue(en, run_keep, kept);
}

static void made(void *data, const struct password_job *job, const struct err *e)
{
	struct web_enter *en = data;

	if (e) {
		fail(en, e);
		return;
	}
	en->made = job->password;
	keep(en);
}

/* One answer for a name that is nobody's, for a user without a password or suspended, and for a wrong one. */
static void compared(void *data, const struct password_job *job, const struct err *e)
{
	struct web_enter *en = data;
	struct err wrong;

	if (!e && (!job->matches || !en->owner.person)) {
		err_set(&wrong, ERR_UNAUTHENTICATED, WEB_WRONG);
		log_info("page: %s gave a name and password that do not belong together",
			 http_request_peer(en->r));
		e = &wrong;
		/* What is nobody's name may be a password that went into the wrong field. */
		if (en->owner.person)
			(void)!rpc_call_note(en->trail.call, "user", en->user);
	}
	if (e) {
		fail(en, e);
		return;
	}
	if (en->chosen)
		wait_in_line(en, en->chosen, true, made);
	else
		keep(en);
}

static int run_look(struct store *store, void *data, struct err *e)
{
	struct web_enter *en = data;

	return en->way->look(store, en, e);
}

static void looked(void *data, const struct err *e)
{
	struct web_enter *en = data;
	const struct rpc_source source = http_request_source(en->r);
	struct err later;

	/* A wrong code beside the password (web_device.c) is a try, too, and so is the first of a new factor. */
	if ((!e || e->code == ERR_INVALID) &&
	    (gives(en) || en->way->deed == TRAIL_CONFIRM_FACTOR) &&
	    sign_in_rate_take(en->web->rate, &source, en->user, clock_ms(CLOCK_BOOTTIME), &later) <
		    0)
		e = &later;
	if (e)
		fail(en, e);
	else if (en->given)
		wait_in_line(en, en->given, false, compared);
	else if (en->chosen)
		wait_in_line(en, en->chosen, true, made);
	else
		keep(en);
}

int web_enter_owner(struct store *store, struct web_enter *en, struct err *e)
{
	struct factor_state state = { .is_on = false };

	if (password_find(&store->db, en->user, &en->owner, e) < 0 ||
	    (en->owner.person && factor_look(&store->db, en->owner.person, &state, e) < 0))
		return err_code(e);
	en->has_factor = state.is_on;
	return 0;
}

const char *const web_enter_codes[] = { WEB_FACTOR_FIELD, NULL };

void web_enter_code(struct writer *w, bool has_factor)
{
	if (has_factor)
		web_form_field(w, WEB_FACTOR_FIELD, "Code of your second factor", "text",
			       "one-time-code", "", WEB_CODE_HINT);
}

void web_enter_start(struct web_enter *en)
{
	struct err e;

	if (web_trail_begin(&en->trail, en->web, en->r, en->way->deed, &e) < 0)
		fail(en, &e);
	else
		queue(en, run_look, looked);
}

int web_enter_login(struct store *store, struct web_enter *en, struct err *e)
{
	const struct login from = { .peer = (char *)(uintptr_t)http_request_peer(en->r),
				    .about = en->about };

	/* On loopback it begins at another name, where the link leads to. */
	if (!http_request_is_tls(en->r))
		return 0;
	/* Nobody takes his session over from somebody who sat there before. */
	if (en->has_old && login_forget(&store->db, en->old, e) < 0)
		return err_code(e);
	return login_add(&store->db, en->person, "", &from, store_now(), en->secret, e);
}

void web_enter_in(struct web_enter *en)
{
	char cookie[WEB_URL_MAX], url[WEB_URL_MAX];
	struct http_answer answer = { .status = 303, .more = { { "location", "/" } } };
	struct err e;

	if (!http_request_is_tls(en->r)) {
		if (web_door_link(&en->web->door, en->person, en->with_code, url, &e) < 0) {
			http_request_fail(en->r, &e);
			return;
		}
		answer.more[0].value = url;
	} else {
		snprintf(cookie, sizeof(cookie), "%s=%s; Path=/; Secure; HttpOnly; SameSite=Lax",
			 web_access_cookie(en->r), en->secret);
		answer.more[1] = (struct rpc_web_field){ "set-cookie", cookie };
	}
	log_info("page: user %s signed in from %s", en->user, http_request_peer(en->r));
	http_request_answer(en->r, &answer);
	OPENSSL_cleanse(cookie, sizeof(cookie));
	OPENSSL_cleanse(url, sizeof(url));
}
