/* SPDX-License-Identifier: Apache-2.0 */
/* admin_workspace.c — workspaces and who is in them: people.PeopleService. */
#include "computations/admin/admin_heirs.h"
#include "computations/admin/admin_people.h"
#include "computations/admin/workspace_name.h"
#include "computations/machines/machines.h"
#include "computations/people/workspace_member.h"

#include <string.h>

/* What such a call has found. */
struct workspace_rows {
	struct workspace w; /* that it is about */
	struct workspace workspaces[PEOPLE_PAGE_MAX];
	enum membership roles[PEOPLE_PAGE_MAX]; /* of the caller, in these */
	struct workspace_member members[PEOPLE_PAGE_MAX];
};

void people_workspace_free(struct workspace_rows *rows)
{
	if (!rows)
		return;
	workspace_done(&rows->w);
	for (size_t i = 0; i < PEOPLE_PAGE_MAX; i++) {
		workspace_done(&rows->workspaces[i]);
		workspace_member_done(&rows->members[i]);
	}
	free(rows);
}

/* `workspace` is the request's id; NULL as from request_new(). */
static struct request *request_of(struct rpc_call *call, const char *workspace, const char *user,
				  const char *name)
{
	struct request *r = people_request_new(call, workspace, user, name);
	struct err e;

	if (!r)
		return NULL;
	r->people->workspace = calloc(1, sizeof(*r->people->workspace));
	if (r->people->workspace)
		return r;
	err_nomem(&e);
	request_refuse(r, &e);
	return NULL;
}

static struct request *request_of_member(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__WorkspaceMemberRequest *m = (const People__WorkspaceMemberRequest *)message;
	struct request *r = request_of(call, m->workspace, m->user, m->role);

	if (r)
		r->people->flag = m->resume;
	return r;
}

/* ---- workspaces ---- */

static int find(struct store *store, struct request *r, struct err *e)
{
	return workspace_find(&store->db, r->id, &r->people->workspace->w, e);
}

/* What the caller is in it; of its computations, those that he may see count for him. */
static int look(struct store *store, const struct request *r, struct workspace *w,
		enum membership *role, struct err *e)
{
	const int64_t person = r->caller.who.person;
	bool suspended;

	if (workspace_member_in(&store->db, w->number, person, role, &suspended, e) < 0)
		return err_code(e);
	return r->caller.rights.operates ? 0 : workspace_count_seen(&store->db, w, person, e);
}

/* The first of the rows, and what the caller is in it. */
static int show(struct store *store, struct request *r, const char *name, struct err *e)
{
	struct workspace_rows *rows = r->people->workspace;

	r->count = 0;
	if (workspace_find(&store->db, name, &rows->workspaces[0], e) < 0)
		return err_code(e);
	r->count = 1;
	return look(store, r, &rows->workspaces[0], &rows->roles[0], e);
}

static void fill(People__Workspace *m, Google__Protobuf__Timestamp *time, const struct workspace *w,
		 enum membership role)
{
	people__workspace__init(m);
	m->name = w->name;
	m->created = people_time(time, w->created);
	m->members = (uint64_t)w->members;
	m->computations = (uint64_t)w->computations;
	m->role = (char *)(uintptr_t)membership_rules[role].name;
}

static void reply_workspace(struct request *r)
{
	const struct workspace_rows *rows = r->people->workspace;
	Google__Protobuf__Timestamp time;
	People__Workspace m;

	fill(&m, &time, &rows->workspaces[0], rows->roles[0]);
	rpc_call_reply(r->call, &m.base);
}

/* Who makes one is its administrator, if he is somebody. */
static int run_add(struct store *store, struct request *r, struct err *e)
{
	const int64_t person = r->caller.who.person, now = store_now();
	struct workspace_rows *rows = r->people->workspace;

	if (workspace_name_mapped(r, r->id, e) < 0 ||
	    workspace_add(&store->db, r->id, now, e) < 0 || find(store, r, e) < 0 ||
	    (person && workspace_member_add(&store->db, &rows->w, person, MEMBERSHIP_ADMINISTRATOR,
					    now, e) < 0))
		return err_code(e);
	return show(store, r, r->id, e);
}

static int run_show(struct store *store, struct request *r, struct err *e)
{
	return show(store, r, r->id, e);
}

static int run_rename(struct store *store, struct request *r, struct err *e)
{
	if (workspace_name_leave(r, e) < 0 || workspace_name_take(r, e) < 0 ||
	    workspace_name_mapped(r, r->id, e) < 0 ||
	    workspace_name_mapped(r, r->people->name, e) < 0 ||
	    workspace_rename(&store->db, r->id, r->people->name, e) < 0)
		return err_code(e);
	return show(store, r, r->people->name, e);
}

static int run_remove(struct store *store, struct request *r, struct err *e)
{
	int64_t machines;

	if (workspace_name_default(r, "remove", e) < 0 || workspace_name_mapped(r, r->id, e) < 0 ||
	    store_machines_count(store, r->id, &machines, e) < 0)
		return err_code(e);
	if (machines)
		return err_set(e, ERR_PRECONDITION,
			       "workspace %s has %lld CVM%s: remove %s first ('cocos-cli cvm "
			       "remove')",
			       r->id, (long long)machines, machines == 1 ? "" : "s",
			       machines == 1 ? "it" : "them");
	return workspace_remove(&store->db, r->id, e);
}

