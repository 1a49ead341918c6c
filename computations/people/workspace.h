/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workspace.h — workspaces: each computation is in one, and only who is a member there has rights in it.
 *
 * There is always one. Members: workspace_member.h.
 */
#pragma once

#include "computations/people/user.h"

#include <stddef.h>

enum { WORKSPACES_MAX = 1000 };

/* The first one; others may be called so later. */
#define WORKSPACE_DEFAULT "default"

struct workspace {
	int64_t number, created; /* ms since 1970; 0: an older program's, or the first one's */
	char *name;
	int64_t members, computations; /* how many */
};
void workspace_done(struct workspace *w);
#define CLEANUP_WORKSPACE __attribute__((cleanup(workspace_done)))

/* Without members. ERR_EXISTS if the name is taken. */
int workspace_add(struct db *db, const char *name, int64_t now, struct err *e) MUST_CHECK;
int workspace_find(struct db *db, const char *name, struct workspace *w, struct err *e) MUST_CHECK;
/* In the words of workspace_find(), of one that somebody may not see. */
int workspace_unknown(const char *name, struct err *e);
/* At most `max` after `after` ("" for the first), by name. `person` (0: all): those in which that user is a member who
 * is not suspended. */
int workspace_list(struct db *db, int64_t person, const char *after, size_t max,
		   struct workspace *rows, size_t *count, struct err *e) MUST_CHECK;
/* Counts those computations there alone that `person` may see. */
int workspace_count_seen(struct db *db, struct workspace *w, int64_t person,
			 struct err *e) MUST_CHECK;
int workspace_rename(struct db *db, const char *name, const char *to, struct err *e) MUST_CHECK;
/* ERR_PRECONDITION: computations are in it, or it is the last one. */
int workspace_remove(struct db *db, const char *name, struct err *e) MUST_CHECK;

/* Where whoever says nothing else means: the only one (of all that there are, or with `person` of his), or the one that
 * is called WORKSPACE_DEFAULT. ERR_INVALID: neither; ERR_DENIED: he is in none. */
int workspace_choose(struct db *db, int64_t person, struct workspace *w, struct err *e) MUST_CHECK;
/* Where a new user is a member, if nobody says where: WORKSPACE_DEFAULT, or the oldest. */
int workspace_first(struct db *db, struct workspace *w, struct err *e) MUST_CHECK;

/* A new computation is in that one, for good. */
int workspace_take(struct db *db, int64_t workspace, const char *computation,
		   struct err *e) MUST_CHECK;
/* The computation is removed. */
int workspace_forget(struct db *db, const char *computation, struct err *e) MUST_CHECK;

/* The ids of the computations that the user ?2 may see. */
#define WORKSPACE_SEEN_BY_2                                                              \
	"SELECT m.computation FROM role_members m"                                       \
	" JOIN workspace_computations h ON h.computation = m.computation"                \
	" JOIN workspace_members w ON w.workspace = h.workspace AND w.person = m.person" \
	" WHERE m.person = ?2 AND w.suspended = 0"                                       \
	" UNION SELECT h.computation FROM workspace_members w"                           \
	" JOIN workspace_computations h ON h.workspace = w.workspace"                    \
	" WHERE w.person = ?2 AND w.suspended = 0 AND w.role = 'administrator'"
