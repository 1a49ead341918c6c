/* SPDX-License-Identifier: Apache-2.0 */
/* The store: journals that agents sign, as they came, whatever comes twice or out of order. */
#include "attestation/journal/journal_entry.h"
#include "computations/store/store_form.h"
#include "computations/store/store_journal.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>

enum { PART = 3 };

struct part {
	struct journal_part part;
	struct span entries[PART];
	char texts[PART][32];
	uint8_t run[SHA256_LEN];
};

static const uint8_t head[] = "a signed head";

/* Three entries from `first` on, of the journal of that name. */
static const struct journal_part *part_of(struct part *p, const char *name, int64_t first)
{
	for (int i = 0; i < PART; i++) {
		snprintf(p->texts[i], sizeof(p->texts[i]), "%s %d", name, (int)first + i);
		p->entries[i] = (struct span){ (uint8_t *)p->texts[i], strlen(p->texts[i]) };
	}
	p->part = (struct journal_part){
		.first = first, .entries = p->entries, .count = PART, .head = { head, sizeof(head) }
	};
	return &p->part;
}

/* The same, with the name of its run. */
static const struct journal_part *named_part_of(struct part *p, const char *name, int64_t first)
{
	struct err e;

	(void)part_of(p, name, 1);
	assert_ok(journal_run(p->entries[0], p->run, &e), e);
	(void)part_of(p, name, first);
	p->part.run = (struct span){ p->run, sizeof(p->run) };
	return &p->part;
}

static int64_t add(struct store_room *f, const char *name, int64_t first)
{
	struct part p;
	int64_t kept = -1;

	assert_ok(
		store_journal_add(&f->store, "cvm", "one", part_of(&p, name, first), &kept, &f->e),
		f->e);
	return kept;
}

static int64_t add_named(struct store_room *f, const char *name, int64_t first)
{
	struct part p;
	int64_t kept = -1;

	assert_ok(store_journal_add(&f->store, "cvm", "one", named_part_of(&p, name, first), &kept,
				    &f->e),
		  f->e);
	return kept;
}

static void refuse(struct store_room *f, const char *cvm, const char *id, int64_t first,
		   enum err_code code, const char *words)
{
	struct part p;
	int64_t kept;

	assert_refused(store_journal_add(&f->store, cvm, id, part_of(&p, "a", first), &kept, &f->e),
		       f->e, code, words);
}

static void assert_page(struct store_room *f, int64_t run, int64_t after, int64_t count,
			const char *first)
{
	struct journal_page page;

	assert_ok(store_journal_page(&f->store, "one", run, after, &page, &f->e), f->e);
	assert_int_equal(page.count, count);
	assert_int_equal(page.entry_count, count - after);
	if (page.entry_count) {
		assert_int_equal(page.entries[0].len, strlen(first));
		assert_memory_equal(page.entries[0].bytes, first, strlen(first));
	}
	assert_int_equal(page.head_len, count ? sizeof(head) : 0);
	journal_page_done(&page);
}

static void what_comes_in_order_is_kept(void **state)
{
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	assert_page(f, 0, 0, 0, "");
	assert_int_equal(add(f, "a", 1), 3);
	assert_int_equal(add(f, "a", 4), 6);
	assert_page(f, 0, 0, 6, "a 1");
	assert_page(f, 1, 4, 6, "a 5");
	assert_page(f, 0, 6, 6, "");
}

static void what_comes_again_is_kept_once(void **state)
{
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	assert_int_equal(add(f, "a", 1), 3);
	assert_int_equal(add(f, "a", 1), 3);
	assert_int_equal(add(f, "a", 4), 6);
	assert_int_equal(add(f, "a", 1), 6);
	assert_int_equal(add(f, "a", 5), 7); /* it overlaps */
	assert_page(f, 0, 0, 7, "a 1");
}

static void a_gap_is_refused(void **state)
{
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	refuse(f, "cvm", "one", 2, ERR_NOT_FOUND, "goes on at entry 2, and of that run 0 are here");
	assert_int_equal(add(f, "a", 1), 3);
	refuse(f, "cvm", "one", 5, ERR_NOT_FOUND, "goes on at entry 5, and of that run 3 are here");
	refuse(f, "cvm", "one", 0, ERR_DATA_LOSS, "none");
	refuse(f, "cvm", "one", INT64_MAX, ERR_DATA_LOSS, "none");
}

static void nobody_speaks_for_another(void **state)
{
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	refuse(f, "other", "one", 1, ERR_DENIED, "never given");
	refuse(f, "cvm", "two", 1, ERR_DENIED, "never given");
}

