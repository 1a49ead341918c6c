/* SPDX-License-Identifier: Apache-2.0 */
/* web_device.c — somebody who has signed in lets a command line in, by the code that it shows (device.h). */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "computations/people/action.h"
#include "computations/web/web.h"
#include "computations/web/web_access.h"
#include "computations/web/web_act.h"
#include "computations/web/web_enter.h"
#include "computations/web/web_page.h"
#include "computations/web/web_passkey.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_step.h"
#include "computations/web/web_words.h"

#include <string.h>

static const char title[] = "Let a command line in";

static void begin(struct writer *w, const struct admin_caller *caller, const struct err *e)
{
	page_begin(w, caller, title, "");
	page_put(w,
		 "<section class=\"panel gate\" aria-labelledby=\"gate\"><h1 id=\"gate\">%t</h1>\n",
		 title);
	web_form_wrong(w, e);
}

static void end(struct http_request *r, struct writer *w, unsigned status)
{
	page_put(w, "</section>\n");
	page_end(w);
	web_reply_html(r, w, status);
}

/* ---- which one: its code ---- */

static void show_code(struct web *web, struct http_request *r, const struct admin_caller *caller,
		      unsigned status, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char csrf[WEB_CSRF_LEN + 1];
	struct err no;

	if (web_access_csrf(web, r, csrf, &no) < 0) {
		http_request_fail(r, &no);
		return;
	}
	begin(&w, caller, e);
	page_put(&w, "<p>%t</p>\n", WEB_DEVICE);
	web_form_begin(&w, WEB_DEVICE_PATH, csrf);
	web_form_field(&w, "code", "Code", "text", "off", "", WEB_DEVICE_HINT);
	web_form_end(&w, "See who asks");
	end(r, &w, status);
}

static void reply_code(struct web_work *work)
{
	show_code(work->web, work->r, &work->caller, 200, NULL);
}

/* A token lets nobody in, nor does a link of the operators', who have no account. */
static int check_person(const struct admin_caller *caller, struct err *e)
{
	if (caller->has_login)
		return 0;
	return err_set(
		e, ERR_DENIED,
		"who lets a command line in signs in with a name and a password at /sign-in");
}

static int run_code(struct store *store, struct web_work *work, struct err *e)
{
	(void)store;
	return check_person(&work->caller, e);
}

void web_device(struct http_request *r, void *data)
{
	web_work_start(data, r, run_code, reply_code);
}

/* ---- who asks for what, and a password ---- */

static void put_fact(struct writer *w, const char *word, const char *text)
{
	page_put(w, "<dt>%t</dt><dd><bdi>%t</bdi></dd>\n", word, text);
}

void web_device_put(const struct device *d, const char *user, struct writer *w)
{
	char text[256] = "", days[32];
	size_t len = 0;

	for (int i = 0; i < ACTIONS; i++)
		if (d->scope & ACTION_BIT(i))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
						len ? ", " : "",
						action_name((enum people_action)i));
	snprintf(days, sizeof(days), "%u days", d->days);
	page_put(w, "<dl class=\"dl\">\n");
	put_fact(w, "Code", d->code);
	put_fact(w, "From", d->peer);
	put_fact(w, "Calls itself", *d->about ? d->about : "nothing");
	put_fact(w, "To act as", user);
	put_fact(w, "For", d->scope == ACTIONS_ALL ? "everything that you may" : text);
	put_fact(w, "Token ends after", days);
	page_put(w, "</dl>\n");
}

/* Who asks, and what whoever lets it in may do that with. */
struct asker {
	const struct device *d;
	bool has_password, has_factor, has_passkey;
};

static void put_code(const struct device *d, struct writer *w)
{
	page_put(w, "<input type=\"hidden\" name=\"code\" value=\"%a\">\n", d->code);
}

static void put_ways(const struct asker *a, const char *csrf, struct writer *w)
{
	if (a->has_password) {
		web_form_begin(w, WEB_DEVICE_PATH "/let-in", csrf);
		put_code(a->d, w);
		web_form_field(w, "password", "Your password", "password", "current-password", "",
			       NULL);
		web_enter_code(w, a->has_factor);
		web_form_end(w, "Let it in");
	}
	if (a->has_passkey) {
		web_form_begin(w, WEB_DEVICE_PATH "/passkey", csrf);
		put_code(a->d, w);
		web_form_end(w, "Let it in with a passkey");
	}
	if (!a->has_password && !a->has_passkey)
		page_put(w, "<p>%t</p>\n", WEB_DEVICE_NO_WAY);
}

static void show_asker(struct web *web, struct http_request *r, const struct admin_caller *caller,
		       const struct asker *a, unsigned status, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char csrf[WEB_CSRF_LEN + 1];
	struct err no;

	if (web_access_csrf(web, r, csrf, &no) < 0) {
		http_request_fail(r, &no);
		return;
	}
	begin(&w, caller, e);
	web_device_put(a->d, caller->who.name, &w);
	page_put(&w, "<p class=\"note\">%t</p>\n", WEB_DEVICE_WARNING);
	put_ways(a, csrf, &w);
	web_step_button(&w, csrf, WEB_DEVICE_PATH "/refuse/", a->d->code, "Refuse",
			"this command line");
	page_put(&w, "</section>\n");
	/* One of them leads to the address that passkeys are for. */
	web_sign_in_reply(web, r, &w, status);
}

