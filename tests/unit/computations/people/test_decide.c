/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: every role, action, deed and state against a table written by hand. */
#include "computations/people/action.h"
#include "computations/people/decide.h"
#include "tests/unit.h"

#include <stdio.h>

/* What each deed answers in the states created, running, completed, failed, cancelled: y yes, l later,
 * n refused, - hidden. */
#define ALWAYS  "yyyyy"
#define REFUSED "nnnnn"
#define HIDDEN  "-----"

struct expected {
	const char *who;
	unsigned actions; /* granted */
	bool operates, audits;
	const char *be, *create, *operate, *audit;
	const char *see, *run, *unverified, *again, *stop, *remove, *members, *parties, *key;
};

#define BIT(name) ACTION_BIT(ACTION_##name)
enum { VIEW = BIT(VIEW) };

/* clang-format off */
static const struct expected table[] = {
	{ "nobody", 0, false, false, ALWAYS, ALWAYS, REFUSED, REFUSED,
	  HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN },
	{ "owner", ACTIONS_ALL, false, false, ALWAYS, ALWAYS, REFUSED, REFUSED,
	  ALWAYS, "yllll", REFUSED, "lllyl", ALWAYS, ALWAYS, ALWAYS, "yllll", "yllll" },
	{ "administrator", VIEW | BIT(ADMINISTRATOR), false, false, ALWAYS, ALWAYS, REFUSED, REFUSED,
	  ALWAYS, REFUSED, REFUSED, REFUSED, REFUSED, ALWAYS, ALWAYS, "yllll", "yllll" },
	{ "editor", VIEW | BIT(EDIT), false, false, ALWAYS, ALWAYS, REFUSED, REFUSED,
	  ALWAYS, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, "yllll" },
	{ "runner", VIEW | BIT(RUN), false, false, ALWAYS, ALWAYS, REFUSED, REFUSED,
	  ALWAYS, "yllll", REFUSED, "lllyl", ALWAYS, REFUSED, REFUSED, REFUSED, "yllll" },
	{ "viewer", VIEW, false, false, ALWAYS, ALWAYS, REFUSED, REFUSED,
	  ALWAYS, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, "yllll" },
	{ "algo_provider", VIEW | BIT(ALGO_PROVIDER), false, false, ALWAYS, ALWAYS, REFUSED, REFUSED,
	  ALWAYS, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, "yllll" },
	{ "dataset_provider", VIEW | BIT(DATASET_PROVIDER), false, false, ALWAYS, ALWAYS, REFUSED, REFUSED,
	  ALWAYS, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, "yllll" },
	{ "result_consumer", VIEW | BIT(RESULT_CONSUMER), false, false, ALWAYS, ALWAYS, REFUSED, REFUSED,
	  ALWAYS, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, "yllll" },
	{ "auditor", 0, false, true, ALWAYS, ALWAYS, REFUSED, ALWAYS,
	  HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN },
	{ "operator", 0, true, false, ALWAYS, ALWAYS, ALWAYS, ALWAYS,
	  ALWAYS, "yllll", "yllyl", "lllyl", ALWAYS, ALWAYS, ALWAYS, "yllll", "yllll" },
};
/* clang-format on */

static const char *row_of(const struct expected *x, enum deed deed)
{
	const char *const rows[DEEDS] = {
		[DEED_ENTER] = ALWAYS,       [DEED_BE] = x->be,
		[DEED_CREATE] = x->create,   [DEED_OPERATE] = x->operate,
		[DEED_SEE] = x->see,         [DEED_AUDIT] = x->audit,
		[DEED_RUN] = x->run,         [DEED_RUN_UNVERIFIED] = x->unverified,
		[DEED_RUN_AGAIN] = x->again, [DEED_STOP] = x->stop,
		[DEED_REMOVE] = x->remove,   [DEED_MEMBERS] = x->members,
		[DEED_PARTIES] = x->parties, [DEED_KEY] = x->key,
	};

	return rows[deed];
}

static char letter(enum decide_answer answer)
{
	static const char letters[] = { [DECIDE_YES] = 'y',
					[DECIDE_HIDDEN] = '-',
					[DECIDE_REFUSED] = 'n',
					[DECIDE_LATER] = 'l' };

	return letters[answer];
}

static void each_role_does_in_each_state_what_the_table_says(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct decide_caller caller = { table[i].operates, table[i].actions,
						      ACTIONS_ALL, table[i].audits };

		for (int deed = 0; deed < DEEDS; deed++)
			for (int in = 0; in < DECIDE_STATES; in++) {
				char got = letter(
					decide(&caller, (enum deed)deed, (enum decide_state)in));

				if (got != row_of(&table[i], (enum deed)deed)[in])
					fail_msg("%s, deed %d, state %d: %c", table[i].who, deed,
						 in, got);
			}
	}
}

