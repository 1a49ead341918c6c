/* SPDX-License-Identifier: Apache-2.0 */
/* web_passkey_list.c — a user's passkeys at that user's own page: listed, renamed, removed. */
#include "common/base/log.h"
#include "computations/web/web.h"
#include "computations/web/web_access.h"
#include "computations/web/web_act.h"
#include "computations/web/web_page.h"
#include "computations/web/web_passkey.h"
#include "computations/web/web_second.h"
#include "computations/web/web_step.h"
#include "computations/web/web_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list ---- */

int web_run_passkeys(struct store *store, struct web_work *work, struct err *e)
{
	struct passkey *rows = NULL;

	if (passkey_list(&store->db, work->caller.who.person, &rows, &work->count, e) < 0)
		return err_code(e);
	work->more = rows;
	work->free_more = free;
	return 0;
}

static void put_row(const struct web_work *work, const struct passkey *p, struct writer *w)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRId64, p->number);
	page_row_begin(w);
	page_put(w, "<a href=\"/me/passkeys/%s\"><bdi>%t</bdi></a>", number, p->name);
	if (p->went_back)
		page_put(w, "<span class=\"sub\">%t</span>", WEB_PASSKEY_WENT_BACK);
	page_put(w, "</th>");
	page_cell(w, "Kept");
	page_put(w, "%s</td>", p->backed_up ? "Copied to other devices" : "On one device");
	page_cell(w, "Last used");
	page_time(w, p->used);
	page_put(w, "</td>");
	page_cell(w, "Since");
	page_time(w, p->created);
	page_put(w, "</td>");
	page_cell(w, "Remove");
	web_step_button(w, work->csrf, "/me/passkeys/", number, "Remove", p->name);
	page_put(w, "</td></tr>\n");
}

void web_put_passkeys(const struct web_work *work, struct writer *w)
{
	static const struct page_column columns[] = { { "Passkey", false },
						      { "Kept", false },
						      { "Last used", false },
						      { "Since", false },
						      { "Remove", false } };
	const struct passkey *rows = work->more;

	page_put(w, "<section class=\"part\" aria-labelledby=\"h-passkeys\"><div class=\"row "
		    "between\"><h2 id=\"h-passkeys\">Passkeys</h2>");
	if (web_passkey_is_set(work->web))
		page_put(w, "<a class=\"btn\" href=\"/me/passkey\">Add one</a>");
	page_put(w, "</div>\n");
	if (!work->count)
		page_put(w, "<p class=\"small\">%t</p>\n",
			 web_passkey_is_set(work->web) ? WEB_PASSKEYS_NONE : WEB_PASSKEYS_NOT_HERE);
	if (work->count) {
		page_table_begin(w, "Your passkeys", columns, ARRAY_LEN(columns));
		for (size_t i = 0; i < work->count; i++)
			put_row(work, &rows[i], w);
		page_table_end(w);
	}
	page_put(w, "</section>\n");
}

/* ---- one is removed ---- */

/* -1: none can have it. */
static int64_t number_of(const struct http_request *r)
{
	const char *text = http_request_param(r, "number");
	size_t len = strlen(text);

	return len && len <= 18 && strspn(text, "0123456789") == len ? strtoll(text, NULL, 10) : -1;
}

static int run_remove(struct store *store, struct web_step *step, struct err *e)
{
	char name[PEOPLE_NAME_MAX + 1];

	if (passkey_remove(&store->db, step->caller.who.person, number_of(step->r), name, e) < 0)
		return err_code(e);
	snprintf(step->trail.after, sizeof(step->trail.after), "%s", name);
	return 0;
}

static void removed(struct web_step *step, const struct err *e)
{
	if (e) {
		http_request_fail(step->r, e);
		return;
	}
	log_info("page: user %s has removed passkey %s", step->caller.who.name, step->trail.after);
	web_step_back(step);
}

void web_passkey_remove(struct http_request *r, void *data)
{
	static const char *const names[] = { "csrf", NULL };
	static const struct web_step_way way = { names, run_remove, removed, true,
						 TRAIL_REMOVE_PASSKEY };

	web_step_start(data, r, &way);
}

/* ---- one has another name ---- */

static const struct passkey *shown(const struct web_work *work)
{
	const struct passkey *rows = work->more;

	for (size_t i = 0; i < work->count; i++)
		if (rows[i].number == number_of(work->r))
			return &rows[i];
	return NULL;
}

static int run_name(struct store *store, struct web_work *work, struct err *e)
{
	if (web_run_passkeys(store, work, e) < 0)
		return err_code(e);
	return shown(work) ? 0 : err_set(e, ERR_NOT_FOUND, "you have no such passkey");
}

static void reply_name(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct passkey *p = shown(work);
	char path[64];

	snprintf(path, sizeof(path), "/me/passkeys/%" PRId64 "/name", p->number);
	web_own_begin(&w, &work->caller, "Rename a passkey");
	web_form_begin(&w, path, work->csrf);
	web_form_field(&w, "name", "Name", "text", "off", p->name, WEB_PASSKEY_NAME);
	web_form_end(&w, "Rename it");
	page_put(&w, "</section>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_passkey_name(struct http_request *r, void *data)
{
	web_work_start(data, r, run_name, reply_name);
}

static int run_rename(struct store *store, struct web_step *step, struct err *e)
{
	const char *name = web_form_text(step->form, "name");
	char old[PEOPLE_NAME_MAX + 1];

	if (passkey_rename(&store->db, step->caller.who.person, number_of(step->r), name, old, e) <
	    0)
		return err_code(e);
	snprintf(step->trail.after, sizeof(step->trail.after), "%s", name);
	return 0;
}

static void renamed(struct web_step *step, const struct err *e)
{
	if (e)
		http_request_fail(step->r, e);
	else
		web_step_back(step);
}

void web_passkey_rename(struct http_request *r, void *data)
{
	static const char *const names[] = { "csrf", "name", NULL };
	static const struct web_step_way way = { names, run_rename, renamed, true,
						 TRAIL_RENAME_PASSKEY };

	web_step_start(data, r, &way);
}
