/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/admin/admin_heirs.h"

#include "computations/people/owner.h"

#include <stdio.h>
#include <stdlib.h>

static int note(struct store *store, const struct request *r, const char *user,
		const struct owner_heir *heir, struct err *e)
{
	struct admin_audit one = *r->audit;

	snprintf(one.object, sizeof(one.object), "computation %s", heir->computation);
	snprintf(one.before, sizeof(one.before), "owner %s", user);
	snprintf(one.after, sizeof(one.after), "owner %s", heir->user);
	return admin_audit_add(store, &one, &r->caller, e);
}

/* Frees the rows; the last one's computation is what the next page is behind. */
static int note_page(struct store *store, const struct request *r, const char *user,
		     struct owner_heir *rows, size_t count, char **after, struct err *e)
{
	int failed = 0;

	for (size_t i = 0; i < count; i++) {
		if (!failed)
			failed = note(store, r, user, &rows[i], e);
		if (i + 1 == count) {
			free(*after);
			*after = TAKE_PTR(rows[i].computation);
		}
		owner_heir_done(&rows[i]);
	}
	return failed;
}

int admin_heirs_note(struct store *store, const struct request *r, const char *user,
		     int64_t workspace, const char *computation, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };
	struct owner_heir rows[OWNER_HEIRS_MAX];
	CLEANUP(free) char *after = NULL;
	size_t count = OWNER_HEIRS_MAX;
	int failed;

	if (!r->audit)
		return 0;
	failed = user_find(&store->db, user, &u, e);
	if (err_is(failed, ERR_NOT_FOUND))
		return 0;
	while (!failed && count == OWNER_HEIRS_MAX) {
		failed = owner_heirs(&store->db, u.number, workspace, computation,
				     after ? after : "", rows, &count, e);
		if (!failed)
			failed = note_page(store, r, u.name, rows, count, &after, e);
	}
	return failed;
}

static int note_loss(struct store *store, const struct request *r, const struct workspace_member *m,
		     struct err *e)
{
	const char *more = m->suspended ? ", suspended" : "";
	struct admin_audit one = *r->audit;

	snprintf(one.object, sizeof(one.object), "user %s", m->user);
	snprintf(one.before, sizeof(one.before), "%s%s", MEMBERSHIP_OF_ADMINISTRATOR, more);
	snprintf(one.after, sizeof(one.after), "%s%s", membership_rules[MEMBERSHIP_MEMBER].name,
		 more);
	return admin_audit_add(store, &one, &r->caller, e);
}

int admin_heirs_note_transfer(struct store *store, const struct request *r,
			      const struct workspace *w, const struct workspace_member *to,
			      struct err *e)
{
	struct workspace_member rows[OWNER_HEIRS_MAX];
	CLEANUP(free) char *after = NULL;
	size_t count = r->audit ? OWNER_HEIRS_MAX : 0;
	int failed = 0;

	while (!failed && count == OWNER_HEIRS_MAX) {
		if (workspace_member_governors(&store->db, w->number, to->person,
					       after ? after : "", OWNER_HEIRS_MAX, rows, &count,
					       e) < 0)
			return err_code(e);
		for (size_t i = 0; !failed && i < count; i++)
			failed = note_loss(store, r, &rows[i], e);
		free(after);
		after = count ? TAKE_PTR(rows[count - 1].user) : NULL;
		for (size_t i = 0; i < count; i++)
			workspace_member_done(&rows[i]);
	}
	return failed;
}