static void the_roles_of_every_computation_are_those_of_the_table(void **state)
{
	for (size_t i = 1; i + 2 < ARRAY_LEN(table); i++) {
		const struct action_role *role = action_role_find(table[i].who);

		assert_non_null(role);
		assert_int_equal(role->actions, table[i].actions);
	}
	assert_int_equal(ACTION_ROLES, ARRAY_LEN(table) - 3);
	assert_null(action_role_find("operator"));
	assert_null(action_role_find("auditor"));
}

/* What a token is for takes away, and never adds: for each set of granted actions and each scope. */
static void a_scope_only_takes_away(void **state)
{
	for (unsigned granted = 0; granted <= ACTIONS_ALL; granted++)
		for (unsigned scope = 0; scope <= ACTIONS_ALL; scope++)
			for (int deed = DEED_SEE; deed < DEEDS; deed++)
				for (int operates = 0; operates < 2; operates++) {
					const struct decide_caller narrow = { operates, granted,
									      scope, false },
								   wide = { operates, granted,
									    ACTIONS_ALL, false };
					bool yes = decide(&narrow, (enum deed)deed,
							  DECIDE_CREATED) == DECIDE_YES;

					assert_true(!yes || decide(&wide, (enum deed)deed,
								   DECIDE_CREATED) == DECIDE_YES);
					assert_int_equal(decide_actions(&narrow),
							 decide_actions(&wide) & scope);
				}
}

static void a_token_for_viewing_does_nothing_of_the_service(void **state)
{
	const struct decide_caller viewer = { true, ACTIONS_ALL, VIEW, false };

	assert_int_equal(decide(&viewer, DEED_BE, DECIDE_CREATED), DECIDE_YES);
	assert_int_equal(decide(&viewer, DEED_CREATE, DECIDE_CREATED), DECIDE_REFUSED);
	assert_int_equal(decide(&viewer, DEED_OPERATE, DECIDE_CREATED), DECIDE_REFUSED);
	assert_int_equal(decide(&viewer, DEED_SEE, DECIDE_RUNNING), DECIDE_YES);
	assert_int_equal(decide(&viewer, DEED_RUN, DECIDE_CREATED), DECIDE_REFUSED);
}

static void actions_have_names_and_sets_have_view(void **state)
{
	enum people_action action;
	struct err e;

	for (int i = 0; i < ACTIONS; i++) {
		assert_ok(action_find(action_name((enum people_action)i), &action, &e), e);
		assert_int_equal(action, i);
	}
	assert_refused(action_find("View", &action, &e), e, ERR_INVALID, "no action");
	assert_refused(action_find("", &action, &e), e, ERR_INVALID, "no action");
	for (unsigned set = 0; set <= ACTIONS_ALL; set++)
		assert_int_equal(actions_check(set, &e) == 0, set & VIEW);
	assert_refused(actions_check(ACTIONS_ALL + 1 + VIEW, &e), e, ERR_INVALID, "no such");
	for (int deed = 0; deed < DEEDS; deed++)
		assert_true(*decide_words((enum deed)deed));
}

/* An auditor's token for viewing does; an administrator's does not, who would not expect it to. */
static void auditors_have_to_see(void **state)
{
	static const struct {
		struct decide_caller caller;
		enum decide_answer answer;
	} rows[] = {
		{ { false, 0, VIEW, true }, DECIDE_YES },
		{ { false, 0, ACTIONS_ALL, true }, DECIDE_YES },
		{ { false, 0, ACTIONS_ALL & ~(unsigned)VIEW, true }, DECIDE_REFUSED },
		{ { false, 0, 0, true }, DECIDE_REFUSED },
		{ { true, 0, VIEW, false }, DECIDE_REFUSED },
		{ { true, 0, VIEW, true }, DECIDE_YES },
		{ { true, 0, VIEW | BIT(ADMINISTRATOR), false }, DECIDE_YES },
		{ { false, ACTIONS_ALL, ACTIONS_ALL, false }, DECIDE_REFUSED },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(decide(&rows[i].caller, DEED_AUDIT, DECIDE_CREATED),
				 rows[i].answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_role_does_in_each_state_what_the_table_says),
		cmocka_unit_test(the_roles_of_every_computation_are_those_of_the_table),
		cmocka_unit_test(a_scope_only_takes_away),
		cmocka_unit_test(auditors_have_to_see),
		cmocka_unit_test(a_token_for_viewing_does_nothing_of_the_service),
		cmocka_unit_test(actions_have_names_and_sets_have_view),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
