/* SPDX-License-Identifier: Apache-2.0 */
/* web_webhook.c — the webhooks of a workspace, and one of them with what it was told. */
#include "computations/web/web_webhook.h"

#include "common/base/json.h"
#include "computations/hook/hook_delivery.h"
#include "computations/web/web_form.h"
#include "computations/web/web_input.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_place.h"
#include "computations/web/web_words.h"

#include <stdlib.h>
#include <string.h>

/* What stands beside a place: rows that are too large for it. */
struct hooks {
	struct hook rows[HOOKS_MAX]; /* or the one, in front */
	size_t count;
	struct hook_delivery deliveries[HOOK_PAGE_MAX];
	size_t delivery_count;
};

/* ---- in the pool ---- */

static struct hooks *hooks_of(const struct web_work *work)
{
	return web_place_of(work)->more;
}

static int find_place(struct store *store, struct web_work *work, struct err *e)
{
	struct hooks *hooks;

	if (web_place_find(store, work, e) < 0)
		return err_code(e);
	hooks = web_place_of(work)->more = calloc(1, sizeof(*hooks));
	return hooks ? 0 : err_nomem(e);
}

static int run_list(struct store *store, struct web_work *work, struct err *e)
{
	if (find_place(store, work, e) < 0)
		return err_code(e);
	return hook_list(&store->db, web_place_of(work)->w.number, hooks_of(work)->rows,
			 &hooks_of(work)->count, e);
}

static int run_one(struct store *store, struct web_work *work, struct err *e)
{
	int64_t number = web_input_number(http_request_param(work->r, "number"));
	int64_t before = web_input_number(http_request_query(work->r, "before"));
	struct hooks *hooks;

	if (before < 0)
		return err_set(e, ERR_INVALID, "before: the number of a delivery");
	if (find_place(store, work, e) < 0)
		return err_code(e);
	hooks = hooks_of(work);
	if (hook_find(&store->db, web_place_of(work)->w.number, number, &hooks->rows[0], e) < 0)
		return err_code(e);
	return hook_deliveries(&store->db, number, before, hooks->deliveries,
			       &hooks->delivery_count, e);
}

static int64_t next_of(const struct hooks *hooks)
{
	return hooks->delivery_count == HOOK_PAGE_MAX ? hooks->deliveries[HOOK_PAGE_MAX - 1].number
						      : 0;
}

/* ---- the page of all ---- */

static void put_row(const struct web_work *work, const struct hook *h, struct writer *w)
{
	page_row_begin(w);
	page_put(w,
		 "<a href=\"/w/%u/webhooks/%d\">Webhook %d</a><span class=\"sub\">%t</span></th>",
		 work->id, h->number, h->number, h->description);
	page_cell(w, "Receiver");
	page_put(w, "<bdi class=\"mono\">%t</bdi></td>", h->url);
	page_cell(w, "State");
	page_put(w, "<span>%s<span class=\"sub\">%t</span></span></td>",
		 h->enabled ? "Enabled" : "Disabled", h->reason);
	page_cell(w, "Waiting");
	page_put(w, "%d</td>", h->waiting);
	page_cell(w, "Taken");
	page_put(w, "%d</td></tr>\n", h->taken);
}

static void put_boxes(struct writer *w)
{
	page_put(w, "<div role=\"group\" aria-labelledby=\"l-events\"><p class=\"label\" "
		    "id=\"l-events\">Events</p>\n<ul class=\"boxes\">");
	for (unsigned i = 0; i < HOOK_EVENTS; i++) {
		const char *name = hook_event_name(i);

		page_put(
			w,
			"<li><input id=\"f-%s\" name=\"%s\" type=\"checkbox\" value=\"true\"><label "
			"for=\"f-%s\">%s</label></li>\n",
			name, name, name, name);
	}
	page_put(w, "</ul><span class=\"hint\">%t</span></div>\n", WEB_HOOK_EVENTS);
}

static void put_new(const struct web_work *work, struct writer *w)
{
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-new\"><h2 id=\"h-new\">Make a "
		 "webhook</h2>\n<p>%t</p>\n",
		 WEB_HOOK_NEW);
	web_place_form(work, "stack", "webhooks", w);
	web_form_field(w, "url", "URL", "text", "off", "", WEB_HOOK_URL);
	page_put(
		w,
		"<div><label for=\"f-description\">Description</label><input id=\"f-description\" "
		"name=\"description\" type=\"text\" maxlength=\"%d\" autocomplete=\"off\"></div>\n",
		(int64_t)HOOK_DESCRIPTION_MAX);
	put_boxes(w);
	page_put(w, "<div><button class=\"btn main\" type=\"submit\">Make it</button></div>\n"
		    "</form></section>\n");
}

