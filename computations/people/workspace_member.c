/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/workspace_member.h"

#include "common/base/log.h"
#include "computations/list/list_rows.h"
#include "computations/people/owner.h"

#include <stdlib.h>

void workspace_member_done(struct workspace_member *m)
{
	free(m->user);
	*m = (struct workspace_member){ .user = NULL };
}

/* ---- what somebody is ---- */

/* From that column and the next. */
static int read_membership(struct db_rows *row, int column, enum membership *membership,
			   bool *suspended, struct err *e)
{
	CLEANUP(free) char *name = NULL;
	struct err ignored;

	if (db_text(row, column, &name, e) < 0)
		return err_code(e);
	if (membership_find(name, membership, &ignored) < 0)
		return err_set(e, ERR_DATA_LOSS, "database: a member with the role %s",
			       log_quote(name).text);
	return db_flag(row, column + 1, suspended, e);
}

static int read_one(struct db_rows *rows, enum membership *membership, bool *suspended,
		    struct err *e)
{
	int row = db_next(rows, e);

	*membership = MEMBERSHIP_NONE;
	*suspended = false;
	return row <= 0 ? row : read_membership(rows, 0, membership, suspended, e);
}

int workspace_member_in(struct db *db, int64_t workspace, int64_t person,
			enum membership *membership, bool *suspended, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;

	if (db_query(db, &rows, e,
		     "SELECT role, suspended FROM workspace_members WHERE workspace = ?"
		     " AND person = ?",
		     "ii", workspace, person) < 0)
		return err_code(e);
	return read_one(rows, membership, suspended, e);
}

int workspace_member_at(struct db *db, const char *computation, int64_t person,
			enum membership *membership, bool *suspended, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;

	if (db_query(db, &rows, e,
		     "SELECT w.role, w.suspended FROM workspace_computations h"
		     " JOIN workspace_members w ON w.workspace = h.workspace"
		     " WHERE h.computation = ? AND w.person = ?",
		     "ti", computation, person) < 0)
		return err_code(e);
	return read_one(rows, membership, suspended, e);
}

int workspace_member_beside(struct db *db, int64_t person, const char *user,
			    enum membership *membership, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	enum membership most = MEMBERSHIP_NONE, one;
	bool suspended;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT w.role, w.suspended FROM workspace_members w JOIN workspace_members o"
		     " ON o.workspace = w.workspace JOIN users u ON u.number = o.person"
		     " WHERE w.person = ? AND w.suspended = 0 AND u.name = ?",
		     "it", person, user) < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0) {
		if (read_membership(rows, 0, &one, &suspended, e) < 0)
			return err_code(e);
		most = one > most ? one : most;
	}
	*membership = most;
	return row;
}

static int read_member(struct db_rows *row, struct workspace_member *m, struct err *e)
{
	struct workspace_member got = { .user = NULL };

	if (read_membership(row, 1, &got.membership, &got.suspended, e) < 0 ||
	    db_integer(row, 3, 0, INT64_MAX, &got.joined, e) < 0 ||
	    db_integer(row, 4, 1, INT64_MAX, &got.person, e) < 0 ||
	    db_integer(row, 5, 0, INT64_MAX, &got.changed, e) < 0 ||
	    db_text(row, 0, &got.user, e) < 0)
		return err_code(e);
	*m = got;
	return 0;
}

/* Its workspace is ?1. */
#define MEMBERS        "SELECT " MEMBER_COLUMNS MEMBER_TABLES "WHERE w.workspace = ?1 "
#define MEMBER_COLUMNS "u.name, w.role, w.suspended, w.joined, w.person, w.changed"
#define MEMBER_TABLES  " FROM workspace_members w JOIN users u ON u.number = w.person "

int workspace_member_find(struct db *db, const struct workspace *w, const char *user,
			  struct workspace_member *m, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, MEMBERS "AND u.name = ?2", "it", w->number, user) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row == 0)
		return err_set(e, ERR_NOT_FOUND, "no user %s in workspace %s", log_quote(user).text,
			       w->name);
	return row < 0 ? row : read_member(rows, m, e);
}

DEFINE_LIST_ROW(member_row, struct workspace_member, 6, read_member, workspace_member_done, NULL);

int workspace_member_list(struct db *db, int64_t workspace, const char *after, size_t max,
			  struct workspace_member *rows, size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;

	if (db_query(db, &found, e, MEMBERS "AND u.name > ?2 ORDER BY u.name LIMIT ?3", "iti",
		     workspace, after, (int64_t)max) < 0)
		return err_code(e);
	return list_rows(&member_row, found, max, rows, count, NULL, e);
}

