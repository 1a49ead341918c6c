/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/user.h"

#include "common/base/log.h"
#include "computations/list/list_rows.h"
#include "computations/people/owner.h"
#include "computations/seal/secret_keep.h"

#include <stdlib.h>
#include <string.h>

int people_name_check(const char *what, const char *name, struct err *e)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char all[] = "abcdefghijklmnopqrstuvwxyz0123456789._@+-";
	size_t len = strlen(name);

	if (len >= 1 && len <= PEOPLE_NAME_MAX && strspn(name, all) == len && strchr(first, *name))
		return 0;
	return err_set(e, ERR_INVALID,
		       "%s %s: use at most %d of a-z 0-9 . _ @ + - with a letter or digit first",
		       what, log_quote(name).text, PEOPLE_NAME_MAX);
}

void user_done(struct user *u)
{
	free(u->name);
	*u = (struct user){ .name = NULL };
}

int user_add(struct db *db, const char *name, bool administrator, int64_t now, struct err *e)
{
	int64_t known;

	if (people_name_check("user", name, e) < 0 ||
	    db_number(db, &known, e, "SELECT count(*) FROM users WHERE name = ?", "t", name) < 0)
		return err_code(e);
	if (known)
		return err_set(e, ERR_EXISTS, "user %s exists already", log_quote(name).text);
	if (db_number(db, &known, e, "SELECT count(*) FROM users", "") < 0)
		return err_code(e);
	if (known >= USERS_MAX)
		return err_set(e, ERR_EXHAUSTED, "there are %d users: remove some", USERS_MAX);
	return db_run(db, e, "INSERT INTO users (name, administrator, created) VALUES (?, ?, ?)",
		      "tii", name, (int64_t)administrator, now);
}

#define USER_COLUMNS                                                               \
	"SELECT number, name, administrator, suspended, created, auditor,"         \
	" (SELECT count(*) FROM factors WHERE person = number AND confirmed = 1)," \
	" (SELECT count(*) FROM passkeys p WHERE p.person = users.number)"         \
	" FROM users "

static int read_user(struct db_rows *row, struct user *u, struct err *e)
{
	struct user got = { .name = NULL };
	int64_t passkeys;

	if (db_integer(row, 0, 1, INT64_MAX, &got.number, e) < 0 ||
	    db_flag(row, 2, &got.administrator, e) < 0 || db_flag(row, 3, &got.suspended, e) < 0 ||
	    db_integer(row, 4, 0, INT64_MAX, &got.created, e) < 0 ||
	    db_flag(row, 5, &got.auditor, e) < 0 || db_flag(row, 6, &got.has_factor, e) < 0 ||
	    db_integer(row, 7, 0, UINT32_MAX, &passkeys, e) < 0 ||
	    db_text(row, 1, &got.name, e) < 0)
		return err_code(e);
	got.passkeys = (uint32_t)passkeys;
	*u = got;
	return 0;
}

int user_find(struct db *db, const char *name, struct user *u, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, USER_COLUMNS "WHERE name = ?", "t", name) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row == 0)
		return err_set(e, ERR_NOT_FOUND, "no user %s", log_quote(name).text);
	return row < 0 ? row : read_user(rows, u, e);
}

int user_numbered(struct db *db, int64_t number, struct user *u, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, USER_COLUMNS "WHERE number = ?", "i", number) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no such user any more");
	return row < 0 ? row : read_user(rows, u, e);
}

DEFINE_LIST_ROW(user_row, struct user, 0, read_user, user_done, NULL);

int user_list(struct db *db, const char *after, size_t max, struct user *rows, size_t *count,
	      struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	int64_t number = 0;

	if (*after &&
	    db_number(db, &number, e, "SELECT number FROM users WHERE name = ?", "t", after) < 0)
		return err_wrap(e, "the page after %s", log_quote(after).text);
	if (db_query(db, &found, e, USER_COLUMNS "WHERE number > ? ORDER BY number LIMIT ?", "ii",
		     number, (int64_t)max) < 0)
		return err_code(e);
	return list_rows(&user_row, found, max, rows, count, NULL, e);
}

int user_audit(struct db *db, const char *name, bool auditor, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };

	if (user_find(db, name, &u, e) < 0)
		return err_code(e);
	return db_run(db, e, "UPDATE users SET auditor = ? WHERE number = ?", "ii",
		      (int64_t)auditor, u.number);
}

int user_suspend(struct db *db, const char *name, bool suspended, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };

	if (user_find(db, name, &u, e) < 0)
		return err_code(e);
	return db_run(db, e, "UPDATE users SET suspended = ? WHERE number = ?", "ii",
		      (int64_t)suspended, u.number);
}

int user_remove(struct db *db, const char *name, struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };
	int64_t orphans;

	if (user_find(db, name, &u, e) < 0 || owner_alone(db, u.number, 0, "", &orphans, e) < 0)
		return err_code(e);
	if (orphans)
		return err_set(e, ERR_PRECONDITION,
			       "user %s is the only owner of %lld computation%s: make somebody "
			       "else an owner first, or suspend this user",
			       log_quote(name).text, (long long)orphans, orphans == 1 ? "" : "s");
	const struct secret_owner owner = secret_owner_of(u.number);
	if (owner_pass_on(db, u.number, 0, "", e) < 0 ||
	    secret_forget(db, &secret_totp, owner.text, e) < 0)
		return err_code(e);
	return db_run(db, e, "DELETE FROM users WHERE number = ?", "i", u.number);
}

int user_check_way_in(struct db *db, int64_t person, struct err *e)
{
	int64_t ways;

	if (db_number(db, &ways, e,
		      "SELECT (SELECT count(*) FROM passwords WHERE person = ?1)"
		      " + (SELECT count(*) FROM identities WHERE person = ?1)"
		      " + (SELECT count(*) FROM passkeys WHERE person = ?1)",
		      "i", person) < 0)
		return err_code(e);
	return ways ? 0
		    : err_set(e, ERR_PRECONDITION,
			      "it is your only way in: an administrator's 'cocos-cli user link' "
			      "lets you choose a password first");
}
