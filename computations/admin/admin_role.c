/* SPDX-License-Identifier: Apache-2.0 */
/* admin_role.c — roles in a computation, and who calls: people.PeopleService. */
#include "common/base/log.h"
#include "computations/admin/admin_heirs.h"
#include "computations/admin/admin_people.h"

#include <string.h>

/* Of who leaves the call names nobody: he is the one. Who is no user hears that from it. */
static int check_member(struct store *store, const struct request *r, struct err *e)
{
	const char *user = *r->people->user ? r->people->user : r->caller.who.name;

	if (!*r->people->user && !r->caller.who.person)
		return 0;
	if (r->people->hands_over)
		return revision_check_transfer(store, r->id, user, r->given->revision, e);
	return revision_check_member(store, r->id, user, r->given->revision, e);
}

int people_check_revision(struct store *store, const struct request *r, struct err *e)
{
	const char *revision = r->given->revision;

	if (r->people->workspace)
		return check_member(store, r, e);
	if (r->people->asset)
		return revision_check_asset(store, r->id, r->people->name, revision, e);
	return revision_check(store, r->id, true, revision, e);
}

/* ---- answers ---- */

struct role_message {
	People__Role role;
	char *actions[ACTIONS];
	char *members[ROLE_MEMBERS_MAX];
};

static void fill_role(struct role_message *m, const struct role_list *list, const char *name,
		      unsigned actions, bool own)
{
	people__role__init(&m->role);
	m->role.role_name = (char *)(uintptr_t)name;
	m->role.actions = m->actions;
	m->role.n_actions = people_action_names(actions, m->actions);
	m->role.members = m->members;
	m->role.own = own;
	for (size_t i = 0; i < list->member_count; i++)
		if (strcmp(list->members[i].role, name) == 0)
			m->members[m->role.n_members++] = list->members[i].user;
}

static void reply_roles(struct request *r)
{
	const struct role_list *list = r->people->roles;
	size_t count = ACTION_ROLES + list->own_count, at = 0;
	CLEANUP(free) struct role_message *out = calloc(count, sizeof(*out));
	People__Role *rows[ROLE_OWN_MAX + ACTION_ROLES];
	People__Roles response = PEOPLE__ROLES__INIT;
	struct err e;

	if (!out) {
		err_nomem(&e);
		rpc_call_finish(r->call, &e);
		return;
	}
	for (size_t i = 0; i < ACTION_ROLES; i++)
		fill_role(&out[at++], list, action_roles[i].name, action_roles[i].actions, false);
	for (size_t i = 0; i < list->own_count; i++)
		fill_role(&out[at++], list, list->own[i].name, list->own[i].actions, true);
	for (size_t i = 0; i < at; i++)
		rows[i] = &out[i].role;
	response.roles = rows;
	response.n_roles = at;
	rpc_call_reply(r->call, &response.base);
}

/* ---- what is asked ---- */

static int run_list_roles(struct store *store, struct request *r, struct err *e)
{
	return role_list(&store->db, r->id, &r->people->roles, e);
}

void people_list_roles(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = people_request_new(
		call, ((const People__RolesRequest *)message)->computation_id, "", "");

	if (r)
		people_start(r, run_list_roles, reply_roles);
}

/* Who has a role that the manifest names keys of is frozen with the manifest; whose it is, is not. */
static int check_parties(struct store *store, struct request *r, unsigned actions, struct err *e)
{
	if (!(actions & ACTIONS_OF_PARTIES) || strcmp(r->people->name, ACTION_OWNER) == 0)
		return 0;
	return admin_access_check(store, &r->caller, DEED_PARTIES, r->id, e);
}

typedef void say_state(struct request *r, const char *fmt, ...);

/* "view run": at most all of them, which fit. */
static void say_actions(struct request *r, say_state *say, unsigned actions)
{
	char text[ADMIN_AUDIT_SMALL + 1] = "", *names[ACTIONS];
	size_t count = people_action_names(actions, names);

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "", names[i]);
	}
	say(r, "%s", text);
}

