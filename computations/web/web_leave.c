/* SPDX-License-Identifier: Apache-2.0 */
/* web_leave.c — a workspace is handed over to a member, or left: what that does, the forms, and the same for programs. */
#include "computations/core/revision.h"
#include "computations/people/role.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_place.h"
#include "computations/web/web_words.h"
#include "people.pb-c.h"
#include "people_paths.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What somebody leaves. */
struct leaving {
	int64_t computations; /* in which he has roles */
	bool stays;           /* he can't go, */
	struct err why;
};

static void begin(const struct web_work *work, const char *title, const char *user,
		  struct writer *w)
{
	const char *name = web_place_of(work)->w.name;

	page_begin(w, &work->caller, title, "/workspaces");
	page_put(
		w,
		"<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/workspaces\">Workspaces"
		"</a> / <a href=\"/w/%u/members\"><bdi>%t</bdi></a> /",
		name, name);
	if (user)
		page_put(w, " <a href=\"/w/%u/members/%u\"><bdi>%t</bdi></a> /", name, user, user);
	page_put(w, "</nav>\n<section class=\"panel gate\" aria-labelledby=\"gate\">");
}

/* To a member; or it is left (NULL). */
static void put_form(const struct web_work *work, const char *user, const char *deed,
		     const char *back, struct writer *w)
{
	const char *name = web_place_of(work)->w.name;

	page_put(w, "<form class=\"stack\" method=\"post\" action=\"/w/%u/", name);
	if (user)
		page_put(w, "members/%u/transfer", user);
	else
		page_put(w, "leave");
	page_put(w, "\">\n<input type=\"hidden\" name=\"csrf\" value=\"%a\">", work->csrf);
	web_place_revision(work->revision, w);
	page_put(w,
		 "<div class=\"row\"><button class=\"btn danger\" type=\"submit\">%s</button><a "
		 "class=\"btn\" href=\"/w/%u/members\">%s</a></div>\n</form>\n",
		 deed, name, back);
}

static void end(struct web_work *work, struct writer *w)
{
	page_put(w, "</section>\n");
	page_end(w);
	web_reply_html(work->r, w, 200);
}

/* ---- handed over ---- */

void web_put_transfer(const struct web_work *work, struct writer *w)
{
	const struct workspace_member *m = &web_place_of(work)->members[0];

	/* Who is its only administrator already is that. */
	if (m->suspended || (m->membership == MEMBERSHIP_ADMINISTRATOR && !work->count))
		return;
	page_put(
		w,
		"<section class=\"panel\" aria-labelledby=\"h-transfer\"><h2 id=\"h-transfer\">Hand "
		"the workspace over</h2>\n<p>%t</p>\n<div><a class=\"btn\" "
		"href=\"/w/%u/members/%u/transfer\">Hand it over<span class=\"sr\"> to "
		"<bdi>%t</bdi></span></a></div></section>\n",
		WEB_TRANSFER, web_place_of(work)->w.name, m->user, m->user);
}

static_assert((int)REVISION_GOVERNORS <= (int)WEB_ROWS, "a place has room for them");

static int run_transfer(struct store *store, struct web_work *work, struct err *e)
{
	struct web_place *place;
	struct workspace_member *m;

	if (web_place_find(store, work, e) < 0)
		return err_code(e);
	place = web_place_of(work);
	m = &place->members[0];
	if (workspace_member_find(&store->db, &place->w, http_request_param(work->r, "user"), m,
				  e) < 0 ||
	    workspace_transfer_check(&store->db, &place->w, m, e) < 0 ||
	    workspace_member_governors(&store->db, place->w.number, m->person, "",
				       REVISION_GOVERNORS, &place->members[1], &work->count, e) < 0)
		return err_code(e);
	return revision_of_transfer(place->members, work->count, work->revision, e);
}

/* By name: what they lose. */
static void put_governors(const struct web_work *work, struct writer *w)
{
	const struct workspace_member *others = &web_place_of(work)->members[1];

	page_put(w, "<p>%t</p>\n", work->count ? WEB_TRANSFER_FROM : WEB_TRANSFER_NOBODY);
	if (!work->count)
		return;
	page_put(w, "<ul class=\"files\">\n");
	for (size_t i = 0; i < work->count; i++)
		page_put(w, "<li><bdi>%t</bdi>%s</li>\n", others[i].user,
			 others[i].person == work->caller.who.person ? " (you)" : "");
	page_put(w, "%s</ul>\n",
		 work->count == REVISION_GOVERNORS ? "<li>and whoever else is one</li>\n" : "");
}