int web_device_see_it(struct store *store, struct web_step *step, struct err *e)
{
	const int64_t person = step->caller.who.person;
	struct password_owner owner;
	int64_t passkeys;

	if (check_person(&step->caller, e) < 0 ||
	    device_find(&store->db, web_form_text(step->form, "code"), store_now(), &step->device,
			e) < 0 ||
	    device_see(&store->db, &step->device, person, e) < 0 ||
	    password_find(&store->db, step->caller.who.name, &owner, e) < 0 ||
	    passkey_count(&store->db, person, &passkeys, e) < 0)
		return err_code(e);
	step->has_password = owner.person;
	step->has_passkey = passkeys && web_passkey_is_set(step->web);
	return factor_look(&store->db, person, &step->factor, e);
}

/* Whoever guesses codes waits as for passwords, and a right one gives back nothing: others ask under them. */
static int take_try(struct web_step *step, struct err *e)
{
	const struct rpc_source source = http_request_source(step->r);

	if (!step->caller.has_login || !step->caller.is_known)
		return 0;
	return sign_in_rate_take(step->web->rate, &source, step->caller.who.name,
				 clock_ms(CLOCK_BOOTTIME), e);
}

void web_device_seen(struct web_step *step, const struct err *e,
		     void (*show)(struct web_step *step))
{
	struct err later;

	if (take_try(step, &later) < 0)
		e = &later;
	if (!e)
		show(step);
	else if (e->code == ERR_INVALID || e->code == ERR_EXHAUSTED)
		show_code(step->web, step->r, &step->caller, e->code == ERR_INVALID ? 400 : 429, e);
	else
		http_request_fail(step->r, e);
}

static void show_seen(struct web_step *step)
{
	const struct asker a = { &step->device, step->has_password, step->factor.is_on,
				 step->has_passkey };

	show_asker(step->web, step->r, &step->caller, &a, 200, NULL);
}

static void seen(struct web_step *step, const struct err *e)
{
	web_device_seen(step, e, show_seen);
}

void web_device_see(struct http_request *r, void *data)
{
	static const char *const names[] = { "csrf", "code", NULL };
	static const struct web_step_way way = { .names = names,
						 .run = web_device_see_it,
						 .done = seen };

	web_step_start(data, r, &way);
}

/* ---- yes, or no ---- */

static int let_in_look(struct store *store, struct web_enter *en, struct err *e)
{
	int64_t passkeys;

	if (web_work_check(store, &en->caller, "", e) < 0 || check_person(&en->caller, e) < 0)
		return err_code(e);
	snprintf(en->user, sizeof(en->user), "%s", en->caller.who.name);
	if (device_find(&store->db, web_form_text(en->form, "code"), store_now(), &en->device, e) <
		    0 ||
	    passkey_count(&store->db, en->caller.who.person, &passkeys, e) < 0)
		return err_code(e);
	en->has_passkey = passkeys && web_passkey_is_set(en->web);
	return web_enter_owner(store, en, e);
}

/* Meanwhile the session may have been ended, or the password changed. */
static int let_in_keep(struct store *store, struct web_enter *en, struct err *e)
{
	struct password_owner now;

	if (web_work_check(store, &en->caller, "", e) < 0 ||
	    password_find(&store->db, en->user, &now, e) < 0)
		return err_code(e);
	if (now.person != en->owner.person ||
	    !bytes_equal(now.password.hash, en->owner.password.hash, PASSWORD_HASH_LEN))
		return err_set(e, ERR_UNAUTHENTICATED, WEB_WRONG);
	return device_answer(&store->db, en->device.code, en->caller.who.person, store_now(), e);
}

void web_device_is_in(struct web_enter *en)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	log_info("page: user %s has let a command line in, from %s", en->user, en->device.peer);
	begin(&w, en->caller.has_login ? &en->caller : NULL, NULL);
	page_put(&w, "<p>%t</p>\n<p><a class=\"btn\" href=\"/me\">Your tokens</a></p>\n",
		 WEB_DEVICE_DONE);
	end(en->r, &w, 200);
}

static void let_in_show(struct web_enter *en, unsigned status, const struct err *e)
{
	const struct asker a = { &en->device, true, en->has_factor, en->has_passkey };

	if (*en->device.code)
		show_asker(en->web, en->r, &en->caller, &a, status, e);
	else
		show_code(en->web, en->r, &en->caller, status, e);
}

void web_device_let_in(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_LET_IN,     true,
						  let_in_look,      let_in_keep,
						  web_device_is_in, let_in_show };
	static const char *const names[] = { "csrf", "code", "password", NULL };
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
	en->given = web_form_text(en->form, "password");
	web_enter_start(en);
}

static int run_refuse(struct store *store, struct web_step *step, struct err *e)
{
	if (check_person(&step->caller, e) < 0)
		return err_code(e);
	return device_answer(&store->db, http_request_param(step->r, "code"), 0, store_now(), e);
}

/* What was done stays done: a code that was right needed no guess. */
static void refused(struct web_step *step, const struct err *e)
{
	struct err later;

	if (e && take_try(step, &later) < 0)
		e = &later;
	if (e)
		http_request_fail(step->r, e);
	else
		web_step_back(step);
}

void web_device_refuse(struct http_request *r, void *data)
{
	static const char *const names[] = { "csrf", NULL };
	static const struct web_step_way way = { names, run_refuse, refused, true, TRAIL_REFUSE };

	web_step_start(data, r, &way);
}
