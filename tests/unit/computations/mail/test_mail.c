/* SPDX-License-Identifier: Apache-2.0 */
/* Mails of invitations in the database: what waits, what is tried when, what is counted, what is kept. */
#include "computations/mail/mail.h"
#include "computations/people/invitation.h"
#include "computations/seal/secret_keep.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <string.h>

static const int64_t start = INT64_C(100) * MAIL_DAY_MS;

static struct db *db_of(struct store_room *f)
{
	return &f->store.db;
}

static void find(struct store_room *f, struct workspace *w)
{
	assert_ok(workspace_first(db_of(f), w, &f->e), f->e);
}

/* An invitation and its mail; the invitation's number. */
static int64_t add(struct store_room *f, const char *address, int64_t now)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	const struct invitation_wish wish = { MEMBERSHIP_MEMBER, 30, "" };
	char text[INVITATION_TEXT_LEN + 1];
	int64_t number;

	find(f, &w);
	assert_ok(mail_check(db_of(f), w.number, w.name, address, now, &f->e), f->e);
	assert_ok(invitation_add(db_of(f), &w, 0, &wish, now, &number, text, &f->e), f->e);
	assert_ok(mail_add(db_of(f), f->store.secrets,
			   &(struct mail_wish){ w.number, number, address, "the text" }, now,
			   &f->e),
		  f->e);
	return number;
}

static void refuse(struct store_room *f, const char *address, int64_t now, const char *words)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	find(f, &w);
	assert_refused(mail_check(db_of(f), w.number, w.name, address, now, &f->e), f->e,
		       ERR_EXHAUSTED, words);
}

static bool next(struct store_room *f, int64_t now, struct mail_try *t, int64_t *wait)
{
	bool found;

	assert_ok(mail_next(db_of(f), f->store.secrets, now, t, &found, wait, &f->e), f->e);
	return found;
}

static bool tried(struct store_room *f, const struct mail_try *t, int64_t now, const char *problem,
		  bool is_final)
{
	struct mail_outcome o = { .number = t->number,
				  .invitation = t->invitation,
				  .is_taken = !*problem,
				  .is_final = is_final };
	bool given_up;

	snprintf(o.problem, sizeof(o.problem), "%s", problem);
	assert_ok(mail_tried(db_of(f), &o, now, &given_up, &f->e), f->e);
	return given_up;
}

static struct mail_row row_of(struct store_room *f, int64_t invitation)
{
	struct mail_row rows[INVITATIONS_MAX];
	const struct mail_row *found;
	size_t count;

	assert_ok(
		mail_list(db_of(f), store_room_workspace(f), rows, ARRAY_LEN(rows), &count, &f->e),
		f->e);
	found = mail_find(rows, count, invitation);
	assert_non_null(found);
	return *found;
}

static int64_t texts(struct store_room *f)
{
	int64_t count;

	assert_ok(db_number(db_of(f), &count, &f->e,
			    "SELECT count(*) FROM secrets WHERE kind = 'mail'", ""),
		  f->e);
	return count;
}

static void one_is_sent_and_its_text_is_gone(void **state)
{
	struct store_room *f = *state;
	struct mail_try t;
	int64_t wait, number;

	assert_false(next(f, start, &t, &wait));
	assert_int_equal(wait, -1);
	number = add(f, "anna@example.org", start);
	assert_true(next(f, start, &t, &wait));
	assert_string_equal(t.address, "anna@example.org");
	assert_string_equal(t.text, "the text");
	assert_int_equal(t.invitation, number);
	assert_string_equal(mail_state_name(row_of(f, number).state), "waiting");
	assert_false(tried(f, &t, start, "", false));
	assert_string_equal(mail_state_name(row_of(f, number).state), "sent");
	assert_int_equal(texts(f), 0);
	assert_false(next(f, start + MAIL_DAY_MS, &t, &wait));
	assert_null(mail_state_name(4));
	assert_null(mail_state_name(-1));
}

static void what_fails_is_tried_for_a_day(void **state)
{
	struct store_room *f = *state;
	int64_t now = start, wait, number = add(f, "anna@example.org", start);
	struct mail_try t;

	for (int i = 1; i < MAIL_TRIES; i++) {
		assert_true(next(f, now, &t, &wait));
		assert_false(tried(f, &t, now, "450", false));
		assert_false(next(f, now, &t, &wait));
		assert_true(wait > 0);
		now += wait;
	}
	assert_true(now - start < MAIL_DAY_MS && now - start > MAIL_DAY_MS / 2);
	assert_int_equal(texts(f), 1);
	assert_true(next(f, now, &t, &wait));
	assert_true(tried(f, &t, now, "451 at last", false));
	assert_int_equal(row_of(f, number).state, MAIL_GIVEN_UP);
	assert_string_equal(row_of(f, number).problem, "451 at last");
	assert_int_equal(texts(f), 0);
	/* It is over: what else is said of it does not count. */
	assert_false(tried(f, &t, now, "", false));
	assert_int_equal(row_of(f, number).state, MAIL_GIVEN_UP);
}

