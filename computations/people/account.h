/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account.h — a user's ways to sign in, all of them at once.
 */
#pragma once

#include "computations/people/password.h"

/* A new password: whoever came in by the old one, or has a link for another one, is out. `keep`: the number of a
 * session that stays; 0: none. */
int account_password(struct db *db, int64_t person, const struct password *p, int64_t keep,
		     int64_t now, struct err *e) MUST_CHECK;
