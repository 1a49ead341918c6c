/* SPDX-License-Identifier: Apache-2.0 */
/* web_member.c — who is in a workspace, and what becomes of one of them. */
#include "common/base/json.h"
#include "computations/core/revision.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_json.h"
#include "computations/web/web_place.h"
#include "computations/web/web_sort.h"
#include "computations/web/web_words.h"
#include "people.pb-c.h"
#include "people_paths.h"

#include <string.h>

/* ---- all of them ---- */

static int run(struct store *store, struct web_work *work, struct err *e)
{
	struct web_place *place;

	if (web_place_find(store, work, e) < 0)
		return err_code(e);
	place = web_place_of(work);
	return workspace_member_search(
		&store->db, place->w.number, work->caller.who.person,
		&(struct list_search){ work->search.text, work->search.before, work->search.sort },
		WEB_ROWS, place->members, &work->count, &work->next, e);
}

static int run_page(struct store *store, struct web_work *work, struct err *e)
{
	if (run(store, work, e) < 0)
		return err_code(e);
	return decide(&work->caller.rights, DEED_GOVERN, DECIDE_CREATED) == DECIDE_YES
		       ? web_run_invitations(store, work, e)
		       : 0;
}

static void put_row(const struct web_work *work, const struct workspace_member *m, bool governs,
		    struct writer *w)
{
	page_row_begin(w);
	if (governs)
		page_put(w, "<a href=\"/w/%u/members/%u\"><bdi>%t</bdi></a></th>",
			 web_place_of(work)->w.name, m->user, m->user);
	else
		page_put(w, "<bdi>%t</bdi></th>", m->user);
	page_cell(w, "Role");
	page_put(w, "<span>%s%s</span></td>", membership_rules[m->membership].name,
		 m->suspended ? ", suspended" : "");
	page_cell(w, "Since");
	page_time(w, m->joined);
	page_put(w, "</td>");
	page_cell(w, "Changed");
	page_time(w, m->changed);
	page_put(w, "</td></tr>\n");
}

static void put_at(const struct web_work *work, struct writer *w)
{
	page_put(w, "/w/%u/members?q=%q&amp;", web_place_of(work)->w.name, work->search.text);
}

static const struct web_sort at = { put_at, "after" };

static void put_form(const struct web_work *work, struct writer *w)
{
	page_put(w,
		 "<form class=\"find\" role=\"search\" action=\"/w/%u/members\" method=\"get\">\n",
		 web_place_of(work)->w.name);
	web_sort_search(work, WEB_FIND_MEMBERS, w);
	web_sort_orders(work, w);
	page_put(w, "<button class=\"btn\" type=\"submit\">Find</button>\n</form>\n");
}

static void put_table(const struct web_work *work, bool governs, struct writer *w)
{
	const struct web_place *place = web_place_of(work);

	page_put(w, "<div>\n");
	web_sort_head(work, "Members", w);
	web_sort_column(&at, work, "Member", LIST_BY_NAME, w);
	web_sort_column(&at, work, "Role", LIST_BY_ROLE, w);
	web_sort_column(&at, work, "Since", LIST_BY_CREATED, w);
	web_sort_column(&at, work, "Changed", LIST_BY_CHANGED, w);
	page_head_end(w);
	for (size_t i = 0; i < work->count; i++)
		put_row(work, &place->members[i], governs, w);
	page_table_end(w);
	web_sort_pages(&at, work, w);
	page_put(w, "</div>\n");
}

static void reply(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	bool governs = web_place_may(work, DEED_GOVERN);
	bool is_search = *work->search.text || *work->search.before;

	web_place_head(work, "members", &w);
	page_put(&w, "<div class=\"cols\"><div class=\"stack\">\n");
	if (work->count || is_search)
		put_form(work, &w);
	if (work->count)
		put_table(work, governs, &w);
	else if (is_search)
		page_put(&w, "<p class=\"note\">%t <a href=\"/w/%u/members\">Show all</a></p>\n",
			 WEB_NONE_LIKE, web_place_of(work)->w.name);
	else
		page_put(&w, "<p class=\"note\">%t</p>\n", WEB_NO_WORKSPACE_MEMBERS);
	if (governs)
		web_put_invitations(work, &w);
	page_put(&w, "</div><div class=\"stack\">\n");
	if (governs)
		web_put_invite(work, &w);
	page_put(
		&w,
		"<section class=\"panel\" aria-labelledby=\"h-roles\"><h2 id=\"h-roles\">What roles "
		"mean here</h2>\n<p>%t</p></section>\n",
		WEB_MEMBERSHIPS);
	web_put_leave(work, &w);
	page_put(&w, "</div></div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_members(struct http_request *r, void *data)
{
	web_work_start(data, r, run_page, reply);
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct web_place *place = web_place_of(work);

	writer_text(&w, "{");
	json_put_key(&w, "members");
	writer_text(&w, "[");
	for (size_t i = 0; i < work->count; i++) {
		writer_text(&w, i ? "," : "");
		web_json_member(&w, &place->members[i]);
	}
	writer_text(&w, "]");
	web_json_next(&w, work->next);
	writer_text(&w, "}\n");
	web_reply_json(work->r, &w);
}

void web_members_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply_json);
}

/* ---- one of them ---- */

