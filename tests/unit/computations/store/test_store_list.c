/* SPDX-License-Identifier: Apache-2.0 */
/* The store: lists of computations, looked for, in an order, page by page. */
#include "common/base/encode.h"
#include "computations/people/role.h"
#include "computations/store/store_form.h"
#include "computations/store/store_rename.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <string.h>

enum { PAGE = 3, TEXT_MAX = 1024 };

/* Those of a page: "one two ". */
static void page(struct store_room *f, const struct store_search *search, char *got, char **next)
{
	struct computation rows[PAGE] = { 0 };
	size_t count = 0;

	assert_ok(store_find(&f->store, search, PAGE, rows, &count, next, &f->e), f->e);
	for (size_t i = 0; i < count; i++) {
		strcat(got, rows[i].id);
		strcat(got, " ");
		computation_done(&rows[i]);
	}
}

/* All of its pages, behind each other. */
static void collect(struct store_room *f, struct store_search search, char *got)
{
	CLEANUP(free) char *before = NULL;

	do {
		char *next = NULL;

		page(f, &search, got, &next);
		free(before);
		before = next;
		search.before = before;
	} while (before);
}

static void pages(struct store_room *f, struct store_search search, const char *wanted)
{
	char got[TEXT_MAX] = "";

	collect(f, search, got);
	assert_string_equal(got, wanted);
}

static void find(struct store_room *f, const char *text, int state, const char *wanted)
{
	pages(f, (struct store_search){ .text = text, .state = state, .before = "" }, wanted);
}

static void refused(struct store_room *f, const struct store_search *search, const char *why)
{
	struct computation c = { .id = NULL };
	char *next = NULL;
	size_t count = 0;

	assert_refused(store_find(&f->store, search, 1, &c, &count, &next, &f->e), f->e,
		       ERR_INVALID, why);
	assert_null(next);
}

static void set(struct store_room *f, const char *sql)
{
	assert_ok(db_script(&f->store.db, sql, &f->e), f->e);
}

/* The order of their creations is no matter of the clock. */
static void create_all(struct store_room *f, const char *const *ids, size_t count)
{
	f->store.limits.computations = 1000;
	for (size_t i = 0; i < count; i++)
		store_room_create(f, ids[i]);
	set(f, "UPDATE computations SET created = 1000 + number, changed = 5000 - number");
}

static void computations_are_found_newest_first(void **state)
{
	static const char *const ids[] = { "one", "t%o", "T_o", "four" };
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	char hex[2 * MANIFEST_HASH_LEN + 1] = "", *next = NULL;
	struct store_room *f = *state;
	CLEANUP(free) char *wide = calloc(1, 4096);
	size_t count = 0;
	bool tell;

	create_all(f, ids, ARRAY_LEN(ids));
	assert_ok(store_stop(&f->store, "four", &tell, &f->e), f->e);
	find(f, "", -1, "four T_o t%o one ");
	find(f, "O", -1, "four T_o t%o one ");
	find(f, "%", -1, "t%o ");
	find(f, "_", -1, "T_o ");
	find(f, "!", -1, "");
	find(f, "NAME OF", -1, "four T_o t%o one ");
	find(f, "", COMPUTATION_CANCELLED, "four ");
	find(f, "one", COMPUTATION_CANCELLED, "");
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	hex_encode(c.digest, sizeof(c.digest), hex);
	find(f, hex, -1, "one ");
	hex[0] = hex[0] == '0' ? '1' : '0';
	find(f, hex, -1, "");
	memset(wide, 'a', 4095);
	computation_done(&c);
	assert_int_equal(store_find(&f->store,
				    &(struct store_search){ wide, -1, "", { 0, 0 }, { 0, false } },
				    1, &c, &count, &next, &f->e),
			 -ERR_INVALID);
}

