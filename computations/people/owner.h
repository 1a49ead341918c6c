/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner.h — a computation that has had an owner keeps one who can do more than look at it: who is a viewer in its
 * workspace, or suspended there or in the service, can't even make somebody else an owner.
 *
 * Whoever was made an owner of what somebody else created is not held by that: when he goes, or gives it up, the
 * workspace's administrator who has been there longest owns it in his place.
 */
#pragma once

#include "computations/people/user.h"

/* In how many computations that user is the only such owner, and has to stay: of that workspace (0: of all), of that one
 * ("": of all). */
int owner_alone(struct db *db, int64_t person, int64_t workspace, const char *computation,
		int64_t *count, struct err *e) MUST_CHECK;
enum { OWNER_HEIRS_MAX = 64 }; /* handed out at a time */

/* A computation, and who would own it. */
struct owner_heir {
	char *computation, *user;
};
void owner_heir_done(struct owner_heir *heir);

/* What owner_pass_on() would pass on of that, and to whom: at most OWNER_HEIRS_MAX behind the computation `after` ("": the
 * first), in the order of their ids; the caller's, each. */
int owner_heirs(struct db *db, int64_t person, int64_t workspace, const char *computation,
		const char *after, struct owner_heir rows[OWNER_HEIRS_MAX], size_t *count,
		struct err *e) MUST_CHECK;
/* Of those where he is the only one and need not stay, which are all where owner_alone() found none. */
int owner_pass_on(struct db *db, int64_t person, int64_t workspace, const char *computation,
		  struct err *e) MUST_CHECK;
