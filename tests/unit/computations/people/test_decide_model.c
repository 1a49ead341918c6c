/* SPDX-License-Identifier: Apache-2.0 */
/* Random sequences of changes of users, members and roles, against a model of who may see and do what. */
#include "computations/people/creator.h"
#include "computations/people/decide.h"
#include "computations/people/role.h"
#include "computations/people/workspace_member.h"
#include "tests/unit/computations/store_room.h"

enum { NOW = 1000000, USERS = 4, COMPUTATIONS = 3, WORKSPACES = 2, STEPS = 2400 };

static const char *const users[USERS] = { "u0", "u1", "u2", "u3" };
static const char *const computations[COMPUTATIONS] = { "c0", "c1", "c2" };
static const char *const workspaces[WORKSPACES] = { "w0", "w1" };
static const size_t home[COMPUTATIONS] = { 0, 0, 1 }; /* where each computation is */
static const char *const roles[] = {
	"owner",         "administrator",    "editor",          "runner", "viewer",
	"algo_provider", "dataset_provider", "result_consumer", "own"
};
enum { OWN = ARRAY_LEN(roles) - 1, OWNER = 0 };
/* Computations from that one on somebody has created who is no user any more; of the others nobody is known. */
enum { FOREIGN = 1, GONE = 1 << 30 };

struct model {
	bool is_there[USERS], has[COMPUTATIONS][ARRAY_LEN(roles)][USERS];
	unsigned own[COMPUTATIONS];
	enum membership in[WORKSPACES][USERS];
	bool suspended[WORKSPACES][USERS];
	int number[USERS], last; /* as they came */
	int passed;              /* how often one went to an heir */
};

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 16) % below; /* those below repeat themselves soon */
}

/* ---- the model ---- */

/* Who may do more than look. */
static int owners_beside(const struct model *m, size_t c, size_t user)
{
	const size_t w = home[c];
	int count = 0;

	for (size_t u = 0; u < USERS; u++)
		count += u != user && m->has[c][OWNER][u] && !m->suspended[w][u] &&
			 m->in[w][u] != MEMBERSHIP_VIEWER;
	return count;
}

/* All became members at the same moment. USERS: there is none. */
static size_t heir_of(const struct model *m, size_t w, size_t user)
{
	size_t heir = USERS;

	for (size_t u = 0; u < USERS; u++)
		if (u != user && m->in[w][u] == MEMBERSHIP_ADMINISTRATOR && !m->suspended[w][u] &&
		    (heir == USERS || m->number[u] < m->number[heir]))
			heir = u;
	return heir;
}

static bool goes_on(const struct model *m, size_t c, size_t user)
{
	return c >= FOREIGN && m->has[c][OWNER][user] && !owners_beside(m, c, user) &&
	       heir_of(m, home[c], user) < USERS;
}

/* And so has to stay. */
static bool owns_alone(const struct model *m, size_t c, size_t user)
{
	return m->has[c][OWNER][user] && !owners_beside(m, c, user) && !goes_on(m, c, user);
}

static void pass_on(struct model *m, size_t c, size_t user)
{
	if (!goes_on(m, c, user))
		return;
	m->has[c][OWNER][heir_of(m, home[c], user)] = true;
	m->has[c][OWNER][user] = false;
	m->passed++;
}

static void pass_on_all(struct model *m, size_t w, size_t user)
{
	for (size_t c = 0; c < COMPUTATIONS; c++)
		if (home[c] == w)
			pass_on(m, c, user);
}

static bool governs_alone(const struct model *m, size_t w, size_t user)
{
	int others = 0;

	for (size_t u = 0; u < USERS; u++)
		others +=
			u != user && m->in[w][u] == MEMBERSHIP_ADMINISTRATOR && !m->suspended[w][u];
	return m->in[w][user] == MEMBERSHIP_ADMINISTRATOR && !m->suspended[w][user] && !others;
}

static bool model_gives(struct model *m, size_t c, size_t role, size_t user)
{
	if (m->in[home[c]][user] == MEMBERSHIP_NONE || (role == OWN && !m->own[c]))
		return false;
	m->has[c][role][user] = true;
	return true;
}

static bool model_takes(struct model *m, size_t c, size_t role, size_t user)
{
	if (m->in[home[c]][user] == MEMBERSHIP_NONE || (role == OWN && !m->own[c]) ||
	    (role == OWNER && owns_alone(m, c, user)))
		return false;
	if (role == OWNER)
		pass_on(m, c, user);
	m->has[c][role][user] = false;
	return true;
}

static void forget(struct model *m, size_t w, size_t user)
{
	pass_on_all(m, w, user);
	for (size_t c = 0; c < COMPUTATIONS; c++)
		for (size_t role = 0; role < ARRAY_LEN(roles) && home[c] == w; role++)
			m->has[c][role][user] = false;
	m->in[w][user] = MEMBERSHIP_NONE;
	m->suspended[w][user] = false;
}

