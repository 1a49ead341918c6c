/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_place.h"

#include <stdlib.h>
#include <string.h>

static void free_place(void *data)
{
	struct web_place *place = data;

	workspace_done(&place->w);
	for (size_t i = 0; i < ARRAY_LEN(place->members); i++)
		workspace_member_done(&place->members[i]);
	for (size_t i = 0; i < ARRAY_LEN(place->assets); i++)
		asset_row_done(&place->assets[i]);
	for (size_t i = 0; i < place->link_count; i++)
		free(place->links[i]);
	for (size_t i = 0; i < place->invitation_count; i++)
		invitation_done(&place->invitations[i]);
	free(place->more);
	free(place);
}

int web_place_find(struct store *store, struct web_work *work, struct err *e)
{
	struct web_place *place = calloc(1, sizeof(*place));

	if (!place)
		return err_nomem(e);
	work->more = place;
	work->free_more = free_place;
	return workspace_find(&store->db, work->id, &place->w, e);
}

struct web_place *web_place_of(const struct web_work *work)
{
	return work->more;
}

static bool may(const struct web_work *work, enum deed deed)
{
	return decide(&work->caller.rights, deed, DECIDE_CREATED) == DECIDE_YES;
}

bool web_place_may(const struct web_work *work, enum deed deed)
{
	return *work->csrf && may(work, deed);
}

static const struct {
	const char *path, *word;
	enum deed deed; /* for whom it is */
} screens[] = {
	{ "members", "Members", DEED_LOOK },
	{ "assets", "Assets", DEED_ASSETS },
	{ "workflows", "Workflows", DEED_WORKFLOWS },
	{ "cvms", "CVMs", DEED_LOOK },
	{ "usage", "Usage", DEED_LOOK },
	{ "webhooks", "Webhooks", DEED_WEBHOOKS },
	{ "import", "Import", DEED_CREATE },
	{ "settings", "Settings", DEED_GOVERN },
};

static void put_tabs(const struct web_work *work, const char *here, struct writer *w)
{
	page_put(w, "<nav class=\"tabs\" aria-label=\"Workspace\"><ul>\n");
	for (size_t i = 0; i < ARRAY_LEN(screens); i++)
		if (may(work, screens[i].deed))
			page_put(w, "<li><a href=\"/w/%u/%s\"%s>%s</a></li>\n", work->id,
				 screens[i].path,
				 strcmp(screens[i].path, here) == 0 ? " aria-current=\"page\"" : "",
				 screens[i].word);
	page_put(w, "</ul></nav>\n");
}

void web_place_head(const struct web_work *work, const char *here, struct writer *w)
{
	const enum membership role = work->caller.rights.membership;
	const char *name = work->id;

	page_begin(w, &work->caller, name, "/workspaces");
	page_put(
		w,
		"<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/workspaces\">Workspaces"
		"</a> /</nav>\n<div class=\"head\"><h1><bdi>%t</bdi></h1>",
		name);
	if (role != MEMBERSHIP_NONE)
		page_put(w, "<p>You are %s here.</p>", membership_rules[role].name);
	page_put(w, "</div>\n");
	put_tabs(work, here, w);
}

void web_place_below(const struct web_work *work, const char *here, const char *name,
		     struct writer *w)
{
	const char *place = work->id;

	page_begin(w, &work->caller, name, "/workspaces");
	page_put(
		w,
		"<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/workspaces\">Workspaces"
		"</a> / <a href=\"/w/%u/%s\"><bdi>%t</bdi></a> /</nav>\n<div class=\"head\"><h1>"
		"<bdi>%t</bdi></h1></div>\n",
		place, here, place, name);
}

void web_place_form(const struct web_work *work, const char *class, const char *path,
		    struct writer *w)
{
	page_put(w,
		 "<form class=\"%s\" method=\"post\" action=\"/w/%u/%s\"><input type=\"hidden\" "
		 "name=\"csrf\" value=\"%a\">\n",
		 class, web_place_of(work)->w.name, path, work->csrf);
}

void web_place_revision(const char *revision, struct writer *w)
{
	page_put(w, "<input type=\"hidden\" name=\"revision\" value=\"%a\">\n", revision);
}

void web_place_roles(struct writer *w, enum membership chosen)
{
	page_put(w, "<div><label for=\"f-role\">Role</label><select id=\"f-role\" name=\"role\">");
	for (int i = MEMBERSHIP_NONE + 1; i < MEMBERSHIPS; i++)
		page_put(w, "<option value=\"%s\"%s>%s</option>", membership_rules[i].name,
			 i == (int)chosen ? " selected" : "", membership_rules[i].name);
	page_put(w, "</select></div>\n");
}
