/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_second.h"

#include "computations/web/web_page.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_words.h"

#include <stdio.h>
#include <string.h>

int web_second_begin(struct store *store, struct web_enter *en, struct err *e)
{
	struct factor_state state;

	if (factor_look(&store->db, en->person, &state, e) < 0)
		return err_code(e);
	return state.is_on ? half_add(&store->db, en->person, store_now(), en->half, e)
			   : web_enter_login(store, en, e);
}

static void show(struct web_enter *en, unsigned status, const struct err *e)
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
	page_put(&w, "<p class=\"small dim\">%t</p></section>\n", WEB_CODE_LOST);
	web_sign_in_reply(en->web, en->r, &w, status);
}

void web_second_done(struct web_enter *en)
{
	if (*en->half)
		show(en, 200, NULL);
	else
		web_enter_in(en);
}

static int look(struct store *store, struct web_enter *en, struct err *e)
{
	const char *text = web_form_text(en->form, "half");
	struct half half;

	if (half_find(&store->db, text, store_now(), &half, e) < 0)
		return err_code(e);
	snprintf(en->half, sizeof(en->half), "%s", text);
	snprintf(en->user, sizeof(en->user), "%s", half.user);
	en->person = en->owner.person = half.person;
	return 0;
}

static int keep(struct store *store, struct web_enter *en, struct err *e)
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
	static const struct web_enter_way way = {
		TRAIL_SECOND, true, look, keep, web_enter_in, show
	};
	static const char *const names[] = { "half", WEB_FACTOR_FIELD, NULL };
	struct web_enter *en = web_enter_new(data, r, &way, names, NULL);

	if (en)
		web_enter_start(en);
}
