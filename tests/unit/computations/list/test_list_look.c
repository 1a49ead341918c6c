/* SPDX-License-Identifier: Apache-2.0 */
/* A workspace's assets and members, looked for, in an order, page by page. */
#include "computations/people/asset.h"
#include "computations/people/user.h"
#include "computations/people/workspace_member.h"
#include "computations/store/store_form.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <string.h>

enum { PAGE = 3, TEXT_MAX = 1024, ME = 7, OTHER = 8 };

/* Names of a page, each with a blank behind it. */
typedef int read_page(struct store_room *f, int64_t workspace, int64_t person,
		      const struct list_search *search, char *got, char **next);

static void put(char *got, const char *name)
{
	size_t len = strlen(got);

	snprintf(got + len, TEXT_MAX - len, "%s ", name);
}

static int read_assets(struct store_room *f, int64_t workspace, int64_t person,
		       const struct list_search *search, char *got, char **next)
{
	struct asset_row rows[PAGE] = { { .name = NULL } };
	size_t count = 0;
	int failed = asset_search(&f->store.db, workspace, person, search, PAGE, rows, &count, next,
				  &f->e);

	for (size_t i = 0; i < count; i++) {
		put(got, rows[i].name);
		asset_row_done(&rows[i]);
	}
	return failed;
}

static int read_members(struct store_room *f, int64_t workspace, int64_t person,
			const struct list_search *search, char *got, char **next)
{
	struct workspace_member rows[PAGE] = { { .user = NULL } };
	size_t count = 0;
	int failed = workspace_member_search(&f->store.db, workspace, person, search, PAGE, rows,
					     &count, next, &f->e);

	for (size_t i = 0; i < count; i++) {
		put(got, rows[i].user);
		workspace_member_done(&rows[i]);
	}
	return failed;
}

/* The lists, and what they have in common: seven rows a to g, in the order in which they came; moments of their changes are
 * the other way round, and e, b and g are of another kind. */
static const struct list {
	read_page *read;
	const struct list_kind *kind;
	const char *by_kind, *of_kind, *like;
	const char *remove, *rename;
} lists[] = {
	{ read_assets, &asset_orders, "type", "a c d f b e g ", "text/b",
	  "DELETE FROM assets WHERE name = 'e'", "UPDATE assets SET name = 'a2' WHERE name = 'c'" },
	{ read_members, &workspace_member_orders, "role", "a c d f b e g ", "VIEW",
	  "DELETE FROM workspace_members WHERE person = (SELECT number FROM users WHERE name = 'e')",
	  "UPDATE users SET name = 'a2' WHERE name = 'c'" },
};

static void set(struct store_room *f, const char *sql)
{
	assert_ok(db_script(&f->store.db, sql, &f->e), f->e);
}

static bool is_odd(const char *name)
{
	return strchr("ebg", *name) != NULL;
}

static void fill(struct store_room *f)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g" };
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	assert_ok(workspace_first(&f->store.db, &w, &f->e), f->e);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct asset_row a = {
			.name = (char *)(uintptr_t)names[i],
			.mime = (char *)(uintptr_t)(is_odd(names[i]) ? "text/b" : "text/csv"),
			.description = (char *)(uintptr_t)(i == 3 ? "100%_!" : ""),
			.type = is_odd(names[i]) ? ASSET_DATASET : ASSET_ALGORITHM,
			.digest = { (uint8_t)i },
		};

		store_room_user(f, names[i]);
		assert_ok(workspace_member_set(&f->store.db, &w, names[i],
					       is_odd(names[i]) ? MEMBERSHIP_VIEWER
								: MEMBERSHIP_MEMBER,
					       2000, &f->e),
			  f->e);
		assert_ok(asset_add(&f->store.db, w.number, 0, &a, 1000, &f->e), f->e);
	}
	set(f, "UPDATE assets SET created = 1000 + number, changed = 5000 - number");
	set(f, "UPDATE workspace_members SET joined = 1000 + person, changed = 5000 - person");
}

/* All of its pages, behind each other. */
static void pages(struct store_room *f, const struct list *list, struct list_search search,
		  const char *wanted)
{
	CLEANUP(free) char *before = NULL;
	char got[TEXT_MAX] = "";

	do {
		char *next = NULL;

		assert_ok(list->read(f, store_room_workspace(f), ME, &search, got, &next), f->e);
		free(before);
		before = next;
		search.before = before;
	} while (before);
	assert_string_equal(got, wanted);
}

static void sorted(struct store_room *f, const struct list *list, const char *word,
		   const char *text, const char *wanted)
{
	struct list_search search = { .text = text, .before = "" };

	assert_ok(list_sort_of(list->kind, word, &search.sort, &f->e), f->e);
	pages(f, list, search, wanted);
}

