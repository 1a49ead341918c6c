/* SPDX-License-Identifier: Apache-2.0 */
/* web_role_own.c — the roles that a computation has of its own, made, changed and removed: forms, and the same for programs. */
#include "common/base/log.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_form.h"
#include "computations/web/web_page.h"
#include "computations/web/web_role.h"
#include "computations/web/web_words.h"
#include "people.pb-c.h"
#include "people_paths.h"

#include <string.h>

/* Each lets its members see the computation: that is no question. */
static void put_actions(const struct web_work *work, unsigned ticked, struct writer *w)
{
	const bool is_free = admin_access_may(&work->caller, DEED_PARTIES, &work->c);
	const unsigned offered =
		ACTIONS_ALL & ~ACTION_BIT(ACTION_VIEW) & ~(is_free ? 0U : ACTIONS_OF_PARTIES);

	page_put(w, "<input type=\"hidden\" name=\"view\" value=\"true\">\n");
	web_form_actions(w, "What it allows", offered, ticked,
			 is_free ? WEB_ROLE_ACTIONS WEB_ROLE_PARTIES
				 : WEB_ROLE_ACTIONS WEB_ROLE_LATER);
}

static void put_seen(const struct web_work *work, struct writer *w)
{
	page_put(w,
		 "<input type=\"hidden\" name=\"csrf\" value=\"%a\"><input type=\"hidden\" "
		 "name=\"revision\" value=\"%a\">\n",
		 work->csrf, work->revision);
}

void web_put_role_own(const struct web_work *work, struct writer *w)
{
	const struct role_list *list = work->more;

	if (!web_role_may_change(work, "", ACTION_BIT(ACTION_VIEW)))
		return;
	page_put(
		w,
		"<section class=\"panel\" aria-labelledby=\"h-own\"><h2 id=\"h-own\">A role of its "
		"own</h2>\n<p>%t</p>\n",
		list->own_count < ROLE_OWN_MAX ? WEB_ROLE_OWN : WEB_ROLE_FULL);
	if (list->own_count < ROLE_OWN_MAX) {
		page_put(w, "<form class=\"stack\" method=\"post\" action=\"/c/%u/roles/own\">\n",
			 work->c.id);
		put_seen(work, w);
		page_put(w, "<input type=\"hidden\" name=\"only_new\" value=\"true\">\n");
		web_form_field(w, "name", "Name", "text", "off", "", WEB_ROLE_NAME);
		put_actions(work, 0, w);
		web_form_end(w, "Make the role");
	}
	page_put(w, "</section>\n");
}

/* ---- one of them ---- */

static const struct role_own *own_of(const struct web_work *work)
{
	const struct role_list *list = work->more;
	const char *name = http_request_param(work->r, "role");

	for (size_t i = 0; i < list->own_count; i++)
		if (strcmp(list->own[i].name, name) == 0)
			return &list->own[i];
	return NULL;
}

static int run(struct store *store, struct web_work *work, struct err *e)
{
	const struct role_own *own;

	if (web_role_run(store, work, e) < 0)
		return err_code(e);
	own = own_of(work);
	if (!own)
		return err_set(e, ERR_NOT_FOUND, "no role %s of this computation's own",
			       log_quote(http_request_param(work->r, "role")).text);
	/* As the method decides it (admin_role.c). */
	return own->actions & ACTIONS_OF_PARTIES
		       ? admin_access_check(store, &work->caller, DEED_PARTIES, work->id, e)
		       : 0;
}

static void put_who(const struct web_work *work, const char *role, struct writer *w)
{
	const struct role_list *list = work->more;
	bool is_any = false;

	page_put(w, "<p>Who has it: ");
	for (size_t i = 0; i < list->member_count; i++) {
		if (strcmp(list->members[i].role, role) != 0)
			continue;
		page_put(w, "%s<bdi>%t</bdi>", is_any ? ", " : "", list->members[i].user);
		is_any = true;
	}
	page_put(w, "%s.</p>\n", is_any ? "" : "nobody");
}