/* Who owns in whose place there what that member owned alone. */
static int note_heirs(struct store *store, const struct request *r, const char *user, struct err *e)
{
	return admin_heirs_note(store, r, user, r->people->workspace->w.number, "", e);
}

static int run_leave(struct store *store, struct request *r, struct err *e)
{
	if (!r->caller.who.person)
		return err_set(e, ERR_PRECONDITION,
			       "without a token you are no user, and in no workspace");
	if (find(store, r, e) < 0 || note_heirs(store, r, r->caller.who.name, e) < 0)
		return err_code(e);
	return workspace_member_remove(&store->db, &r->people->workspace->w, r->caller.who.name, e);
}

static const char *name_of(const ProtobufCMessage *message)
{
	return ((const People__WorkspaceRequest *)message)->name;
}

void people_add_workspace(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_of(call, name_of(message), "", "");

	if (r)
		people_start(r, run_add, reply_workspace);
}

void people_show_workspace(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_of(call, name_of(message), "", "");

	if (r)
		people_start(r, run_show, reply_workspace);
}

void people_rename_workspace(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__RenameWorkspaceRequest *m = (const People__RenameWorkspaceRequest *)message;
	struct request *r = request_of(call, m->name, "", m->to);

	if (r)
		people_start(r, run_rename, reply_workspace);
}

void people_remove_workspace(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_of(call, name_of(message), "", "");

	if (r)
		people_start(r, run_remove, people_reply_empty);
}

void people_leave_workspace(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_of(call, name_of(message), "", "");

	if (r)
		people_start(r, run_leave, people_reply_empty);
}

/* Who administers the service sees all, with a token that lets him. */
static int run_list(struct store *store, struct request *r, struct err *e)
{
	const int64_t person = r->caller.rights.operates ? 0 : r->caller.who.person;
	struct workspace_rows *rows = r->people->workspace;

	if (workspace_list(&store->db, person, r->people->name, PEOPLE_PAGE_MAX, rows->workspaces,
			   &r->count, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < r->count; i++)
		if (look(store, r, &rows->workspaces[i], &rows->roles[i], e) < 0)
			return err_code(e);
	return 0;
}

static void reply_list(struct request *r)
{
	People__ListWorkspacesResponse response = PEOPLE__LIST_WORKSPACES_RESPONSE__INIT;
	const struct workspace_rows *rows = r->people->workspace;
	Google__Protobuf__Timestamp times[PEOPLE_PAGE_MAX];
	People__Workspace out[PEOPLE_PAGE_MAX], *pointers[PEOPLE_PAGE_MAX];

	for (size_t i = 0; i < r->count; i++) {
		fill(&out[i], &times[i], &rows->workspaces[i], rows->roles[i]);
		pointers[i] = &out[i];
	}
	response.workspaces = pointers;
	response.n_workspaces = r->count;
	if (r->count == PEOPLE_PAGE_MAX)
		response.next = rows->workspaces[r->count - 1].name;
	rpc_call_reply(r->call, &response.base);
}

void people_list_workspaces(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		request_of(call, "", "", ((const People__ListWorkspacesRequest *)message)->after);

	if (r)
		people_start(r, run_list, reply_list);
}

/* ---- members ---- */

/* Finds the workspace, and who the call is about in it, as that is. */
static int find_member(struct store *store, struct request *r, struct workspace_member *m,
		       struct err *e)
{
	if (find(store, r, e) < 0)
		return err_code(e);
	return workspace_member_find(&store->db, &r->people->workspace->w, r->people->user, m, e);
}

/* The same as it is now; `before` (NULL: was none) for the audit log. */
static int show_member(struct store *store, struct request *r,
		       const struct workspace_member *before, struct err *e)
{
	struct workspace_rows *rows = r->people->workspace;
	struct workspace_member *m = &rows->members[0];

	if (workspace_member_find(&store->db, &rows->w, r->people->user, m, e) < 0)
		return err_code(e);
	if (before)
		request_was(r, "%s%s", membership_rules[before->membership].name,
			    before->suspended ? ", suspended" : "");
	request_is(r, "%s%s", membership_rules[m->membership].name,
		   m->suspended ? ", suspended" : "");
	return 0;
}

struct times {
	Google__Protobuf__Timestamp joined, changed;
};

static void fill_member(People__WorkspaceMember *m, struct times *times,
			const struct workspace_member *member)
{
	people__workspace_member__init(m);
	m->user = member->user;
	m->role = (char *)(uintptr_t)membership_rules[member->membership].name;
	m->suspended = member->suspended;
	m->joined = people_time(&times->joined, member->joined);
	m->changed = people_time(&times->changed, member->changed);
}

static void reply_member(struct request *r)
{
	struct times times;
	People__WorkspaceMember m;

	fill_member(&m, &times, &r->people->workspace->members[0]);
	rpc_call_reply(r->call, &m.base);
}

static int take_role(const struct request *r, enum membership *role, struct err *e)
{
	const char *name = r->people->name;

	*role = MEMBERSHIP_MEMBER;
	return *name ? membership_find(name, role, e) : 0;
}

static int run_add_member(struct store *store, struct request *r, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };
	struct workspace_rows *rows = r->people->workspace;
	enum membership role;

	if (take_role(r, &role, e) < 0 || find(store, r, e) < 0 ||
	    user_find(&store->db, r->people->user, &u, e) < 0 ||
	    workspace_member_add(&store->db, &rows->w, u.number, role, store_now(), e) < 0)
		return err_code(e);
	return show_member(store, r, NULL, e);
}

