/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/identity.h"

#include "common/base/log.h"
#include "computations/people/creator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int identity_sign_in(struct db *db, const char *issuer, const char *subject, int64_t now,
		     struct identity_owner *owner, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct identity_owner got = { .person = 0 };
	CLEANUP(free) char *name = NULL;
	bool suspended;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT u.number, u.name, u.suspended FROM identities i JOIN users u"
		     " ON u.number = i.person WHERE i.issuer = ? AND i.subject = ?",
		     "tt", issuer, subject) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	if (row > 0) {
		if (db_integer(rows, 0, 1, INT64_MAX, &got.person, e) < 0 ||
		    db_text(rows, 1, &name, e) < 0 || db_flag(rows, 2, &suspended, e) < 0)
			return err_code(e);
		if (people_name_check("user", name, e) < 0)
			return err_set(e, ERR_DATA_LOSS, "database: a user without a name");
		if (suspended)
			return err_set(e, ERR_DENIED,
				       "user %s is suspended: this service's administrators can "
				       "end that",
				       name);
		snprintf(got.user, sizeof(got.user), "%s", name);
		if (db_run(db, e, "UPDATE identities SET used = ? WHERE issuer = ? AND subject = ?",
			   "itt", now, issuer, subject) < 0)
			return err_code(e);
	}
	*owner = got;
	return 0;
}

int identity_add(struct db *db, int64_t person, const char *provider, const char *issuer,
		 const char *subject, int64_t now, struct err *e)
{
	int64_t own, taken;

	if (db_number(db, &taken, e,
		      "SELECT count(*) FROM identities WHERE issuer = ? AND subject = ?", "tt",
		      issuer, subject) < 0 ||
	    db_number(db, &own, e, "SELECT count(*) FROM identities WHERE person = ?", "i",
		      person) < 0)
		return err_code(e);
	if (taken)
		return err_set(e, ERR_EXISTS, "this account at %s is linked with a user already",
			       provider);
	if (own >= IDENTITIES_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "this user has %d accounts at providers: remove one of them",
			       IDENTITIES_MAX);
	return db_run(db, e,
		      "INSERT INTO identities (person, provider, issuer, subject, created)"
		      " VALUES (?, ?, ?, ?, ?)",
		      "ittti", person, provider, issuer, subject, now);
}

int identity_room(struct db *db, const char *issuer, const char *const *issuers, size_t count,
		  struct err *e)
{
	struct creator_room room = { .max = USERS_MAX, .users = (int64_t)count };
	const int64_t share = creator_share(room.max, room.users);
	int64_t made;

	if (db_number(db, &room.all, e, "SELECT count(*) FROM users", "") < 0)
		return err_code(e);
	for (size_t i = 0; i < count; i++) {
		if (db_number(db, &made, e, "SELECT count(*) FROM identities WHERE issuer = ?", "t",
			      issuers[i]) < 0)
			return err_code(e);
		room.used += made < share ? made : share;
		if (strcmp(issuers[i], issuer) == 0)
			room.own = made;
	}
	return creator_has_room(&room)
		       ? 0
		       : err_set(e, ERR_EXHAUSTED,
				 "%lld users here have accounts of this provider, and what room is "
				 "left is others': ask an administrator for an account",
				 (long long)room.own);
}

static int copy_text(struct db_rows *row, int column, char *out, size_t size, struct err *e)
{
	CLEANUP(free) char *text = NULL;

	if (db_text(row, column, &text, e) < 0)
		return err_code(e);
	if (strlen(text) >= size)
		return err_set(e, ERR_DATA_LOSS, "database: an identity's text is too long");
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

int identity_list(struct db *db, int64_t person, struct identity rows[IDENTITIES_MAX],
		  size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	size_t got = 0;
	int row = 0;

	if (db_query(db, &found, e,
		     "SELECT number, created, used, provider, issuer, subject FROM identities"
		     " WHERE person = ? ORDER BY number LIMIT ?",
		     "ii", person, (int64_t)IDENTITIES_MAX) < 0)
		return err_code(e);
	while (got < IDENTITIES_MAX && (row = db_next(found, e)) > 0) {
		struct identity *one = &rows[got++];

		if (db_integer(found, 0, 1, INT64_MAX, &one->number, e) < 0 ||
		    db_integer(found, 1, 0, INT64_MAX, &one->created, e) < 0 ||
		    db_integer(found, 2, 0, INT64_MAX, &one->used, e) < 0 ||
		    copy_text(found, 3, one->provider, sizeof(one->provider), e) < 0 ||
		    copy_text(found, 4, one->issuer, sizeof(one->issuer), e) < 0 ||
		    copy_text(found, 5, one->subject, sizeof(one->subject), e) < 0)
			return err_code(e);
	}
	if (row < 0)
		return row;
	*count = got;
	return 0;
}

int identity_remove(struct db *db, int64_t person, int64_t number, struct err *e)
{
	int64_t gone;

	if (db_change(db, &gone, e, "DELETE FROM identities WHERE person = ? AND number = ?", "ii",
		      person, number) < 0)
		return err_code(e);
	if (!gone)
		return err_set(e, ERR_NOT_FOUND, "you have no such account at a provider");
	return user_check_way_in(db, person, e);
}

int identity_part(struct db *db, int64_t person, int64_t number, struct identity *was,
		  struct err *e)
{
	struct identity rows[IDENTITIES_MAX];
	size_t count;

	if (identity_list(db, person, rows, &count, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < count; i++)
		if (rows[i].number == number) {
			*was = rows[i];
			return db_run(db, e,
				      "DELETE FROM identities WHERE person = ? AND number = ?",
				      "ii", person, number);
		}
	return err_set(e, ERR_NOT_FOUND, "this user has no such account at a provider");
}