static void what_is_for_good_or_old_is_given_up(void **state)
{
	struct store_room *f = *state;
	int64_t wait, number = add(f, "anna@example.org", start), later = start + MAIL_DAY_MS;
	struct mail_try t;

	assert_true(next(f, start, &t, &wait));
	assert_true(tried(f, &t, start, "550", true));
	assert_int_equal(row_of(f, number).state, MAIL_GIVEN_UP);
	number = add(f, "bert@example.org", start);
	assert_true(next(f, later - 1, &t, &wait));
	assert_false(tried(f, &t, later - 1, "450", false));
	assert_true(next(f, later + MAIL_HOUR_MS, &t, &wait));
	assert_true(tried(f, &t, later + MAIL_HOUR_MS, "450", false));
	assert_int_equal(row_of(f, number).state, MAIL_GIVEN_UP);
}

static void what_is_good_for_nothing_is_dropped(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	struct invitation i CLEANUP_INVITATION = { .note = NULL };
	int64_t wait, number = add(f, "anna@example.org", start);
	struct mail_try t;

	find(f, &w);
	assert_ok(invitation_revoke(db_of(f), &w, number, start, &i, &f->e), f->e);
	assert_false(next(f, start, &t, &wait));
	assert_int_equal(wait, -1);
	assert_int_equal(texts(f), 0);
	/* One that has ended, while its row is there. */
	number = add(f, "bert@example.org", start);
	assert_false(next(f, start + INT64_C(30) * MAIL_DAY_MS, &t, &wait));
	assert_int_equal(row_of(f, number).state, MAIL_DROPPED);
}

static void a_mailbox_gets_a_few(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	int64_t wait;
	struct mail_try t;

	find(f, &w);
	for (int i = 0; i < MAILS_OF_BOX; i++) {
		struct invitation gone CLEANUP_INVITATION = { .note = NULL };
		int64_t number = add(f, i ? "Anna+x@Example.org" : "a.n.na@example.org", start);

		assert_ok(invitation_revoke(db_of(f), &w, number, start, &gone, &f->e), f->e);
	}
	/* What is dropped counts, until a day is over. */
	assert_false(next(f, start, &t, &wait));
	refuse(f, "anna+y@example.org", start + MAIL_DAY_MS - 1, "to that address within a day");
	refuse(f, "an.na@example.org", start + MAIL_DAY_MS - 1, "to that address within a day");
	(void)add(f, "bert@example.org", start);
	(void)add(f, "anna@example.org", start + MAIL_DAY_MS);
}

static void a_workspace_mails_a_few(void **state)
{
	struct store_room *f = *state;
	char address[64];

	for (int i = 0; i < MAILS_OF_PLACE; i++) {
		snprintf(address, sizeof(address), "user%d@example.org", i);
		(void)add(f, address, start);
	}
	refuse(f, "more@example.org", start + MAIL_HOUR_MS - 1,
	       "workspace default has mailed 20 invitations within an hour");
	(void)add(f, "more@example.org", start + MAIL_HOUR_MS);
}

static void the_service_mails_some(void **state)
{
	struct store_room *f = *state;

	for (int i = 0; i < MAILS_OF_ALL; i++) {
		char address[64];

		snprintf(address, sizeof(address), "user%d@example.org", i);
		assert_ok(mail_add(db_of(f), f->store.secrets,
				   &(struct mail_wish){ 1000 + i, 1000 + i, address, "x" }, start,
				   &f->e),
			  f->e);
	}
	refuse(f, "more@example.org", start, "the service has many mails to send");
	/* Nor more than a number that wait, however old. */
	for (int i = MAILS_OF_ALL; i < MAILS_WAITING_MAX; i++)
		assert_ok(mail_add(db_of(f), f->store.secrets,
				   &(struct mail_wish){ 1, 1000 + i, "a@b.de", "x" },
				   start - INT64_C(2) * MAIL_DAY_MS, &f->e),
			  f->e);
	refuse(f, "more@example.org", start + MAIL_HOUR_MS, "the service has many mails to send");
}

static void what_is_over_for_long_is_forgotten(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct invitation i CLEANUP_INVITATION = { .note = NULL };
	struct store_room *f = *state;
	int64_t wait, count, kept = add(f, "anna@example.org", start),
			     gone = add(f, "bert@example.org", start);
	struct mail_try t;

	for (int k = 0; k < 2; k++) {
		assert_true(next(f, start, &t, &wait));
		assert_false(tried(f, &t, start, "", false));
	}
	find(f, &w);
	assert_ok(invitation_revoke(db_of(f), &w, gone, start, &i, &f->e), f->e);
	assert_false(next(f, start + MAIL_DAY_MS, &t, &wait));
	assert_ok(db_number(db_of(f), &count, &f->e, "SELECT count(*) FROM mails", ""), f->e);
	assert_int_equal(count, 1);
	assert_int_equal(row_of(f, kept).state, MAIL_SENT);
}