int workspace_member_governors(struct db *db, int64_t workspace, int64_t but, const char *after,
			       size_t max, struct workspace_member *rows, size_t *count,
			       struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;

	if (db_query(db, &found, e,
		     MEMBERS "AND w.role = ?2 AND w.person <> ?3 AND u.name > ?4"
			     " ORDER BY u.name LIMIT ?5",
		     "ititi", workspace, MEMBERSHIP_OF_ADMINISTRATOR, but, after, (int64_t)max) < 0)
		return err_code(e);
	return list_rows(&member_row, found, max, rows, count, NULL, e);
}

#define FOUND                                                                                      \
	MEMBER_TABLES "WHERE w.workspace = ?2 AND (" LIST_HOLDS("u.name", "?3") " OR " LIST_HOLDS( \
		"w.role", "?3") ")"
#define ORDER(order, column) \
	{ order, LIST_STATEMENTS(MEMBER_COLUMNS, FOUND, column, "w.person", "?4", "?5"), NULL }

static const struct list_order_row orders[] = {
	ORDER(LIST_BY_NAME, LIST_NAME("u.name")),
	ORDER(LIST_BY_ROLE, "w.role"),
	ORDER(LIST_BY_CREATED, "w.joined"),
	ORDER(LIST_BY_CHANGED, "w.changed"),
};
const struct list_kind workspace_member_orders = {
	"members", orders, ARRAY_LEN(orders), { LIST_BY_NAME, true }
};

int workspace_member_search(struct db *db, int64_t workspace, int64_t person,
			    const struct list_search *search, size_t max,
			    struct workspace_member *rows, size_t *count, char **next,
			    struct err *e)
{
	const int64_t scope[] = { workspace, person };
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	struct list_look l CLEANUP_LIST_LOOK = { .pattern = NULL };

	if (list_look_begin(&workspace_member_orders, search, scope, ARRAY_LEN(scope), &l, e) < 0 ||
	    LIST_ASK(db, &found, &l, max, e, "it", workspace, l.pattern) < 0)
		return err_code(e);
	return list_page(&member_row, &l, found, max, rows, count, next, e);
}

/* ---- changes ---- */

int workspace_member_add(struct db *db, const struct workspace *w, int64_t person,
			 enum membership membership, int64_t now, struct err *e)
{
	enum membership is;
	bool suspended;

	if (workspace_member_in(db, w->number, person, &is, &suspended, e) < 0)
		return err_code(e);
	if (is != MEMBERSHIP_NONE)
		return err_set(e, ERR_EXISTS, "this user is in workspace %s already, as %s",
			       w->name, membership_rules[is].name);
	return db_run(db, e,
		      "INSERT INTO workspace_members (workspace, person, role, joined, changed)"
		      " VALUES (?, ?, ?, ?, ?)",
		      "iitii", w->number, person, membership_rules[membership].name, now, now);
}

int workspace_member_new(struct db *db, const struct workspace *w, const char *user,
			 bool administrator, int64_t now, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };

	if (user_add(db, user, administrator, now, e) < 0 || user_find(db, user, &u, e) < 0)
		return err_code(e);
	return workspace_member_add(db, w, u.number,
				    administrator ? MEMBERSHIP_ADMINISTRATOR : MEMBERSHIP_MEMBER,
				    now, e);
}

/* Of one who is about to be none any more. */
static int check_others_govern(struct db *db, const struct workspace *w,
			       const struct workspace_member *m, struct err *e)
{
	int64_t others;

	if (m->membership != MEMBERSHIP_ADMINISTRATOR || m->suspended)
		return 0;
	/* One whom the service has suspended could not even make another one. */
	if (db_number(db, &others, e,
		      "SELECT count(*) FROM workspace_members w JOIN users u ON u.number = w.person"
		      " WHERE w.workspace = ? AND w.person <> ? AND w.role = ?"
		      " AND w.suspended = 0 AND u.suspended = 0",
		      "iit", w->number, m->person, MEMBERSHIP_OF_ADMINISTRATOR) < 0)
		return err_code(e);
	return others ? 0
		      : err_set(e, ERR_PRECONDITION,
				"user %s is the only administrator of workspace %s: "
				"'cocos-cli workspace transfer' comes first",
				m->user, w->name);
}

