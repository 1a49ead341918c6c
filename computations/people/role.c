/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/role.h"

#include "common/base/log.h"
#include "computations/people/owner.h"
#include "computations/people/workspace_member.h"

#include <stdlib.h>
#include <string.h>

/* Of a role that somebody has; one that is in no table grants nothing. */
static int actions_of(struct db_rows *row, unsigned *actions, struct err *e)
{
	CLEANUP(free) char *name = NULL;
	const struct action_role *role;
	int64_t own;

	if (db_text(row, 0, &name, e) < 0 || db_integer(row, 1, 0, ACTIONS_ALL, &own, e) < 0)
		return err_code(e);
	role = action_role_find(name);
	*actions |= role ? role->actions : (unsigned)own;
	return 0;
}

int role_granted(struct db *db, const char *computation, int64_t person, unsigned *actions,
		 struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	unsigned got = 0;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT m.role, coalesce(o.actions, 0) FROM role_members m"
		     " LEFT JOIN own_roles o ON o.computation = m.computation AND o.name = m.role"
		     " WHERE m.computation = ? AND m.person = ?",
		     "ti", computation, person) < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0)
		if (actions_of(rows, &got, e) < 0)
			return err_code(e);
	if (row < 0)
		return row;
	*actions = got;
	return 0;
}

int role_actions(struct db *db, const char *computation, const char *role, unsigned *actions,
		 struct err *e)
{
	const struct action_role *fixed = action_role_find(role);
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int64_t own;
	int row;

	if (fixed) {
		*actions = fixed->actions;
		return 0;
	}
	if (db_query(db, &rows, e,
		     "SELECT actions FROM own_roles WHERE computation = ? AND name = ?", "tt",
		     computation, role) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row == 0)
		return err_set(
			e, ERR_NOT_FOUND,
			"no role %s: there are owner, administrator, editor, runner, viewer, "
			"algo_provider, dataset_provider, result_consumer, and those that "
			"'role define' makes",
			log_quote(role).text);
	if (row < 0 || db_integer(rows, 0, 0, ACTIONS_ALL, &own, e) < 0)
		return err_code(e);
	*actions = (unsigned)own;
	return 0;
}

int role_computations(struct db *db, int64_t workspace, int64_t person, int64_t *count,
		      struct err *e)
{
	return db_number(db, count, e,
			 "SELECT count(DISTINCT m.computation) FROM role_members m"
			 " JOIN workspace_computations h ON h.computation = m.computation"
			 " WHERE h.workspace = ? AND m.person = ?",
			 "ii", workspace, person);
}

static int insert(struct db *db, const char *computation, const char *role, int64_t person,
		  struct err *e)
{
	return db_run(db, e,
		      "INSERT INTO role_members (computation, role, person) VALUES (?, ?, ?)",
		      "tti", computation, role, person);
}

int role_own(struct db *db, const char *computation, int64_t person, struct err *e)
{
	enum membership membership;
	bool suspended;

	if (workspace_member_at(db, computation, person, &membership, &suspended, e) < 0)
		return err_code(e);
	return membership == MEMBERSHIP_NONE ? 0 : insert(db, computation, ACTION_OWNER, person, e);
}

/* Who is not in the computation's workspace is nobody there. */
static int find_member(struct db *db, const char *computation, const char *user, struct user *u,
		       struct err *e)
{
	enum membership membership = MEMBERSHIP_NONE;
	bool suspended;
	int failed = user_find(db, user, u, e);

	if (failed && !err_is(failed, ERR_NOT_FOUND))
		return failed;
	if (!failed &&
	    workspace_member_at(db, computation, u->number, &membership, &suspended, e) < 0)
		return err_code(e);
	if (membership != MEMBERSHIP_NONE)
		return 0;
	return err_set(e, ERR_NOT_FOUND, "no user %s in the computation's workspace",
		       log_quote(user).text);
}

int role_give(struct db *db, const char *computation, const char *role, const char *user,
	      struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };
	int64_t has, all;
	unsigned actions;

	if (role_actions(db, computation, role, &actions, e) < 0 ||
	    find_member(db, computation, user, &u, e) < 0 ||
	    db_number(db, &has, e,
		      "SELECT count(*) FROM role_members WHERE computation = ? AND role = ?"
		      " AND person = ?",
		      "tti", computation, role, u.number) < 0)
		return err_code(e);
	if (has)
		return 0;
	if (db_number(db, &all, e, "SELECT count(*) FROM role_members WHERE computation = ?", "t",
		      computation) < 0)
		return err_code(e);
	if (all >= ROLE_MEMBERS_MAX)
		return err_set(e, ERR_EXHAUSTED, "a computation's roles have %d members: take one",
			       ROLE_MEMBERS_MAX);
	return insert(db, computation, role, u.number, e);
}