static bool model_removes(struct model *m, size_t user)
{
	if (!m->is_there[user])
		return false;
	for (size_t c = 0; c < COMPUTATIONS; c++)
		if (owns_alone(m, c, user))
			return false;
	for (size_t w = 0; w < WORKSPACES; w++)
		forget(m, w, user);
	m->is_there[user] = false;
	return true;
}

static bool owns_some_alone(const struct model *m, size_t w, size_t user)
{
	for (size_t c = 0; c < COMPUTATIONS; c++)
		if (home[c] == w && owns_alone(m, c, user))
			return true;
	return false;
}

static bool model_expels(struct model *m, size_t w, size_t user)
{
	if (m->in[w][user] == MEMBERSHIP_NONE || governs_alone(m, w, user) ||
	    owns_some_alone(m, w, user))
		return false;
	forget(m, w, user);
	return true;
}

static bool model_admits(struct model *m, size_t w, size_t user, enum membership as)
{
	if (!m->is_there[user] || m->in[w][user] != MEMBERSHIP_NONE)
		return false;
	m->in[w][user] = as;
	return true;
}

static bool model_sets(struct model *m, size_t w, size_t user, enum membership as)
{
	if (m->in[w][user] == MEMBERSHIP_NONE ||
	    (as != MEMBERSHIP_ADMINISTRATOR && governs_alone(m, w, user)) ||
	    (as == MEMBERSHIP_VIEWER && owns_some_alone(m, w, user)))
		return false;
	if (as == MEMBERSHIP_VIEWER)
		pass_on_all(m, w, user);
	m->in[w][user] = as;
	return true;
}

static bool model_suspends(struct model *m, size_t w, size_t user, bool suspended)
{
	if (m->in[w][user] == MEMBERSHIP_NONE || (suspended && governs_alone(m, w, user)))
		return false;
	m->suspended[w][user] = suspended;
	return true;
}

static bool model_transfers(struct model *m, size_t w, size_t user)
{
	if (m->in[w][user] == MEMBERSHIP_NONE || m->suspended[w][user])
		return false;
	for (size_t u = 0; u < USERS; u++)
		if (m->in[w][u] == MEMBERSHIP_ADMINISTRATOR)
			m->in[w][u] = MEMBERSHIP_MEMBER;
	m->in[w][user] = MEMBERSHIP_ADMINISTRATOR;
	return true;
}

static void model_defines(struct model *m, size_t c, unsigned actions)
{
	m->own[c] = actions;
	for (size_t u = 0; u < USERS && !actions; u++)
		m->has[c][OWN][u] = false;
}

static unsigned model_granted(const struct model *m, size_t c, size_t user)
{
	unsigned actions = 0;

	for (size_t role = 0; role < ARRAY_LEN(roles); role++)
		if (m->has[c][role][user])
			actions |= role == OWN ? m->own[c] : action_role_find(roles[role])->actions;
	return actions;
}

/* What he may do, in other words than those of decide.c. */
static unsigned model_may(const struct model *m, size_t c, size_t user)
{
	const unsigned granted = model_granted(m, c, user);
	const size_t w = home[c];

	if (m->suspended[w][user])
		return 0;
	switch (m->in[w][user]) {
	case MEMBERSHIP_VIEWER:
		return granted & 1;
	case MEMBERSHIP_MEMBER:
		return granted;
	case MEMBERSHIP_ADMINISTRATOR:
		return granted | 0x0f; /* view, edit, run, administrator */
	default:
		return 0;
	}
}

/* ---- a step, both ways ---- */

static int add_member(struct store_room *f, const struct workspace *w, const char *user,
		      enum membership as)
{
	struct user u CLEANUP_USER = { .name = NULL };
	struct db *db = &f->store.db;

	if (user_find(db, user, &u, &f->e) < 0)
		return err_code(&f->e);
	return workspace_member_add(db, w, u.number, as, NOW, &f->e);
}

static bool step_in_workspace(struct store_room *f, struct model *m, uint32_t *seed)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	size_t at = draw(seed, WORKSPACES), user = draw(seed, USERS);
	enum membership as = (enum membership)(1 + draw(seed, MEMBERSHIPS - 1));
	bool suspended = draw(seed, 2);
	struct db *db = &f->store.db;

	assert_ok(workspace_find(db, workspaces[at], &w, &f->e), f->e);
	switch (draw(seed, 6)) {
	case 0:
		return model_sets(m, at, user, as) ==
		       (workspace_member_set(db, &w, users[user], as, 2000, &f->e) == 0);
	case 1:
		return model_suspends(m, at, user, suspended) ==
		       (workspace_member_suspend(db, &w, users[user], suspended, 2000, &f->e) == 0);
	case 2:
		return model_expels(m, at, user) ==
		       (workspace_member_remove(db, &w, users[user], &f->e) == 0);
	case 3:
		return model_transfers(m, at, user) ==
		       (workspace_transfer(db, &w, users[user], 2000, &f->e) == 0);
	default:
		return model_admits(m, at, user, as) == (add_member(f, &w, users[user], as) == 0);
	}
}

