/* SPDX-License-Identifier: Apache-2.0 */
/* Invitations to workspaces in the database: who can take one, and when not. */
#include "computations/people/invitation.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <string.h>

enum { NOW = 1000000, DAY = 86400 * 1000 };

static struct db *db_of(struct store_room *f)
{
	return &f->store.db;
}

static int64_t add_user(struct store_room *f, const char *name, bool administrator)
{
	struct user u CLEANUP_USER = { .name = NULL };

	assert_ok(user_add(db_of(f), name, administrator, NOW, &f->e), f->e);
	assert_ok(user_find(db_of(f), name, &u, &f->e), f->e);
	return u.number;
}

static void find(struct store_room *f, struct workspace *w)
{
	assert_ok(workspace_first(db_of(f), w, &f->e), f->e);
}

static int64_t invite(struct store_room *f, const struct workspace *w, int64_t inviter,
		      enum membership role, char text[INVITATION_TEXT_LEN + 1])
{
	const struct invitation_wish wish = { role, 0, "the north clinic" };
	int64_t number;

	assert_ok(invitation_add(db_of(f), w, inviter, &wish, NOW, &number, text, &f->e), f->e);
	assert_int_equal(strlen(text), INVITATION_TEXT_LEN);
	return number;
}

static void check_taken(struct store_room *f, const char *text, int64_t person, int64_t now)
{
	struct invitation i CLEANUP_INVITATION = { .note = NULL };

	assert_ok(invitation_take(db_of(f), text, person, now, &i, &f->e), f->e);
	assert_string_equal(i.workspace, "default");
}

/* In the same words, whatever the cause. */
static void check_refused(struct store_room *f, const char *text, int64_t person, int64_t now)
{
	static const char words[] = "this invitation was taken or revoked, has ended, or is none";
	struct invitation i CLEANUP_INVITATION = { .note = NULL };

	assert_refused(invitation_find(db_of(f), text, now, &i, &f->e), f->e, ERR_NOT_FOUND, words);
	assert_refused(invitation_take(db_of(f), text, person, now, &i, &f->e), f->e, ERR_NOT_FOUND,
		       words);
	assert_null(i.note);
}

static size_t listed(struct store_room *f, const struct workspace *w, int64_t now,
		     struct invitation *first)
{
	struct invitation rows[INVITATIONS_MAX];
	size_t count;

	assert_ok(invitation_list(db_of(f), w->number, now, rows, &count, &f->e), f->e);
	for (size_t i = 0; i < count; i++)
		if (i == 0 && first)
			*first = rows[i];
		else
			invitation_done(&rows[i]);
	return count;
}

static void one_is_taken_once(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct invitation i CLEANUP_INVITATION = { .note = NULL };
	struct invitation row CLEANUP_INVITATION = { .note = NULL };
	struct workspace_member m CLEANUP_MEMBER = { .user = NULL };
	struct store_room *f = *state;
	char text[INVITATION_TEXT_LEN + 1], other[INVITATION_TEXT_LEN + 1];
	int64_t number, anna, bert;

	find(f, &w);
	number = invite(f, &w, 0, MEMBERSHIP_VIEWER, text);
	assert_true(invite(f, &w, 0, MEMBERSHIP_MEMBER, other) > number);
	assert_string_not_equal(text, other);
	anna = add_user(f, "anna", false);
	bert = add_user(f, "bert", false);
	for (int k = 0; k < 2; k++) { /* looking does not use it up */
		struct invitation seen CLEANUP_INVITATION = { .note = NULL };

		assert_ok(invitation_find(db_of(f), text, NOW, &seen, &f->e), f->e);
		assert_string_equal(seen.workspace, "default");
		assert_int_equal(seen.role, MEMBERSHIP_VIEWER);
		assert_string_equal(seen.note, "the north clinic");
		assert_int_equal(seen.ends, NOW + (int64_t)INVITATION_DAYS * DAY);
	}
	check_taken(f, text, anna, NOW);
	assert_ok(workspace_member_find(db_of(f), &w, "anna", &m, &f->e), f->e);
	assert_int_equal(m.membership, MEMBERSHIP_VIEWER);
	check_refused(f, text, bert, NOW);
	check_refused(f, text, anna, NOW);
	/* Who is a member already leaves another one open, and is what he was. */
	assert_refused(invitation_take(db_of(f), other, anna, NOW, &i, &f->e), f->e, ERR_EXISTS,
		       "already, as viewer");
	invitation_done(&i);
	assert_int_equal(listed(f, &w, NOW, &row), 2);
	assert_int_equal(row.number, number);
	assert_int_equal(row.taken, NOW);
	assert_string_equal(row.taker, "anna");
	assert_string_equal(row.inviter, "");
	check_taken(f, other, bert, NOW);
	/* Taken ones are told for a day. */
	assert_int_equal(listed(f, &w, NOW + INVITATION_KEPT_MS - 1, NULL), 2);
	assert_int_equal(listed(f, &w, NOW + INVITATION_KEPT_MS, NULL), 0);
}

