/* SPDX-License-Identifier: Apache-2.0 */
/* web_role.c — a computation's roles: what they allow, who has them; and which keys it names. */
#include "computations/web/web_role.h"

#include "common/base/json.h"
#include "computations/web/web_form.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"

#include <string.h>

static void free_list(void *list)
{
	role_list_free(list);
}

int web_role_run(struct store *store, struct web_work *work, struct err *e)
{
	struct role_list *list;

	if (web_run_manifest(store, work, e) < 0 || role_list(&store->db, work->id, &list, e) < 0)
		return err_code(e);
	work->more = list;
	work->free_more = free_list;
	return revision_of_roles(list, work->revision, e);
}

void web_put_actions(struct writer *w, unsigned actions)
{
	const char *between = "";

	for (int i = 0; i < ACTIONS; i++)
		if (actions & ACTION_BIT(i)) {
			page_put(w, "%s%s", between, action_name((enum people_action)i));
			between = ", ";
		}
}

bool web_role_may_change(const struct web_work *work, const char *role, unsigned actions)
{
	bool is_of_party = (actions & ACTIONS_OF_PARTIES) && strcmp(role, ACTION_OWNER) != 0;

	return *work->csrf && admin_access_may(&work->caller, DEED_MEMBERS, &work->c) &&
	       (!is_of_party || admin_access_may(&work->caller, DEED_PARTIES, &work->c));
}

static void begin_form(const struct web_work *work, const char *class, const char *what,
		       struct writer *w)
{
	page_put(w,
		 "<form class=\"%s\" method=\"post\" action=\"/c/%u/roles/%s\"><input "
		 "type=\"hidden\" name=\"csrf\" value=\"%a\"><input type=\"hidden\" "
		 "name=\"revision\" value=\"%a\">",
		 class, work->c.id, what, work->csrf, work->revision);
}

static void put_take(const struct web_work *work, const char *role, const char *user,
		     struct writer *w)
{
	begin_form(work, "inline", "take", w);
	page_put(w,
		 "<input type=\"hidden\" name=\"role\" value=\"%a\"><input type=\"hidden\" "
		 "name=\"user\" value=\"%a\"><button class=\"btn quiet\" type=\"submit\">Take<span "
		 "class=\"sr\"> the role %t from %t</span></button></form>",
		 role, user, role, user);
}

static void put_members(const struct web_work *work, const char *role, unsigned actions,
			struct writer *w)
{
	const struct role_list *list = work->more;
	bool can_take = web_role_may_change(work, role, actions), is_any = false;

	for (size_t i = 0; i < list->member_count; i++) {
		if (strcmp(list->members[i].role, role) != 0)
			continue;
		page_put(w, "<span class=\"member\"><bdi>%t</bdi>", list->members[i].user);
		if (can_take)
			put_take(work, role, list->members[i].user, w);
		page_put(w, "</span> ");
		is_any = true;
	}
	if (!is_any)
		page_put(w, "<span class=\"dim\">Nobody</span>");
}

static void put_choice(const struct web_work *work, const char *role, unsigned actions,
		       struct writer *w)
{
	if (web_role_may_change(work, role, actions))
		page_put(w, "<option value=\"%a\"%s>%t</option>", role,
			 strcmp(role, "viewer") == 0 ? " selected" : "", role);
}

static void put_give(const struct web_work *work, struct writer *w)
{
	const struct role_list *list = work->more;

	begin_form(work, "stack", "give", w);
	page_put(w, "<div><label for=\"f-role\">Role</label><select id=\"f-role\" name=\"role\">");
	for (size_t i = 0; i < ACTION_ROLES; i++)
		put_choice(work, action_roles[i].name, action_roles[i].actions, w);
	for (size_t i = 0; i < list->own_count; i++)
		put_choice(work, list->own[i].name, list->own[i].actions, w);
	page_put(w, "</select></div>\n");
	web_form_field(w, "user", "User", "text", "off", "", NULL);
	web_form_end(w, "Give the role");
}

