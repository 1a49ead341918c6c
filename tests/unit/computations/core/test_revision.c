/* SPDX-License-Identifier: Apache-2.0 */
/* What is another revision of a computation, or of its roles, and what is not. */
#include "computations/core/revision.h"
#include "computations/people/role.h"
#include "computations/people/workspace_member.h"
#include "computations/store/store_machine.h"
#include "computations/store/store_rename.h"
#include "tests/unit/computations/store_room.h"

#include <string.h>

struct pair {
	char computation[REVISION_LEN + 1], roles[REVISION_LEN + 1];
};

static struct pair now(struct store_room *f)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	CLEANUP(role_list_free) struct role_list *list = NULL;
	struct pair p;

	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_ok(role_list(&f->store.db, "one", &list, &f->e), f->e);
	assert_ok(revision_of(&c, p.computation, &f->e), f->e);
	assert_ok(revision_of_roles(list, p.roles, &f->e), f->e);
	assert_int_equal(strlen(p.computation), REVISION_LEN);
	assert_int_equal(strlen(p.roles), REVISION_LEN);
	/* And it is what is compared with. */
	assert_ok(revision_check(&f->store, "one", false, p.computation, &f->e), f->e);
	assert_ok(revision_check(&f->store, "one", true, p.roles, &f->e), f->e);
	return p;
}

static void check(struct store_room *f, struct pair *before, bool is_other, bool has_other_roles)
{
	struct pair p = now(f);

	assert_int_equal(strcmp(p.computation, before->computation) != 0, is_other);
	assert_int_equal(strcmp(p.roles, before->roles) != 0, has_other_roles);
	if (is_other)
		assert_refused(revision_check(&f->store, "one", false, before->computation, &f->e),
			       f->e, ERR_ABORTED, "look again");
	if (has_other_roles)
		assert_refused(revision_check(&f->store, "one", true, before->roles, &f->e), f->e,
			       ERR_ABORTED, "roles");
	*before = p;
}

static void what_people_and_agents_change_is_another_revision(void **state)
{
	struct store_room *f = *state;
	struct db *db = &f->store.db;
	char name[] = "night", description[] = "of iris";
	const struct store_naming night = { .name = name };
	const struct store_naming described = { .name = name, .description = description };
	struct pair p;
	bool tell;

	store_room_create(f, "one");
	p = now(f);
	check(f, &p, false, false);
	store_room_user(f, "anna");
	check(f, &p, false, false);
	assert_ok(role_give(db, "one", "viewer", "anna", &f->e), f->e);
	check(f, &p, false, true);
	assert_ok(role_define(db, "one", "own", ACTION_BIT(ACTION_VIEW), &f->e), f->e);
	check(f, &p, false, true);
	assert_ok(role_define(db, "one", "own", ACTION_BIT(ACTION_VIEW) | ACTION_BIT(ACTION_RUN),
			      &f->e),
		  f->e);
	check(f, &p, false, true);
	store_room_create(f, "two");
	check(f, &p, false, false);
	assert_ok(db_script(db,
			    "UPDATE computations SET digest ="
			    " (SELECT digest FROM computations WHERE id = 'two') WHERE id = 'one'",
			    &f->e),
		  f->e);
	check(f, &p, true, false);
	assert_ok(store_rename(&f->store, "one", &night, &f->e), f->e);
	check(f, &p, true, false);
	assert_ok(store_rename(&f->store, "one", &described, &f->e), f->e);
	check(f, &p, true, false);
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
	check(f, &p, true, false);
	assert_ok(role_take(db, "one", "viewer", "anna", &f->e), f->e);
	check(f, &p, false, true);
}

static void none_is_of_what_is_not_there(void **state)
{
	struct store_room *f = *state;

	for (int of_roles = 0; of_roles < 2; of_roles++)
		assert_refused(
			revision_check(&f->store, "none", of_roles, "0000000000000000", &f->e),
			f->e, ERR_NOT_FOUND, "none");
}

static void lists_of_other_texts_are_others(void **state)
{
	char ab[] = "ab", c[] = "c", just_a[] = "a", bc[] = "bc";
	CLEANUP(free) struct role_list *list = calloc(1, sizeof(*list));
	char a[REVISION_LEN + 1], b[REVISION_LEN + 1];
	struct err e;

	assert_non_null(list);
	list->member_count = 1;
	list->members[0] = (struct role_member){ ab, c };
	assert_ok(revision_of_roles(list, a, &e), e);
	list->members[0] = (struct role_member){ just_a, bc };
	assert_ok(revision_of_roles(list, b, &e), e);
	assert_string_not_equal(a, b);
}

