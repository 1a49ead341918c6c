/* SPDX-License-Identifier: Apache-2.0 */
/* web_workspace.c — the workspaces that somebody is in, a new one, another name: the page, and the same for programs. */
#include "common/base/json.h"
#include "computations/machines/machines.h"
#include "computations/web/web.h"
#include "computations/web/web_act.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_form.h"
#include "computations/web/web_json.h"
#include "computations/web/web_place.h"
#include "computations/web/web_words.h"
#include "people.pb-c.h"
#include "people_paths.h"

#include <stdlib.h>
#include <string.h>

/* One more than is shown, to see whether there are more. */
struct places {
	struct workspace rows[WEB_ROWS + 1];
	enum membership roles[WEB_ROWS + 1]; /* of the reader, in these */
};

static void free_places(void *data)
{
	struct places *places = data;

	for (size_t i = 0; i < ARRAY_LEN(places->rows); i++)
		workspace_done(&places->rows[i]);
	free(places);
}

static int look(struct store *store, const struct web_work *work, struct workspace *w,
		enum membership *role, struct err *e)
{
	const int64_t person = work->caller.who.person;
	bool suspended;

	if (workspace_member_in(&store->db, w->number, person, role, &suspended, e) < 0)
		return err_code(e);
	return work->caller.rights.operates ? 0 : workspace_count_seen(&store->db, w, person, e);
}

static int run(struct store *store, struct web_work *work, struct err *e)
{
	const int64_t person = work->caller.rights.operates ? 0 : work->caller.who.person;
	struct places *places = calloc(1, sizeof(*places));

	if (!places)
		return err_nomem(e);
	work->more = places;
	work->free_more = free_places;
	if (workspace_list(&store->db, person, work->after, WEB_ROWS + 1, places->rows,
			   &work->count, e) < 0)
		return err_code(e);
	work->has_more = work->count > WEB_ROWS;
	work->count -= work->has_more;
	for (size_t i = 0; i < work->count; i++)
		if (look(store, work, &places->rows[i], &places->roles[i], e) < 0)
			return err_code(e);
	return 0;
}

static void put_row(const struct workspace *s, enum membership role, struct writer *w)
{
	page_row_begin(w);
	page_put(w, "<a href=\"/w/%u/members\"><bdi>%t</bdi></a></th>", s->name, s->name);
	page_cell(w, "You are");
	page_put(w, "%s</td>", role == MEMBERSHIP_NONE ? "–" : membership_rules[role].name);
	page_cell(w, "Members");
	page_put(w, "%d</td>", s->members);
	page_cell(w, "Computations");
	page_put(w, "%d</td>", s->computations);
	page_cell(w, "Since");
	page_time(w, s->created);
	page_put(w, "</td></tr>\n");
}

static void put_table(const struct web_work *work, struct writer *w)
{
	static const struct page_column columns[] = { { "Workspace", false },
						      { "You are", false },
						      { "Members", false },
						      { "Computations", false },
						      { "Since", false } };
	const struct places *places = work->more;

	page_table_begin(w, "Workspaces", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < work->count; i++)
		put_row(&places->rows[i], places->roles[i], w);
	page_table_end(w);
	page_put(w, "<nav class=\"pages\" aria-label=\"Pages\">");
	if (*work->after)
		page_put(w, "<a class=\"btn\" href=\"/workspaces\">First</a> ");
	if (work->has_more)
		page_put(w, "<a class=\"btn\" rel=\"next\" href=\"/workspaces?after=%q\">Next</a>",
			 places->rows[work->count - 1].name);
	page_put(w, "</nav>\n");
}

static void put_new(const struct web_work *work, struct writer *w)
{
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-new\"><h2 id=\"h-new\">A new "
		 "workspace</h2>\n<p>%t</p>\n",
		 WEB_WORKSPACE_NEW);
	web_form_begin(w, "/workspaces", work->csrf);
	web_form_field(w, "name", "Name", "text", "off", "", WEB_WORKSPACE_NAME);
	web_form_end(w, "Make it");
	page_put(w, "</section>\n");
}

