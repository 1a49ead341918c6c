/* SPDX-License-Identifier: Apache-2.0 */
/*
 * membership.h — what a role in a workspace means for the computations there. Each role is more than those before it.
 */
#pragma once

#include "common/base/err.h"

enum membership {
	MEMBERSHIP_NONE, /* of who is no member */
	MEMBERSHIP_VIEWER,
	MEMBERSHIP_MEMBER,
	MEMBERSHIP_ADMINISTRATOR,
	MEMBERSHIPS
};

struct membership_rule {
	const char *name;
	unsigned most; /* actions that roles in a computation can give */
	unsigned has;  /* actions in every computation, without a role there */
};
extern const struct membership_rule membership_rules[MEMBERSHIPS];
#define MEMBERSHIP_OF_ADMINISTRATOR "administrator"

/* "member"; no word is that of MEMBERSHIP_NONE. */
int membership_find(const char *name, enum membership *membership, struct err *e) MUST_CHECK;