/* One who may do more than look. */
static int check_others_own(struct db *db, const struct workspace *w,
			    const struct workspace_member *m, struct err *e)
{
	int64_t orphans;

	if (owner_alone(db, m->person, w->number, "", &orphans, e) < 0)
		return err_code(e);
	if (!orphans)
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "user %s is the only owner of %lld computation%s in workspace %s: make "
		       "somebody else an owner first, or suspend this member",
		       m->user, (long long)orphans, orphans == 1 ? "" : "s", w->name);
}

int workspace_member_set(struct db *db, const struct workspace *w, const char *user,
			 enum membership membership, int64_t now, struct err *e)
{
	struct workspace_member m CLEANUP_MEMBER = { .user = NULL };

	if (workspace_member_find(db, w, user, &m, e) < 0 ||
	    (membership != MEMBERSHIP_ADMINISTRATOR && check_others_govern(db, w, &m, e) < 0) ||
	    (membership == MEMBERSHIP_VIEWER &&
	     (check_others_own(db, w, &m, e) < 0 ||
	      owner_pass_on(db, m.person, w->number, "", e) < 0)))
		return err_code(e);
	return db_run(db, e,
		      "UPDATE workspace_members SET role = ?1, changed = ?2 WHERE workspace = ?3"
		      " AND person = ?4 AND role <> ?1",
		      "tiii", membership_rules[membership].name, now, w->number, m.person);
}

int workspace_member_suspend(struct db *db, const struct workspace *w, const char *user,
			     bool suspended, int64_t now, struct err *e)
{
	struct workspace_member m CLEANUP_MEMBER = { .user = NULL };

	if (workspace_member_find(db, w, user, &m, e) < 0 ||
	    (suspended && check_others_govern(db, w, &m, e) < 0))
		return err_code(e);
	return db_run(db, e,
		      "UPDATE workspace_members SET suspended = ?1, changed = ?2"
		      " WHERE workspace = ?3 AND person = ?4 AND suspended <> ?1",
		      "iiii", (int64_t)suspended, now, w->number, m.person);
}

int workspace_member_check_go(struct db *db, const struct workspace *w,
			      const struct workspace_member *m, struct err *e)
{
	return check_others_govern(db, w, m, e) < 0 ? err_code(e) : check_others_own(db, w, m, e);
}

int workspace_member_remove(struct db *db, const struct workspace *w, const char *user,
			    struct err *e)
{
	struct workspace_member m CLEANUP_MEMBER = { .user = NULL };

	if (workspace_member_find(db, w, user, &m, e) < 0 ||
	    workspace_member_check_go(db, w, &m, e) < 0 ||
	    owner_pass_on(db, m.person, w->number, "", e) < 0 ||
	    db_run(db, e,
		   "DELETE FROM role_members WHERE person = ? AND computation IN"
		   " (SELECT computation FROM workspace_computations WHERE workspace = ?)",
		   "ii", m.person, w->number) < 0)
		return err_code(e);
	return db_run(db, e, "DELETE FROM workspace_members WHERE workspace = ? AND person = ?",
		      "ii", w->number, m.person);
}

int workspace_transfer_check(struct db *db, const struct workspace *w,
			     const struct workspace_member *m, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };

	if (m->suspended)
		return err_set(e, ERR_PRECONDITION,
			       "user %s is suspended in workspace %s: 'cocos-cli workspace member "
			       "resume' comes first",
			       m->user, w->name);
	if (user_numbered(db, m->person, &u, e) < 0)
		return err_code(e);
	/* Nobody would administer it, and nobody there could change that. */
	if (u.suspended)
		return err_set(e, ERR_PRECONDITION,
			       "user %s is suspended: name another member, or ask who administers "
			       "this service",
			       m->user);
	return 0;
}

int workspace_transfer(struct db *db, const struct workspace *w, const char *user, int64_t now,
		       struct err *e)
{
	struct workspace_member m CLEANUP_MEMBER = { .user = NULL };

	if (workspace_member_find(db, w, user, &m, e) < 0 ||
	    workspace_transfer_check(db, w, &m, e) < 0)
		return err_code(e);
	return db_run(
		db, e,
		"UPDATE workspace_members SET role = CASE WHEN person = ?1 THEN ?2 ELSE ?3 END,"
		" changed = ?5 WHERE workspace = ?4 AND (role = ?2) <> (person = ?1)",
		"ittii", m.person, MEMBERSHIP_OF_ADMINISTRATOR,
		membership_rules[MEMBERSHIP_MEMBER].name, w->number, now);
}
