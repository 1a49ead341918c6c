/* SPDX-License-Identifier: Apache-2.0 */
/*
 * creator.h — who created a computation: it takes of his room for as long as it is kept, whoever owns it meanwhile, so
 * that nobody fills another's by giving him what he has made.
 *
 * Of the room of the whole service a tenth is for whoever administers it. Half of the rest is shared out evenly among
 * the users: what a user has not created yet of his share nobody else takes.
 */
#pragma once

#include "common/db/db.h"

enum { CREATOR_MAX = 1000 }; /* computations that a user has created, of those that are kept */

/* Before another one. */
struct creator_room {
	int64_t max, users;
	int64_t all; /* that are kept, but for those in the administrators' tenth */
	int64_t own; /* of these he created */
	int64_t used; /* of the users' shares: of each as many as he created, and at most his share */
};
int64_t creator_share(int64_t max, int64_t users);
/* Whether he may create another one. */
bool creator_has_room(const struct creator_room *room);

/* That user created what was just put into a workspace (workspace_take()), where `max` are kept. ERR_EXHAUSTED: he has
 * no room for it. Of whoever administers the service it is not kept. */
int creator_keep(struct db *db, const char *computation, int64_t person, int64_t max,
		 struct err *e) MUST_CHECK;
