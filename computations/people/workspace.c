/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/workspace.h"

#include "common/base/log.h"
#include "computations/list/list_rows.h"
#include "computations/seal/secret_keep.h"

#include <stdlib.h>

void workspace_done(struct workspace *w)
{
	free(w->name);
	*w = (struct workspace){ .name = NULL };
}

int workspace_unknown(const char *name, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "no workspace %s", log_quote(name).text);
}

static int check_free(struct db *db, const char *name, struct err *e)
{
	int64_t known;

	if (people_name_check("workspace", name, e) < 0 ||
	    db_number(db, &known, e, "SELECT count(*) FROM workspaces WHERE name = ?", "t", name) <
		    0)
		return err_code(e);
	return known ? err_set(e, ERR_EXISTS, "workspace %s exists already", name) : 0;
}

int workspace_add(struct db *db, const char *name, int64_t now, struct err *e)
{
	int64_t known;

	if (check_free(db, name, e) < 0 ||
	    db_number(db, &known, e, "SELECT count(*) FROM workspaces", "") < 0)
		return err_code(e);
	if (known >= WORKSPACES_MAX)
		return err_set(e, ERR_EXHAUSTED, "there are %d workspaces: remove some",
			       WORKSPACES_MAX);
	return db_run(db, e, "INSERT INTO workspaces (name, created) VALUES (?, ?)", "ti", name,
		      now);
}

#define WORKSPACE_COLUMNS                                                               \
	"SELECT s.number, s.name, s.created,"                                           \
	" (SELECT count(*) FROM workspace_members w WHERE w.workspace = s.number),"     \
	" (SELECT count(*) FROM workspace_computations h WHERE h.workspace = s.number)" \
	" FROM workspaces s "

/* Of a user who is a member there and not suspended; ?2 0: of all. */
#define OF_MEMBER_2                                                           \
	"(?2 = 0 OR s.number IN (SELECT w.workspace FROM workspace_members w" \
	" WHERE w.person = ?2 AND w.suspended = 0))"

static int read_workspace(struct db_rows *row, struct workspace *w, struct err *e)
{
	struct workspace got = { .name = NULL };

	if (db_integer(row, 0, 1, INT64_MAX, &got.number, e) < 0 ||
	    db_integer(row, 2, 0, INT64_MAX, &got.created, e) < 0 ||
	    db_integer(row, 3, 0, INT64_MAX, &got.members, e) < 0 ||
	    db_integer(row, 4, 0, INT64_MAX, &got.computations, e) < 0 ||
	    db_text(row, 1, &got.name, e) < 0)
		return err_code(e);
	*w = got;
	return 0;
}

int workspace_find(struct db *db, const char *name, struct workspace *w, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, WORKSPACE_COLUMNS "WHERE s.name = ?", "t", name) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row == 0)
		return workspace_unknown(name, e);
	return row < 0 ? row : read_workspace(rows, w, e);
}

DEFINE_LIST_ROW(workspace_row, struct workspace, 0, read_workspace, workspace_done, NULL);

int workspace_list(struct db *db, int64_t person, const char *after, size_t max,
		   struct workspace *rows, size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;

	if (db_query(db, &found, e,
		     WORKSPACE_COLUMNS "WHERE s.name > ?1 AND " OF_MEMBER_2
				       " ORDER BY s.name LIMIT ?3",
		     "tii", after, person, (int64_t)max) < 0)
		return err_code(e);
	return list_rows(&workspace_row, found, max, rows, count, NULL, e);
}

int workspace_count_seen(struct db *db, struct workspace *w, int64_t person, struct err *e)
{
	return db_number(db, &w->computations, e,
			 "SELECT count(*) FROM workspace_computations c WHERE c.workspace = ?1"
			 " AND c.computation IN (" WORKSPACE_SEEN_BY_2 ")",
			 "ii", w->number, person);
}

int workspace_rename(struct db *db, const char *name, const char *to, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	if (workspace_find(db, name, &w, e) < 0 || check_free(db, to, e) < 0)
		return err_code(e);
	return db_run(db, e, "UPDATE workspaces SET name = ? WHERE number = ?", "ti", to, w.number);
}

int workspace_remove(struct db *db, const char *name, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	int64_t all;

	if (workspace_find(db, name, &w, e) < 0 ||
	    db_number(db, &all, e, "SELECT count(*) FROM workspaces", "") < 0)
		return err_code(e);
	if (w.computations)
		return err_set(e, ERR_PRECONDITION,
			       "%lld computation%s in workspace %s: remove %s first",
			       (long long)w.computations, w.computations == 1 ? " is" : "s are",
			       w.name, w.computations == 1 ? "it" : "them");
	if (all <= 1)
		return err_set(e, ERR_PRECONDITION,
			       "workspace %s is the only one: add another one first", w.name);
	/* Its webhooks go with it. */
	if (db_run(db, e,
		   "DELETE FROM secrets WHERE kind IN (?, ?) AND owner IN"
		   " (SELECT CAST(number AS TEXT) FROM webhooks WHERE workspace = ?)",
		   "tti", secret_webhook.word, secret_webhook_before.word, w.number) < 0)
		return err_code(e);
	return db_run(db, e, "DELETE FROM workspaces WHERE number = ?", "i", w.number);
}

int workspace_choose(struct db *db, int64_t person, struct workspace *w, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int64_t count;
	int row;

	if (db_number(db, &count, e,
		      "SELECT count(*) FROM workspaces s WHERE s.number > ?1 AND " OF_MEMBER_2,
		      "ii", (int64_t)0, person) < 0)
		return err_code(e);
	if (!count)
		return err_set(e, ERR_DENIED,
			       "you are in no workspace: ask an administrator for a place in one");
	if (db_query(db, &rows, e,
		     WORKSPACE_COLUMNS "WHERE (?1 = 1 OR s.name = ?3) AND " OF_MEMBER_2, "iit",
		     count, person, WORKSPACE_DEFAULT) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row == 0)
		return err_set(e, ERR_INVALID,
			       "there are %lld workspaces, and none is called '%s': say which one "
			       "('--workspace')",
			       (long long)count, WORKSPACE_DEFAULT);
	return row < 0 ? row : read_workspace(rows, w, e);
}

int workspace_first(struct db *db, struct workspace *w, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     WORKSPACE_COLUMNS "ORDER BY CASE s.name WHEN ? THEN 0 ELSE 1 END, s.number"
				       " LIMIT 1",
		     "t", WORKSPACE_DEFAULT) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row == 0)
		return err_set(e, ERR_DATA_LOSS, "database: there is no workspace");
	return row < 0 ? row : read_workspace(rows, w, e);
}

int workspace_take(struct db *db, int64_t workspace, const char *computation, struct err *e)
{
	return db_run(db, e,
		      "INSERT INTO workspace_computations (computation, workspace) VALUES (?, ?)",
		      "ti", computation, workspace);
}

int workspace_forget(struct db *db, const char *computation, struct err *e)
{
	return db_run(db, e, "DELETE FROM workspace_computations WHERE computation = ?", "t",
		      computation);
}
