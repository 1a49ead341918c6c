/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_console.c — what a workspace's CVM says on its serial console: the screen, and server-sent events.
 *
 * A reader that comes again begins anew with the last lines: the first event, "begin", tells it to forget what it
 * has. The last one, "end", says why, and whether it is of use to come again.
 */
#include "common/base/json.h"
#include "common/base/text_stream.h"
#include "computations/machines/console_reader.h"
#include "computations/store/store_machine.h"
#include "computations/web/web.h"
#include "computations/web/web_access.h"
#include "computations/web/web_machine.h"
#include "computations/web/web_page.h"
#include "computations/web/web_place.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LINES = 200, /* that it begins with */
	TEXT_MAX = 4 * CONSOLE_PIECE_MAX,
	EVENT_MAX = 8 * CONSOLE_PIECE_MAX,
};

/* ---- the events ---- */

struct web_console {
	struct web *web;
	struct http_request *r;     /* a reference, until it follows */
	struct http_events *events; /* NULL: not yet, or over */
	struct console_reader *reader;
	struct text_stream text;
};

static void console_free(struct web_console *c)
{
	if (c->r)
		http_request_unref(c->r);
	free(c);
}

static void on_writable(struct http_events *s, void *data)
{
	struct web_console *c = data;

	(void)s;
	if (c->reader)
		console_reader_go_on(c->reader);
}

static void on_closed(struct http_events *s, void *data)
{
	struct web_console *c = data;

	(void)s;
	c->events = NULL;
	if (!c->reader)
		return; /* who ends it frees it */
	console_reader_stop(c->reader);
	console_free(c);
}

static const struct http_events_user events_user = { on_writable, on_closed };

static int tell(struct web_console *c, const char *name, const char *key, const char *text,
		size_t len, const char *more, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(EVENT_MAX);

	writer_text(&w, "{");
	json_put_key(&w, key);
	json_quote(&w, text, len);
	writer_text(&w, more);
	writer_text(&w, "}");
	writer_u8(&w, 0);
	if (writer_check(&w, "an event", e) < 0)
		return err_code(e);
	return http_events_send(c->events, &(struct http_event){ 0, name, (const char *)w.bytes },
				e);
}

/* He may: from now on it follows. Without a hub the service has begun to end meanwhile. */
static void on_begun(void *data)
{
	struct web_console *c = data;
	struct http_event_hub *hub = c->web->hub;
	struct http_request *r = TAKE_PTR(c->r);
	struct err e;

	c->events = hub ? http_events_begin(hub, r, &events_user, c) : NULL;
	http_request_unref(r);
	if (c->events && tell(c, "begin", "lines", "", 0, "", &e) == 0)
		return;
	console_reader_stop(TAKE_PTR(c->reader));
	if (c->events)
		http_events_end(c->events, true);
	console_free(c);
}

/* As text that obeys no terminal and is whole characters. */
static int say(struct web_console *c, const uint8_t *bytes, size_t len, bool skipped, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	size_t text_len = 0;
	FILE *out = open_memstream(&text, &text_len);

	if (!out)
		return err_nomem(e);
	text_stream_print(&c->text, out, bytes, len);
	if (fclose(out) != 0 || text_len > TEXT_MAX)
		return err_nomem(e);
	return tell(c, "text", "text", text, text_len, skipped ? ",\"skipped\":true" : "", e);
}

static bool on_piece(void *data, const uint8_t *bytes, size_t len, bool skipped)
{
	struct web_console *c = data;
	struct err e;

	/* Its reader takes too little: it is cut off, and comes again. */
	if (say(c, bytes, len, skipped, &e) < 0) {
		console_reader_stop(TAKE_PTR(c->reader));
		http_events_end(c->events, true);
		console_free(c);
		return false;
	}
	return !http_events_is_full(c->events);
}

