/* SPDX-License-Identifier: Apache-2.0 */
/*
 * action.h — what a role lets its members do with a computation, and the roles that each computation has.
 */
#pragma once

#include "common/base/err.h"

enum people_action {
	ACTION_VIEW,
	ACTION_EDIT,
	ACTION_RUN,
	ACTION_ADMINISTRATOR, /* decides who has which role */
	ACTION_DATASET_PROVIDER,
	ACTION_ALGO_PROVIDER,
	ACTION_RESULT_CONSUMER,
	ACTIONS
};

/* A set of them. */
#define ACTION_BIT(action) (1U << (action))
enum {
	ACTIONS_ALL = (1 << ACTIONS) - 1,
	/* Of those whom the manifest names by their keys. */
	ACTIONS_OF_PARTIES = ACTION_BIT(ACTION_DATASET_PROVIDER) |
			     ACTION_BIT(ACTION_ALGO_PROVIDER) | ACTION_BIT(ACTION_RESULT_CONSUMER),
	/* Of whoever administers the service: he is no party by that. */
	ACTIONS_OF_OPERATOR = ACTIONS_ALL & ~ACTIONS_OF_PARTIES,
};

/* "dataset_provider" */
const char *action_name(enum people_action action);
int action_find(const char *name, enum people_action *action, struct err *e) MUST_CHECK;

/* A set that a role or token may have: with `view`, for who may do something may see it. */
int actions_check(unsigned actions, struct err *e) MUST_CHECK;

/* A role that each computation has. */
struct action_role {
	const char *name;
	unsigned actions;
};
enum { ACTION_ROLES = 8 };
extern const struct action_role action_roles[ACTION_ROLES];
#define ACTION_OWNER "owner"

/* NULL: it is none of these. */
const struct action_role *action_role_find(const char *name);
