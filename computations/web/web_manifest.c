/* SPDX-License-Identifier: Apache-2.0 */
/* web_manifest.c — what everybody agreed to, how that is checked, and whose key is where. */
#include "common/base/utf8.h"
#include "common/http/html.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_SHOWN = 1000 }; /* bytes of a record's text on the page; the API has all */

int web_run_manifest(struct store *store, struct web_work *work, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (store_computation(store, work->id, &work->c, e) < 0 ||
	    store_manifest(store, work->id, &bytes, &len, e) < 0 ||
	    manifest_decode(bytes, len, &work->manifest, e) < 0)
		return err_code(e);
	if (store_key_owners(store, work->manifest, &work->owners, e) < 0)
		return err_code(e);
	return store_confirmations(store, work->id, &work->confirmations, e);
}

/* Its name, and the pages that it has. */
void web_put_head(const struct web_work *work, const char *here, struct writer *w)
{
	static const struct {
		const char *path, *word;
	} tabs[] = { { "", "Overview" },
		     { "/manifest", "Manifest" },
		     { "/evidence", "Evidence" },
		     { "/roles", "Roles" } };
	const struct computation *c = &work->c;

	page_put(
		w,
		"<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/\">Computations</a> /</nav>\n"
		"<div class=\"head\"><h1><bdi>%t</bdi></h1><p class=\"about\"><bdi>%t</bdi></p></div>\n"
		"<nav class=\"tabs\" aria-label=\"Computation\"><ul>",
		*c->name ? c->name : c->id, c->description);
	for (size_t i = 0; i < ARRAY_LEN(tabs); i++)
		page_put(w, "<li><a href=\"/c/%u%s\"%s>%s</a></li>", c->id, tabs[i].path,
			 strcmp(here, tabs[i].path) == 0 ? " aria-current=\"page\"" : "",
			 tabs[i].word);
	page_put(w, "</ul></nav>\n");
}

void web_put_manifest(const struct web_work *work, struct writer *w)
{
	page_put(w,
		 "<section class=\"panel\" id=\"manifest\" aria-labelledby=\"h-man\"><h2 "
		 "id=\"h-man\">Manifest</h2>\n<p>%t</p>\n",
		 WEB_MANIFEST);
	page_digest(w, "digest", "Manifest digest", work->c.digest);
	page_put(
		w,
		"<form class=\"compare\" data-with=\"digest\"><div><label for=\"mine\">Digest from "
		"your terminal, or read to you by another party</label><input class=\"mono\" "
		"id=\"mine\" autocomplete=\"off\" spellcheck=\"false\" "
		"aria-describedby=\"mine-out\"></div><button class=\"btn\" type=\"submit\">Compare"
		"</button><output id=\"mine-out\" for=\"mine\" role=\"status\"></output></form>\n"
		"<p><a class=\"btn\" href=\"/c/%u/manifest.json\" download=\"manifest.json\"><svg "
		"class=\"i\" aria-hidden=\"true\"><use href=\"/icons.svg#down\"/></svg>Download the "
		"manifest</a></p>\n<h3><span class=\"word check\"><svg class=\"i\" aria-hidden=\"true\">"
		"<use href=\"/icons.svg#term\"/></svg>Check it with your CLI</span></h3>\n",
		work->c.id);
	page_command(w, "check", "cocos-cli checksum --manifest manifest.json", NULL, "");
	page_put(w, "<p class=\"small\">%t</p>\n</section>\n", WEB_COMPARE);
}

static void put_party(const struct web_work *work, struct writer *w, const char *role,
		      const ProtobufCBinaryData *key, const char *what)
{
	const struct user_key_owner *owner = store_key_owner_of(work->owners, key);

	page_put(
		w,
		"<li><div class=\"row between\"><strong><bdi>%t</bdi></strong><span class=\"dim\">%s</span></div>",
		what, role);
	page_fingerprint(w, key->data, key->len);
	if (owner)
		page_put(w, "<span class=\"sub\">Registered by <b><bdi>%t</bdi></b>%s</span>",
			 owner->user, owner->retired ? ", who has retired it" : "");
	page_put(w, "</li>\n");
}