static void each_order_goes_both_ways(void **state)
{
	struct store_room *f = *state;
	char down[16];

	fill(f);
	for (const struct list *l = lists; l < lists + ARRAY_LEN(lists); l++) {
		sorted(f, l, NULL, "", "a b c d e f g ");
		sorted(f, l, "", "", "a b c d e f g ");
		sorted(f, l, "name", "", "a b c d e f g ");
		sorted(f, l, "-name", "", "g f e d c b a ");
		sorted(f, l, "created", "", "a b c d e f g ");
		sorted(f, l, "-created", "", "g f e d c b a ");
		sorted(f, l, "changed", "", "g f e d c b a ");
		sorted(f, l, "-changed", "", "a b c d e f g ");
		/* What is the same in the order is told apart by its number. */
		sorted(f, l, l->by_kind, "", l->of_kind);
		snprintf(down, sizeof(down), "-%s", l->by_kind);
		sorted(f, l, down, "", "g e b f d c a ");
	}
	set(f, "UPDATE assets SET name = 'Bb' WHERE name = 'f'");
	sorted(f, &lists[0], "name", "", "a b Bb c d e g ");
}

static void a_list_has_its_own_orders(void **state)
{
	static const struct {
		const struct list_kind *kind;
		const char *word, *why;
	} cases[] = {
		{ &asset_orders, "state", "give name, type, created or changed" },
		{ &asset_orders, "role", "no order by 'role'" },
		{ &asset_orders, "--name", "no order by '--name'" },
		{ &workspace_member_orders, "type", "give name, role, created or changed" },
		{ &workspace_member_orders, "-", "no order by" },
		{ &store_list, "type", "give created, changed, name or state" },
	};
	struct list_sort sort;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_refused(list_sort_of(cases[i].kind, cases[i].word, &sort, &e), e,
			       ERR_INVALID, cases[i].why);
}

static void what_is_searched_for_is_found(void **state)
{
	static const char digest[] =
		"0200000000000000000000000000000000000000000000000000000000000000";
	struct store_room *f = *state;
	struct list_search wide = { .before = "", .sort = { LIST_BY_NAME, true } };
	char got[TEXT_MAX] = "", text[600], *next = NULL;

	fill(f);
	for (const struct list *l = lists; l < lists + ARRAY_LEN(lists); l++) {
		sorted(f, l, "", l->like, "b e g ");
		sorted(f, l, "-created", l->like, "g e b ");
		sorted(f, l, "", "C", l->read == read_assets ? "a c d f " : "c ");
		sorted(f, l, "", "nothing like it", "");
		memset(text, 'a', sizeof(text));
		text[LIST_TEXT_MAX] = '\0';
		sorted(f, l, "", text, "");
		memset(text, '%', sizeof(text));
		text[LIST_TEXT_MAX + 1] = '\0';
		wide.text = text;
		assert_int_equal(l->read(f, store_room_workspace(f), ME, &wide, got, &next),
				 -ERR_INVALID);
		sorted(f, l, "", "' OR 1=1 --", "");
		/* Another workspace's are not among them. */
		wide.text = "";
		assert_ok(l->read(f, store_room_workspace(f) + 1, ME, &wide, got, &next), f->e);
		assert_string_equal(got, "");
		assert_null(next);
	}
	sorted(f, &lists[0], "", "%", "d ");
	sorted(f, &lists[0], "", "_", "d ");
	sorted(f, &lists[0], "", "!", "d ");
	sorted(f, &lists[0], "", digest, "c ");
	set(f, "UPDATE assets SET person = (SELECT number FROM users WHERE name = 'g')"
	       " WHERE name IN ('a', 'd')");
	sorted(f, &lists[0], "", "G", "a d g ");
}

/* Between a page and the next one its last row gets another name, one behind it is removed, and a new one comes. */
static void pages_stay_where_they_were(void **state)
{
	struct store_room *f = *state;

	fill(f);
	for (const struct list *l = lists; l < lists + ARRAY_LEN(lists); l++) {
		struct list_search search = { "", "", { LIST_BY_NAME, true } };
		CLEANUP(free) char *second = NULL, *end = NULL;
		char got[TEXT_MAX] = "";

		assert_ok(l->read(f, store_room_workspace(f), ME, &search, got, &second), f->e);
		assert_string_equal(got, "a b c ");
		set(f, l->rename);
		set(f, l->remove);
		search.before = second;
		*got = '\0';
		assert_ok(l->read(f, store_room_workspace(f), ME, &search, got, &end), f->e);
		assert_string_equal(got, "d f g ");
		assert_null(end);
	}
}

