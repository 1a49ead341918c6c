/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: every role in a workspace and in a computation, deed and state against a table written by hand. */
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
	unsigned actions;                                   /* granted */
	const char *look, *create, *leave, *govern, *asset; /* asset: of others */
	const char *see, *run, *unverified, *again, *stop, *remove, *rename, *members, *parties,
		*key;
};

#define BIT(name) ACTION_BIT(ACTION_##name)
enum { VIEW = BIT(VIEW) };

/* What a workspace lets its member do, and what it lets nobody else. */
#define AS_MEMBER  ALWAYS, ALWAYS, ALWAYS, REFUSED, REFUSED
#define AS_VIEWER  ALWAYS, REFUSED, ALWAYS, REFUSED, REFUSED
#define AS_CHIEF   ALWAYS, ALWAYS, ALWAYS, ALWAYS, ALWAYS
#define AS_NOBODY  HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN
#define RUNS_NONE  REFUSED, REFUSED, REFUSED, REFUSED
#define SEES_ALONE ALWAYS, RUNS_NONE, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED
#define HAS_A_KEY  ALWAYS, RUNS_NONE, REFUSED, REFUSED, REFUSED, REFUSED, "yllll"
#define SEES_NONE  HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN

/* clang-format off */
static const struct expected members[] = {
	{ "nobody", 0, AS_MEMBER, SEES_NONE },
	{ "owner", ACTIONS_ALL, AS_MEMBER,
	  ALWAYS, "yllll", REFUSED, "lllyy", ALWAYS, ALWAYS, ALWAYS, ALWAYS, "yllll", "yllll" },
	{ "administrator", VIEW | BIT(ADMINISTRATOR), AS_MEMBER,
	  ALWAYS, RUNS_NONE, ALWAYS, REFUSED, ALWAYS, "yllll", "yllll" },
	{ "editor", VIEW | BIT(EDIT), AS_MEMBER,
	  ALWAYS, RUNS_NONE, REFUSED, ALWAYS, REFUSED, REFUSED, "yllll" },
	{ "runner", VIEW | BIT(RUN), AS_MEMBER,
	  ALWAYS, "yllll", REFUSED, "lllyy", ALWAYS, REFUSED, REFUSED, REFUSED, REFUSED, "yllll" },
	{ "viewer", VIEW, AS_MEMBER, HAS_A_KEY },
	{ "algo_provider", VIEW | BIT(ALGO_PROVIDER), AS_MEMBER, HAS_A_KEY },
	{ "dataset_provider", VIEW | BIT(DATASET_PROVIDER), AS_MEMBER, HAS_A_KEY },
	{ "result_consumer", VIEW | BIT(RESULT_CONSUMER), AS_MEMBER, HAS_A_KEY },
};
/* The same for each role in the computation: */
static const struct expected
	viewer_without = { "a viewer without a role", 0, AS_VIEWER, SEES_NONE },
	viewer = { "a viewer", 0, AS_VIEWER, SEES_ALONE },
	chief = { "an administrator", 0, AS_CHIEF,
		  ALWAYS, "yllll", REFUSED, "lllyy", ALWAYS, ALWAYS, ALWAYS, ALWAYS, "yllll", "yllll" },
	outside = { "no member", 0, AS_NOBODY, SEES_NONE },
	/* Not of the workspace, but of the service; whatever he is there. */
	operator = { "an operator", 0, AS_CHIEF,
		     ALWAYS, "yllll", "yllyy", "lllyy", ALWAYS, ALWAYS, ALWAYS, ALWAYS, "yllll", "yllll" };
/* clang-format on */

static const struct expected *expected_of(const struct decide_caller *c, size_t role)
{
	if (c->operates)
		return &operator;
	if (c->suspended || c->membership == MEMBERSHIP_NONE)
		return &outside;
	if (c->membership == MEMBERSHIP_ADMINISTRATOR)
		return &chief;
	if (c->membership == MEMBERSHIP_MEMBER)
		return &members[role];
	return members[role].actions ? &viewer : &viewer_without;
}