void web_put_people(const struct web_work *work, struct writer *w)
{
	const Cvms__ComputationRunReq *m = work->manifest;

	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-who\"><h2 id=\"h-who\">Participants "
		 "and keys</h2>\n<ul class=\"list\">\n");
	if (m->algorithm)
		put_party(work, w, "sends the algorithm", &m->algorithm->userkey,
			  "Algorithm provider");
	for (size_t i = 0; i < m->n_datasets; i++)
		put_party(work, w, "sends this dataset", &m->datasets[i]->userkey,
			  m->datasets[i]->filename);
	for (size_t i = 0; i < m->n_result_consumers; i++)
		put_party(work, w, "may fetch results", &m->result_consumers[i]->userkey,
			  "Result consumer");
	page_put(w, "</ul>\n<p class=\"small\">%t</p>\n", WEB_KEYS);
	page_command(w, "print", "cocos-cli key fingerprint public.pem", NULL, "");
	page_put(w, "</section>\n");
}

/* What fits, whole characters only. */
static void put_start(struct writer *w, const char *text)
{
	char start[TEXT_SHOWN + 1];
	size_t at = 0, len = strlen(text);

	while (at < len) {
		size_t step = utf8_char(text + at, len - at);

		step = step ? step : 1;
		if (at + step > TEXT_SHOWN)
			break;
		at += step;
	}
	memcpy(start, text, at);
	start[at] = 0;
	html_text(w, start);
	if (at < len)
		writer_text(w, "…");
}

void web_put_record(const struct record *r, struct writer *w)
{
	page_put(w, "<li data-n=\"%d\">", r->number);
	page_time(w, r->received);
	page_put(w, "<div><b><bdi>%t</bdi></b> <bdi>%t</bdi><span class=\"sub\"><bdi>",
		 r->event ? r->type : r->level, r->event ? r->status : "");
	put_start(w, r->text);
	page_put(w, "</bdi></span></div></li>\n");
}

static void put_steps(const struct web_work *work, struct writer *w)
{
	page_put(
		w,
		"<section class=\"panel\" aria-labelledby=\"h-steps\"><h2 id=\"h-steps\">See what you "
		"agree to</h2>\n<p>%t</p>\n",
		WEB_STEPS);
	page_command(w, "get", "cocos-cli computation manifest", work->c.id, " > manifest.json");
	page_command(w, "show", "cocos-cli manifest show manifest.json", NULL, "");
	page_put(w, "<p class=\"small\">%t</p>\n</section>\n", WEB_FROZEN);
}

static void reply_page(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	CLEANUP(free) char *text = NULL;
	struct err e;
	size_t len;

	if (manifest_canonical(work->manifest, &text, &len, &e) < 0) {
		http_request_fail(work->r, &e);
		return;
	}
	page_begin(&w, &work->caller, "Manifest", "");
	web_put_head(work, "/manifest", &w);
	page_put(&w, "<div class=\"cols\"><div class=\"stack\">\n");
	web_put_manifest(work, &w);
	put_steps(work, &w);
	web_put_confirmations(work, &w);
	page_put(&w, "</div><div class=\"stack\">\n");
	web_put_people(work, &w);
	page_put(&w,
		 "</div></div>\n<section class=\"panel\" aria-labelledby=\"h-text\"><h2 "
		 "id=\"h-text\">What the digest is of</h2>\n<pre class=\"text\" tabindex=\"0\" "
		 "role=\"region\" aria-label=\"The manifest\">%t</pre>\n</section>\n",
		 text);
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_manifest_page(struct http_request *r, void *data)
{
	web_work_start(data, r, web_run_manifest, reply_page);
}

/* What the digest is of, byte for byte: it has neither keys nor certificates of the agent's listener. */
static void reply_manifest(struct web_work *work)
{
	struct http_answer answer = { .status = 200, .type = "application/json" };
	char *text = NULL;
	struct err e;

	if (manifest_canonical(work->manifest, &text, &answer.len, &e) < 0) {
		http_request_fail(work->r, &e);
		return;
	}
	answer.body = (uint8_t *)text;
	answer.more[0] = (struct rpc_web_field){ "content-disposition",
						 "attachment; filename=\"manifest.json\"" };
	http_request_answer(work->r, &answer);
}

void web_manifest(struct http_request *r, void *data)
{
	web_work_start(data, r, web_run_manifest, reply_manifest);
}