static void reply_list(struct web_work *work)
{
	static const struct page_column columns[] = { { "Webhook", false },
						      { "Receiver", false },
						      { "State", false },
						      { "Waiting", true },
						      { "Taken", true } };
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct hooks *hooks = hooks_of(work);

	web_place_head(work, "webhooks", &w);
	page_put(&w, "<div class=\"cols\"><div class=\"stack\">\n");
	if (hooks->count) {
		page_table_begin(&w, "Webhooks", columns, ARRAY_LEN(columns));
		for (size_t i = 0; i < hooks->count; i++)
			put_row(work, &hooks->rows[i], &w);
		page_table_end(&w);
	} else {
		page_put(&w, "<p class=\"note\">%t</p>\n", WEB_NO_HOOKS);
	}
	page_put(&w, "</div><div class=\"stack\">\n");
	if (web_place_may(work, DEED_WEBHOOKS) && hooks->count < HOOKS_MAX)
		put_new(work, &w);
	page_put(&w, "</div></div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_webhooks(struct http_request *r, void *data)
{
	web_work_start(data, r, run_list, reply_list);
}

/* ---- the page of one ---- */

static void put_button(const struct web_work *work, const char *deed, const char *class,
		       const char *word, struct writer *w)
{
	page_put(w,
		 "<form class=\"inline\" method=\"post\" action=\"/w/%u/webhooks/%d/%s\"><input "
		 "type=\"hidden\" name=\"csrf\" value=\"%a\"><button class=\"btn%s\" "
		 "type=\"submit\">%s</button></form>\n",
		 work->id, hooks_of(work)->rows[0].number, deed, work->csrf, class, word);
}

static void put_about(const struct web_work *work, struct writer *w)
{
	const struct hook *h = &hooks_of(work)->rows[0];
	char *names[HOOK_EVENTS];
	size_t count = hook_event_names(h->events, names);

	page_put(w, "<section class=\"panel\" aria-label=\"What it is\">\n");
	if (*h->reason)
		page_put(w, "<p class=\"note warn\"><b>The service has disabled it:</b> %t</p>\n",
			 h->reason);
	if (*h->description)
		page_put(w, "<p class=\"about\"><bdi>%t</bdi></p>\n", h->description);
	page_put(w,
		 "<dl class=\"dl\"><dt>Receiver</dt><dd class=\"mono\">%t</dd><dt>State</dt><dd>%s"
		 "</dd><dt>Waiting</dt><dd>%d</dd><dt>Taken</dt><dd>%d</dd><dt>Left out</dt><dd>%d"
		 "</dd><dt>Made by</dt><dd><bdi>%t</bdi></dd><dt>Since</dt><dd>",
		 h->url, h->enabled ? "enabled" : "disabled", h->waiting, h->taken, h->dropped,
		 *h->maker ? h->maker : "the service’s operator");
	page_time(w, h->created);
	page_put(w, "</dd><dt>Events</dt><dd>");
	for (size_t i = 0; i < count; i++)
		page_put(w, "%s%t", i ? ", " : "", names[i]);
	page_put(w, "</dd></dl>\n");
	if (web_place_may(work, DEED_WEBHOOKS)) {
		page_put(w, "<div class=\"row\">");
		put_button(work, h->enabled ? "disable" : "enable", "",
			   h->enabled ? "Disable" : "Enable", w);
		put_button(work, "rotate", "", "Another secret", w);
		put_button(work, "delete", " danger", "Delete", w);
		page_put(w, "</div><p class=\"small\">%t</p>\n", WEB_HOOK_DEEDS);
	}
	page_put(w, "</section>\n");
}

static void put_delivery(const struct web_work *work, const struct hook_delivery *d,
			 struct writer *w)
{
	page_row_begin(w);
	page_put(w, "%s<span class=\"sub\">%d</span></th>", hook_event_name(d->event), d->number);
	page_cell(w, "State");
	page_put(w, "<span>%s<span class=\"sub\">%t</span></span></td>", hook_state_name(d->state),
		 d->problem);
	page_cell(w, "Tries");
	page_put(w, "%d</td>", (int64_t)d->tries);
	page_cell(w, "Last try");
	page_time(w, d->tried);
	page_put(w, "</td>");
	page_cell(w, "Again");
	if (web_place_may(work, DEED_WEBHOOKS) && d->tries && hooks_of(work)->rows[0].enabled)
		page_put(w,
			 "<form class=\"inline\" method=\"post\" "
			 "action=\"/w/%u/webhooks/%d/deliveries/%d\"><input type=\"hidden\" "
			 "name=\"csrf\" value=\"%a\"><button class=\"btn\" type=\"submit\">Send "
			 "again<span class=\"sr\"> delivery %d</span></button></form>",
			 work->id, d->webhook, d->number, work->csrf, d->number);
	page_put(w, "</td></tr>\n");
}

static void reply_one(struct web_work *work)
{
	static const struct page_column columns[] = { { "Event", false },
						      { "State", false },
						      { "Tries", true },
						      { "Last try", false },
						      { "Again", false } };
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct hooks *hooks = hooks_of(work);
	char name[48];

	snprintf(name, sizeof(name), "Webhook %lld", (long long)hooks->rows[0].number);
	web_place_below(work, "webhooks", name, &w);
	page_put(&w, "<div class=\"stack\">\n");
	put_about(work, &w);
	if (hooks->delivery_count) {
		page_table_begin(&w, "Deliveries", columns, ARRAY_LEN(columns));
		for (size_t i = 0; i < hooks->delivery_count; i++)
			put_delivery(work, &hooks->deliveries[i], &w);
		page_table_end(&w);
	} else {
		page_put(&w, "<p class=\"note\">%t</p>\n", WEB_NO_DELIVERIES);
	}
	if (next_of(hooks))
		page_put(&w,
			 "<nav class=\"pages\" aria-label=\"Pages\"><a class=\"btn\" rel=\"next\" "
			 "href=\"/w/%u/webhooks/%d?before=%d\">Older</a></nav>\n",
			 work->id, hooks->rows[0].number, next_of(hooks));
	page_put(&w, "</div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_webhook(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one);
}

/* ---- JSON ---- */

static void put_hook(struct writer *w, const struct hook *h)
{
	char *names[HOOK_EVENTS];
	size_t count = hook_event_names(h->events, names);

	writer_printf(w, "{\"number\":%lld", (long long)h->number);
	web_json_text(w, "url", h->url);
	json_put_key(w, "events");
	writer_text(w, "[");
	for (size_t i = 0; i < count; i++)
		writer_printf(w, "%s\"%s\"", i ? "," : "", names[i]);
	writer_text(w, "]");
	web_json_text(w, "description", h->description);
	writer_printf(w, ",\"enabled\":%s", h->enabled ? "true" : "false");
	web_json_text(w, "reason", h->reason);
	web_json_text(w, "maker", h->maker);
	web_json_time(w, "created", h->created);
	writer_printf(w, ",\"waiting\":%lld,\"taken\":%lld,\"dropped\":%lld}",
		      (long long)h->waiting, (long long)h->taken, (long long)h->dropped);
}

static void reply_list_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct hooks *hooks = hooks_of(work);

	writer_text(&w, "{\"webhooks\":[");
	for (size_t i = 0; i < hooks->count; i++) {
		writer_text(&w, i ? "," : "");
		put_hook(&w, &hooks->rows[i]);
	}
	writer_text(&w, "]}\n");
	web_reply_json(work->r, &w);
}

void web_webhooks_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_list, reply_list_json);
}

