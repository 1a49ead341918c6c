/* SPDX-License-Identifier: Apache-2.0 */
/* CVMs that managers make for a workspace, and those whose agents have connected: looked for, in an order, page by page. */
#include "computations/store/store_machine.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <string.h>

enum { PAGE = 3, TEXT_MAX = 1024, ME = 7, OTHER = 8 };

/* Names of a page, each with a blank behind it. */
typedef int read_page(struct store_room *f, int64_t person, const struct list_search *search,
		      char *got, char **next);

static void put(char *got, const char *name)
{
	size_t len = strlen(got);

	snprintf(got + len, TEXT_MAX - len, "%s ", name);
}

static int read_machines(struct store_room *f, int64_t person, const struct list_search *search,
			 char *got, char **next)
{
	struct machine rows[PAGE] = { { .name = NULL } };
	size_t count = 0;
	int failed = store_machines_find(&f->store, store_room_workspace(f), person, search, PAGE,
					 rows, &count, next, &f->e);

	for (size_t i = 0; i < count; i++) {
		put(got, rows[i].name);
		machine_done(&rows[i]);
	}
	return failed;
}

static int read_cvms(struct store_room *f, int64_t person, const struct list_search *search,
		     char *got, char **next)
{
	struct cvm rows[PAGE] = { { .id = NULL } };
	size_t count = 0;
	int failed = store_cvms_find(&f->store, search, PAGE, rows, &count, next, &f->e);

	(void)person;
	for (size_t i = 0; i < count; i++) {
		put(got, rows[i].id);
		cvm_done(&rows[i]);
	}
	return failed;
}

static const struct list {
	read_page *read;
	const struct list_kind *kind;
	const char *remove, *rename; /* e, and c as what comes before a */
} machines = { read_machines, &store_machine_orders, "DELETE FROM machines WHERE name = 'e'",
	       "UPDATE machines SET name = '0c' WHERE name = 'c'" },
  agents = { read_cvms, &store_cvm_orders, "DELETE FROM cvms WHERE id = 'e'",
	     "UPDATE cvms SET id = '0c' WHERE id = 'c'" };

static void set(struct store_room *f, const char *sql)
{
	assert_ok(db_script(&f->store.db, sql, &f->e), f->e);
}

/* Of both seven, a to g, in the order in which they came. The machines a and e are busy, b is ready, c and g are being made,
 * d is lost and f was removed. */
static void fill(struct store_room *f)
{
	static const struct {
		const char *name, *cvm;
		int phase;
	} all[] = { { "a", "a", MACHINE_MADE },    { "b", "b", MACHINE_MADE },
		    { "c", "", MACHINE_WANTED },   { "d", "d", MACHINE_LOST },
		    { "e", "e", MACHINE_LEAVING }, { "f", "f", MACHINE_REMOVED },
		    { "g", "none", MACHINE_MADE } };
	int64_t workspace = store_room_workspace(f);

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		assert_ok(db_run(&f->store.db, &f->e,
				 "INSERT INTO machines (workspace, name, manager, tag, phase, cvm,"
				 " address, image, tee, cpus, memory, ttl, created) VALUES"
				 " (?, ?, 'here', ?, ?, ?, ?, 'plain', '', 1, 1, 0, ?)",
				 "ittitti", workspace, all[i].name, all[i].name,
				 (int64_t)all[i].phase, all[i].cvm, i == 3 ? "100%_!:1" : "h:1",
				 (int64_t)(1000 + i)),
			  f->e);
		assert_ok(db_run(&f->store.db, &f->e,
				 "INSERT INTO cvms (id, peer, first_seen, last_seen, verdict, key)"
				 " VALUES (?, ?, ?, ?, '', '')",
				 "ttii", all[i].name, i == 3 ? "100%_!:1" : "h:1",
				 (int64_t)(1000 + i), (int64_t)(5000 - i)),
			  f->e);
	}
	set(f, "UPDATE cvms SET computation = 'Held' WHERE id IN ('a', 'e')");
}

/* All of its pages, behind each other. */
static void sorted(struct store_room *f, const struct list *list, const char *word,
		   const char *text, const char *wanted)
{
	struct list_search search = { .text = text, .before = "" };
	CLEANUP(free) char *before = NULL;
	char got[TEXT_MAX] = "";

	assert_ok(list_sort_of(list->kind, word, &search.sort, &f->e), f->e);
	do {
		char *next = NULL;

		assert_ok(list->read(f, ME, &search, got, &next), f->e);
		free(before);
		before = next;
		search.before = before;
	} while (before);
	assert_string_equal(got, wanted);
}

