/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_going.h"

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/usage/usage_share.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"

#include <string.h>

enum { TEXT_MAX = 512 }; /* of numbers in our own words */

void web_going_size(struct writer *w, uint64_t size)
{
	char text[USAGE_HOURS_MAX];

	usage_bytes(size, text);
	writer_text(w, text);
}

const Cvms__UploadProgress *web_going_upload(const Cvms__Progress *p, size_t asset)
{
	for (size_t i = 0; p && i < p->n_uploads; i++)
		if (p->uploads[i]->asset == asset)
			return p->uploads[i];
	return NULL;
}

const char *web_going_word(const Cvms__UploadProgress *u)
{
	return u->waits ? WEB_GOING_CUT : WEB_GOING_COMES;
}

static void put_upload_text(struct writer *w, const Cvms__UploadProgress *u)
{
	web_going_size(w, u->received);
	if (u->expected) {
		page_put(w, WEB_GOING_OF);
		web_going_size(w, u->expected);
	} else {
		page_put(w, WEB_GOING_SO_FAR);
	}
	if (u->waits)
		page_put(w, WEB_GOING_KEPT);
}

void web_going_put(struct writer *w, const char *name, const Cvms__UploadProgress *u)
{
	page_put(w, "<div class=\"going\" data-going=\"%d\" data-waits=\"%s\">", (int64_t)u->asset,
		 u->waits ? "true" : "false");
	if (u->expected)
		page_put(w, "<progress max=\"%d\" value=\"%d\" aria-label=\"%a\"></progress>",
			 (int64_t)u->expected, (int64_t)u->received, name);
	page_put(w, "<span class=\"sub\">");
	put_upload_text(w, u);
	page_put(w, "</span></div>");
}

static void put_run_text(struct writer *w, const Cvms__RunProgress *run)
{
	page_put(w, WEB_GOING_RUN, (int64_t)run->memory_mib, (int64_t)run->memory_peak_mib,
		 (int64_t)run->processor_seconds);
}

void web_going_put_run(struct writer *w, const Cvms__Progress *p)
{
	if (!p || !p->run)
		return;
	page_put(w, "<p class=\"small\" id=\"running\">");
	put_run_text(w, p->run);
	page_put(w, "</p>\n");
}

/* ---- for scripts and programs ---- */

static void put_number(struct writer *w, const char *key, uint64_t number)
{
	json_put_key(w, key);
	writer_printf(w, "%llu", (unsigned long long)number);
}

static void put_bool(struct writer *w, const char *key, bool is)
{
	json_put_key(w, key);
	writer_text(w, is ? "true" : "false");
}

/* Our own words and numbers: what is markup in them is none. */
static void put_text(struct writer *w, const char *key, struct writer *text)
{
	struct err ignored;

	json_put_key(w, key);
	if (writer_check(text, "a text", &ignored) < 0)
		w->bad = true;
	else
		json_quote(w, (const char *)text->bytes, text->len);
}

void web_going_json_upload(struct writer *w, const Cvms__UploadProgress *u)
{
	put_number(w, "bytes_received", u->received);
	if (u->expected)
		put_number(w, "bytes_expected", u->expected);
	put_bool(w, "waits", u->waits);
}

void web_going_json_run(struct writer *w, const Cvms__RunProgress *run)
{
	put_number(w, "memory_mib", run->memory_mib);
	put_number(w, "memory_peak_mib", run->memory_peak_mib);
	put_number(w, "memory_limit_mib", run->memory_limit_mib);
	put_number(w, "processor_seconds", run->processor_seconds);
}

static void put_upload_event(struct writer *w, const Cvms__UploadProgress *u)
{
	CLEANUP_WRITER struct writer text = writer_up_to(TEXT_MAX);

	put_upload_text(&text, u);
	writer_text(w, "{");
	put_number(w, "asset", u->asset);
	web_going_json_upload(w, u);
	put_text(w, "text", &text);
	writer_text(w, "}");
}

static void put_run_event(struct writer *w, const Cvms__RunProgress *run)
{
	CLEANUP_WRITER struct writer text = writer_up_to(TEXT_MAX);

	put_run_text(&text, run);
	writer_text(w, "{");
	web_going_json_run(w, run);
	put_text(w, "text", &text);
	writer_text(w, "}");
}

void web_going_event(struct writer *w, const Cvms__Progress *p)
{
	writer_text(w, "{\"uploads\":[");
	for (size_t i = 0; p && i < p->n_uploads; i++) {
		writer_text(w, i ? "," : "");
		put_upload_event(w, p->uploads[i]);
	}
	writer_text(w, "],\"run\":");
	if (p && p->run)
		put_run_event(w, p->run);
	else
		writer_text(w, "null");
	writer_text(w, "}");
}
