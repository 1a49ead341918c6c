/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_heirs.h — who owns in a user's place what is passed on when he goes, or gives it up (owner.h), in the audit log.
 */
#pragma once

#include "computations/admin/admin.h"

/* First in a call that passes on: a row for each computation, as that of the call, with whose it was and whose it is. Of that
 * workspace (0: of all), of that one computation ("": of all). None if there is no such user, which the change finds out. */
int admin_heirs_note(struct store *store, const struct request *r, const char *user,
		     int64_t workspace, const char *computation, struct err *e) MUST_CHECK;
