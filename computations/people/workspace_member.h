/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workspace_member.h — who is in a workspace. One that has had an administrator keeps one who is not suspended; only
 * whoever removes a user from the service can leave it without.
 */
#pragma once

#include "computations/list/list_look.h"
#include "computations/people/membership.h"
#include "computations/people/workspace.h"

struct workspace_member {
	char *user;
	enum membership membership;
	bool suspended;
	int64_t person, joined; /* ms since 1970 */
	int64_t changed;        /* its role, or whether it is suspended */
};
void workspace_member_done(struct workspace_member *m);
#define CLEANUP_MEMBER __attribute__((cleanup(workspace_member_done)))

/* What that user is in the workspace, or in the one that a computation is in; MEMBERSHIP_NONE: no member. */
int workspace_member_in(struct db *db, int64_t workspace, int64_t person,
			enum membership *membership, bool *suspended, struct err *e) MUST_CHECK;
int workspace_member_at(struct db *db, const char *computation, int64_t person,
			enum membership *membership, bool *suspended, struct err *e) MUST_CHECK;

/* ERR_NOT_FOUND, whether or not there is such a user. */
int workspace_member_find(struct db *db, const struct workspace *w, const char *user,
			  struct workspace_member *m, struct err *e) MUST_CHECK;
/* The most that `person` is, and not suspended, in a workspace that this user is in, too. */
int workspace_member_beside(struct db *db, int64_t person, const char *user,
			    enum membership *membership, struct err *e) MUST_CHECK;
/* At most `max` after `after` ("" for the first), by name. */
int workspace_member_list(struct db *db, int64_t workspace, const char *after, size_t max,
			  struct workspace_member *rows, size_t *count, struct err *e) MUST_CHECK;
/* The same in an order of `workspace_member_orders`, of those with that text in name or role, for that person; `*next` is the
 * place of the page behind, malloc'ed; NULL: there is none. */
int workspace_member_search(struct db *db, int64_t workspace, int64_t person,
			    const struct list_search *search, size_t max,
			    struct workspace_member *rows, size_t *count, char **next,
			    struct err *e) MUST_CHECK;
extern const struct list_kind workspace_member_orders;
/* At most `max` who administer it, suspended or not, beside the person `but`; by name, behind `after` ("": the first). */
int workspace_member_governors(struct db *db, int64_t workspace, int64_t but, const char *after,
			       size_t max, struct workspace_member *rows, size_t *count,
			       struct err *e) MUST_CHECK;

/* A new user, who is a member there: its administrator, if the service's. */
int workspace_member_new(struct db *db, const struct workspace *w, const char *user,
			 bool administrator, int64_t now, struct err *e) MUST_CHECK;
/* ERR_EXISTS: he is a member. */
int workspace_member_add(struct db *db, const struct workspace *w, int64_t person,
			 enum membership membership, int64_t now, struct err *e) MUST_CHECK;

/* Of members by name, as workspace_member_find(). ERR_PRECONDITION: the last administrator. */
int workspace_member_set(struct db *db, const struct workspace *w, const char *user,
			 enum membership membership, int64_t now, struct err *e) MUST_CHECK;
/* Calling it again is fine. */
int workspace_member_suspend(struct db *db, const struct workspace *w, const char *user,
			     bool suspended, int64_t now, struct err *e) MUST_CHECK;
/* Whether he can go. ERR_PRECONDITION: the last administrator; or some computations would have no owner any more. */
int workspace_member_check_go(struct db *db, const struct workspace *w,
			      const struct workspace_member *m, struct err *e) MUST_CHECK;
/* With the roles that he has in its computations, if he can go. */
int workspace_member_remove(struct db *db, const struct workspace *w, const char *user,
			    struct err *e) MUST_CHECK;
/* Whether it can be handed over to him. ERR_PRECONDITION: he is suspended, there or by the service. */
int workspace_transfer_check(struct db *db, const struct workspace *w,
			     const struct workspace_member *m, struct err *e) MUST_CHECK;
/* He becomes the only administrator, if it can; those who were are members from now on. */
int workspace_transfer(struct db *db, const struct workspace *w, const char *user, int64_t now,
		       struct err *e) MUST_CHECK;
