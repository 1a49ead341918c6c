/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revision.h — what somebody saw who wants to change it: a computation, as people and its agent have brought it so far,
 * or its roles. What agents say meanwhile (log lines, events) is no other revision.
 */
#pragma once

#include "common/base/err.h"

enum { REVISION_LEN = 16 }; /* hexadecimal digits */

struct computation;
struct role_list;
struct store;

int revision_of(const struct computation *c, char revision[REVISION_LEN + 1],
		struct err *e) MUST_CHECK;
int revision_of_roles(const struct role_list *list, char revision[REVISION_LEN + 1],
		      struct err *e) MUST_CHECK;

/* ERR_ABORTED: the computation of that id, or its roles, have another one by now. */
int revision_check(struct store *store, const char *id, bool of_roles, const char *revision,
		   struct err *e) MUST_CHECK;