/* An agent that was started again. */
static void each_run_has_its_own(void **state)
{
	struct store_room *f = *state;
	struct journal_page page;

	store_room_run_on(f, "one", "cvm");
	assert_int_equal(add(f, "a", 1), 3);
	assert_int_equal(add(f, "b", 1), 3);
	assert_int_equal(add(f, "b", 4), 6);
	assert_page(f, 0, 0, 6, "b 1");
	assert_page(f, 1, 0, 3, "a 1");
	assert_page(f, 2, 0, 6, "b 1");
	assert_refused(store_journal_page(&f->store, "one", 3, 0, &page, &f->e), f->e,
		       ERR_NOT_FOUND, "of that run");
}

/* However their parts come between each other, and whoever is the newest. */
static void no_run_gets_parts_of_another(void **state)
{
	struct store_room *f = *state;
	struct part p;
	int64_t kept;

	store_room_run_on(f, "one", "cvm");
	f->store.limits.record_bytes = 1 << 20;
	assert_int_equal(add_named(f, "a", 1), 3);
	assert_int_equal(add_named(f, "b", 1), 3);
	assert_int_equal(add_named(f, "a", 4), 6);
	assert_int_equal(add_named(f, "b", 4), 6);
	assert_int_equal(add_named(f, "a", 1), 6); /* it came again */
	assert_int_equal(add_named(f, "b", 7), 9);
	assert_page(f, 1, 0, 6, "a 1");
	assert_page(f, 1, 3, 6, "a 4");
	assert_page(f, 2, 6, 9, "b 7");
	/* The first part of a third never came. */
	assert_refused(
		store_journal_add(&f->store, "cvm", "one", named_part_of(&p, "c", 4), &kept, &f->e),
		f->e, ERR_NOT_FOUND, "goes on at entry 4, and of that run 0 are here");
	assert_refused(
		store_journal_page(&f->store, "one", 3, 0, &(struct journal_page){ 0 }, &f->e),
		f->e, ERR_NOT_FOUND, "of that run");
}

/* Where the first part of a run had no room, a later and smaller one is not the run's before it. */
static void what_had_no_room_is_continued_nowhere(void **state)
{
	enum { RUN = STORE_RUN_ROOM + PART * (3 + STORE_ENTRY_ROOM) };
	struct store_room *f = *state;
	struct part p;
	int64_t kept;

	store_room_run_on(f, "one", "cvm");
	f->store.limits.record_bytes = 2 * RUN - 1;
	assert_int_equal(add_named(f, "a", 1), 3);
	assert_int_equal(add_named(f, "b", 1), 0);
	(void)named_part_of(&p, "b", 4);
	p.part.count = 1;
	assert_refused(store_journal_add(&f->store, "cvm", "one", &p.part, &kept, &f->e), f->e,
		       ERR_NOT_FOUND, "goes on at entry 4, and of that run 0 are here");
	assert_page(f, 0, 0, 3, "a 1");
	/* What all of them have is counted, whichever grows. */
	f->store.limits.record_bytes = 2 * RUN + 3 + STORE_ENTRY_ROOM;
	assert_int_equal(add_named(f, "b", 1), 3);
	assert_int_equal(add_named(f, "a", 2), 4);
	assert_int_equal(add_named(f, "b", 2), 3);
}

static void a_run_is_its_first_entrys(void **state)
{
	struct store_room *f = *state;
	struct part p;
	int64_t kept;

	store_room_run_on(f, "one", "cvm");
	(void)named_part_of(&p, "a", 1);
	p.run[31] ^= 1;
	assert_refused(store_journal_add(&f->store, "cvm", "one", &p.part, &kept, &f->e), f->e,
		       ERR_DATA_LOSS, "names another run than its first entry");
	p.run[31] ^= 1;
	p.part.run.len = 31;
	assert_refused(store_journal_add(&f->store, "cvm", "one", &p.part, &kept, &f->e), f->e,
		       ERR_DATA_LOSS, "none");
	p.part.run.len = 33;
	assert_refused(store_journal_add(&f->store, "cvm", "one", &p.part, &kept, &f->e), f->e,
		       ERR_DATA_LOSS, "none");
	p.part.run.len = 32;
	assert_ok(store_journal_add(&f->store, "cvm", "one", &p.part, &kept, &f->e), f->e);
}

