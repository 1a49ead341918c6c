/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/invitation.h"

#include "common/base/encode.h"
#include "common/base/utf8.h"
#include "computations/list/list_rows.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

void invitation_done(struct invitation *i)
{
	free(i->note);
	free(i->inviter);
	free(i->taker);
	free(i->workspace);
	*i = (struct invitation){ .note = NULL };
}

static int no_invitation(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND,
		       "this invitation was taken or revoked, has ended, or is none of ours: ask "
		       "whoever sent it for another one");
}

static int hash_of(const char *text, uint8_t hash[SHA256_LEN], struct err *e)
{
	if (strlen(text) != INVITATION_TEXT_LEN ||
	    strspn(text, "0123456789abcdef") != INVITATION_TEXT_LEN)
		return no_invitation(e);
	return digest(DIGEST_SHA256, text, INVITATION_TEXT_LEN, hash, e);
}

/* ---- a new one ---- */

static int check(const struct invitation_wish *wish, struct err *e)
{
	size_t len = strlen(wish->note);

	if (wish->days > INVITATION_DAYS_MAX)
		return err_set(e, ERR_INVALID, "an invitation ends after 1 to %d days",
			       INVITATION_DAYS_MAX);
	if (len > INVITATION_NOTE_MAX)
		return err_set(e, ERR_INVALID, "for whom it is: %zu bytes, and it may have %d", len,
			       INVITATION_NOTE_MAX);
	if (!utf8_valid(wish->note, len) || utf8_has_control(wish->note, len))
		return err_set(e, ERR_INVALID, "for whom it is: a character that can't be shown");
	return 0;
}

/* Taken ones count for a day, so that nobody makes the service's users by the thousand. */
static int check_room(struct db *db, const struct workspace *w, int64_t now, struct err *e)
{
	int64_t known;

	if (db_run(db, e,
		   "DELETE FROM invitations WHERE (taken = 0 AND ends <= ?)"
		   " OR (taken > 0 AND taken <= ?)",
		   "ii", now, now - INVITATION_KEPT_MS) < 0 ||
	    db_number(db, &known, e, "SELECT count(*) FROM invitations WHERE workspace = ?", "i",
		      w->number) < 0)
		return err_code(e);
	if (known < INVITATIONS_MAX)
		return 0;
	return err_set(e, ERR_EXHAUSTED,
		       "workspace %s has %d invitations that are open or were taken within a day: "
		       "revoke some, or wait",
		       w->name, INVITATIONS_MAX);
}

static int keep(struct db *db, const struct workspace *w, int64_t inviter,
		const struct invitation_wish *wish, int64_t now, const uint8_t hash[SHA256_LEN],
		struct err *e)
{
	const int64_t days = wish->days ? wish->days : INVITATION_DAYS;

	if (db_run(db, e,
		   "INSERT INTO invitations (workspace, hash, role, note, created, ends)"
		   " VALUES (?, ?, ?, ?, ?, ?)",
		   "ibttii", w->number, hash, (size_t)SHA256_LEN, membership_rules[wish->role].name,
		   wish->note, now, now + days * 86400 * 1000) < 0)
		return err_code(e);
	if (!inviter)
		return 0;
	return db_run(db, e, "UPDATE invitations SET inviter = ? WHERE hash = ?", "ib", inviter,
		      hash, (size_t)SHA256_LEN);
}

int invitation_add(struct db *db, const struct workspace *w, int64_t inviter,
		   const struct invitation_wish *wish, int64_t now, int64_t *number,
		   char text[INVITATION_TEXT_LEN + 1], struct err *e)
{
	uint8_t secret[INVITATION_SECRET_LEN], hash[SHA256_LEN];
	char made[INVITATION_TEXT_LEN + 1] = "";
	int failed;

	if (check(wish, e) < 0 || check_room(db, w, now, e) < 0 ||
	    random_bytes(secret, sizeof(secret), e) < 0)
		return err_code(e);
	hex_encode(secret, sizeof(secret), made);
	failed = hash_of(made, hash, e);
	if (!failed)
		failed = keep(db, w, inviter, wish, now, hash, e);
	if (!failed)
		failed = db_number(db, number, e, "SELECT number FROM invitations WHERE hash = ?",
				   "b", hash, (size_t)SHA256_LEN);
	if (!failed)
		memcpy(text, made, sizeof(made));
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(made, sizeof(made));
	return failed;
}

/* ---- those that there are ---- */

/* Whoever made it may govern the workspace still, as decide() has it: its administrator, or the service's. */
#define IS_STALE                                                                        \
	"CASE WHEN i.inviter IS NULL OR (p.suspended = 0 AND (p.administrator = 1"      \
	" OR EXISTS (SELECT 1 FROM workspace_members m WHERE m.workspace = i.workspace" \
	" AND m.person = p.number AND m.suspended = 0"                                  \
	" AND m.role = '" MEMBERSHIP_OF_ADMINISTRATOR "'))) THEN 0 ELSE 1 END"