static void a_place_is_of_its_list_alone(void **state)
{
	static const char *const wrong[] = { "a", "zz", "00", "abc",
					     "0123456789abcdef0123456789abcdef01" };
	struct store_room *f = *state;
	int64_t here, cut;

	fill(f);
	here = store_room_workspace(f);
	for (const struct list *l = lists; l < lists + ARRAY_LEN(lists); l++) {
		const struct list *other = l == lists ? l + 1 : lists;
		struct list_search search = { "", "", { LIST_BY_CREATED, true } }, bad;
		CLEANUP(free) char *place = NULL;
		char got[TEXT_MAX] = "", part[LIST_PLACE_TEXT_MAX + 1], *none = NULL;

		assert_ok(l->read(f, here, ME, &search, got, &place), f->e);
		search.before = place;
		*got = '\0';
		/* Another list, workspace, person, search, order. */
		assert_refused(other->read(f, here, ME, &search, got, &none), f->e, ERR_INVALID,
			       "another list");
		assert_refused(l->read(f, here + 1, ME, &search, got, &none), f->e, ERR_INVALID,
			       "another list");
		assert_refused(l->read(f, here, OTHER, &search, got, &none), f->e, ERR_INVALID,
			       "another list");
		bad = search, bad.text = "a";
		assert_refused(l->read(f, here, ME, &bad, got, &none), f->e, ERR_INVALID,
			       "another list");
		for (size_t i = 0; i < 2 * l->kind->count; i++) {
			bad = search, bad.sort.by = l->kind->orders[i / 2].by;
			bad.sort.is_up = i % 2;
			if (bad.sort.by != LIST_BY_CREATED || !bad.sort.is_up)
				assert_refused(l->read(f, here, ME, &bad, got, &none), f->e,
					       ERR_INVALID, "of another order");
		}
		for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
			bad = search, bad.before = wrong[i];
			assert_refused(l->read(f, here, ME, &bad, got, &none), f->e, ERR_INVALID,
				       "no page of a list");
		}
		for (cut = 1; cut < (int64_t)strlen(place); cut++) {
			snprintf(part, sizeof(part), "%.*s", (int)cut, place);
			bad = search, bad.before = part;
			assert_refused(l->read(f, here, ME, &bad, got, &none), f->e, ERR_INVALID,
				       "no page of a list");
		}
		assert_string_equal(got, "");
		assert_null(none);
		assert_ok(l->read(f, here, ME, &search, got, &none), f->e);
		assert_string_equal(got, "d e f ");
		free(none);
	}
}

/* Of each row, by name. */
static void changes_are(struct store_room *f, const char *sql, const char *wanted)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	char got[TEXT_MAX] = "", one[32];
	int64_t moment = 0;
	int row;

	assert_ok(db_query(&f->store.db, &rows, &f->e, sql, ""), f->e);
	while ((row = db_next(rows, &f->e)) > 0) {
		assert_ok(db_integer(rows, 0, 0, INT64_MAX, &moment, &f->e), f->e);
		snprintf(one, sizeof(one), "%lld", (long long)moment);
		put(got, one);
	}
	assert_int_equal(row, 0);
	assert_string_equal(got, wanted);
}

#define MOMENTS                                                                                  \
	"SELECT w.changed FROM workspace_members w JOIN users u ON u.number = w.person ORDER BY" \
	" u.name"

static void a_change_has_its_moment(void **state)
{
	struct asset_row now CLEANUP_ASSET_ROW = { .name = NULL }, then;
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	struct db *db = &f->store.db;

	store_room_user(f, "a");
	store_room_user(f, "b");
	assert_ok(workspace_first(db, &w, &f->e), f->e);
	changes_are(f, MOMENTS, "1000000 1000000 ");
	assert_ok(workspace_member_set(db, &w, "a", MEMBERSHIP_ADMINISTRATOR, 2000000, &f->e),
		  f->e);
	assert_ok(workspace_member_suspend(db, &w, "b", true, 2000001, &f->e), f->e);
	changes_are(f, MOMENTS, "2000000 2000001 ");
	/* What is so already does not change. */
	assert_ok(workspace_member_set(db, &w, "a", MEMBERSHIP_ADMINISTRATOR, 3000000, &f->e),
		  f->e);
	assert_ok(workspace_member_suspend(db, &w, "b", true, 3000000, &f->e), f->e);
	assert_ok(workspace_transfer(db, &w, "a", 3000000, &f->e), f->e);
	changes_are(f, MOMENTS, "2000000 2000001 ");
	assert_ok(workspace_member_suspend(db, &w, "b", false, 4000000, &f->e), f->e);
	assert_ok(workspace_transfer(db, &w, "b", 5000000, &f->e), f->e);
	changes_are(f, MOMENTS, "5000000 5000000 ");

	then = (struct asset_row){ .name = w.name, .mime = w.name, .description = w.name };
	then.mime = (char *)(uintptr_t)ASSET_MIME_ANY;
	assert_ok(asset_add(db, w.number, 0, &then, 1000, &f->e), f->e);
	assert_ok(asset_find(db, w.number, then.name, &now, &f->e), f->e);
	assert_int_equal(now.changed, 1000);
	then.mime = (char *)(uintptr_t)"text/csv";
	assert_ok(asset_change(db, w.number, &now, &then, 2000, &f->e), f->e);
	changes_are(f, "SELECT changed FROM assets", "2000 ");
}