/* The program before this one had begun it. */
static void a_run_without_name_gets_it(void **state)
{
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	assert_int_equal(add(f, "a", 1), 3);
	assert_ok(db_script(&f->store.db, "UPDATE signed_journals SET name = NULL", &f->e), f->e);
	assert_int_equal(add_named(f, "a", 4), 6);
	assert_ok(db_script(&f->store.db, "UPDATE signed_journals SET name = NULL", &f->e), f->e);
	assert_int_equal(add_named(f, "b", 1), 3);
	assert_int_equal(add_named(f, "a", 7), 9);
	assert_page(f, 1, 0, 9, "a 1");
}

static void sizes_are_bounded(void **state)
{
	CLEANUP(free) uint8_t *large = calloc(1, STORE_ENTRY_MAX + 1);
	struct store_room *f = *state;
	struct part p;
	int64_t kept;

	store_room_run_on(f, "one", "cvm");
	(void)part_of(&p, "a", 1);
	p.entries[1] = (struct span){ large, STORE_ENTRY_MAX + 1 };
	assert_refused(store_journal_add(&f->store, "cvm", "one", &p.part, &kept, &f->e), f->e,
		       ERR_DATA_LOSS, "none");
	p.entries[1].len = 0;
	assert_refused(store_journal_add(&f->store, "cvm", "one", &p.part, &kept, &f->e), f->e,
		       ERR_DATA_LOSS, "none");
	(void)part_of(&p, "a", 1);
	p.part.head.len = STORE_HEAD_MAX + 1;
	assert_refused(store_journal_add(&f->store, "cvm", "one", &p.part, &kept, &f->e), f->e,
		       ERR_DATA_LOSS, "none");
	p.part.head.len = 0;
	assert_refused(store_journal_add(&f->store, "cvm", "one", &p.part, &kept, &f->e), f->e,
		       ERR_DATA_LOSS, "none");
	(void)part_of(&p, "a", 1);
	p.part.count = 0;
	assert_refused(store_journal_add(&f->store, "cvm", "one", &p.part, &kept, &f->e), f->e,
		       ERR_DATA_LOSS, "none");
}

/* Over the limit nothing is taken or acknowledged; what is there stays, and is acknowledged again. */
static void a_computation_has_so_much_room(void **state)
{
	enum { RUN = STORE_RUN_ROOM + PART * (3 + STORE_ENTRY_ROOM) }; /* "a 1" and so on */
	struct store_room *f = *state;
	uint64_t *limit = &f->store.limits.record_bytes;

	store_room_run_on(f, "one", "cvm");
	*limit = RUN - 1;
	assert_int_equal(add(f, "a", 1), 0);
	assert_page(f, 0, 0, 0, "");
	*limit = RUN;
	assert_int_equal(add(f, "a", 1), 3);
	assert_int_equal(add(f, "a", 1), 3);
	assert_int_equal(add(f, "a", 2), 3); /* one more entry */
	*limit = RUN + 3 + STORE_ENTRY_ROOM - 1;
	assert_int_equal(add(f, "a", 2), 3);
	*limit += 1;
	assert_int_equal(add(f, "a", 2), 4);
	/* Runs that are begun for ever end there, too. */
	*limit += RUN - 1;
	assert_int_equal(add(f, "b", 1), 0);
	assert_page(f, 0, 0, 4, "a 1");
	*limit += 1;
	assert_int_equal(add(f, "b", 1), 3);
	assert_int_equal(add(f, "c", 1), 0);
	assert_page(f, 0, 0, 3, "b 1");
	assert_page(f, 1, 0, 4, "a 1");
}

static void a_part_has_so_many_entries(void **state)
{
	static struct span entries[STORE_BATCH_MAX + 1];
	struct journal_part part = { .first = 1,
				     .entries = entries,
				     .count = STORE_BATCH_MAX + 1,
				     .head = { head, sizeof(head) } };
	struct store_room *f = *state;
	int64_t kept;

	f->store.limits.record_bytes = 1 << 20;
	store_room_run_on(f, "one", "cvm");
	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		entries[i] = (struct span){ head, 1 };
	assert_refused(store_journal_add(&f->store, "cvm", "one", &part, &kept, &f->e), f->e,
		       ERR_DATA_LOSS, "none");
	part.count--;
	assert_ok(store_journal_add(&f->store, "cvm", "one", &part, &kept, &f->e), f->e);
	assert_int_equal(kept, STORE_BATCH_MAX);
}

/* As older forms left it, from the one before this back to the first. */
static void an_older_database_gets_journals(void **state)
{
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	for (int form = STORE_FORM - 1; form >= 1; form--) {
		store_room_age(f, form);
		assert_int_equal(add(f, "a", 1), 3);
		store_close(&f->store);
		store_room_open(f);
		assert_page(f, 0, 0, 3, "a 1");
	}
}