static void reply(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	page_begin(&w, &work->caller, "Workspaces", "/workspaces");
	page_put(&w, "<div class=\"head\"><h1>Workspaces</h1><p>%t</p></div>\n", WEB_WORKSPACES);
	if (work->count || *work->after)
		put_table(work, &w);
	else
		page_put(&w, "<p class=\"note\">%t</p>\n", WEB_NO_WORKSPACES);
	if (web_place_may(work, DEED_OPERATE))
		put_new(work, &w);
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_workspaces(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply);
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct places *places = work->more;

	writer_text(&w, "{");
	json_put_key(&w, "workspaces");
	writer_text(&w, "[");
	for (size_t i = 0; i < work->count; i++) {
		writer_text(&w, i ? "," : "");
		web_json_workspace(&w, &places->rows[i], places->roles[i]);
	}
	writer_text(&w, "]");
	web_json_next(&w, work->has_more ? places->rows[work->count - 1].name : NULL);
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_workspaces_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply_json);
}

static int run_one(struct store *store, struct web_work *work, struct err *e)
{
	enum membership role;

	if (web_place_find(store, work, e) < 0)
		return err_code(e);
	return look(store, work, &web_place_of(work)->w, &role, e);
}

static void reply_one(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	web_json_workspace(&w, &web_place_of(work)->w, work->caller.rights.membership);
	writer_text(&w, "\n");
	web_reply_json(work->r, &w);
}

void web_workspace_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one);
}

/* ---- its settings ---- */

/* As the method decides it (admin_workspace.c). */
static bool may_rename(const struct web_work *work)
{
	const struct service *service = work->web->service;
	const char *name = web_place_of(work)->w.name;

	return work->caller.rights.operates ||
	       (!manager_table_limits(machines_table(service->machines), name) &&
		!web_maps(work->web, name) && strcmp(name, WORKSPACE_DEFAULT) != 0);
}

static void reply_settings(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	web_place_head(work, "settings", &w);
	page_put(
		&w,
		"<section class=\"panel\" aria-labelledby=\"h-rename\"><h2 id=\"h-rename\">Another "
		"name</h2>\n<p>%t</p>\n",
		WEB_WORKSPACE_RENAME);
	if (!may_rename(work)) {
		page_put(&w, "<p class=\"note\">%t</p>\n", WEB_WORKSPACE_LIMITED);
	} else if (*work->csrf) {
		web_place_form(work, "stack", "settings", &w);
		web_form_field(&w, "name", "Name", "text", "off", web_place_of(work)->w.name,
			       WEB_WORKSPACE_NAME);
		web_form_end(&w, "Rename it");
	}
	page_command(&w, "rename", "cocos-cli workspace rename", web_place_of(work)->w.name,
		     " NAME");
	page_put(&w, "</section>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_workspace_settings(struct http_request *r, void *data)
{
	web_work_start(data, r, web_place_find, reply_settings);
}

/* ---- what changes them ---- */

static void put_name(const ProtobufCMessage *answer, struct writer *w)
{
	const char *name = ((const People__Workspace *)answer)->name;

	writer_text(w, "{");
	json_put_key(w, "name");
	json_quote(w, name, strlen(name));
	writer_text(w, "}\n");
}

static void reply_made(struct web_act *act, const ProtobufCMessage *answer)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_BODY_MAX);

	put_name(answer, &w);
	web_reply_made(act->r, &w);
}

static void reply_renamed(struct web_act *act, const ProtobufCMessage *answer)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_BODY_MAX);

	put_name(answer, &w);
	web_reply_json(act->r, &w);
}

static const struct web_input made[] = {
	WORD("name", true, People__WorkspaceRequest, name, WEB_NAME_PATTERN, "its name"),
	END,
};

static const struct web_input renamed[] = {
	PATH("workspace", People__RenameWorkspaceRequest, name, "a workspace's name"),
	WORD("name", true, People__RenameWorkspaceRequest, to, WEB_NAME_PATTERN,
	     "its name from now on"),
	END,
};

/* The new name is not in the form's address. */
ACTION(web_page_workspace) = { OF_PEOPLE(ADD_WORKSPACE, workspace_request), .inputs = made,
			       .leads = "/workspaces" };
ACTION(web_page_workspace_rename) = { OF_PEOPLE(RENAME_WORKSPACE, rename_workspace_request),
				      .inputs = renamed, .leads = "/workspaces" };
ACTION(web_api_workspace) = { OF_PEOPLE(ADD_WORKSPACE, workspace_request), .inputs = made,
			      .reply = reply_made, .tells = NOUN_WORKSPACE_NAME, .makes = true };
ACTION(web_api_workspace_rename) = { OF_PEOPLE(RENAME_WORKSPACE, rename_workspace_request),
				     .inputs = renamed, .reply = reply_renamed,
				     .tells = NOUN_WORKSPACE_NAME };