static void what_is_none_is_none(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	char text[INVITATION_TEXT_LEN + 1], wrong[INVITATION_TEXT_LEN + 2];
	int64_t anna = add_user(f, "anna", false);

	find(f, &w);
	invite(f, &w, 0, MEMBERSHIP_MEMBER, text);
	check_refused(f, "", anna, NOW);
	for (size_t len = 1; len < INVITATION_TEXT_LEN; len++) {
		snprintf(wrong, sizeof(wrong), "%.*s", (int)len, text);
		check_refused(f, wrong, anna, NOW);
	}
	snprintf(wrong, sizeof(wrong), "%s0", text);
	check_refused(f, wrong, anna, NOW);
	for (size_t i = 0; i < INVITATION_TEXT_LEN; i++) {
		snprintf(wrong, sizeof(wrong), "%s", text);
		wrong[i] = wrong[i] == '0' ? '1' : '0';
		check_refused(f, wrong, anna, NOW);
		wrong[i] = 'A';
		check_refused(f, wrong, anna, NOW);
	}
	check_taken(f, text, anna, NOW);
}

static void it_ends(void **state)
{
	const struct invitation_wish day = { MEMBERSHIP_MEMBER, 1, "" };
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	char text[INVITATION_TEXT_LEN + 1];
	int64_t number, anna = add_user(f, "anna", false);

	find(f, &w);
	assert_ok(invitation_add(db_of(f), &w, 0, &day, NOW, &number, text, &f->e), f->e);
	assert_int_equal(listed(f, &w, NOW + DAY - 1, NULL), 1);
	assert_int_equal(listed(f, &w, NOW + DAY, NULL), 0);
	check_refused(f, text, anna, NOW + DAY);
	check_taken(f, text, anna, NOW + DAY - 1);
}

static void wishes_have_limits(void **state)
{
	static const struct {
		uint32_t days;
		const char *note, *words; /* NULL: it is fine */
	} rows[] = {
		{ INVITATION_DAYS_MAX, "", NULL },
		{ INVITATION_DAYS_MAX + 1, "", "1 to 30 days" },
		{ UINT32_MAX, "", "1 to 30 days" },
		{ 1, "0123456789012345678901234567890123456789012345678901234567890123", NULL },
		{ 1, "01234567890123456789012345678901234567890123456789012345678901234",
		  "65 bytes" },
		{ 1, "a\nb", "can't be shown" },
		{ 1, "\xc3", "can't be shown" },
		{ 1, "Zürich <b>", NULL },
	};
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	char text[INVITATION_TEXT_LEN + 1];
	int64_t number;

	find(f, &w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct invitation_wish wish = { MEMBERSHIP_MEMBER, rows[i].days,
						      rows[i].note };
		int failed = invitation_add(db_of(f), &w, 0, &wish, NOW, &number, text, &f->e);

		if (rows[i].words)
			assert_refused(failed, f->e, ERR_INVALID, rows[i].words);
		else
			assert_ok(failed, f->e);
	}
}

static void revoked_ones_are_gone(void **state)
{
	struct invitation i CLEANUP_INVITATION = { .note = NULL };
	struct invitation none = { .note = NULL };
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL },
			   lab CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	char text[INVITATION_TEXT_LEN + 1], taken[INVITATION_TEXT_LEN + 1];
	int64_t number, used, anna = add_user(f, "anna", false);

	find(f, &w);
	assert_ok(workspace_add(db_of(f), "lab", NOW, &f->e), f->e);
	assert_ok(workspace_find(db_of(f), "lab", &lab, &f->e), f->e);
	number = invite(f, &w, 0, MEMBERSHIP_MEMBER, text);
	used = invite(f, &w, 0, MEMBERSHIP_MEMBER, taken);
	check_taken(f, taken, anna, NOW);
	assert_refused(invitation_revoke(db_of(f), &lab, number, NOW, &none, &f->e), f->e,
		       ERR_NOT_FOUND, "in workspace lab");
	assert_refused(invitation_revoke(db_of(f), &w, used, NOW, &none, &f->e), f->e,
		       ERR_NOT_FOUND, "no open invitation");
	assert_refused(invitation_revoke(db_of(f), &w, number, NOW + 7LL * DAY, &none, &f->e), f->e,
		       ERR_NOT_FOUND, "no open invitation");
	assert_ok(invitation_revoke(db_of(f), &w, number, NOW, &i, &f->e), f->e);
	assert_int_equal(i.number, number);
	assert_refused(invitation_revoke(db_of(f), &w, number, NOW, &none, &f->e), f->e,
		       ERR_NOT_FOUND, "no open invitation");
	check_refused(f, text, add_user(f, "bert", false), NOW);
	assert_int_equal(listed(f, &w, NOW, NULL), 1);
	assert_int_equal(listed(f, &lab, NOW, NULL), 0);
}