static void each_order_goes_both_ways(void **state)
{
	static const struct list *const both[] = { &machines, &agents };
	struct store_room *f = *state;

	fill(f);
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		sorted(f, both[i], NULL, "", "a b c d e f g ");
		sorted(f, both[i], "created", "", "a b c d e f g ");
		sorted(f, both[i], "-created", "", "g f e d c b a ");
		sorted(f, both[i], "name", "", "a b c d e f g ");
		sorted(f, both[i], "-name", "", "g f e d c b a ");
	}
	/* What is the same in the order is told apart by its number. */
	sorted(f, &machines, "state", "", "c g b a e d f ");
	sorted(f, &machines, "-state", "", "f d e a b g c ");
	sorted(f, &agents, "changed", "", "g f e d c b a ");
	sorted(f, &agents, "-changed", "", "a b c d e f g ");
	set(f, "UPDATE machines SET name = 'Bb' WHERE name = 'f'");
	sorted(f, &machines, "name", "", "a b Bb c d e g ");
}

static void a_list_has_its_own_orders(void **state)
{
	struct list_sort sort;
	struct err e;

	(void)state;
	assert_refused(list_sort_of(&store_machine_orders, "changed", &sort, &e), e, ERR_INVALID,
		       "give created, name or state");
	assert_refused(list_sort_of(&store_cvm_orders, "-state", &sort, &e), e, ERR_INVALID,
		       "give created, changed or name");
}

static void what_is_searched_for_is_found(void **state)
{
	static const struct list *const both[] = { &machines, &agents };
	struct store_room *f = *state;

	fill(f);
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		sorted(f, both[i], "-created", "H:1", "g f e c b a ");
		sorted(f, both[i], "name", "%_!", "d ");
		sorted(f, both[i], "name", "_", "d ");
		sorted(f, both[i], "name", "nobody", "");
	}
	sorted(f, &machines, "name", "Here", "a b c d e f g ");
	sorted(f, &machines, "name", "none", "g ");
	/* Which computation one holds may be hidden from who looks. */
	sorted(f, &machines, "name", "held", "");
	sorted(f, &agents, "name", "held", "a e ");
}

/* Of those that are gone the newest alone, in each order; and none of another workspace. */
static void it_has_what_the_list_without_an_order_has(void **state)
{
	struct store_room *f = *state;
	char first[24];

	fill(f);
	for (int i = 0; i < MACHINE_GONE_KEPT - 1; i++) {
		snprintf(first, sizeof(first), "gone-%02d", i);
		assert_ok(
			db_run(&f->store.db, &f->e,
			       "INSERT INTO machines (workspace, name, manager, tag, phase, image,"
			       " tee, cpus, memory, ttl, created) VALUES (?, ?, 'old', ?, 4, '',"
			       " '', 1, 1, 0, 2000)",
			       "itt", store_room_workspace(f), first, first),
			f->e);
	}
	sorted(f, &machines, "name", "here", "a b c e f g ");
	set(f, "INSERT INTO workspaces (name, created) VALUES ('lab', 1)");
	set(f, "UPDATE machines SET workspace = (SELECT number FROM workspaces WHERE name = 'lab')"
	       " WHERE name <> 'a'");
	sorted(f, &machines, "name", "", "a ");
}

static void refused(struct store_room *f, const struct list *list, int64_t person,
		    const struct list_search *search, const char *why)
{
	char got[TEXT_MAX] = "", *next = NULL;

	assert_refused(list->read(f, person, search, got, &next), f->e, ERR_INVALID, why);
	assert_null(next);
}

static void pages_stay_where_they_were(void **state)
{
	static const struct list *const both[] = { &machines, &agents };
	struct store_room *f = *state;

	fill(f);
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		struct list_search search = { "", "", { LIST_BY_NAME, true } }, other;
		CLEANUP(free) char *place = NULL;
		char got[TEXT_MAX] = "", *next = NULL;

		assert_ok(both[i]->read(f, ME, &search, got, &place), f->e);
		assert_string_equal(got, "a b c ");
		assert_non_null(place);
		/* Its last row gets another name, one behind it goes: all others come once. */
		set(f, both[i]->rename);
		set(f, both[i]->remove);
		search.before = place;
		*got = '\0';
		assert_ok(both[i]->read(f, ME, &search, got, &next), f->e);
		assert_string_equal(got, "d f g ");
		assert_null(next);
		other = search, other.sort.is_up = false;
		refused(f, both[i], ME, &other, "another order");
		other = search, other.sort.by = LIST_BY_CREATED;
		refused(f, both[i], ME, &other, "another order");
		other = search, other.text = "a";
		refused(f, both[i], ME, &other, "another list");
		refused(f, both[!i], ME, &search, "another list");
		other = search, other.before = "12";
		refused(f, both[i], ME, &other, "no page of a list");
		if (both[i] == &machines)
			refused(f, both[i], OTHER, &search, "another list");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(each_order_goes_both_ways),
		STORE_ROOM_ROW(a_list_has_its_own_orders),
		STORE_ROOM_ROW(what_is_searched_for_is_found),
		STORE_ROOM_ROW(it_has_what_the_list_without_an_order_has),
		STORE_ROOM_ROW(pages_stay_where_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