static bool step(struct store_room *f, struct model *m, uint32_t *seed)
{
	size_t c = draw(seed, COMPUTATIONS), user = draw(seed, USERS);
	/* Whose it is decides most. */
	size_t role = draw(seed, 2) ? OWNER : draw(seed, ARRAY_LEN(roles));
	unsigned actions = draw(seed, 3) ? draw(seed, ACTIONS_ALL + 1) | 1 : 0;
	struct db *db = &f->store.db;

	switch (draw(seed, 12)) {
	case 0:
		if (m->is_there[user])
			return user_add(db, users[user], false, NOW, &f->e) == -ERR_EXISTS;
		m->is_there[user] = true;
		m->number[user] = ++m->last;
		return user_add(db, users[user], false, NOW, &f->e) == 0;
	case 1:
		return model_removes(m, user) == (user_remove(db, users[user], &f->e) == 0);
	case 2:
		model_defines(m, c, actions);
		return role_define(db, computations[c], roles[OWN], actions, &f->e) == 0;
	case 3:
	case 4:
		return model_takes(m, c, role, user) ==
		       (role_take(db, computations[c], roles[role], users[user], &f->e) == 0);
	case 5:
	case 6:
	case 7:
		return step_in_workspace(f, m, seed);
	default:
		return model_gives(m, c, role, user) ==
		       (role_give(db, computations[c], roles[role], users[user], &f->e) == 0);
	}
}

/* ---- what holds after each ---- */

static bool is_listed(struct store_room *f, const char *id, int64_t person)
{
	int64_t found;

	assert_ok(db_number(&f->store.db, &found, &f->e,
			    "SELECT count(*) FROM workspace_computations c WHERE c.computation = ?1"
			    " AND c.computation IN (" WORKSPACE_SEEN_BY_2 ")",
			    "ti", id, person),
		  f->e);
	return found == 1;
}

static void check(struct store_room *f, const struct model *m, size_t c, size_t user)
{
	struct user u CLEANUP_USER = { .name = NULL };
	struct decide_caller caller = { .scope = ACTIONS_ALL };
	struct db *db = &f->store.db;
	unsigned may = model_may(m, c, user);

	assert_ok(user_find(db, users[user], &u, &f->e), f->e);
	assert_ok(role_granted(db, computations[c], u.number, &caller.granted, &f->e), f->e);
	assert_ok(workspace_member_at(db, computations[c], u.number, &caller.membership,
				      &caller.suspended, &f->e),
		  f->e);
	assert_int_equal(caller.granted, model_granted(m, c, user));
	assert_int_equal(caller.membership, m->in[home[c]][user]);
	assert_int_equal(decide_actions(&caller), may);
	assert_int_equal(decide(&caller, DEED_SEE, DECIDE_CREATED),
			 may & 1 ? DECIDE_YES : DECIDE_HIDDEN);
	/* Who has machines made for a workspace is who administers it, and is not suspended there. */
	assert_int_equal(decide(&caller, DEED_MACHINE, DECIDE_CREATED) == DECIDE_YES,
			 m->in[home[c]][user] == MEMBERSHIP_ADMINISTRATOR &&
				 !m->suspended[home[c]][user]);
	/* A list has what may be seen, and nothing else. */
	assert_int_equal(is_listed(f, computations[c], u.number), may & 1);
}

static void every_sequence_of_changes_ends_as_the_model_does(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	struct model m = { .own = { 0 } };
	struct db *db = &f->store.db;
	uint32_t seed = 20261;

	assert_ok(db_begin(db, &f->e), f->e);
	for (size_t i = 0; i < WORKSPACES; i++)
		assert_ok(workspace_add(db, workspaces[i], NOW, &f->e), f->e);
	for (size_t c = 0; c < COMPUTATIONS; c++) {
		assert_ok(workspace_find(db, workspaces[home[c]], &w, &f->e), f->e);
		assert_ok(workspace_take(db, w.number, computations[c], &f->e), f->e);
		workspace_done(&w);
	}
	for (size_t c = FOREIGN; c < COMPUTATIONS; c++)
		assert_ok(creator_keep(db, computations[c], GONE, 10, &f->e), f->e);
	for (int i = 0; i < STEPS; i++) {
		if (!step(f, &m, &seed))
			fail_msg("step %d: %s", i, f->e.text);
		for (size_t c = 0; c < COMPUTATIONS; c++)
			for (size_t u = 0; u < USERS; u++)
				if (m.is_there[u])
					check(f, &m, c, u);
	}
	assert_true(m.passed > 3);
	assert_ok(db_commit(db, &f->e), f->e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(every_sequence_of_changes_ends_as_the_model_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
