/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_heirs.h — what passes from one user to another by a call, in the audit log: what one who goes owned, or gives up
 * (owner.h), and a workspace that is handed over.
 */
#pragma once

#include "computations/admin/admin.h"
#include "computations/people/workspace_member.h"

/* First in a call that passes on: a row for each computation, as that of the call, with whose it was and whose it is. Of that
 * workspace (0: of all), of that one computation ("": of all). None if there is no such user, which the change finds out. */
int admin_heirs_note(struct store *store, const struct request *r, const char *user,
		     int64_t workspace, const char *computation, struct err *e) MUST_CHECK;
/* First in a call that hands that workspace over to him: a row for each who administers it and is a member from then on. */
int admin_heirs_note_transfer(struct store *store, const struct request *r,
			      const struct workspace *w, const struct workspace_member *to,
			      struct err *e) MUST_CHECK;
