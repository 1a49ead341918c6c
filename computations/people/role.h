/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role.h — who has which role in a computation, and the roles that a computation has of its own.
 *
 * A computation that has had an owner keeps one (owner.h). Whether the computation is there, the caller knows.
 */
#pragma once

#include "computations/people/action.h"
#include "computations/people/user.h"

enum {
	ROLE_OWN_MAX = 16,      /* roles of a computation beside action_roles[] */
	ROLE_MEMBERS_MAX = 256, /* of all roles of a computation */
};

/* The actions that a user has by all of his roles there. */
int role_granted(struct db *db, const char *computation, int64_t person, unsigned *actions,
		 struct err *e) MUST_CHECK;

/* The actions of one role; ERR_NOT_FOUND. */
int role_actions(struct db *db, const char *computation, const char *role, unsigned *actions,
		 struct err *e) MUST_CHECK;

/* In how many computations of that workspace somebody has roles. */
int role_computations(struct db *db, int64_t workspace, int64_t person, int64_t *count,
		      struct err *e) MUST_CHECK;

/* Whoever creates a computation (creator.h) owns it, if he is a member of its workspace. */
int role_own(struct db *db, const char *computation, int64_t person, struct err *e) MUST_CHECK;

/* Both are fine if it is so already; the last owner stays (ERR_PRECONDITION), unless owner.h knows another. ERR_NOT_FOUND:
 * there is no such role, or no such user in the computation's workspace. */
int role_give(struct db *db, const char *computation, const char *role, const char *user,
	      struct err *e) MUST_CHECK;
int role_take(struct db *db, const char *computation, const char *role, const char *user,
	      struct err *e) MUST_CHECK;

/* A role of the computation's own, made or changed; `actions` 0: removed, with what its members had by it. */
int role_define(struct db *db, const char *computation, const char *role, unsigned actions,
		struct err *e) MUST_CHECK;

struct role_member {
	char *role, *user;
};
struct role_own {
	char *name;
	unsigned actions;
};
struct role_list {
	struct role_own own[ROLE_OWN_MAX];
	size_t own_count;
	struct role_member members[ROLE_MEMBERS_MAX]; /* by role, then name */
	size_t member_count;
};
int role_list(struct db *db, const char *computation, struct role_list **list,
	      struct err *e) MUST_CHECK;
void role_list_free(struct role_list *list);
DEFINE_CLEANUP(struct role_list *, role_list_free)

/* The computation is removed. */
int role_forget(struct db *db, const char *computation, struct err *e) MUST_CHECK;