/* Before and after: a role must not be changed out of what is frozen, nor into it. */
static int run_define_role(struct store *store, struct request *r, struct err *e)
{
	const struct people_request *p = r->people;
	unsigned before = 0;
	int known = role_actions(&store->db, r->id, p->name, &before, e);

	if (known < 0 && !err_is(known, ERR_NOT_FOUND))
		return known;
	if (known < 0 && !p->actions)
		return known;
	if (known == 0 && p->flag)
		return err_set(e, ERR_EXISTS,
			       "there is a role %s already: change that one, or take another name",
			       log_quote(p->name).text);
	if (check_parties(store, r, before | p->actions, e) < 0 ||
	    role_define(&store->db, r->id, p->name, p->actions, e) < 0)
		return err_code(e);
	say_actions(r, request_was, before);
	say_actions(r, request_is, p->actions);
	return run_list_roles(store, r, e);
}

void people_define_role(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__DefineRoleRequest *m = (const People__DefineRoleRequest *)message;
	struct request *r = people_request_new(call, m->computation_id, "", m->role);

	if (!r || !people_request_actions(r, m->actions, m->n_actions))
		return;
	r->people->flag = m->only_new;
	people_start(r, run_define_role, reply_roles);
}

static int change_member(struct store *store, struct request *r,
			 int (*change)(struct db *db, const char *computation, const char *role,
				       const char *user, struct err *e),
			 struct err *e)
{
	const struct people_request *p = r->people;
	unsigned actions;

	if (role_actions(&store->db, r->id, p->name, &actions, e) < 0 ||
	    check_parties(store, r, actions, e) < 0 ||
	    change(&store->db, r->id, p->name, p->user, e) < 0)
		return err_code(e);
	return run_list_roles(store, r, e);
}

static int run_give_role(struct store *store, struct request *r, struct err *e)
{
	return change_member(store, r, role_give, e);
}

/* What others own is noted in change_member()'s transaction, and stands only if that does. */
static int run_take_role(struct store *store, struct request *r, struct err *e)
{
	const struct people_request *p = r->people;

	if (strcmp(p->name, ACTION_OWNER) == 0 &&
	    admin_heirs_note(store, r, p->user, 0, r->id, e) < 0)
		return err_code(e);
	return change_member(store, r, role_take, e);
}

static struct request *member_request(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__MemberRequest *m = (const People__MemberRequest *)message;

	return people_request_new(call, m->computation_id, m->user, m->role);
}

void people_give_role(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = member_request(call, message);

	if (r)
		people_start(r, run_give_role, reply_roles);
}

void people_take_role(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = member_request(call, message);

	if (r)
		people_start(r, run_take_role, reply_roles);
}

/* ---- who calls ---- */

static int run_whoami(struct store *store, struct request *r, struct err *e)
{
	if (!*r->id) {
		r->people->actions = r->caller.rights.scope;
		return 0;
	}
	if (admin_access_check(store, &r->caller, DEED_SEE, r->id, e) < 0)
		return err_code(e);
	r->people->actions = decide_actions(&r->caller.rights);
	return 0;
}

static void reply_whoami(struct request *r)
{
	People__Caller m = PEOPLE__CALLER__INIT;
	Google__Protobuf__Timestamp time;
	char *actions[ACTIONS];

	m.user = r->caller.who.name;
	m.administrator = r->caller.rights.operates;
	m.auditor = r->caller.rights.audits;
	m.actions = actions;
	m.n_actions = people_action_names(r->people->actions, actions);
	m.expires = people_time(&time, r->caller.who.expires);
	rpc_call_reply(r->call, &m.base);
}

void people_whoami(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = people_request_new(
		call, ((const People__WhoamiRequest *)message)->computation_id, "", "");

	if (r)
		people_start(r, run_whoami, reply_whoami);
}