#define COLUMNS                                                                      \
	"SELECT i.number, i.created, i.ends, i.taken, i.role, " IS_STALE ", i.note," \
	" coalesce(p.name, ''), coalesce(t.name, ''), w.name FROM invitations i"     \
	" JOIN workspaces w ON w.number = i.workspace"                               \
	" LEFT JOIN users p ON p.number = i.inviter LEFT JOIN users t ON t.number = i.taker "

static int read_texts(struct db_rows *row, struct invitation *i, struct err *e)
{
	CLEANUP(free) char *role = NULL;
	struct err ignored;

	if (db_text(row, 4, &role, e) < 0)
		return err_code(e);
	if (membership_find(role, &i->role, &ignored) < 0)
		return err_set(e, ERR_DATA_LOSS, "database: an invitation without a role");
	if (db_flag(row, 5, &i->is_stale, e) < 0 || db_text(row, 6, &i->note, e) < 0 ||
	    db_text(row, 7, &i->inviter, e) < 0 || db_text(row, 8, &i->taker, e) < 0)
		return err_code(e);
	return db_text(row, 9, &i->workspace, e);
}

static int read_row(struct db_rows *row, struct invitation *i, struct err *e)
{
	struct invitation got = { .note = NULL };

	if (db_integer(row, 0, 1, INT64_MAX, &got.number, e) < 0 ||
	    db_integer(row, 1, 0, INT64_MAX, &got.created, e) < 0 ||
	    db_integer(row, 2, 0, INT64_MAX, &got.ends, e) < 0 ||
	    db_integer(row, 3, 0, INT64_MAX, &got.taken, e) < 0 || read_texts(row, &got, e) < 0) {
		invitation_done(&got);
		return err_code(e);
	}
	*i = got;
	return 0;
}

DEFINE_LIST_ROW(invitation_row, struct invitation, 0, read_row, invitation_done, NULL);

int invitation_list(struct db *db, int64_t workspace, int64_t now,
		    struct invitation rows[INVITATIONS_MAX], size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;

	if (db_query(db, &found, e,
		     COLUMNS "WHERE i.workspace = ? AND ((i.taken = 0 AND i.ends > ?)"
			     " OR i.taken > ?) ORDER BY i.number LIMIT ?",
		     "iiii", workspace, now, now - INVITATION_KEPT_MS,
		     (int64_t)INVITATIONS_MAX) < 0)
		return err_code(e);
	return list_rows(&invitation_row, found, INVITATIONS_MAX, rows, count, NULL, e);
}

int invitation_revoke(struct db *db, const struct workspace *w, int64_t number, int64_t now,
		      struct invitation *i, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     COLUMNS
		     "WHERE i.workspace = ? AND i.number = ? AND i.taken = 0 AND i.ends > ?",
		     "iii", w->number, number, now) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row == 0)
		return err_set(e, ERR_NOT_FOUND, "no open invitation %lld in workspace %s",
			       (long long)number, w->name);
	if (row < 0 || read_row(rows, i, e) < 0)
		return err_code(e);
	return db_run(db, e, "DELETE FROM invitations WHERE number = ?", "i", number);
}

/* ---- taking one ---- */

int invitation_find(struct db *db, const char *text, int64_t now, struct invitation *i,
		    struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct invitation got = { .note = NULL };
	uint8_t hash[SHA256_LEN];
	int row;

	if (hash_of(text, hash, e) < 0 ||
	    db_query(db, &rows, e,
		     COLUMNS "WHERE i.hash = ? AND i.taken = 0 AND i.ends > ? AND i.tries < ?",
		     "bii", hash, sizeof(hash), now, (int64_t)INVITATION_TRIES) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : no_invitation(e);
	if (read_row(rows, &got, e) < 0)
		return err_code(e);
	if (got.is_stale) {
		invitation_done(&got);
		return no_invitation(e);
	}
	*i = got;
	return 0;
}

int invitation_take(struct db *db, const char *text, int64_t person, int64_t now,
		    struct invitation *i, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	int64_t gone;

	if (invitation_find(db, text, now, i, e) < 0 ||
	    workspace_find(db, i->workspace, &w, e) < 0 ||
	    workspace_member_add(db, &w, person, i->role, now, e) < 0 ||
	    db_change(db, &gone, e,
		      "UPDATE invitations SET taken = ?, taker = ? WHERE number = ? AND taken = 0",
		      "iii", now, person, i->number) < 0)
		return err_code(e);
	return gone == 1 ? 0 : no_invitation(e);
}

int invitation_missed(struct db *db, const char *text, struct err *e)
{
	uint8_t hash[SHA256_LEN];

	if (hash_of(text, hash, e) < 0)
		return err_code(e);
	return db_run(db, e, "UPDATE invitations SET tries = tries + 1 WHERE hash = ?", "b", hash,
		      sizeof(hash));
}