/* It is worth what its maker may when it is taken. */
static void it_is_good_while_its_maker_governs(void **state)
{
	struct invitation row CLEANUP_INVITATION = { .note = NULL };
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	char text[INVITATION_TEXT_LEN + 1];
	int64_t head = add_user(f, "head", false), anna = add_user(f, "anna", false);

	find(f, &w);
	/* One who stays. */
	assert_ok(workspace_member_add(db_of(f), &w, add_user(f, "chief", true),
				       MEMBERSHIP_ADMINISTRATOR, NOW, &f->e),
		  f->e);
	assert_ok(workspace_member_add(db_of(f), &w, head, MEMBERSHIP_ADMINISTRATOR, NOW, &f->e),
		  f->e);
	invite(f, &w, head, MEMBERSHIP_ADMINISTRATOR, text);
	assert_ok(workspace_member_suspend(db_of(f), &w, "head", true, 2000, &f->e), f->e);
	check_refused(f, text, anna, NOW);
	assert_int_equal(listed(f, &w, NOW, &row), 1);
	assert_true(row.is_stale);
	assert_string_equal(row.inviter, "head");
	assert_ok(workspace_member_suspend(db_of(f), &w, "head", false, 2000, &f->e), f->e);
	assert_ok(user_suspend(db_of(f), "head", true, &f->e), f->e);
	check_refused(f, text, anna, NOW);
	assert_ok(user_suspend(db_of(f), "head", false, &f->e), f->e);
	assert_ok(workspace_member_set(db_of(f), &w, "head", MEMBERSHIP_MEMBER, 2000, &f->e), f->e);
	check_refused(f, text, anna, NOW);
	assert_ok(workspace_member_set(db_of(f), &w, "head", MEMBERSHIP_ADMINISTRATOR, 2000, &f->e),
		  f->e);
	assert_ok(workspace_member_remove(db_of(f), &w, "head", &f->e), f->e);
	check_refused(f, text, anna, NOW);
	assert_ok(user_remove(db_of(f), "head", &f->e), f->e);
	check_refused(f, text, anna, NOW);
	assert_int_equal(listed(f, &w, NOW, NULL), 0);
}

static void the_service_s_administrators_need_not_be_in_it(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	char text[INVITATION_TEXT_LEN + 1];
	int64_t chief = add_user(f, "chief", true), anna = add_user(f, "anna", false);

	find(f, &w);
	invite(f, &w, chief, MEMBERSHIP_MEMBER, text);
	check_taken(f, text, anna, NOW);
	/* And who has taken it may go. */
	assert_ok(user_remove(db_of(f), "anna", &f->e), f->e);
	assert_int_equal(listed(f, &w, NOW, NULL), 1);
}

static void it_goes_with_its_workspace(void **state)
{
	struct workspace lab CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	char text[INVITATION_TEXT_LEN + 1];

	assert_ok(workspace_add(db_of(f), "lab", NOW, &f->e), f->e);
	assert_ok(workspace_find(db_of(f), "lab", &lab, &f->e), f->e);
	invite(f, &lab, 0, MEMBERSHIP_MEMBER, text);
	assert_ok(workspace_remove(db_of(f), "lab", &f->e), f->e);
	check_refused(f, text, add_user(f, "anna", false), NOW);
}

