/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/mail/mail.h"

#include "common/base/cleanup.h"
#include "common/crypto/digest.h"
#include "computations/seal/secret_keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

#define SECONDS INT64_C(1000)
#define MINUTES (60 * SECONDS)
#define HOURS   (60 * MINUTES)

/* Behind each try that was not the last; up to a quarter more of each is chance. With all of it less than a day. */
static const int64_t pauses[MAIL_TRIES - 1] = { 5 * SECONDS, 1 * MINUTES, 5 * MINUTES, 30 * MINUTES,
						2 * HOURS,   5 * HOURS,   10 * HOURS };
#define PAUSE_MAX (13 * HOURS)

static const char *const states[] = { [MAIL_WAITS] = "waiting",
				      [MAIL_SENT] = "sent",
				      [MAIL_GIVEN_UP] = "given up",
				      [MAIL_DROPPED] = "dropped" };

const char *mail_state_name(int64_t state)
{
	return state >= 0 && state < (int64_t)ARRAY_LEN(states) ? states[state] : NULL;
}

/* ---- a new one ---- */

static int refuse(struct err *e, const char *what)
{
	return err_set(e, ERR_EXHAUSTED, "%s: wait, or give a link on yourself", what);
}

int mail_check(struct db *db, int64_t workspace, const char *place, const char *address,
	       int64_t now, struct err *e)
{
	int64_t waiting, of_place, of_box, of_all;
	char box[MAIL_ADDRESS_MAX + 1], what[160];

	if (mail_address_check(address, e) < 0)
		return err_code(e);
	mail_address_box(address, box);
	if (db_number(db, &waiting, e, "SELECT count(*) FROM mails WHERE state = 0", "") < 0 ||
	    db_number(db, &of_place, e,
		      "SELECT count(*) FROM mails WHERE workspace = ?1 AND created > ?2", "ii",
		      workspace, now - MAIL_HOUR_MS) < 0 ||
	    db_number(db, &of_box, e, "SELECT count(*) FROM mails WHERE box = ?1 AND created > ?2",
		      "ti", box, now - MAIL_DAY_MS) < 0 ||
	    db_number(db, &of_all, e, "SELECT count(*) FROM mails WHERE created > ?1", "i",
		      now - MAIL_HOUR_MS) < 0)
		return err_code(e);
	if (of_place >= MAILS_OF_PLACE)
		snprintf(what, sizeof(what),
			 "workspace %s has mailed %d invitations within an hour", place,
			 MAILS_OF_PLACE);
	else if (of_box >= MAILS_OF_BOX)
		snprintf(what, sizeof(what),
			 "%d invitations were mailed to that address within a day", MAILS_OF_BOX);
	else if (of_all >= MAILS_OF_ALL || waiting >= MAILS_WAITING_MAX)
		snprintf(what, sizeof(what), "the service has many mails to send");
	else
		return 0;
	return refuse(e, what);
}

int mail_add(struct db *db, const struct secret_key *secrets, const struct mail_wish *wish,
	     int64_t now, struct err *e)
{
	char box[MAIL_ADDRESS_MAX + 1];
	int64_t number;

	mail_address_box(wish->address, box);
	if (db_run(db, e,
		   "INSERT INTO mails (workspace, invitation, address, box, created, due)"
		   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		   "iittii", wish->workspace, wish->invitation, wish->address, box, now, now) < 0 ||
	    db_number(db, &number, e, "SELECT max(number) FROM mails", "") < 0)
		return err_code(e);
	return secret_keep(db, secrets, &secret_mail, secret_owner_of(number).text, wish->text,
			   strlen(wish->text), e);
}

/* ---- what is due ---- */

#define GOOD_FOR_NOTHING(now)                                          \
	" WHERE state = 0 AND NOT EXISTS (SELECT 1 FROM invitations i" \
	" WHERE i.number = mails.invitation AND i.taken = 0 AND i.ends > " now ")"

static int forget(struct db *db, int64_t now, struct err *e)
{
	if (db_run(db, e,
		   "DELETE FROM secrets WHERE kind = ?1 AND owner IN"
		   " (SELECT CAST(number AS TEXT) FROM mails" GOOD_FOR_NOTHING("?2") ")",
		   "ti", secret_mail.word, now) < 0 ||
	    db_run(db, e, "UPDATE mails SET state = ?1" GOOD_FOR_NOTHING("?2"), "ii",
		   (int64_t)MAIL_DROPPED, now) < 0)
		return err_code(e);
	return db_run(db, e,
		      "DELETE FROM mails WHERE state <> 0 AND created <= ?1 AND NOT EXISTS"
		      " (SELECT 1 FROM invitations i WHERE i.number = mails.invitation)",
		      "i", now - MAIL_DAY_MS);
}

static int copy_text(struct db_rows *row, int column, char *out, size_t size, struct err *e)
{
	CLEANUP(free) char *text = NULL;

	if (db_text(row, column, &text, e) < 0)
		return err_code(e);
	if (strlen(text) >= size) {
		OPENSSL_cleanse(text, strlen(text));
		return err_set(e, ERR_DATA_LOSS, "database: a mail's text that is too long");
	}
	memcpy(out, text, strlen(text) + 1);
	OPENSSL_cleanse(text, strlen(text));
	return 0;
}