/* Whoever describes his at length keeps nobody from the list, whose pages would be larger than a message. */
static void a_page_has_few_that_are_long(void **state)
{
	enum { ALL = 40, EACH = STORE_PAGE_BYTES / MANIFEST_DESCRIPTION_MAX };
	static struct computation rows[STORE_PAGE_MAX];
	CLEANUP(free) char *wide = calloc(1, MANIFEST_DESCRIPTION_MAX + 1);
	char id[16] = "", last[16] = "", *next = NULL;
	struct store_room *f = *state;
	size_t count, seen = 0;
	bool more = true;

	f->store.limits.computations = ALL;
	for (int i = 0; i < ALL; i++) {
		snprintf(id, sizeof(id), "c%d", i);
		store_room_create(f, id);
	}
	memset(wide, 'a', MANIFEST_DESCRIPTION_MAX);
	assert_ok(db_run(&f->store.db, &f->e, "UPDATE computations SET description = ?", "t", wide),
		  f->e);
	while (more) {
		assert_ok(store_computations(&f->store, (struct store_view){ 0, 0 }, last,
					     STORE_PAGE_MAX, rows, &count, &more, &f->e),
			  f->e);
		assert_int_equal(count, seen + EACH < ALL ? EACH : ALL - seen);
		seen += count;
		snprintf(last, sizeof(last), "%s", rows[count - 1].id);
		while (count)
			computation_done(&rows[--count]);
	}
	assert_int_equal(seen, ALL);
	assert_string_equal(last, id);
	assert_ok(store_find(&f->store,
			     &(struct store_search){ "", -1, "", { 0, 0 }, { 0, false } },
			     STORE_PAGE_MAX, rows, &count, &next, &f->e),
		  f->e);
	assert_int_equal(count, EACH);
	assert_non_null(next);
	free(next);
	while (count)
		computation_done(&rows[--count]);
	/* As many as are asked for, and none behind them. */
	assert_ok(store_computations(&f->store, (struct store_view){ 0, 0 }, "c37", 2, rows, &count,
				     &more, &f->e),
		  f->e);
	assert_int_equal(count, 2);
	assert_false(more);
	while (count)
		computation_done(&rows[--count]);
}

static void a_user_finds_what_he_has_a_role_in(void **state)
{
	struct store_search search = { "", -1, "", { 0, 0 }, { 0, false } };
	struct user u CLEANUP_USER = { .name = NULL };
	struct store_room *f = *state;

	store_room_create(f, "hers");
	store_room_create(f, "mine");
	store_room_user(f, "me");
	assert_ok(user_find(&f->store.db, "me", &u, &f->e), f->e);
	search.view.person = u.number;
	pages(f, search, "");
	assert_ok(role_give(&f->store.db, "mine", "viewer", "me", &f->e), f->e);
	assert_ok(role_give(&f->store.db, "mine", "runner", "me", &f->e), f->e);
	for (size_t i = 0; i < 2 * store_list.count; i++) {
		search.sort = (struct list_sort){ store_list.orders[i / 2].by, i % 2 };
		pages(f, search, "mine ");
	}
}

static void sorted(struct store_room *f, const char *word, const char *wanted)
{
	struct store_search search = { .text = "", .state = -1, .before = "" };

	assert_ok(list_sort_of(&store_list, word, &search.sort, &f->e), f->e);
	pages(f, search, wanted);
}

static void each_order_goes_both_ways(void **state)
{
	static const char *const ids[] = { "a", "b", "c", "d", "e", "f", "g" };
	struct store_room *f = *state;

	create_all(f, ids, ARRAY_LEN(ids));
	sorted(f, NULL, "g f e d c b a ");
	sorted(f, "", "g f e d c b a ");
	sorted(f, "-created", "g f e d c b a ");
	sorted(f, "created", "a b c d e f g ");
	sorted(f, "changed", "g f e d c b a ");
	sorted(f, "-changed", "a b c d e f g ");
	/* What is the same in the order is told apart by its number, so that no page loses one of them. */
	sorted(f, "name", "a b c d e f g ");
	sorted(f, "-name", "g f e d c b a ");
	sorted(f, "-state", "g f e d c b a ");
	set(f, "UPDATE computations SET name = CASE id WHEN 'a' THEN 'zeta' WHEN 'b' THEN 'Alpha'"
	       " WHEN 'c' THEN 'beta' WHEN 'd' THEN '' ELSE 'gamma' END,"
	       " state = CASE id WHEN 'e' THEN 4 WHEN 'b' THEN 4 WHEN 'g' THEN 3 ELSE 0 END");
	sorted(f, "name", "d b c e f g a ");
	sorted(f, "-name", "a g f e c b d ");
	sorted(f, "state", "a c d f g b e ");
	sorted(f, "-state", "e b g f d c a ");
}

static void names_of_any_length_are_sorted(void **state)
{
	static const char *const ids[] = { "a", "b", "c", "d", "e" };
	/* 1024 bytes that differ in the last alone; characters of three bytes; quotes. */
	static const char tails[] = { 'z', 'a', 'm' };
	struct store_room *f = *state;
	char name[MANIFEST_NAME_MAX + 1];

	create_all(f, ids, ARRAY_LEN(ids));
	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		memset(name, 'x', sizeof(name));
		name[MANIFEST_NAME_MAX - 1] = tails[i];
		name[MANIFEST_NAME_MAX] = '\0';
		assert_ok(db_run(&f->store.db, &f->e,
				 "UPDATE computations SET name = ? WHERE id = ?", "tt", name,
				 ids[i]),
			  f->e);
	}
	memset(name, 0, sizeof(name));
	for (size_t i = 0; i + 3 < sizeof(name); i += 3)
		memcpy(&name[i], "\xe2\x82\xac", 3);
	assert_ok(db_run(&f->store.db, &f->e, "UPDATE computations SET name = ? WHERE id = 'd'",
			 "t", name),
		  f->e);
	set(f, "UPDATE computations SET name = '''; DROP TABLE computations; --' WHERE id = 'e'");
	/* Where signs come beside letters is the database's order; each is there once. */
	for (int is_up = 0; is_up < 2; is_up++) {
		struct store_search search = { "", -1, "", { 0, 0 }, { LIST_BY_NAME, is_up } };
		CLEANUP(free) char *next = NULL;
		char got[TEXT_MAX] = "";

		page(f, &search, got, &next);
		assert_true(next && strlen(next) <= LIST_PLACE_TEXT_MAX);
		*got = 0;
		collect(f, search, got);
		assert_int_equal(strlen(got), 2 * ARRAY_LEN(ids));
		for (size_t i = 0; i < ARRAY_LEN(ids); i++)
			assert_non_null(strstr(got, ids[i]));
		/* Beyond what they are ordered by, the older one is the lesser. */
		assert_true((strstr(got, "a ") < strstr(got, "b ")) == is_up);
	}
}

