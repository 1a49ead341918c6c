/* SPDX-License-Identifier: Apache-2.0 */
/* web_oidc_link.c — accounts at providers of identities are linked with users, and parted from them. */
#include "common/base/log.h"
#include "computations/web/web_enter.h"
#include "computations/web/web_oidc.h"
#include "computations/web/web_page.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_step.h"
#include "computations/web/web_words.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

/* ---- who is back and is nobody's gives a user's name and password once ---- */

struct proof {
	const struct provider *row;
	char browser[TRIP_TEXT_LEN + 1];
};

void web_oidc_ask(struct web *web, struct http_request *r, const char *provider, const char *proof,
		  const char *name, unsigned status, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char action[IDENTITY_PROVIDER_MAX + 32];

	snprintf(action, sizeof(action), "/sign-in/with/%s/link", provider);
	page_begin(&w, NULL, "Link an account", "/sign-in");
	page_put(&w,
		 "<section class=\"panel gate\" aria-labelledby=\"gate\"><h1 id=\"gate\">Link your "
		 "account at <bdi>%t</bdi></h1>\n<p>%t</p>\n",
		 provider, WEB_OIDC_LINK);
	web_form_wrong(&w, e);
	web_form_begin(&w, action, NULL);
	page_put(&w, "<input type=\"hidden\" name=\"proof\" value=\"%a\">\n", proof);
	web_form_field(&w, "name", "Name", "text", "username", name, NULL);
	web_form_field(&w, "password", "Password", "password", "current-password", "", NULL);
	page_put(
		&w,
		"<div><label for=\"f-factor\">Code of your second factor</label><input "
		"id=\"f-factor\" name=\"factor\" type=\"text\" autocomplete=\"one-time-code\" "
		"aria-describedby=\"h-factor\"><span class=\"hint\" id=\"h-factor\">%t</span></div>\n",
		WEB_OIDC_CODE);
	web_form_end(&w, "Link it and sign in");
	page_put(&w, "<p class=\"small dim\">%t</p></section>\n", WEB_OIDC_NOBODY);
	web_sign_in_reply(web, r, &w, status);
}

static const char *proof_of(const struct web_enter *en)
{
	return web_form_text(en->form, "proof");
}

static int look(struct store *store, struct web_enter *en, struct err *e)
{
	const struct proof *p = en->more;
	struct trip ignored;

	if (trip_find(&store->db, proof_of(en), p->browser, p->row->name, true, store_now(),
		      &ignored, e) < 0)
		return err_code(e);
	return password_find(&store->db, en->user, &en->owner, e);
}

static int keep(struct store *store, struct web_enter *en, struct err *e)
{
	const struct proof *p = en->more;
	struct factor_state state;
	struct trip t;

	if (web_sign_in_check(store, en, e) < 0 ||
	    trip_take(&store->db, proof_of(en), p->browser, p->row->name, true, store_now(), &t,
		      e) < 0 ||
	    identity_add(&store->db, en->person, t.provider, t.issuer, t.subject, store_now(), e) <
		    0 ||
	    factor_look(&store->db, en->person, &state, e) < 0)
		return err_code(e);
	/* Its code was taken in this transaction (web_enter.h). */
	en->with_code = state.is_on;
	return web_enter_login(store, en, e);
}

static void done(struct web_enter *en)
{
	const struct proof *p = en->more;

	log_info("page: user %s is linked with an account at %s", en->user, p->row->name);
	web_enter_in(en);
}

static void show(struct web_enter *en, unsigned status, const struct err *e)
{
	const struct proof *p = en->more;

	web_oidc_ask(en->web, en->r, p->row->name, proof_of(en), en->user, status, e);
}

static void proof_free(void *more)
{
	OPENSSL_cleanse(more, sizeof(struct proof));
	free(more);
}

void web_oidc_link(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_LINK, true, look, keep, done, show };
	static const char *const names[] = { "proof", "name", "password", WEB_FACTOR_FIELD, NULL };
	const struct provider *row = web_oidc_provider(data, r);
	struct web_enter *en = row ? web_enter_new(data, r, &way, names, NULL) : NULL;
	struct proof *p;
	struct err e;

	if (!en)
		return;
	p = calloc(1, sizeof(*p));
	if (!p) {
		http_request_fail(r, (err_nomem(&e), &e));
		web_enter_free(en);
		return;
	}
	p->row = row;
	web_oidc_cookie(r, p->browser);
	en->more = p;
	en->free_more = proof_free;
	web_sign_in_take(en);
	web_enter_start(en);
}

/* ---- on a user's own page ---- */

int web_run_identities(struct store *store, struct web_work *work, struct err *e)
{
	return identity_list(&store->db, work->caller.who.person, work->identities,
			     &work->identity_count, e);
}

void web_put_identities(const struct web_work *work, const char *csrf, struct writer *w)
{
	if (!work->web->oidc && !work->identity_count)
		return;
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-identities\"><h2 "
		 "id=\"h-identities\">Accounts at providers</h2>\n<p class=\"small\">%t</p>\n",
		 work->web->oidc ? WEB_OIDC_HOW : WEB_OIDC_OFF);
	if (work->identity_count)
		page_put(w, "<ul class=\"plain\">\n");
	for (size_t i = 0; i < work->identity_count; i++) {
		const struct identity *one = &work->identities[i];
		char number[24];

		snprintf(number, sizeof(number), "%lld", (long long)one->number);
		page_put(w,
			 "<li><bdi>%t</bdi> <span class=\"mono\"><bdi>%t</bdi></span>, last used ",
			 one->provider, one->subject);
		page_time(w, one->used);
		page_put(w, " ");
		web_step_button(w, csrf, "/me/identities/", number, "Remove", "this account");
		page_put(w, "</li>\n");
	}
	page_put(w, work->identity_count ? "</ul>\n</section>\n" : "</section>\n");
}

static int run_unlink(struct store *store, struct web_step *step, struct err *e)
{
	const char *text = http_request_param(step->r, "number");
	size_t len = strlen(text);
	int64_t number = 0;

	if (!step->caller.has_login)
		return err_set(e, ERR_DENIED, "sign in at /sign-in first");
	if (len && len <= 18 && strspn(text, "0123456789") == len)
		number = strtoll(text, NULL, 10);
	return identity_remove(&store->db, step->caller.who.person, number, e);
}

static void unlinked(struct web_step *step, const struct err *e)
{
	if (e)
		http_request_fail(step->r, e);
	else
		web_step_back(step);
}

void web_oidc_unlink(struct http_request *r, void *data)
{
	static const char *const names[] = { "csrf", NULL };
	static const struct web_step_way way = { names, run_unlink, unlinked, true, TRAIL_UNLINK };

	web_step_start(data, r, &way);
}