int role_take(struct db *db, const char *computation, const char *role, const char *user,
	      struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };
	int64_t alone = 0;
	unsigned actions;

	if (role_actions(db, computation, role, &actions, e) < 0 ||
	    find_member(db, computation, user, &u, e) < 0 ||
	    (strcmp(role, ACTION_OWNER) == 0 &&
	     owner_alone(db, u.number, 0, computation, &alone, e) < 0))
		return err_code(e);
	if (alone)
		return err_set(e, ERR_PRECONDITION,
			       "user %s is the only owner: make somebody else an owner first",
			       log_quote(user).text);
	if (strcmp(role, ACTION_OWNER) == 0 && owner_pass_on(db, u.number, 0, computation, e) < 0)
		return err_code(e);
	return db_run(db, e,
		      "DELETE FROM role_members WHERE computation = ? AND role = ? AND person = ?",
		      "tti", computation, role, u.number);
}

static int drop(struct db *db, const char *computation, const char *role, struct err *e)
{
	if (db_run(db, e, "DELETE FROM role_members WHERE computation = ? AND role = ?", "tt",
		   computation, role) < 0)
		return err_code(e);
	return db_run(db, e, "DELETE FROM own_roles WHERE computation = ? AND name = ?", "tt",
		      computation, role);
}

int role_define(struct db *db, const char *computation, const char *role, unsigned actions,
		struct err *e)
{
	int64_t changed, all;

	if (people_name_check("role", role, e) < 0 || (actions && actions_check(actions, e) < 0))
		return err_code(e);
	if (action_role_find(role))
		return err_set(e, ERR_PRECONDITION, "role %s is the same in each computation",
			       log_quote(role).text);
	if (!actions)
		return drop(db, computation, role, e);
	if (db_change(db, &changed, e,
		      "UPDATE own_roles SET actions = ? WHERE computation = ? AND name = ?", "itt",
		      (int64_t)actions, computation, role) < 0)
		return err_code(e);
	if (changed)
		return 0;
	if (db_number(db, &all, e, "SELECT count(*) FROM own_roles WHERE computation = ?", "t",
		      computation) < 0)
		return err_code(e);
	if (all >= ROLE_OWN_MAX)
		return err_set(e, ERR_EXHAUSTED, "a computation has at most %d roles of its own",
			       ROLE_OWN_MAX);
	return db_run(db, e, "INSERT INTO own_roles (computation, name, actions) VALUES (?, ?, ?)",
		      "tti", computation, role, (int64_t)actions);
}

static int list_own(struct db *db, const char *computation, struct role_list *list, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int64_t actions;
	int row = 0;

	if (db_query(db, &rows, e,
		     "SELECT name, actions FROM own_roles WHERE computation = ? ORDER BY name", "t",
		     computation) < 0)
		return err_code(e);
	while (list->own_count < ROLE_OWN_MAX && (row = db_next(rows, e)) > 0) {
		struct role_own *own = &list->own[list->own_count];

		if (db_integer(rows, 1, 0, ACTIONS_ALL, &actions, e) < 0 ||
		    db_text(rows, 0, &own->name, e) < 0)
			return err_code(e);
		own->actions = (unsigned)actions;
		list->own_count++;
	}
	return row < 0 ? row : 0;
}

static int list_members(struct db *db, const char *computation, struct role_list *list,
			struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row = 0;

	if (db_query(db, &rows, e,
		     "SELECT m.role, u.name FROM role_members m JOIN users u ON u.number = m.person"
		     " WHERE m.computation = ? ORDER BY m.role, u.name",
		     "t", computation) < 0)
		return err_code(e);
	while (list->member_count < ROLE_MEMBERS_MAX && (row = db_next(rows, e)) > 0) {
		struct role_member *m = &list->members[list->member_count];

		if (db_text(rows, 0, &m->role, e) < 0)
			return err_code(e);
		list->member_count++; /* freed from here on */
		if (db_text(rows, 1, &m->user, e) < 0)
			return err_code(e);
	}
	return row < 0 ? row : 0;
}

int role_list(struct db *db, const char *computation, struct role_list **list, struct err *e)
{
	CLEANUP(role_list_free) struct role_list *got = calloc(1, sizeof(*got));

	if (!got)
		return err_nomem(e);
	if (list_own(db, computation, got, e) < 0 || list_members(db, computation, got, e) < 0)
		return err_code(e);
	*list = TAKE_PTR(got);
	return 0;
}

void role_list_free(struct role_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->own_count; i++)
		free(list->own[i].name);
	for (size_t i = 0; i < list->member_count; i++) {
		free(list->members[i].role);
		free(list->members[i].user);
	}
	free(list);
}

int role_forget(struct db *db, const char *computation, struct err *e)
{
	if (db_run(db, e, "DELETE FROM role_members WHERE computation = ?", "t", computation) < 0)
		return err_code(e);
	return db_run(db, e, "DELETE FROM own_roles WHERE computation = ?", "t", computation);
}