static void a_workspace_has_so_many(void **state)
{
	const struct invitation_wish wish = { MEMBERSHIP_MEMBER, 1, "" };
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL },
			   lab CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	char text[INVITATION_TEXT_LEN + 1], first[INVITATION_TEXT_LEN + 1];
	int64_t number;

	find(f, &w);
	assert_ok(workspace_add(db_of(f), "lab", NOW, &f->e), f->e);
	assert_ok(workspace_find(db_of(f), "lab", &lab, &f->e), f->e);
	for (int i = 0; i < INVITATIONS_MAX; i++)
		assert_ok(invitation_add(db_of(f), &w, 0, &wish, NOW, &number, i ? text : first,
					 &f->e),
			  f->e);
	assert_int_equal(listed(f, &w, NOW, NULL), INVITATIONS_MAX);
	/* Taking one makes no room on that day: nobody makes users by the thousand. */
	check_taken(f, first, add_user(f, "anna", false), NOW + DAY - 1);
	assert_refused(invitation_add(db_of(f), &w, 0, &wish, NOW + DAY - 1, &number, text, &f->e),
		       f->e, ERR_EXHAUSTED, "workspace default has 100 invitations");
	assert_ok(invitation_add(db_of(f), &lab, 0, &wish, NOW, &number, text, &f->e), f->e);
	/* On the next one 99 have ended, and then the last. */
	for (int i = 0; i < INVITATIONS_MAX - 1; i++)
		assert_ok(invitation_add(db_of(f), &w, 0, &wish, NOW + DAY, &number, text, &f->e),
			  f->e);
	assert_refused(invitation_add(db_of(f), &w, 0, &wish, NOW + DAY, &number, text, &f->e),
		       f->e, ERR_EXHAUSTED, "revoke some, or wait");
	assert_ok(invitation_add(db_of(f), &w, 0, &wish, NOW + 2 * DAY - 1, &number, text, &f->e),
		  f->e);
}

static void names_are_not_tried_without_end(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	char text[INVITATION_TEXT_LEN + 1], other[INVITATION_TEXT_LEN + 1];
	int64_t anna = add_user(f, "anna", false), bert = add_user(f, "bert", false);

	find(f, &w);
	invite(f, &w, 0, MEMBERSHIP_MEMBER, text);
	invite(f, &w, 0, MEMBERSHIP_MEMBER, other);
	for (int i = 0; i < INVITATION_TRIES - 1; i++) {
		assert_ok(invitation_missed(db_of(f), text, &f->e), f->e);
		assert_ok(invitation_missed(db_of(f), other, &f->e), f->e);
	}
	check_taken(f, text, anna, NOW);
	assert_ok(invitation_missed(db_of(f), other, &f->e), f->e);
	check_refused(f, other, bert, NOW);
	assert_refused(invitation_missed(db_of(f), "x", &f->e), f->e, ERR_NOT_FOUND,
		       "none of ours");
}

static void a_role_that_is_none_is_told(void **state)
{
	struct invitation rows[INVITATIONS_MAX];
	struct invitation i = { .note = NULL };
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	char text[INVITATION_TEXT_LEN + 1];
	size_t count;

	find(f, &w);
	invite(f, &w, 0, MEMBERSHIP_MEMBER, text);
	assert_ok(db_run(db_of(f), &f->e, "UPDATE invitations SET role = 'king'", ""), f->e);
	assert_refused(invitation_find(db_of(f), text, NOW, &i, &f->e), f->e, ERR_DATA_LOSS,
		       "without a role");
	assert_refused(invitation_list(db_of(f), w.number, NOW, rows, &count, &f->e), f->e,
		       ERR_DATA_LOSS, "without a role");
}

static void an_older_database_can_have_some(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	char text[INVITATION_TEXT_LEN + 1];
	int64_t anna = add_user(f, "anna", false);

	store_room_age(f, 19);
	find(f, &w);
	invite(f, &w, 0, MEMBERSHIP_MEMBER, text);
	check_taken(f, text, anna, NOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(one_is_taken_once),
		STORE_ROOM_ROW(what_is_none_is_none),
		STORE_ROOM_ROW(it_ends),
		STORE_ROOM_ROW(wishes_have_limits),
		STORE_ROOM_ROW(revoked_ones_are_gone),
		STORE_ROOM_ROW(it_is_good_while_its_maker_governs),
		STORE_ROOM_ROW(the_service_s_administrators_need_not_be_in_it),
		STORE_ROOM_ROW(it_goes_with_its_workspace),
		STORE_ROOM_ROW(a_workspace_has_so_many),
		STORE_ROOM_ROW(names_are_not_tried_without_end),
		STORE_ROOM_ROW(a_role_that_is_none_is_told),
		STORE_ROOM_ROW(an_older_database_can_have_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