/* Between a page and the next one, its last row is renamed, another one ends, one is removed and one is new. */
static void pages_stay_where_they_were(void **state)
{
	static const char *const ids[] = { "a", "b", "c", "d", "e", "f", "g" };
	struct store_search search = { "", -1, "", { 0, 0 }, { LIST_BY_NAME, true } };
	struct store_room *f = *state;
	CLEANUP(free) char *second = NULL, *third = NULL, *told = NULL, *none = NULL, *end = NULL;
	char got[TEXT_MAX] = "", name[] = "a2";

	create_all(f, ids, ARRAY_LEN(ids));
	set(f, "UPDATE computations SET name = id");
	page(f, &search, got, &second);
	assert_string_equal(got, "a b c ");
	assert_ok(store_rename(&f->store, "c", &(struct store_naming){ name, NULL }, &f->e), f->e);
	assert_ok(store_remove(&f->store, "e", false, &told, &f->e), f->e);
	store_room_create(f, "new");
	set(f, "UPDATE computations SET name = 'cc' WHERE id = 'new'");
	search.before = second;
	*got = 0;
	page(f, &search, got, &third);
	assert_string_equal(got, "new d f ");
	/* The row whose place it is, is gone: the place stays. */
	assert_ok(store_remove(&f->store, "f", false, &none, &f->e), f->e);
	search.before = third;
	*got = 0;
	page(f, &search, got, &end);
	assert_string_equal(got, "g ");
	assert_null(end);
}

static void a_place_is_of_its_list_alone(void **state)
{
	static const char *const ids[] = { "a", "b", "c", "d" };
	static const char *const wrong[] = { "a", "zz", "00", "abc",
					     "0123456789abcdef0123456789abcdef01" };
	struct store_search search = { "", -1, "", { 0, 0 }, { 0, false } }, other;
	struct store_room *f = *state;
	CLEANUP(free) char *next = NULL, *cut = NULL, *longer = NULL;
	char got[TEXT_MAX] = "";

	create_all(f, ids, ARRAY_LEN(ids));
	page(f, &search, got, &next);
	assert_non_null(next);
	other = search;
	other.before = next;
	for (size_t i = 0; i < 2 * store_list.count; i++) {
		other.sort = (struct list_sort){ store_list.orders[i / 2].by, i % 2 };
		if (i)
			refused(f, &other, "another list, or of another order");
	}
	other = (struct store_search){ "a", -1, next, { 0, 0 }, { 0, false } };
	refused(f, &other, "another list");
	other = (struct store_search){ "", COMPUTATION_CREATED, next, { 0, 0 }, { 0, false } };
	refused(f, &other, "another list");
	other = (struct store_search){ "", -1, next, { 1, 0 }, { 0, false } };
	refused(f, &other, "another list");
	other = (struct store_search){ "", -1, next, { 0, 1 }, { 0, false } };
	refused(f, &other, "another list");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		other = (struct store_search){ "", -1, wrong[i], { 0, 0 }, { 0, false } };
		refused(f, &other, "no page of a list");
	}
	for (size_t len = 1; len < strlen(next); len++) {
		free(cut);
		cut = strndup(next, len);
		other = (struct store_search){ "", -1, cut, { 0, 0 }, { 0, false } };
		refused(f, &other, "no page of a list");
	}
	assert_true(asprintf(&longer, "%s00", next) > 0);
	other.before = longer;
	refused(f, &other, "no page of a list");
	other.before = next;
	*got = 0;
	free(TAKE_PTR(cut));
	page(f, &other, got, &cut);
	assert_string_equal(got, "a ");
}

static void changed_is(struct store_room *f, const char *id, bool now)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	assert_ok(store_computation(&f->store, id, &c, &f->e), f->e);
	assert_int_equal(c.changed == 1, !now);
	assert_true(c.changed > 0 && c.changed <= store_now());
	set(f, "UPDATE computations SET changed = 1");
}