/* To whom, from whom: each is there with all that he is; and it is no member's own, even where nobody loses it. */
static void a_transfer_is_of_all_who_gain_or_lose(void **state)
{
	char anna[] = "anna", bert[] = "bert", carl[] = "carl";
	const struct workspace_member was[] = {
		{ .user = anna,
		  .person = 1,
		  .membership = MEMBERSHIP_MEMBER,
		  .joined = 5,
		  .changed = 5 },
		{ .user = bert,
		  .person = 2,
		  .membership = MEMBERSHIP_ADMINISTRATOR,
		  .joined = 5,
		  .changed = 5 },
		{ .user = carl,
		  .person = 3,
		  .membership = MEMBERSHIP_ADMINISTRATOR,
		  .joined = 5,
		  .changed = 5 },
	};
	char before[REVISION_LEN + 1], after[REVISION_LEN + 1];
	struct err e;

	assert_ok(revision_of_transfer(was, 2, before, &e), e);
	assert_ok(revision_of_transfer(was, 1, after, &e), e);
	assert_string_not_equal(before, after);
	for (size_t i = 0; i < ARRAY_LEN(was); i++)
		for (int what = 0; what < 5; what++) {
			struct workspace_member now[ARRAY_LEN(was)];

			memcpy(now, was, sizeof(was));
			now[i].person += what == 0 ? 7 : 0;
			now[i].membership = what == 1 ? MEMBERSHIP_VIEWER : now[i].membership;
			now[i].suspended = what == 2;
			now[i].joined += what == 3;
			now[i].changed += what == 4; /* it was another and is the same again */
			assert_ok(revision_of_transfer(now, 2, after, &e), e);
			assert_string_not_equal(before, after);
		}
	assert_ok(revision_of_transfer(was, 0, before, &e), e);
	assert_ok(revision_of_member(was, after, &e), e);
	assert_string_not_equal(before, after);
}

/* A newer one of the same name, one that has got work, and one that is gone. */
static void another_machine_is_another_revision(void **state)
{
	char name[] = "one", none[] = "", work[] = "c", before[REVISION_LEN + 1];
	struct machine m = { .number = 7, .name = name, .computation_id = none };
	struct err e;

	(void)state;
	assert_ok(revision_of_machine(&m, before, &e), e);
	m.is_seen = true;
	m.cvm_id = work;
	assert_ok(revision_check_machine(&m, before, &e), e);
	m.number = 8;
	assert_refused(revision_check_machine(&m, before, &e), e, ERR_ABORTED, "newer one");
	m.number = 7;
	m.computation_id = work;
	assert_refused(revision_check_machine(&m, before, &e), e, ERR_ABORTED, "look again");
	m.computation_id = none;
	m.phase = MACHINE_REMOVED;
	assert_refused(revision_check_machine(&m, before, &e), e, ERR_ABORTED, "look again");
}

static void whose_a_name_is_is_another_revision(void **state)
{
	char id[] = "cvm", none[] = "", key[] = "k", before[REVISION_LEN + 1];
	struct cvm c = { .id = id, .key = none };
	struct store_room *f = *state;
	char now[REVISION_LEN + 1];

	assert_ok(revision_of_cvm(&c, before, &f->e), f->e);
	c.last_seen = 1;
	assert_ok(revision_of_cvm(&c, now, &f->e), f->e);
	assert_string_equal(now, before);
	c.key = key;
	assert_ok(revision_of_cvm(&c, now, &f->e), f->e);
	assert_string_not_equal(now, before);
	assert_refused(revision_check_cvm(&f->store, "none", now, &f->e), f->e, ERR_NOT_FOUND,
		       "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(what_people_and_agents_change_is_another_revision),
		STORE_ROOM_ROW(none_is_of_what_is_not_there),
		cmocka_unit_test(lists_of_other_texts_are_others),
		cmocka_unit_test(a_transfer_is_of_all_who_gain_or_lose),
		cmocka_unit_test(another_machine_is_another_revision),
		STORE_ROOM_ROW(whose_a_name_is_is_another_revision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