static void put_change(const struct web_work *work, const struct role_own *own, struct writer *w)
{
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-change\"><h2 id=\"h-change\">Change "
		 "it</h2>\n<p>%t</p>\n<form class=\"stack\" method=\"post\" "
		 "action=\"/c/%u/roles/own/%u\">\n",
		 WEB_ROLE_CHANGE, work->c.id, own->name);
	put_seen(work, w);
	put_actions(work, own->actions, w);
	web_form_end(w, "Change the role");
	page_put(w, "</section>\n");
}

static void put_remove(const struct web_work *work, const struct role_own *own, struct writer *w)
{
	page_put(w,
		 "<section class=\"panel\" aria-labelledby=\"h-remove\"><h2 id=\"h-remove\">Remove "
		 "it</h2>\n<p>%t</p>\n",
		 WEB_ROLE_REMOVE);
	put_who(work, own->name, w);
	page_put(w, "<form method=\"post\" action=\"/c/%u/roles/own/%u/remove\">\n", work->c.id,
		 own->name);
	put_seen(work, w);
	page_put(w, "<button class=\"btn danger\" type=\"submit\">Remove the role</button></form>\n"
		    "</section>\n");
}

static void reply(struct web_work *work)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);
	const char *name = *work->c.name ? work->c.name : work->c.id;
	const struct role_own *own = own_of(work);

	page_begin(&w, &work->caller, own->name, "");
	page_put(
		&w,
		"<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/\">Computations</a> / "
		"<a href=\"/c/%u\"><bdi>%t</bdi></a> / <a href=\"/c/%u/roles\">Roles</a> /</nav>\n"
		"<div class=\"head\"><h1><bdi>%t</bdi></h1></div>\n<p>A role of this computation’s "
		"own. It allows: ",
		work->c.id, name, work->c.id, own->name);
	web_put_actions(&w, own->actions);
	page_put(&w, ".</p>\n<div class=\"stack gate\">\n");
	if (*work->csrf) {
		put_change(work, own, &w);
		put_remove(work, own, &w);
	}
	page_put(&w, "</div>\n");
	page_end(&w);
	web_reply_html(work->r, &w, 200);
}

void web_role_own(struct http_request *r, void *data)
{
	web_work_start(data, r, run, reply);
}

/* ---- what changes them ---- */

#define IT     PATH("id", People__DefineRoleRequest, computation_id, "a computation's id")
#define CALLED PATH("role", People__DefineRoleRequest, role, "a role's name")
#define ALLOWED                                                    \
	{ .name = "actions",                                       \
	  .kind = INPUT_ACTIONS,                                   \
	  .is_needed = true,                                       \
	  .at = offsetof(People__DefineRoleRequest, actions),      \
	  .count = offsetof(People__DefineRoleRequest, n_actions), \
	  .meaning = "what its members may do, \"view\" among it" }

static const struct web_input made[] = {
	IT,
	NEEDED("name", People__DefineRoleRequest, role, "its name"),
	ALLOWED,
	BODY("only_new", INPUT_FLAG, People__DefineRoleRequest, only_new,
	     "true: not one that is there already"),
	END,
};
static const struct web_input define[] = {
	IT,
	PATH_WORD("role", People__DefineRoleRequest, role, WEB_NAME_PATTERN, "a role's name"),
	ALLOWED,
	END,
};
static const struct web_input undefine[] = { IT, CALLED, END };

#define OF_ROLE OF_PEOPLE(DEFINE_ROLE, define_role_request), .revises = REVISES_ROLES

ACTION(web_page_define) = { OF_ROLE, .inputs = made, .leads = "/c/%u/roles" };
ACTION(web_page_redefine) = { OF_ROLE, .inputs = define, .leads = "/c/%u/roles" };
ACTION(web_page_undefine) = { OF_ROLE, .inputs = undefine, .leads = "/c/%u/roles" };
ACTION(web_api_define) = { OF_ROLE, .inputs = define };
ACTION(web_api_undefine) = { OF_ROLE, .inputs = undefine };