static void older_forms_have_the_moment_that_they_know(void **state)
{
	struct store_room *f = *state;

	fill(f);
	store_room_age(f, STORE_FORM_LISTS_ALL - 1);
	changes_are(f, "SELECT changed - created FROM assets", "0 0 0 0 0 0 0 ");
	changes_are(f, "SELECT changed - joined FROM workspace_members", "0 0 0 0 0 0 0 ");
	for (const struct list *l = lists; l < lists + ARRAY_LEN(lists); l++)
		sorted(f, l, "-changed", "", "g f e d c b a ");
}

/* What the database says of how it finds them. */
static void plan_of(struct store_room *f, const struct list *list, const char *find, bool is_text,
		    bool is_behind, char *plan)
{
	const bool is_asset = list->read == read_assets;
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct list_look l = { .pattern = NULL };
	CLEANUP(free) char *sql = NULL;
	int row;

	assert_true(asprintf(&sql, "EXPLAIN QUERY PLAN %s", find) > 0);
	l.sql = sql;
	l.is_behind = is_behind;
	l.place.name = is_text ? sql : NULL;
	row = is_asset ? LIST_ASK(&f->store.db, &rows, &l, 3, &f->e, "itb", (int64_t)1, "%%", "",
				  (size_t)0)
		       : LIST_ASK(&f->store.db, &rows, &l, 3, &f->e, "it", (int64_t)1, "%%");
	assert_ok(row, f->e);
	while ((row = db_next(rows, &f->e)) > 0) {
		CLEANUP(free) char *text = NULL;

		assert_ok(db_text(rows, 3, &text, &f->e), f->e);
		put(plan, text);
	}
	assert_int_equal(row, 0);
}

/* SQLite decides so of tables of any size. Members by name are those of the workspace, which are sorted then. */
static void each_order_has_its_index(void **state)
{
	static const struct {
		const struct list *list;
		enum list_order by;
		const char *index;
		bool is_sorted;
	} cases[] = {
		{ &lists[0], LIST_BY_NAME, "INDEX assets_name (workspace=?", false },
		{ &lists[0], LIST_BY_TYPE, "INDEX assets_type (workspace=?", false },
		{ &lists[0], LIST_BY_CREATED, "INDEX assets_created (workspace=?", false },
		{ &lists[0], LIST_BY_CHANGED, "INDEX assets_changed (workspace=?", false },
		{ &lists[1], LIST_BY_NAME, "(workspace=?", true },
		{ &lists[1], LIST_BY_ROLE, "INDEX workspace_members_role (workspace=?", false },
		{ &lists[1], LIST_BY_CREATED, "INDEX workspace_members_joined (workspace=?",
		  false },
		{ &lists[1], LIST_BY_CHANGED, "INDEX workspace_members_changed (workspace=?",
		  false },
	};
	struct store_room *f = *state;

	if (store_room_database())
		return;
	assert_int_equal(ARRAY_LEN(cases), asset_orders.count + workspace_member_orders.count);
	for (size_t i = 0; i < 4 * ARRAY_LEN(cases); i++) {
		const enum list_order by = cases[i / 4].by;
		const bool is_up = i & 1, is_behind = i & 2;
		char plan[TEXT_MAX] = "";

		plan_of(f, cases[i / 4].list,
			list_order_of(cases[i / 4].list->kind, by)->find[is_up][is_behind],
			list_order_is_text(by), is_behind, plan);
		if (!strstr(plan, cases[i / 4].index) ||
		    !strstr(plan, "USE TEMP B-TREE FOR ORDER BY") == cases[i / 4].is_sorted)
			fail_msg("%s of %s: %s", list_order_word(by), cases[i / 4].list->kind->of,
				 plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(each_order_goes_both_ways),
		STORE_ROOM_ROW(a_list_has_its_own_orders),
		STORE_ROOM_ROW(what_is_searched_for_is_found),
		STORE_ROOM_ROW(pages_stay_where_they_were),
		STORE_ROOM_ROW(a_place_is_of_its_list_alone),
		STORE_ROOM_ROW(a_change_has_its_moment),
		STORE_ROOM_ROW(older_forms_have_the_moment_that_they_know),
		STORE_ROOM_ROW(each_order_has_its_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