static void a_change_has_its_moment(void **state)
{
	struct store_room *f = *state;
	char name[] = "else";
	bool tell;

	store_room_run_on(f, "one", "cvm");
	changed_is(f, "one", true);
	assert_ok(store_room_answer(f, "cvm", "one", ""), f->e);
	changed_is(f, "one", true);
	store_room_event(f, "cvm", "one", "ReceivingAlgorithm", "InProgress");
	changed_is(f, "one", false); /* the same state */
	store_room_event(f, "cvm", "one", "Running", "InProgress");
	changed_is(f, "one", true);
	assert_ok(store_rename(&f->store, "one", &(struct store_naming){ name, NULL }, &f->e),
		  f->e);
	changed_is(f, "one", true);
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
	changed_is(f, "one", true);
}

static void older_forms_have_the_last_moment_that_they_know(void **state)
{
	static const char *const ids[] = { "created", "sent", "ended" };
	struct store_room *f = *state;

	create_all(f, ids, ARRAY_LEN(ids));
	set(f, "UPDATE computations SET created = 10, sent = CASE id WHEN 'created' THEN 0 ELSE 20"
	       " END, ended = CASE id WHEN 'ended' THEN 30 ELSE 0 END");
	store_room_age(f, STORE_FORM_LISTS - 1);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct computation c CLEANUP_COMPUTATION = { .id = NULL };

		assert_ok(store_computation(&f->store, ids[i], &c, &f->e), f->e);
		assert_int_equal(c.changed, 10 * ((int64_t)i + 1));
	}
	sorted(f, "-changed", "ended sent created ");
}

/* What the database says of how it finds them. */
static void plan_of(struct store_room *f, struct list_sort sort, bool is_behind, char *plan)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *sql = NULL;
	int row;

	assert_true(asprintf(&sql, "EXPLAIN QUERY PLAN %s",
			     list_order_of(&store_list, sort.by)->find[sort.is_up][is_behind]) > 0);
	if (is_behind)
		assert_ok(db_query(&f->store.db, &rows, &f->e, sql, "iiiitbii", (int64_t)3,
				   (int64_t)1, (int64_t)0, (int64_t)-1, "%%", "", (size_t)0,
				   (int64_t)1, (int64_t)1),
			  f->e);
	else
		assert_ok(db_query(&f->store.db, &rows, &f->e, sql, "iiiitb", (int64_t)3,
				   (int64_t)1, (int64_t)0, (int64_t)-1, "%%", "", (size_t)0),
			  f->e);
	while ((row = db_next(rows, &f->e)) > 0) {
		CLEANUP(free) char *text = NULL;

		assert_ok(db_text(rows, 3, &text, &f->e), f->e);
		strcat(plan, text);
		strcat(plan, "\n");
	}
	assert_int_equal(row, 0);
}

/* SQLite decides so of tables of any size; what PostgreSQL does with many rows, scripts/bench measures. */
static void each_order_has_its_index(void **state)
{
	static const char *const indexes[LIST_ORDERS] = {
		[LIST_BY_CREATED] = "INDEX computations_created",
		[LIST_BY_CHANGED] = "INDEX computations_changed",
		[LIST_BY_NAME] = "INDEX computations_name",
		[LIST_BY_STATE] = "INDEX computations_state",
	};
	struct store_room *f = *state;

	if (store_room_database())
		return;
	for (size_t i = 0; i < 4 * store_list.count; i++) {
		const struct list_sort sort = { store_list.orders[i / 4].by, i & 1 };
		char plan[4096] = "", wanted[64];
		bool is_behind = i & 2;

		plan_of(f, sort, is_behind, plan);
		snprintf(wanted, sizeof(wanted), "%s c USING %s", is_behind ? "SEARCH" : "SCAN",
			 indexes[sort.by]);
		if (!strstr(plan, wanted) || strstr(plan, "USE TEMP B-TREE FOR ORDER BY"))
			fail_msg("%s: no '%s' in\n%s", list_order_word(sort.by), wanted, plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(computations_are_found_newest_first),
		STORE_ROOM_ROW(a_page_has_few_that_are_long),
		STORE_ROOM_ROW(a_user_finds_what_he_has_a_role_in),
		STORE_ROOM_ROW(each_order_goes_both_ways),
		STORE_ROOM_ROW(names_of_any_length_are_sorted),
		STORE_ROOM_ROW(pages_stay_where_they_were),
		STORE_ROOM_ROW(a_place_is_of_its_list_alone),
		STORE_ROOM_ROW(a_change_has_its_moment),
		STORE_ROOM_ROW(older_forms_have_the_last_moment_that_they_know),
		STORE_ROOM_ROW(each_order_has_its_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