static void put_row(const struct web_work *work, const char *name, unsigned actions, bool is_own,
		    struct writer *w)
{
	bool is_frozen = (actions & ACTIONS_OF_PARTIES) && work->c.sent;

	page_row_begin(w);
	if (is_own && web_role_may_change(work, name, actions))
		page_put(w, "<a href=\"/c/%u/roles/own/%u\">%t</a></th>", work->c.id, name, name);
	else
		page_put(w, "%t</th>", name);
	page_cell(w, "Who");
	page_put(w, "<span>");
	put_members(work, name, actions, w);
	page_put(w, "</span></td>");
	page_cell(w, "Allows");
	page_put(w, "<span>");
	web_put_actions(w, actions);
	page_put(w, "%s</span></td></tr>\n",
		 is_frozen ? "<span class=\"sub\">Frozen by the run</span>" : "");
}

static void put_table(const struct web_work *work, struct writer *w)
{
	static const struct page_column columns[] = { { "Role", false },
						      { "Who", false },
						      { "Allows", false } };
	const struct role_list *list = work->more;

	page_table_begin(w, "Roles", columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < ACTION_ROLES; i++)
		put_row(work, action_roles[i].name, action_roles[i].actions, false, w);
	for (size_t i = 0; i < list->own_count; i++)
		put_row(work, list->own[i].name, list->own[i].actions, true, w);
	page_table_end(w);
}

/* What the reader may do here himself. */
static void put_self(const struct web_work *work, struct writer *w)
{
	const struct admin_caller *caller = &work->caller;

	page_put(w, "<p>");
	if (!caller->who.person)
		page_put(w, "%t", WEB_OPERATOR);
	else
		page_put(w, "You are <b><bdi>%t</bdi></b>, and may: ", caller->who.name);
	if (caller->who.person)
		web_put_actions(w, decide_actions(&caller->rights));
	page_put(w, "</p>\n");
}

static void reply(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct role_list *list = work->more;

	page_begin(&w, &work->caller, "Roles", "");
	web_put_head(work, "/roles", &w);
	page_put(&w, "<div class=\"cols\"><div class=\"stack\">\n");
	put_table(work, &w);
	page_put(&w, "<section class=\"panel\" aria-label=\"What roles are\"><p>%t</p>\n",
		 WEB_ROLES);
	if (work->c.sent)
		page_put(&w, "<p>%t</p>\n", WEB_ROLES_FROZEN);
	put_self(work, &w);
	if (!list->member_count)
		page_put(&w, "<p>%t</p>\n", WEB_NO_MEMBERS);
	if (web_role_may_change(work, "viewer", ACTION_BIT(ACTION_VIEW)))
		put_give(work, &w);
	page_put(&w, "</section>\n");
	web_put_role_own(work, &w);
	page_put(&w, "</div><div class=\"stack\">\n");
	web_put_people(work, &w);
	page_put(&w, "</div></div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_roles(struct http_request *r, void *data)
{
	web_work_start(data, r, web_role_run, reply);
}

static void reply_json(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const struct role_list *list = work->more;

	writer_text(&w, "{");
	json_put_key(&w, "roles");
	writer_text(&w, "[");
	for (size_t i = 0; i < ACTION_ROLES; i++) {
		writer_text(&w, i ? "," : "");
		web_json_role(&w, list, action_roles[i].name, action_roles[i].actions, false);
	}
	for (size_t i = 0; i < list->own_count; i++) {
		writer_text(&w, ",");
		web_json_role(&w, list, list->own[i].name, list->own[i].actions, true);
	}
	writer_text(&w, "]}\n");
	web_reply_revision(work->r, &w, work->revision);
}

void web_roles_json(struct http_request *r, void *data)
{
	web_work_start(data, r, web_role_run, reply_json);
}