static void reply_transfer(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct web_place *place = web_place_of(work);
	const char *user = place->members[0].user;

	begin(work, "Hand over", user, &w);
	page_put(
		&w,
		"<h1 id=\"gate\">Hand <bdi>%t</bdi> over to <bdi>%t</bdi></h1>\n<p>%t</p>\n<p>%t</p>\n",
		place->w.name, user, WEB_TRANSFER, WEB_TRANSFER_ASK);
	put_governors(work, &w);
	if (*work->csrf)
		put_form(work, user, "Hand it over", "Keep it as it is", &w);
	end(work, &w);
}

void web_workspace_transfer(struct http_request *r, void *data)
{
	web_work_start(data, r, run_transfer, reply_transfer);
}

/* ---- left ---- */

void web_put_leave(const struct web_work *work, struct writer *w)
{
	if (work->caller.rights.membership == MEMBERSHIP_NONE || !web_place_may(work, DEED_LEAVE))
		return;
	page_put(
		w,
		"<section class=\"panel\" aria-labelledby=\"h-leave\"><h2 id=\"h-leave\">Leave this "
		"workspace</h2>\n<p>%t</p>\n<div><a class=\"btn\" href=\"/w/%u/leave\">Leave it</a>"
		"</div></section>\n",
		work->caller.rights.operates ? WEB_LEAVE_OPERATOR : WEB_LEAVE,
		web_place_of(work)->w.name);
}

static int run_leave(struct store *store, struct web_work *work, struct err *e)
{
	const struct token_owner *who = &work->caller.who;
	struct web_place *place;
	struct leaving *leaving;
	int failed;

	if (!who->person)
		return err_set(e, ERR_PRECONDITION, "%s", WEB_LEAVE_NOBODY);
	if (web_place_find(store, work, e) < 0)
		return err_code(e);
	place = web_place_of(work);
	place->more = leaving = calloc(1, sizeof(*leaving));
	if (!leaving)
		return err_nomem(e);
	if (workspace_member_find(&store->db, &place->w, who->name, &place->members[0], e) < 0 ||
	    role_computations(&store->db, place->w.number, who->person, &leaving->computations, e) <
		    0 ||
	    revision_of_member(&place->members[0], work->revision, e) < 0)
		return err_code(e);
	failed =
		workspace_member_check_go(&store->db, &place->w, &place->members[0], &leaving->why);
	leaving->stays = err_is(failed, ERR_PRECONDITION);
	return failed && !leaving->stays ? (*e = leaving->why, failed) : 0;
}

static void reply_leave(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct web_place *place = web_place_of(work);
	const struct leaving *leaving = place->more;

	begin(work, "Leave", NULL, &w);
	page_put(&w, "<h1 id=\"gate\">Leave <bdi>%t</bdi></h1>\n", place->w.name);
	if (leaving->stays) {
		page_put(&w,
			 "<p class=\"note\"><bdi>%t</bdi></p>\n<p>%t</p>\n<div class=\"row\"><a "
			 "class=\"btn\" href=\"/w/%u/members\">Back to members</a></div>\n",
			 leaving->why.text, WEB_LEAVE_STAYS, place->w.name);
		end(work, &w);
		return;
	}
	page_put(&w, "<p>%t %t</p>\n",
		 work->caller.rights.operates ? WEB_LEAVE_OPERATOR : WEB_LEAVE, WEB_LEAVE_ASK);
	if (leaving->computations)
		page_put(&w, "<p>You have roles in %d of its computations.</p>\n",
			 leaving->computations);
	if (*work->csrf)
		put_form(work, NULL, "Leave it", "Stay", &w);
	end(work, &w);
}

void web_workspace_leave(struct http_request *r, void *data)
{
	web_work_start(data, r, run_leave, reply_leave);
}

/* ---- what does it ---- */

static const struct web_input transfer[] = {
	PATH("workspace", People__WorkspaceMemberRequest, workspace, "a workspace's name"),
	PATH("user", People__WorkspaceMemberRequest, user, "a member's name"),
	END,
};
static const struct web_input leave[] = {
	PATH("workspace", People__WorkspaceRequest, name, "a workspace's name"),
	END,
};

#define TRANSFER OF_PEOPLE(TRANSFER_WORKSPACE, workspace_member_request), .revises = REVISES_MEMBER
#define LEAVE    OF_PEOPLE(LEAVE_WORKSPACE, workspace_request), .revises = REVISES_MEMBER

ACTION(web_page_workspace_transfer) = { TRANSFER, .inputs = transfer, .leads = "/w/%u/members" };
ACTION(web_page_workspace_leave) = { LEAVE, .inputs = leave, .leads = "/workspaces" };
/* Nothing is answered, as of members (web_member.c). */
ACTION(web_api_workspace_transfer) = { TRANSFER, .inputs = transfer };
ACTION(web_api_workspace_leave) = { LEAVE, .inputs = leave };
