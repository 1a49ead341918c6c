/* SPDX-License-Identifier: Apache-2.0 */
/* web_confirm.c — who has compared the digest of a manifest: on its pages, and for programs. */
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

static const char *words_of(const struct store_confirmation *c)
{
	if (c->stale)
		return "stale: the manifest has changed since";
	return c->retired ? "by a key that was retired since: it does not count" : "this digest";
}

static void put_row(const struct store_confirmation *c, struct writer *w)
{
	page_put(w,
		 "<li><div class=\"row between\"><strong><bdi>%t</bdi></strong><span "
		 "class=\"dim\">%s</span></div>",
		 c->user, words_of(c));
	page_key(w, c->key);
	page_put(w, "<span class=\"sub\">");
	page_time(w, c->made);
	page_put(w, "</span></li>\n");
}

void web_put_confirmations(const struct web_work *work, struct writer *w)
{
	const struct store_confirmations *list = work->confirmations;

	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-seen\"><h2 id=\"h-seen\">Compared by"
		 "</h2>\n<p>%t</p>\n",
		 list->count ? WEB_CONFIRMED : WEB_NOT_CONFIRMED);
	if (list->count) {
		page_put(w, "<ul class=\"list\">\n");
		for (size_t i = 0; i < list->count; i++)
			put_row(&list->rows[i], w);
		page_put(w, "</ul>\n");
		page_command(w, "seen", "cocos-cli computation show", work->c.id, "");
	}
	page_put(w, "<h3>You have compared it, too?</h3>\n");
	page_command(w, "confirm", "cocos-cli computation confirm", work->c.id,
		     " private.pem --manifest manifest.json");
	page_put(w, "</section>\n");
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	web_json_confirmations(&w, work->confirmations);
	web_reply_json(work->r, &w);
}

void web_confirmations_json(struct http_request *r, void *data)
{
	web_work_start(data, r, web_run_manifest, reply_json);
}