static const char *row_of(const struct expected *x, const struct decide_caller *c, enum deed deed)
{
	const char *const rows[DEEDS] = {
		[DEED_BE] = ALWAYS,
		[DEED_ENTER] = ALWAYS,
		[DEED_OPERATE] = c->operates ? ALWAYS : REFUSED,
		[DEED_AUDIT] = c->operates || c->audits ? ALWAYS : REFUSED,
		[DEED_LOOK] = x->look,
		[DEED_CREATE] = x->create,
		[DEED_LEAVE] = x->leave,
		[DEED_GOVERN] = x->govern,
		[DEED_ASSETS] = x->look,
		[DEED_ASSET_ADD] = x->create,
		[DEED_ASSET_CHANGE] = c->owns ? x->create : x->asset,
		[DEED_MACHINE] = x->govern,
		[DEED_CONSOLE] = x->govern,
		[DEED_WEBHOOKS] = x->govern,
		[DEED_WORKFLOWS] = x->look,
		[DEED_WORKFLOW] = x->create,
		[DEED_WORKFLOW_CHANGE] = c->owns ? x->create : x->asset,
		[DEED_SEE] = x->see,
		[DEED_RUN] = x->run,
		[DEED_RUN_AGAIN] = x->again,
		[DEED_RUN_UNVERIFIED] = x->unverified,
		[DEED_STOP] = x->stop,
		[DEED_REMOVE] = x->remove,
		[DEED_RENAME] = x->rename,
		/* Whoever renames it, until it is run. */
		[DEED_UPDATE] = *x->rename == 'y' ? "yllll" : x->rename,
		[DEED_MEMBERS] = x->members,
		[DEED_PARTIES] = x->parties,
		[DEED_KEY] = x->key,
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

static void check_caller(const struct decide_caller *caller, size_t role)
{
	const struct expected *x = expected_of(caller, role);

	for (int deed = 0; deed < DEEDS; deed++)
		for (int in = 0; in < DECIDE_STATES; in++) {
			char got = letter(decide(caller, (enum deed)deed, (enum decide_state)in));

			if (got != row_of(x, caller, (enum deed)deed)[in])
				fail_msg("%s with role %s, deed %d, state %d: %c", x->who,
					 members[role].who, deed, in, got);
		}
}

/* Every role in the computation, in every role in the workspace, suspended or not, of the service or
 * not, an auditor or not, which shows nothing of a workspace or a computation. */
static void each_role_does_in_each_state_what_the_table_says(void **state)
{
	size_t checked = 0;

	for (size_t role = 0; role < ARRAY_LEN(members); role++)
		for (int in = 0; in < MEMBERSHIPS; in++)
			for (int flags = 0; flags < 16; flags++) {
				const struct decide_caller caller = { .operates = flags & 1,
								      .suspended = flags & 2,
								      .audits = flags & 4,
								      .owns = flags & 8,
								      .membership =
									      (enum membership)in,
								      .granted =
									      members[role].actions,
								      .scope = ACTIONS_ALL };

				check_caller(&caller, role);
				checked++;
			}
	assert_int_equal(checked, 9 * 4 * 16);
}

static void the_roles_of_every_computation_are_those_of_the_table(void **state)
{
	for (size_t i = 1; i < ARRAY_LEN(members); i++) {
		const struct action_role *role = action_role_find(members[i].who);

		assert_non_null(role);
		assert_int_equal(role->actions, members[i].actions);
	}
	assert_int_equal(ACTION_ROLES, ARRAY_LEN(members) - 1);
	assert_null(action_role_find("operator"));
	assert_null(action_role_find("auditor"));
}

static bool narrow_is_within_wide(struct decide_caller caller, unsigned scope)
{
	struct decide_caller narrow = caller;

	narrow.scope = scope;
	if (decide_actions(&narrow) != (decide_actions(&caller) & scope))
		return false;
	for (int deed = 0; deed < DEEDS; deed++)
		if (decide(&narrow, (enum deed)deed, DECIDE_CREATED) == DECIDE_YES &&
		    decide(&caller, (enum deed)deed, DECIDE_CREATED) != DECIDE_YES)
			return false;
	return true;
}

/* What a token is for takes away, and never adds: for each set of granted actions and each scope. */
static void a_scope_only_takes_away(void **state)
{
	for (unsigned granted = 0; granted <= ACTIONS_ALL; granted++)
		for (unsigned scope = 0; scope <= ACTIONS_ALL; scope++)
			for (int in = 0; in < 4 * MEMBERSHIPS; in++)
				assert_true(narrow_is_within_wide(
					(struct decide_caller){ .operates = in & 1,
								.audits = in & 2,
								.scope = ACTIONS_ALL,
								.membership =
									(enum membership)(in / 4),
								.granted = granted },
					scope));
}

/* Nor does being less in a workspace, or being suspended there. */
static void each_role_in_a_workspace_is_more_than_the_last(void **state)
{
	struct decide_caller less = { .scope = ACTIONS_ALL }, more = less;

	for (unsigned granted = 0; granted <= ACTIONS_ALL; granted++)
		for (int in = 1; in < MEMBERSHIPS; in++) {
			less.granted = more.granted = granted;
			less.membership = (enum membership)(in - 1);
			more.membership = (enum membership)in;
			assert_int_equal(decide_actions(&less) & ~decide_actions(&more), 0);
			more.suspended = true;
			assert_int_equal(decide_actions(&more), 0);
			more.suspended = false;
		}
}

static void a_token_for_viewing_does_nothing_of_the_service(void **state)
{
	const struct decide_caller shown = { .operates = true,
					     .scope = VIEW,
					     .membership = MEMBERSHIP_ADMINISTRATOR,
					     .granted = ACTIONS_ALL };

	assert_int_equal(decide(&shown, DEED_BE, DECIDE_CREATED), DECIDE_YES);
	assert_int_equal(decide(&shown, DEED_LOOK, DECIDE_CREATED), DECIDE_YES);
	assert_int_equal(decide(&shown, DEED_CREATE, DECIDE_CREATED), DECIDE_REFUSED);
	assert_int_equal(decide(&shown, DEED_LEAVE, DECIDE_CREATED), DECIDE_REFUSED);
	assert_int_equal(decide(&shown, DEED_GOVERN, DECIDE_CREATED), DECIDE_REFUSED);
	assert_int_equal(decide(&shown, DEED_MACHINE, DECIDE_CREATED), DECIDE_REFUSED);
	assert_int_equal(decide(&shown, DEED_CONSOLE, DECIDE_CREATED), DECIDE_REFUSED);
	assert_int_equal(decide(&shown, DEED_OPERATE, DECIDE_CREATED), DECIDE_REFUSED);
	assert_int_equal(decide(&shown, DEED_WORKFLOWS, DECIDE_CREATED), DECIDE_YES);
	assert_int_equal(decide(&shown, DEED_WORKFLOW, DECIDE_CREATED), DECIDE_REFUSED);
	assert_int_equal(decide(&shown, DEED_WORKFLOW_CHANGE, DECIDE_CREATED), DECIDE_REFUSED);
	assert_int_equal(decide(&shown, DEED_SEE, DECIDE_RUNNING), DECIDE_YES);
	assert_int_equal(decide(&shown, DEED_RUN, DECIDE_CREATED), DECIDE_REFUSED);
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
		{ { .audits = true, .scope = VIEW }, DECIDE_YES },
		{ { .audits = true, .scope = ACTIONS_ALL }, DECIDE_YES },
		{ { .audits = true, .scope = ACTIONS_ALL & ~(unsigned)VIEW }, DECIDE_REFUSED },
		{ { .audits = true }, DECIDE_REFUSED },
		{ { .operates = true, .scope = VIEW }, DECIDE_REFUSED },
		{ { .operates = true, .audits = true, .scope = VIEW }, DECIDE_YES },
		{ { .operates = true, .scope = VIEW | BIT(ADMINISTRATOR) }, DECIDE_YES },
		{ { .scope = ACTIONS_ALL,
		    .membership = MEMBERSHIP_ADMINISTRATOR,
		    .granted = ACTIONS_ALL },
		  DECIDE_REFUSED },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(decide(&rows[i].caller, DEED_AUDIT, DECIDE_CREATED),
				 rows[i].answer);
}

#define FOR_ALL                     "For every user."
#define IN_WORKSPACE(least, action) "For who is at least " least " in the workspace (“" action "”)."
#define OWN_IN_WORKSPACE(action)                                \
	"For who is at least member in the workspace (“" action \
	"”), and whose it is or who administers that."
#define WITH_ROLE(action) \
	"For whom a role in the computation, or its workspace, allows “" action "”."

/* The rules, as the API's document tells them. */
static void each_deed_says_for_whom_it_is(void **state)
{
	/* clang-format off */
	static const char *const rows[DEEDS] = {
		[DEED_ENTER] = FOR_ALL,
		[DEED_BE] = FOR_ALL,
		[DEED_OPERATE] = "For who administers the service (“administrator”).",
		[DEED_AUDIT] = "For who administers the service (“administrator”), or audits it (“view”).",
		[DEED_LOOK] = IN_WORKSPACE("viewer", "view"),
		[DEED_CREATE] = IN_WORKSPACE("member", "edit"),
		[DEED_LEAVE] = IN_WORKSPACE("viewer", "edit"),
		[DEED_GOVERN] = IN_WORKSPACE("administrator", "administrator"),
		[DEED_ASSETS] = IN_WORKSPACE("viewer", "view"),
		[DEED_ASSET_ADD] = IN_WORKSPACE("member", "edit"),
		[DEED_ASSET_CHANGE] = OWN_IN_WORKSPACE("edit"),
		[DEED_MACHINE] = IN_WORKSPACE("administrator", "administrator"),
		[DEED_CONSOLE] = IN_WORKSPACE("administrator", "administrator"),
		[DEED_WEBHOOKS] = IN_WORKSPACE("administrator", "administrator"),
		[DEED_WORKFLOWS] = IN_WORKSPACE("viewer", "view"),
		[DEED_WORKFLOW] = IN_WORKSPACE("member", "run"),
		[DEED_WORKFLOW_CHANGE] = OWN_IN_WORKSPACE("run"),
		[DEED_SEE] = WITH_ROLE("view"),
		[DEED_RUN] = WITH_ROLE("run"),
		[DEED_RUN_UNVERIFIED] = "For who administers the service (“run”).",
		[DEED_RUN_AGAIN] = WITH_ROLE("run"),
		[DEED_STOP] = WITH_ROLE("run"),
		[DEED_REMOVE] = WITH_ROLE("administrator"),
		[DEED_RENAME] = WITH_ROLE("edit"),
		[DEED_UPDATE] = WITH_ROLE("edit"),
		[DEED_MEMBERS] = WITH_ROLE("administrator"),
		[DEED_PARTIES] = WITH_ROLE("administrator"),
		[DEED_KEY] = WITH_ROLE("view"),
	};
	/* clang-format on */
	char text[DECIDE_WHO_MAX];

	for (int deed = 0; deed < DEEDS; deed++) {
		decide_who((enum deed)deed, text);
		assert_non_null(rows[deed]);
		assert_string_equal(text, rows[deed]);
	}
}

static void roles_in_workspaces_have_names(void **state)
{
	enum membership membership;
	struct err e;

	for (int i = MEMBERSHIP_NONE + 1; i < MEMBERSHIPS; i++) {
		assert_ok(membership_find(membership_rules[i].name, &membership, &e), e);
		assert_int_equal(membership, i);
	}
	assert_refused(membership_find("", &membership, &e), e, ERR_INVALID, "no role");
	assert_refused(membership_find("Member", &membership, &e), e, ERR_INVALID, "no role");
	assert_refused(membership_find("owner", &membership, &e), e, ERR_INVALID, "no role");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_role_does_in_each_state_what_the_table_says),
		cmocka_unit_test(the_roles_of_every_computation_are_those_of_the_table),
		cmocka_unit_test(a_scope_only_takes_away),
		cmocka_unit_test(auditors_have_to_see),
		cmocka_unit_test(each_role_in_a_workspace_is_more_than_the_last),
		cmocka_unit_test(a_token_for_viewing_does_nothing_of_the_service),
		cmocka_unit_test(actions_have_names_and_sets_have_view),
		cmocka_unit_test(each_deed_says_for_whom_it_is),
		cmocka_unit_test(roles_in_workspaces_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