static int find_due(struct db *db, int64_t now, struct mail_try *t, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	/* One that lies further ahead was due before the clock was set back. */
	if (db_query(db, &rows, e,
		     "SELECT number, invitation, address FROM mails WHERE state = 0"
		     " AND (due <= ?1 OR due > ?2) ORDER BY due, number LIMIT 1",
		     "ii", now, now + PAUSE_MAX) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	if (db_integer(rows, 0, 1, INT64_MAX, &t->number, e) < 0 ||
	    db_integer(rows, 1, 1, INT64_MAX, &t->invitation, e) < 0 ||
	    copy_text(rows, 2, t->address, sizeof(t->address), e) < 0)
		return err_code(e);
	return 1;
}

static int open_text(struct db *db, const struct secret_key *secrets, struct mail_try *t,
		     struct err *e)
{
	const struct secret_owner owner = secret_owner_of(t->number);
	uint8_t *bytes = NULL;
	size_t len = 0;
	int found = secret_get(db, secrets, &secret_mail, owner.text, &bytes, &len, e);

	if (found < 0)
		return found;
	if (!found)
		return err_set(e, ERR_DATA_LOSS, "database: a mail without its text");
	if (len < sizeof(t->text) && strlen((const char *)bytes) == len)
		memcpy(t->text, bytes, len + 1);
	else
		found = err_set(e, ERR_DATA_LOSS, "database: %s is too long, or no text",
				secret_mail.what);
	secret_free(bytes, len);
	return found < 0 ? found : 0;
}

/* What can't be opened now never will be: it is said in its place, and the next one has its turn. */
static int read_text(struct db *db, const struct secret_key *secrets, struct mail_try *t,
		     struct err *e)
{
	struct err why;

	t->problem[0] = t->text[0] = 0;
	if (open_text(db, secrets, t, &why) == 0)
		return 0;
	if (why.code != ERR_PRECONDITION && why.code != ERR_DATA_LOSS) {
		*e = why;
		return err_code(e);
	}
	snprintf(t->problem, sizeof(t->problem), "%.*s", MAIL_PROBLEM_MAX, why.text);
	return 0;
}

int mail_next(struct db *db, const struct secret_key *secrets, int64_t now, struct mail_try *t,
	      bool *found, int64_t *wait, struct err *e)
{
	int64_t first;
	int row;

	if (forget(db, now, e) < 0)
		return err_code(e);
	row = find_due(db, now, t, e);
	if (row < 0 || (row && read_text(db, secrets, t, e) < 0) ||
	    db_number(db, &first, e, "SELECT COALESCE(min(due), -1) FROM mails WHERE state = 0",
		      "") < 0)
		return err_code(e);
	*found = row > 0;
	*wait = first < 0 ? -1 : first < now ? 0 : first - now;
	return 0;
}

/* ---- what came of it ---- */

static int64_t pause_behind(int64_t tries)
{
	int64_t pause = pauses[tries - 1];
	uint16_t chance = 0;
	struct err ignored;

	if (random_bytes(&chance, sizeof(chance), &ignored) < 0)
		chance = 0;
	return pause + pause / 4 * chance / UINT16_MAX;
}

/* 0: it does not wait any more. */
static int find_tries(struct db *db, int64_t number, int64_t *tries, int64_t *created,
		      struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT tries, created FROM mails WHERE number = ?1 AND state = 0", "i",
		     number) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	if (db_integer(rows, 0, 0, MAIL_TRIES, tries, e) < 0 ||
	    db_integer(rows, 1, 0, INT64_MAX, created, e) < 0)
		return err_code(e);
	return 1;
}

int mail_tried(struct db *db, const struct mail_outcome *o, int64_t now, bool *given_up,
	       struct err *e)
{
	int64_t tries = 0, created = 0;
	int found = find_tries(db, o->number, &tries, &created, e);
	enum mail_state state = MAIL_WAITS;

	*given_up = false;
	if (found <= 0)
		return found;
	tries = tries < MAIL_TRIES ? tries + 1 : MAIL_TRIES;
	if (o->is_taken)
		state = MAIL_SENT;
	else if (o->is_final || tries == MAIL_TRIES || now - created >= MAIL_DAY_MS)
		state = MAIL_GIVEN_UP;
	if (db_run(db, e,
		   "UPDATE mails SET state = ?1, tries = ?2, due = ?3, problem = ?4"
		   " WHERE number = ?5",
		   "iiiti", (int64_t)state, tries,
		   state == MAIL_WAITS ? now + pause_behind(tries) : now,
		   o->is_taken ? "" : o->problem, o->number) < 0 ||
	    (state != MAIL_WAITS &&
	     secret_forget(db, &secret_mail, secret_owner_of(o->number).text, e) < 0))
		return err_code(e);
	*given_up = state == MAIL_GIVEN_UP;
	return 0;
}

int mail_list(struct db *db, int64_t workspace, struct mail_row *rows, size_t max, size_t *count,
	      struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	size_t got = 0;
	int row = 0;

	if (db_query(db, &found, e,
		     "SELECT m.invitation, m.state, m.address, m.problem FROM mails m"
		     " JOIN invitations i ON i.number = m.invitation WHERE i.workspace = ?1"
		     " ORDER BY m.invitation LIMIT ?2",
		     "ii", workspace, (int64_t)max) < 0)
		return err_code(e);
	while (got < max && (row = db_next(found, e)) > 0) {
		struct mail_row *m = &rows[got++];
		int64_t state;

		if (db_integer(found, 0, 1, INT64_MAX, &m->invitation, e) < 0 ||
		    db_integer(found, 1, 0, MAIL_DROPPED, &state, e) < 0 ||
		    copy_text(found, 2, m->address, sizeof(m->address), e) < 0 ||
		    copy_text(found, 3, m->problem, sizeof(m->problem), e) < 0)
			return err_code(e);
		m->state = (enum mail_state)state;
	}
	*count = got;
	return row < 0 ? row : 0;
}

const struct mail_row *mail_find(const struct mail_row *rows, size_t count, int64_t invitation)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].invitation == invitation)
			return &rows[i];
	return NULL;
}
