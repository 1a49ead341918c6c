/* SPDX-License-Identifier: Apache-2.0 */
/* web_role.c — a computation's roles: what they allow, who has them; and which keys it names. */
#include "common/base/json.h"
#include "computations/people/role.h"
#include "computations/web/web_json.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <string.h>

static void free_list(void *list)
{
	role_list_free(list);
}

static int run(struct store *store, struct web_work *work, struct err *e)
{
	struct role_list *list;

	if (web_run_manifest(store, work, e) < 0 || role_list(&store->db, work->id, &list, e) < 0)
		return err_code(e);
	work->more = list;
	work->free_more = free_list;
	return 0;
}

static void put_actions(struct writer *w, unsigned actions)
{
	const char *between = "";

	for (int i = 0; i < ACTIONS; i++)
		if (actions & ACTION_BIT(i)) {
			page_put(w, "%s%s", between, action_name((enum people_action)i));
			between = ", ";
		}
}

static void put_members(struct writer *w, const struct role_list *list, const char *role)
{
	const char *between = "";

	for (size_t i = 0; i < list->member_count; i++)
		if (strcmp(list->members[i].role, role) == 0) {
			page_put(w, "%s<bdi>%t</bdi>", between, list->members[i].user);
			between = ", ";
		}
	if (!*between)
		page_put(w, "<span class=\"dim\">Nobody</span>");
}

static void put_row(const struct web_work *work, const char *name, unsigned actions,
		    struct writer *w)
{
	bool is_frozen = (actions & ACTIONS_OF_PARTIES) && work->c.sent;

	page_row_begin(w);
	page_put(w, "%t</th>", name);
	page_cell(w, "Who");
	page_put(w, "<span>");
	put_members(w, work->more, name);
	page_put(w, "</span></td>");
	page_cell(w, "Allows");
	page_put(w, "<span>");
	put_actions(w, actions);
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
		put_row(work, action_roles[i].name, action_roles[i].actions, w);
	for (size_t i = 0; i < list->own_count; i++)
		put_row(work, list->own[i].name, list->own[i].actions, w);
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
		put_actions(w, decide_actions(&caller->rights));
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
	page_put(&w, "<p>%t</p>\n", list->member_count ? WEB_GIVE : WEB_NO_MEMBERS);
	page_command(&w, "give", "cocos-cli role give", work->c.id, " viewer NAME");
	page_put(&w, "</section>\n</div><div class=\"stack\">\n");
	web_put_people(work, &w);
	page_put(&w, "</div></div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_roles(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply);
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
	web_reply_json(work->r, &w);
}

void web_roles_json(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply_json);
}
