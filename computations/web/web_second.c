/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_second.h"

#include "computations/web/web_page.h"
#include "computations/web/web_passkey.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_words.h"

#include <stdio.h>
#include <string.h>

int web_second_begin(struct store *store, struct web_enter *en, struct err *e)
{
	struct factor_state state;

	if (factor_look(&store->db, en->person, &state, e) < 0)
		return err_code(e);
	if (!state.is_on)
		return web_enter_login(store, en, e);
	if (passkey_list(&store->db, en->person, &en->keys, &en->key_count, e) < 0)
		return err_code(e);
	return half_add(&store->db, en->person, store_now(), en->half, e);
}

/* What the device may show instead of a code. */
static void put_passkeys(const struct web_enter *en, struct writer *w)
{
	const struct web_passkey_ask ask = { .use = PASSKEY_SECOND,
					     .action = "/sign-in/code/passkey",
					     .to = en->half,
					     .word = "Use a passkey instead",
					     .rows = en->keys,
					     .count = en->key_count,
					     .half = en->half };

	if (en->key_count && web_passkey_is_here(en->web, en->r))
		web_passkey_put(en->web, &ask, w);
}

void web_second_show(struct web_enter *en, unsigned status, const struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	/* The first step has to be taken again. */
	if (!*en->half) {
		web_sign_in_show(en->web, en->r, "", status, e);
		return;
	}
	page_begin(&w, NULL, "Your second factor", "/sign-in");
	page_put(&w, "<section class=\"panel gate\" aria-labelledby=\"gate\"><h1 id=\"gate\">Your "
		     "second factor</h1>\n");
	web_form_wrong(&w, e);
	web_form_begin(&w, "/sign-in/code", NULL);
	page_put(&w, "<input type=\"hidden\" name=\"half\" value=\"%a\">\n", en->half);
	web_enter_code(&w, true);
	web_form_end(&w, "Sign in");
	put_passkeys(en, &w);
	page_put(&w, "<p class=\"small dim\">%t</p></section>\n", WEB_CODE_LOST);
	web_sign_in_reply(en->web, en->r, &w, status);
}

void web_second_done(struct web_enter *en)
{
	if (*en->half)
		web_second_show(en, 200, NULL);
	else
		web_enter_in(en);
}

int web_second_find(struct store *store, struct web_enter *en, const char *text, struct err *e)
{
	struct half half;

	if (half_find(&store->db, text, store_now(), &half, e) < 0 ||
	    passkey_list(&store->db, half.person, &en->keys, &en->key_count, e) < 0)
		return err_code(e);
	snprintf(en->half, sizeof(en->half), "%s", text);
	snprintf(en->user, sizeof(en->user), "%s", half.user);
	en->person = en->owner.person = half.person;
	return 0;
}

static int look(struct store *store, struct web_enter *en, struct err *e)
{
	return web_second_find(store, en, web_form_text(en->form, "half"), e);
}

int web_second_in(struct store *store, struct web_enter *en, struct err *e)
{
	struct half half;

	if (half_take(&store->db, en->half, store_now(), &half, e) < 0) {
		*en->half = 0;
		return err_code(e);
	}
	en->with_code = true;
	return web_enter_login(store, en, e);
}

void web_second_try(struct http_request *r, void *data)
{
	static const struct web_enter_way way = { TRAIL_SECOND,  true,         look,
						  web_second_in, web_enter_in, web_second_show };
	static const char *const names[] = { "half", WEB_FACTOR_FIELD, NULL };
	struct web_enter *en = web_enter_new(data, r, &way, names, NULL);

	if (en)
		web_enter_start(en);
}