static void on_ended(void *data, const struct err *e)
{
	struct web_console *c = data;
	/* What passes; the rest is so. */
	bool again = e && (e->code == ERR_UNAVAILABLE || e->code == ERR_EXHAUSTED ||
			   e->code == ERR_DEADLINE);
	const char *why = e ? e->text : WEB_CONSOLE_OVER;
	struct err sending;

	c->reader = NULL;
	if (c->r) {
		http_request_fail(c->r, e);
	} else {
		/* A cut would take along what waits: who is not told why comes again, and is told then. */
		int failed = tell(c, "end", "why", why, strlen(why),
				  again ? ",\"again\":true" : ",\"again\":false", &sending);

		http_events_end(c->events, failed != 0);
	}
	console_free(c);
}

static const struct console_sink sink = { on_begun, on_piece, on_ended };

void web_console_events(struct http_request *r, void *data)
{
	const struct console_wish wish = { .lines = LINES, .follow = true };
	struct web_console *c = calloc(1, sizeof(*c));
	struct admin_caller caller;
	struct web *web = data;
	struct err e;

	err_nomem(&e);
	if (!c || web_access_take(web, r, &caller, &e) < 0 ||
	    console_reader_new(web->service, &caller, http_request_param(r, "workspace"),
			       http_request_param(r, "name"), &wish, &sink, c, &c->reader,
			       &e) < 0) {
		http_request_fail(r, &e);
		free(c);
		return;
	}
	c->web = web;
	c->r = http_request_ref(r);
}

/* ---- the screen ---- */

static int run_screen(struct store *store, struct web_work *work, struct err *e)
{
	return web_machine_find(store, work, DEED_CONSOLE, e);
}

static void put_screen(const struct machine *m, struct writer *w)
{
	page_put(
		w,
		"<section class=\"panel\" aria-labelledby=\"h-console\"><div class=\"row between\">"
		"<h2 id=\"h-console\">What it says</h2><span class=\"live\" id=\"live\"></span></div>\n"
		"<p class=\"note warn\">%t</p>\n<pre class=\"console\" id=\"console\" tabindex=\"0\" "
		"role=\"log\" aria-live=\"off\" aria-label=\"Console\" "
		"data-from=\"/w/%u/cvms/%u/console.sse\"></pre>\n<p class=\"small row between\"><span "
		"id=\"ended\" role=\"status\"></span><button class=\"btn quiet\" type=\"button\" "
		"id=\"hold\" aria-pressed=\"true\">Stay at the end</button></p>\n",
		WEB_CONSOLE, m->workspace, m->name);
}

static void put_command(const struct machine *m, struct writer *w)
{
	CLEANUP_WRITER struct writer rest = writer_up_to(MACHINE_NAME_MAX + 2);

	writer_text(&rest, " ");
	writer_text(&rest, m->name);
	writer_u8(&rest, 0);
	if (rest.bad)
		w->bad = true;
	else
		page_command(w, "follow", "cocos-cli cvm console --follow --workspace",
			     m->workspace, (const char *)rest.bytes);
	page_put(w, "</section>\n");
}

static void reply_screen(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct machine *m = work->more;

	page_begin(&w, &work->caller, "Console", "/workspaces");
	page_put(&w,
		 "<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/w/%u/cvms\">CVMs of "
		 "<bdi>%t</bdi></a> / <a href=\"/w/%u/cvms/%u\"><bdi>%t</bdi></a> /</nav>\n<div "
		 "class=\"head\"><h1>Console</h1></div>\n",
		 m->workspace, m->workspace, m->workspace, m->name, m->name);
	if (machine_is_gone(m->phase))
		page_put(&w,
			 "<section class=\"panel empty\" aria-labelledby=\"h-empty\"><h2 "
			 "id=\"h-empty\">No console</h2><p>%t</p></section>\n",
			 WEB_CONSOLE_GONE);
	else
		put_screen(m, &w);
	if (!machine_is_gone(m->phase))
		put_command(m, &w);
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_console(struct http_request *r, void *data)
{
	web_work_start(data, r, run_screen, reply_screen);
}
