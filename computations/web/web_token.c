/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_token.h"

#include "common/base/json.h"
#include "common/base/timestamp.h"
#include "computations/people/account.h"
#include "computations/people/password.h"
#include "computations/web/web_access.h"
#include "computations/web/web_enter.h"
#include "computations/web/web_input.h"
#include "computations/web/web_page.h"
#include "computations/web/web_role.h"
#include "computations/web/web_second.h"
#include "computations/web/web_step.h"
#include "computations/web/web_words.h"
#include "people.pb-c.h"
#include "people_paths.h"

#include <string.h>
#include <openssl/crypto.h>

/* ---- those that there are ---- */

static void put_scope(unsigned scope, struct writer *w)
{
	if (scope == ACTIONS_ALL)
		page_put(w, "Everything");
	else
		web_put_actions(w, scope);
}

static void put_row(const struct token *t, const char *csrf, struct writer *w)
{
	page_row_begin(w);
	page_put(w, "<span class=\"mono\">%t</span></th>", t->name);
	page_cell(w, "For");
	page_put(w, "<span>");
	put_scope(t->scope, w);
	page_put(w, "</span></td>");
	page_cell(w, "Until");
	page_time(w, t->expires);
	page_put(w, "</td>");
	page_cell(w, "Used");
	page_time(w, t->used);
	page_put(w, "</td>");
	page_cell(w, "Revoke");
	web_step_button(w, csrf, "/me/tokens/", t->name, "Revoke", t->name);
	page_put(w, "</td></tr>\n");
}

void web_put_tokens(const struct web_work *work, struct writer *w)
{
	static const struct page_column columns[] = { { "Token", false },
						      { "For", false },
						      { "Until", false },
						      { "Used", false },
						      { "Revoke", false } };

	page_put(
		w,
		"<section class=\"part\" aria-labelledby=\"h-tokens\"><div class=\"row between\"><h2 "
		"id=\"h-tokens\">Tokens</h2><a class=\"btn\" href=\"/me/token\">Make a token</a></div>"
		"<p class=\"small\">%t</p>\n",
		WEB_TOKENS);
	if (work->token_count) {
		page_table_begin(w, "Tokens", columns, ARRAY_LEN(columns));
		for (size_t i = 0; i < work->token_count; i++)
			put_row(&work->tokens[i], work->csrf, w);
		page_table_end(w);
	}
	page_put(w, "</section>\n");
}

/* ---- a new one ---- */

static void show(struct web_enter *en, unsigned status, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	char csrf[WEB_CSRF_LEN + 1];
	struct err no;

	if (web_access_csrf(en->web, en->r, csrf, &no) < 0) {
		http_request_fail(en->r, &no);
		return;
	}
	page_begin(&w, &en->caller, "Make a token", "");
	page_put(&w,
		 "<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/me\">You</a> /</nav>\n"
		 "<section class=\"panel gate\" aria-labelledby=\"gate\"><h1 id=\"gate\">Make a "
		 "token</h1>\n");
	web_form_wrong(&w, e);
	web_form_begin(&w, "/me/token", csrf);
	web_form_field(&w, "name", "Name", "text", "off",
		       en->form ? web_form_text(en->form, "name") : "", WEB_TOKEN_NAME);
	web_form_field(&w, "days", "Days until it ends", "number", "off",
		       en->form ? web_form_text(en->form, "days") : "90", NULL);
	web_form_actions(&w, "What it is for", ACTIONS_ALL, 0, WEB_TOKEN_FOR);
	web_form_field(&w, "password", "Your password", "password", "current-password", "",
		       WEB_TOKEN_PASSWORD);
	web_enter_code(&w, en->has_factor);
	web_form_end(&w, "Make it");
	page_put(&w, "</section>\n");
	page_end(&w);
	web_reply_html(en->r, &w, status);
}

static void reply_ask(struct web_work *work)
{
	struct web_enter en = { .r = work->r,
				.web = work->web,
				.caller = work->caller,
				.has_factor = work->factor.is_on };

	if (work->caller.has_login)
		show(&en, 200, NULL);
	else
		web_me_note(work);
}

void web_token_ask(struct http_request *r, void *data)
{
	web_work_start(data, r, web_run_factor, reply_ask);
}

static int look(struct store *store, struct web_enter *en, struct err *e)
{
	if (web_work_check(store, &en->caller, "", e) < 0)
		return err_code(e);
	snprintf(en->user, sizeof(en->user), "%s", en->caller.who.name);
	return web_enter_owner(store, en, e);
}

/* The token itself is a call, which asks again who it is. */
static int keep(struct store *store, struct web_enter *en, struct err *e)
{
	return 0;
}

static void done(struct web_enter *en)
{
	web_act_confirmed(en->web, en->r, &web_page_token, &en->caller, en->form);
}

void web_token_try(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_CONFIRM, true, look, keep, done, show };
	const char *needed[WEB_FORM_NAMES_MAX], *others[WEB_FORM_NAMES_MAX];
	struct web_enter *en =
		web_enter_new(data, r, &way, web_input_names(&web_page_token, true, needed),
			      web_input_names(&web_page_token, false, others));
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

static void reply_page(struct web_act *act, const ProtobufCMessage *answer)
{
	const People__NewToken *m = (const People__NewToken *)answer;
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	page_begin(&w, NULL, "Your token", "");
	page_put(
		&w,
		"<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/me\">You</a> /</nav>\n"
		"<section class=\"panel gate\" aria-labelledby=\"gate\"><h1 id=\"gate\">Your token"
		"</h1>\n<p>%t</p>\n<div class=\"cmd plain\"><pre id=\"token\" tabindex=\"0\" "
		"role=\"region\" aria-label=\"Token\"><code>%t</code></pre><button class=\"btn quiet\" "
		"type=\"button\" data-copy=\"token\">Copy<span class=\"sr\"> the token</span></button>"
		"</div>\n<p>It ends ",
		WEB_TOKEN_ONCE, m->token);
	page_time(&w, m->expires ? m->expires->seconds * 1000 : 0);
	page_put(&w, ".</p>\n<p><a class=\"btn\" href=\"/me\">It is kept</a></p>\n</section>\n");
	page_end(&w);
	web_reply_html(act->r, &w, 200);
}

static void reply_json(struct web_act *act, const ProtobufCMessage *answer)
{
	const People__NewToken *m = (const People__NewToken *)answer;
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_BODY_MAX);
	char text[TIMESTAMP_TEXT_MAX];

	timestamp_format(m->expires ? m->expires->seconds : 0, text);
	writer_text(&w, "{");
	json_put_key(&w, "token");
	json_quote(&w, m->token, strlen(m->token));
	json_put_key(&w, "expires");
	json_quote(&w, text, strlen(text));
	writer_text(&w, "}\n");
	web_reply_made(act->r, &w);
}

const struct web_action web_page_token = {
	.method = PROTO_PEOPLE_ADD_TOKEN,
	.request = &people__add_token_request__descriptor,
	.inputs = web_input_token,
	.needs_password = true,
	.reply = reply_page,
};
const struct web_action web_api_token = {
	.method = PROTO_PEOPLE_ADD_TOKEN,
	.request = &people__add_token_request__descriptor,
	.inputs = web_input_token,
	.reply = reply_json,
	.tells = NOUN_NEW_TOKEN,
	.secret = "token",
	.makes = true,
};
