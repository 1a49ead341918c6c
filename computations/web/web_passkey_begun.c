/* SPDX-License-Identifier: Apache-2.0 */
/* web_passkey_begun.c — what was begun in a session goes on at the address that passkeys are for: the page under its secret,
 * where one is added (web_passkey_own.c), or one lets a command line in (web_device.c). */
#include "computations/web/web_access.h"
#include "computations/web/web_page.h"
#include "computations/web/web_passkey.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <openssl/crypto.h>

const char *web_passkey_secret(const struct http_request *r)
{
	return http_request_param(r, "secret");
}

void web_passkey_go(const struct web *web, struct http_request *r, const char *secret)
{
	char url[2 * WEB_URL_MAX];

	snprintf(url, sizeof(url), "%s/passkey/%s", web->passkeys.origin, secret);
	http_request_answer(
		r, &(struct http_answer){ .status = 303, .more = { { "location", url } } });
	OPENSSL_cleanse(url, sizeof(url));
}

/* What was begun for the one is good for nothing else: adding takes the password, and letting in takes a passkey. */
int web_passkey_look(struct store *store, struct web_enter *en, bool for_device, struct err *e)
{
	struct web_bringing *b = en->more;

	if (passkey_begun_find(&store->db, web_passkey_secret(en->r), store_now(), &b->begun, e) <
	    0)
		return err_code(e);
	if (for_device != (*b->begun.device != 0))
		return err_set(e, ERR_UNAUTHENTICATED,
			       "this was begun for something else: begin again at the page under "
			       "You");
	snprintf(en->user, sizeof(en->user), "%s", b->begun.user);
	en->person = en->owner.person = b->begun.person;
	free(TAKE_PTR(b->rows));
	return passkey_list(&store->db, b->begun.person, &b->rows, &b->count, e);
}

void web_passkey_page(struct web_enter *en, const struct web_passkey_page *page, struct writer *w)
{
	struct web_passkey_ask ask = *page->ask;
	char action[PASSKEY_TEXT_LEN + 24];

	snprintf(action, sizeof(action), "/passkey/%.*s%s", PASSKEY_TEXT_LEN,
		 web_passkey_secret(en->r), ask.use == PASSKEY_NEW ? "" : "/use");
	ask.action = action;
	ask.to = web_passkey_secret(en->r);
	page_begin(w, NULL, page->title, "");
	page_put(w,
		 "<section class=\"panel gate\" aria-labelledby=\"gate\"><h1 id=\"gate\">%t</h1>\n",
		 page->title);
	web_form_wrong(w, page->wrong);
	if (!page->wrong && ask.device)
		web_device_put(ask.device, ask.user, w);
	if (!page->wrong &&
	    ask.use == PASSKEY_NEW) /* somebody else may have begun it, and sent its link */
		page_put(w, "<p>%t <b class=\"mono\"><bdi>%t</bdi></b></p>\n", WEB_PASSKEY_WHOSE,
			 en->user);
	if (!page->wrong) {
		page_put(w, "<p>%t</p>\n", page->text);
		web_passkey_put(en->web, &ask, w);
	}
	page_put(w, "</section>\n");
}

/* ---- the page ---- */

static int run_begun(struct store *store, void *data, struct err *e)
{
	struct web_enter *en = data;
	struct web_bringing *b = en->more;

	if (passkey_begun_find(&store->db, web_passkey_secret(en->r), store_now(), &b->begun, e) <
	    0)
		return err_code(e);
	return *b->begun.device ? web_device_passkey_look(store, en, e)
				: web_passkey_look(store, en, false, e);
}

static void looked(void *data, const struct err *e)
{
	struct web_enter *en = data;
	const struct web_bringing *b = en->more;

	if (e)
		http_request_fail(en->r, e);
	else if (*b->begun.device)
		web_device_passkey_show(en, 200, NULL);
	else
		web_passkey_new_show(en);
	web_enter_free(en);
}

void web_passkey_begun(struct http_request *r, void *data)
{
	struct web_enter *en = web_enter_plain(data, r, NULL);
	struct web *web = data;
	struct err e;

	if (!en)
		return;
	if (!web_bringing_new(en, &e) ||
	    web_access_queue(web, r, &(struct store_queue_op){ run_begun, looked, en }, false, &e) <
		    0) {
		http_request_fail(r, &e);
		web_enter_free(en);
	}
}