static void it_goes_with_its_computation(void **state)
{
	struct store_room *f = *state;
	CLEANUP(free) char *holder = NULL;
	int64_t rows;

	store_room_run_on(f, "one", "cvm");
	assert_int_equal(add(f, "a", 1), 3);
	assert_ok(store_remove(&f->store, "one", true, &holder, &f->e), f->e);
	assert_ok(db_number(&f->store.db, &rows, &f->e,
			    "SELECT (SELECT count(*) FROM entries) +"
			    " (SELECT count(*) FROM signed_journals)",
			    ""),
		  f->e);
	assert_int_equal(rows, 0);
}

static void rows_that_others_wrote_are_refused(void **state)
{
	static const char *const wrong[] = {
		"UPDATE signed_journals SET count = -1",
		"UPDATE signed_journals SET count = 'x'",
		"UPDATE signed_journals SET head = NULL",
		"UPDATE signed_journals SET run = 1 << 30",
		"UPDATE entries SET bytes = 7",
		"UPDATE entries SET bytes = zeroblob(3 << 20)",
		/* Bytes, to PostgreSQL. */
		"UPDATE signed_journals SET head = 'text'",
	};
	const size_t count = ARRAY_LEN(wrong) - (store_room_database() != NULL);

	for (size_t i = 0; i < count; i++) {
		struct store_room *f = *state;
		struct journal_page page;
		struct err e;

		if (i == 0)
			store_room_run_on(f, "one", "cvm");
		assert_int_equal(add(f, "a", 1), 3);
		if (db_script(&f->store.db, wrong[i], &e) < 0)
			continue; /* the table itself refuses it */
		assert_true(store_journal_page(&f->store, "one", 0, 0, &page, &e) < 0);
		assert_ok(db_script(&f->store.db,
				    "DELETE FROM signed_journals; DELETE FROM entries", &e),
			  e);
	}
}

/* Each part looks at all runs: a CVM must not make that dear, and goes on with those that it has. */
static void runs_are_counted(void **state)
{
	struct store_room *f = *state;
	char name[16];

	f->store.limits.record_bytes = 4 << 20;
	store_room_run_on(f, "one", "cvm");
	assert_ok(db_script(&f->store.db, "BEGIN", &f->e), f->e);
	for (int i = 1; i <= STORE_RUNS_MAX; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		assert_int_equal(add_named(f, name, 1), 3);
	}
	assert_int_equal(add_named(f, "over", 1), 0);
	assert_int_equal(add(f, "over", 1), 0);
	assert_int_equal(add_named(f, "r1", 4), 6);
	assert_int_equal(add_named(f, name, 4), 6);
	assert_ok(db_script(&f->store.db, "COMMIT", &f->e), f->e);
	assert_page(f, 1, 0, 6, "r1 1");
	assert_page(f, STORE_RUNS_MAX, 0, 6, "r1024 1");
}

/* So many that what a second lets through does not count. */
enum { TIMES = 1000, LINES_MAX = TIMES / 2 };

static void add_over(struct store_room *f)
{
	for (int i = 0; i < TIMES; i++)
		assert_int_equal(add(f, "a", 1), 0);
}

static void parts_over_a_limit_do_not_flood_the_log(void **state)
{
	struct store_room *f = *state;

	f->store.limits.record_bytes = 1;
	store_room_run_on(f, "one", "cvm");
	assert_in_range(store_room_lines(f, add_over), 1, LINES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(what_comes_in_order_is_kept),
		STORE_ROOM_ROW(what_comes_again_is_kept_once),
		STORE_ROOM_ROW(a_gap_is_refused),
		STORE_ROOM_ROW(nobody_speaks_for_another),
		STORE_ROOM_ROW(each_run_has_its_own),
		STORE_ROOM_ROW(no_run_gets_parts_of_another),
		STORE_ROOM_ROW(what_had_no_room_is_continued_nowhere),
		STORE_ROOM_ROW(a_run_is_its_first_entrys),
		STORE_ROOM_ROW(a_run_without_name_gets_it),
		STORE_ROOM_ROW(sizes_are_bounded),
		STORE_ROOM_ROW(a_computation_has_so_much_room),
		STORE_ROOM_ROW(a_part_has_so_many_entries),
		STORE_ROOM_ROW(runs_are_counted),
		STORE_ROOM_ROW(parts_over_a_limit_do_not_flood_the_log),
		STORE_ROOM_ROW(an_older_database_gets_journals),
		STORE_ROOM_ROW(it_goes_with_its_computation),
		STORE_ROOM_ROW(rows_that_others_wrote_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