static void clocks_are_set(void **state)
{
	struct store_room *f = *state;
	int64_t wait;
	struct mail_try t;

	(void)add(f, "anna@example.org", start);
	/* Set back by much more than any pause: it is sent now. */
	assert_true(next(f, start - MAIL_DAY_MS, &t, &wait));
}

/* Put in the place of the one that waits. */
static void keep(struct store_room *f, const char *owner, const void *text, size_t len)
{
	assert_ok(secret_keep(db_of(f), f->store.secrets, &secret_mail, owner, text, len, &f->e),
		  f->e);
}

static void lose(struct store_room *f, const char *sql, const char *words)
{
	int64_t wait, number = add(f, "anna@example.org", start);
	struct mail_try t;

	assert_ok(db_script(db_of(f), sql, &f->e), f->e);
	assert_true(next(f, start, &t, &wait));
	assert_string_equal(t.text, "");
	assert_non_null(strstr(t.problem, words));
	assert_true(tried(f, &t, start, t.problem, true));
	assert_int_equal(row_of(f, number).state, MAIL_GIVEN_UP);
	assert_int_equal(texts(f), 0);
}

static void what_can_not_be_opened_is_given_up(void **state)
{
	struct store_room *f = *state;
	struct mail_try t;
	int64_t wait;

	lose(f, "UPDATE secrets SET key = '', sealed = NULL", "is gone: revoke its invitation");
	lose(f, "UPDATE secrets SET key = 'other'", "sealed under key 'other', which is not open");
	lose(f, "DELETE FROM secrets", "without its text");
	/* Others are sent. */
	(void)add(f, "bert@example.org", start);
	assert_true(next(f, start, &t, &wait));
	assert_string_equal(t.problem, "");
	assert_string_equal(t.text, "the text");
}

static void one_does_not_stand_for_another(void **state)
{
	struct store_room *f = *state;
	struct mail_try t;
	int64_t wait;

	(void)add(f, "anna@example.org", start);
	(void)add(f, "bert@example.org", start);
	assert_ok(db_script(db_of(f),
			    "UPDATE secrets SET owner = '9' WHERE owner = '1';"
			    "UPDATE secrets SET owner = '1' WHERE owner = '2'",
			    &f->e),
		  f->e);
	assert_true(next(f, start, &t, &wait));
	assert_string_equal(t.address, "anna@example.org");
	assert_non_null(strstr(t.problem, "it is not what was sealed"));
}

static void a_text_has_a_limit(void **state)
{
	struct store_room *f = *state;
	char text[MAIL_TEXT_MAX + 2];
	struct mail_try t;
	int64_t wait;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	(void)add(f, "anna@example.org", start);
	keep(f, "1", text, MAIL_TEXT_MAX);
	assert_true(next(f, start, &t, &wait));
	assert_int_equal(strlen(t.text), MAIL_TEXT_MAX);
	assert_string_equal(t.problem, "");
	keep(f, "1", text, MAIL_TEXT_MAX + 1);
	assert_true(next(f, start, &t, &wait));
	assert_non_null(strstr(t.problem, "too long"));
	keep(f, "1", "a\0b", 3);
	assert_true(next(f, start, &t, &wait));
	assert_non_null(strstr(t.problem, "no text"));
}

static void damaged_rows_are_refused(void **state)
{
	struct store_room *f = *state;
	char text[MAIL_ADDRESS_MAX + 2];
	struct mail_try t;
	int64_t wait;
	bool found;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	(void)add(f, "anna@example.org", start);
	assert_ok(db_run(db_of(f), &f->e, "UPDATE mails SET address = ?1", "t", text), f->e);
	assert_refused(mail_next(db_of(f), f->store.secrets, start, &t, &found, &wait, &f->e), f->e,
		       ERR_DATA_LOSS, "too long");
	assert_ok(db_run(db_of(f), &f->e, "UPDATE mails SET tries = 9", ""), f->e);
	assert_refused(
		mail_tried(db_of(f), &(struct mail_outcome){ .number = 1 }, start, &found, &f->e),
		f->e, ERR_DATA_LOSS, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(one_is_sent_and_its_text_is_gone),
		STORE_ROOM_ROW(what_fails_is_tried_for_a_day),
		STORE_ROOM_ROW(what_is_for_good_or_old_is_given_up),
		STORE_ROOM_ROW(what_is_good_for_nothing_is_dropped),
		STORE_ROOM_ROW(a_mailbox_gets_a_few),
		STORE_ROOM_ROW(a_workspace_mails_a_few),
		STORE_ROOM_ROW(the_service_mails_some),
		STORE_ROOM_ROW(what_is_over_for_long_is_forgotten),
		STORE_ROOM_ROW(clocks_are_set),
		STORE_ROOM_ROW(what_can_not_be_opened_is_given_up),
		STORE_ROOM_ROW(one_does_not_stand_for_another),
		STORE_ROOM_ROW(a_text_has_a_limit),
		STORE_ROOM_ROW(damaged_rows_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