static int run_one(struct store *store, struct web_work *work, struct err *e)
{
	struct web_place *place;

	if (web_place_find(store, work, e) < 0)
		return err_code(e);
	place = web_place_of(work);
	if (workspace_member_find(&store->db, &place->w, http_request_param(work->r, "user"),
				  &place->members[0], e) < 0)
		return err_code(e);
	return revision_of_member(&place->members[0], work->revision, e);
}

/* A form of one button, behind what that does. */
static void put_deed(const struct web_work *work, const char *deed, const char *title,
		     const char *text, const char *class, struct writer *w)
{
	const struct workspace_member *m = &web_place_of(work)->members[0];
	bool resumes = strcmp(deed, "suspend") == 0 && m->suspended;

	page_put(
		w,
		"<section class=\"panel\" aria-labelledby=\"h-%s\"><h2 id=\"h-%s\">%s</h2>\n<p>%t</p>\n"
		"<form class=\"stack\" method=\"post\" action=\"/w/%u/members/%u/%s\"><input "
		"type=\"hidden\" name=\"csrf\" value=\"%a\"><input type=\"hidden\" name=\"revision\" "
		"value=\"%a\">\n",
		deed, deed, title, text, web_place_of(work)->w.name, m->user, deed, work->csrf,
		work->revision);
	if (resumes)
		page_put(w, "<input type=\"hidden\" name=\"resume\" value=\"true\">\n");
	if (strcmp(deed, "role") == 0)
		web_place_roles(w, m->membership);
	page_put(w,
		 "<div><button class=\"btn %s\" type=\"submit\">%s<span class=\"sr\"> of "
		 "<bdi>%t</bdi></span></button></div>\n</form></section>\n",
		 class, title, m->user);
}

/* And who else administers it: one is enough to know. */
static int run_one_page(struct store *store, struct web_work *work, struct err *e)
{
	struct web_place *place;

	if (run_one(store, work, e) < 0)
		return err_code(e);
	place = web_place_of(work);
	return workspace_member_governors(&store->db, place->w.number, place->members[0].person, "",
					  1, &place->members[1], &work->count, e);
}

static void reply_one(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct workspace_member *m = &web_place_of(work)->members[0];

	web_place_below(work, "members", m->user, &w);
	page_put(&w, "<p>In this workspace as %s%s, since ", membership_rules[m->membership].name,
		 m->suspended ? " (suspended)" : "");
	page_time(&w, m->joined);
	page_put(&w, ".</p>\n");
	if (web_place_may(work, DEED_GOVERN)) {
		page_put(&w, "<div class=\"stack gate\">\n");
		put_deed(work, "role", "Change the role", WEB_MEMBERSHIPS, "", &w);
		put_deed(work, "suspend",
			 m->suspended ? "End the suspension" : "Suspend membership",
			 m->suspended ? WEB_MEMBER_RESUME : WEB_MEMBER_SUSPEND, "", &w);
		web_put_transfer(work, &w);
		put_deed(work, "remove", "Remove membership", WEB_MEMBER_REMOVE, "danger", &w);
		page_put(&w, "</div>\n");
	}
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_member(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one_page, reply_one);
}

static void reply_one_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	web_json_member(&w, &web_place_of(work)->members[0]);
	writer_text(&w, "\n");
	web_reply_revision(work->r, &w, work->revision);
}

void web_member_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run_one, reply_one_json);
}

/* ---- what changes them: nothing is answered, as whoever leaves his own office sees none of it any more ---- */

#define A_PLACE  "a workspace's name"
#define A_MEMBER "a member's name"

static const struct web_input role[] = {
	PATH("workspace", People__WorkspaceMemberRequest, workspace, A_PLACE),
	PATH("user", People__WorkspaceMemberRequest, user, A_MEMBER),
	WORD("role", true, People__WorkspaceMemberRequest, role, "^(viewer|member|administrator)$",
	     "viewer, member or administrator"),
	END,
};

static const struct web_input suspend[] = {
	PATH("workspace", People__WorkspaceMemberRequest, workspace, A_PLACE),
	PATH("user", People__WorkspaceMemberRequest, user, A_MEMBER),
	BODY("resume", INPUT_FLAG, People__WorkspaceMemberRequest, resume,
	     "true: the suspension ends"),
	END,
};

static const struct web_input member[] = {
	PATH("workspace", People__WorkspaceMemberRequest, workspace, A_PLACE),
	PATH("user", People__WorkspaceMemberRequest, user, A_MEMBER),
	END,
};

#define OF_MEMBER(path) OF_PEOPLE(path, workspace_member_request), .revises = REVISES_MEMBER
#define TO_MEMBERS      "/w/%u/members"

ACTION(web_page_member_role) = { OF_MEMBER(SET_MEMBER), .inputs = role, .leads = TO_MEMBERS };
ACTION(web_page_member_suspend) = { OF_MEMBER(SUSPEND_MEMBER), .inputs = suspend,
				    .leads = TO_MEMBERS };
ACTION(web_page_member_remove) = { OF_MEMBER(REMOVE_MEMBER), .inputs = member,
				   .leads = TO_MEMBERS };
ACTION(web_api_member_role) = { OF_MEMBER(SET_MEMBER), .inputs = role };
ACTION(web_api_member_suspend) = { OF_MEMBER(SUSPEND_MEMBER), .inputs = suspend };
ACTION(web_api_member_remove) = { OF_MEMBER(REMOVE_MEMBER), .inputs = member };