static void reply_one_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	put_hook(&w, &hooks_of(work)->rows[0]);
	writer_text(&w, "\n");
	web_reply_json(work->r, &w);
}

void web_webhook_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one_json);
}

static void put_delivery_json(struct writer *w, const struct hook_delivery *d)
{
	writer_printf(w, "{\"number\":%lld", (long long)d->number);
	web_json_text(w, "id", d->id);
	web_json_text(w, "event", hook_event_name(d->event));
	web_json_text(w, "state", hook_state_name(d->state));
	writer_printf(w, ",\"tries\":%u,\"status\":%lld", d->tries, (long long)d->status);
	web_json_text(w, "problem", d->problem);
	web_json_time(w, "created", d->created);
	web_json_time(w, "tried", d->tried);
	web_json_time(w, "due", d->state == HOOK_WAITING ? d->due : 0);
	writer_text(w, "}");
}

static void reply_deliveries(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct hooks *hooks = hooks_of(work);
	char next[24];

	writer_text(&w, "{\"deliveries\":[");
	for (size_t i = 0; i < hooks->delivery_count; i++) {
		writer_text(&w, i ? "," : "");
		put_delivery_json(&w, &hooks->deliveries[i]);
	}
	writer_text(&w, "]");
	snprintf(next, sizeof(next), "%lld", (long long)next_of(hooks));
	web_json_next(&w, next_of(hooks) ? next : NULL);
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_deliveries_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_deliveries);
}