static int run_set_member(struct store *store, struct request *r, struct err *e)
{
	struct workspace_member before CLEANUP_MEMBER = { .user = NULL };
	const struct people_request *p = r->people;
	enum membership role;

	if (take_role(r, &role, e) < 0 || find_member(store, r, &before, e) < 0 ||
	    (role == MEMBERSHIP_VIEWER && note_heirs(store, r, p->user, e) < 0) ||
	    workspace_member_set(&store->db, &p->workspace->w, p->user, role, store_now(), e) < 0)
		return err_code(e);
	return show_member(store, r, &before, e);
}

static int run_suspend_member(struct store *store, struct request *r, struct err *e)
{
	struct workspace_member before CLEANUP_MEMBER = { .user = NULL };
	const struct people_request *p = r->people;

	if (find_member(store, r, &before, e) < 0 ||
	    workspace_member_suspend(&store->db, &p->workspace->w, p->user, !p->flag, store_now(),
				     e) < 0)
		return err_code(e);
	return show_member(store, r, &before, e);
}

static int run_transfer(struct store *store, struct request *r, struct err *e)
{
	struct workspace_member before CLEANUP_MEMBER = { .user = NULL };
	const struct people_request *p = r->people;

	if (find_member(store, r, &before, e) < 0 ||
	    admin_heirs_note_transfer(store, r, &p->workspace->w, &before, e) < 0 ||
	    workspace_transfer(&store->db, &p->workspace->w, p->user, store_now(), e) < 0)
		return err_code(e);
	return show_member(store, r, &before, e);
}

static int run_remove_member(struct store *store, struct request *r, struct err *e)
{
	const struct people_request *p = r->people;

	if (find(store, r, e) < 0 || note_heirs(store, r, p->user, e) < 0)
		return err_code(e);
	return workspace_member_remove(&store->db, &p->workspace->w, p->user, e);
}

void people_add_member(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_of_member(call, message);

	if (r)
		people_start(r, run_add_member, reply_member);
}

void people_set_member(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_of_member(call, message);

	if (r)
		people_start(r, run_set_member, reply_member);
}

void people_suspend_member(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_of_member(call, message);

	if (r)
		people_start(r, run_suspend_member, reply_member);
}

void people_transfer_workspace(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_of_member(call, message);

	if (!r)
		return;
	r->people->hands_over = true;
	people_start(r, run_transfer, reply_member);
}

void people_remove_member(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r = request_of_member(call, message);

	if (r)
		people_start(r, run_remove_member, people_reply_empty);
}

static int run_list_members(struct store *store, struct request *r, struct err *e)
{
	const struct list_search search = request_search(r, r->people->name);
	struct workspace_rows *rows = r->people->workspace;

	if (find(store, r, e) < 0)
		return err_code(e);
	if (r->is_sorted)
		return workspace_member_search(&store->db, rows->w.number, r->caller.who.person,
					       &search, PEOPLE_PAGE_MAX, rows->members, &r->count,
					       &r->place, e);
	return workspace_member_list(&store->db, rows->w.number, r->people->name, PEOPLE_PAGE_MAX,
				     rows->members, &r->count, e);
}

static void reply_members(struct request *r)
{
	People__ListMembersResponse response = PEOPLE__LIST_MEMBERS_RESPONSE__INIT;
	const struct workspace_rows *rows = r->people->workspace;
	struct times times[PEOPLE_PAGE_MAX];
	People__WorkspaceMember out[PEOPLE_PAGE_MAX], *pointers[PEOPLE_PAGE_MAX];

	for (size_t i = 0; i < r->count; i++) {
		fill_member(&out[i], &times[i], &rows->members[i]);
		pointers[i] = &out[i];
	}
	response.members = pointers;
	response.n_members = r->count;
	if (r->place)
		response.next = r->place;
	else if (r->count == PEOPLE_PAGE_MAX && !r->is_sorted)
		response.next = rows->members[r->count - 1].user;
	rpc_call_reply(r->call, &response.base);
}

void people_list_members(struct rpc_call *call, const ProtobufCMessage *message)
{
	const People__ListMembersRequest *m = (const People__ListMembersRequest *)message;
	struct request *r = request_of(call, m->workspace, "", m->after);
	struct err e;

	if (!r)
		return;
	if (request_look(r, &workspace_member_orders, m->sort, m->search, &e) < 0)
		request_refuse(r, &e);
	else
		people_start(r, run_list_members, reply_members);
}
