/* SPDX-License-Identifier: Apache-2.0 */
/* The store: journals that agents sign, as they came, whatever comes twice or out of order. */
#include "attestation/journal/journal_entry.h"
#include "attestation/journal/journal_head.h"
#include "common/base/writer.h"
#include "computations/store/store_form.h"
#include "computations/store/store_journal.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>

enum { PART = 3 };

struct part {
	struct journal_part part;
	struct span entries[PART];
	char texts[PART][32];
	uint8_t run[SHA256_LEN], head[JOURNAL_SIGNED_MAX];
};

/* An agent's: whose, the store does not ask. */
static EVP_PKEY *agent;

static struct span head_of(uint8_t bytes[JOURNAL_SIGNED_MAX], int64_t count, bool final)
{
	CLEANUP_WRITER struct writer w = writer_up_to(JOURNAL_SIGNED_MAX);
	const struct journal_head head = { .count = (uint64_t)count };
	struct err e;

	assert_ok(journal_head_sign(&head, final, agent, &w, &e), e);
	memcpy(bytes, w.bytes, w.len);
	return (struct span){ bytes, w.len };
}

/* Three entries from `first` on, of the journal of that name. */
static const struct journal_part *part_of(struct part *p, const char *name, int64_t first)
{
	const int64_t last = first <= INT64_MAX - PART ? first + PART - 1 : first;

	for (int i = 0; i < PART; i++) {
		snprintf(p->texts[i], sizeof(p->texts[i]), "%s %d", name, (int)first + i);
		p->entries[i] = (struct span){ (uint8_t *)p->texts[i], strlen(p->texts[i]) };
	}
	p->part = (struct journal_part){ .first = first,
					 .entries = p->entries,
					 .count = PART,
					 .head = head_of(p->head, last, false) };
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
	if (count) {
		struct journal_head head;
		bool final;

		assert_ok(journal_head_read((struct span){ page.head, page.head_len }, &head,
					    &final, &f->e),
			  f->e);
		assert_int_equal(head.count, count);
	}
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

/* One machine brings another computation's first entry, which names its run: that is its own one all the same. */
static void a_name_is_of_its_computation_alone(void **state)
{
	struct store_room *f = *state;
	struct journal_page page;
	struct part p;
	int64_t kept;

	store_room_run_on(f, "one", "cvm");
	f->store.limits.record_bytes = 1 << 20;
	assert_int_equal(add_named(f, "b", 1), 3);
	assert_int_equal(add_named(f, "a", 1), 3);
	store_room_run_on(f, "two", "other");
	assert_ok(store_journal_add(&f->store, "other", "two", named_part_of(&p, "a", 1), &kept,
				    &f->e),
		  f->e);
	assert_int_equal(kept, 3);
	assert_ok(store_journal_page(&f->store, "two", 0, 0, &page, &f->e), f->e);
	assert_int_equal(page.run, 1);
	assert_int_equal(page.count, 3);
	journal_page_done(&page);
	assert_page(f, 2, 0, 3, "a 1");
}

/* So much of the limit is a first attempt's: half. */
static void bound_first(struct store_room *f, uint64_t bytes)
{
	f->store.limits.record_bytes = 2 * bytes;
}

/* Where the first part of a run had no room, a later and smaller one is not the run's before it. */
static void what_had_no_room_is_continued_nowhere(void **state)
{
	enum { RUN = STORE_RUN_ROOM + PART * (3 + STORE_ENTRY_ROOM) };
	struct store_room *f = *state;
	struct part p;
	int64_t kept;

	store_room_run_on(f, "one", "cvm");
	bound_first(f, 2 * RUN - 1);
	assert_int_equal(add_named(f, "a", 1), 3);
	assert_int_equal(add_named(f, "b", 1), 0);
	(void)named_part_of(&p, "b", 4);
	p.part.count = 1;
	p.part.head = head_of(p.head, 4, false);
	assert_refused(store_journal_add(&f->store, "cvm", "one", &p.part, &kept, &f->e), f->e,
		       ERR_NOT_FOUND, "goes on at entry 4, and of that run 0 are here");
	assert_page(f, 0, 0, 3, "a 1");
	/* What all of them have is counted, whichever grows. */
	bound_first(f, 2 * RUN + 3 + STORE_ENTRY_ROOM);
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
	uint64_t bound = RUN;

	store_room_run_on(f, "one", "cvm");
	bound_first(f, bound - 1);
	assert_int_equal(add(f, "a", 1), 0);
	assert_page(f, 0, 0, 0, "");
	bound_first(f, bound);
	assert_int_equal(add(f, "a", 1), 3);
	assert_int_equal(add(f, "a", 1), 3);
	assert_int_equal(add(f, "a", 2), 3); /* one more entry */
	bound += 3 + STORE_ENTRY_ROOM;
	bound_first(f, bound - 1);
	assert_int_equal(add(f, "a", 2), 3);
	bound_first(f, bound);
	assert_int_equal(add(f, "a", 2), 4);
	/* Runs that are begun for ever end there, too. */
	bound += RUN;
	bound_first(f, bound - 1);
	assert_int_equal(add(f, "b", 1), 0);
	assert_page(f, 0, 0, 4, "a 1");
	bound_first(f, bound);
	assert_int_equal(add(f, "b", 1), 3);
	assert_int_equal(add(f, "c", 1), 0);
	assert_page(f, 0, 0, 3, "b 1");
	assert_page(f, 1, 0, 4, "a 1");
}

static void a_part_has_so_many_entries(void **state)
{
	static const uint8_t byte[] = "e";
	static struct span entries[STORE_BATCH_MAX + 1];
	uint8_t head[JOURNAL_SIGNED_MAX];
	struct journal_part part = { .first = 1,
				     .entries = entries,
				     .count = STORE_BATCH_MAX + 1,
				     .head = head_of(head, STORE_BATCH_MAX, false) };
	struct store_room *f = *state;
	int64_t kept;

	f->store.limits.record_bytes = 1 << 20;
	store_room_run_on(f, "one", "cvm");
	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		entries[i] = (struct span){ byte, 1 };
	assert_refused(store_journal_add(&f->store, "cvm", "one", &part, &kept, &f->e), f->e,
		       ERR_DATA_LOSS, "none");
	part.count--;
	assert_ok(store_journal_add(&f->store, "cvm", "one", &part, &kept, &f->e), f->e);
	assert_int_equal(kept, STORE_BATCH_MAX);
}

/* A run that is over, of a CVM that has nothing to do any more. */
static void run_again(struct store_room *f, const char *cvm)
{
	assert_ok(db_run(&f->store.db, &f->e, "UPDATE cvms SET computation = ''", ""), f->e);
	assert_ok(db_run(&f->store.db, &f->e,
			 "UPDATE computations SET state = ?, finished = 1, ended = 1", "i",
			 (int64_t)COMPUTATION_CANCELLED),
		  f->e);
	assert_ok(store_retry(&f->store, "one", &f->e), f->e);
	assert_ok(store_assign(&f->store, "one", cvm, false, &f->e), f->e);
}

static void refuse_part(struct store_room *f, const char *cvm, const struct journal_part *part,
			const char *words)
{
	int64_t kept;

	assert_refused(store_journal_add(&f->store, cvm, "one", part, &kept, &f->e), f->e,
		       ERR_DENIED, words);
}

/* The CVM of a second run knows the name of the first one's, and its own is not begun. */
static void nobody_goes_on_with_what_another_began(void **state)
{
	struct store_room *f = *state;
	struct part p;
	int64_t kept;

	store_room_run_on(f, "one", "cvm");
	assert_int_equal(add_named(f, "a", 1), 3);
	store_room_arrive_idle(f, "evil");
	run_again(f, "evil");
	refuse_part(f, "evil", part_of(&p, "a", 4), "did not begin");
	refuse_part(f, "evil", named_part_of(&p, "a", 4), "did not begin");
	refuse_part(f, "evil", named_part_of(&p, "a", 1), "did not begin");
	assert_page(f, 1, 0, 3, "a 1");
	/* Its own is its own. */
	assert_ok(store_journal_add(&f->store, "evil", "one", part_of(&p, "b", 1), &kept, &f->e),
		  f->e);
	assert_ok(store_journal_add(&f->store, "evil", "one", part_of(&p, "b", 4), &kept, &f->e),
		  f->e);
	assert_page(f, 2, 0, 6, "b 1");
}

/* On the same CVM what was left of the run before still comes, by its name. */
static void an_attempt_before_goes_on_by_its_name(void **state)
{
	struct store_room *f = *state;
	struct part p;

	store_room_run_on(f, "one", "cvm");
	assert_int_equal(add_named(f, "a", 1), 3);
	run_again(f, "cvm");
	refuse_part(f, "cvm", part_of(&p, "a", 4), "did not begin");
	assert_int_equal(add_named(f, "a", 4), 6);
	assert_page(f, 1, 0, 6, "a 1");
}

static void nothing_is_behind_a_final_head(void **state)
{
	struct store_room *f = *state;
	struct part p;
	int64_t kept;

	store_room_run_on(f, "one", "cvm");
	(void)named_part_of(&p, "a", 1);
	p.part.head = head_of(p.head, PART, true);
	assert_ok(store_journal_add(&f->store, "cvm", "one", &p.part, &kept, &f->e), f->e);
	refuse_part(f, "cvm", named_part_of(&p, "a", 4), "is closed");
	assert_int_equal(add_named(f, "a", 1), 3); /* it came again */
	assert_page(f, 1, 0, 3, "a 1");
}

static void a_head_is_one_of_its_entries(void **state)
{
	static const uint8_t none[] = { 0x80 };
	struct store_room *f = *state;
	struct part p;

	store_room_run_on(f, "one", "cvm");
	assert_int_equal(add_named(f, "a", 1), 3);
	(void)named_part_of(&p, "a", 4);
	p.part.head = (struct span){ none, sizeof(none) };
	refuse_part(f, "cvm", &p.part, "a head that is none");
	p.part.head = head_of(p.head, 5, false);
	refuse_part(f, "cvm", &p.part, "over other entries");
	p.part.head = head_of(p.head, 7, false);
	refuse_part(f, "cvm", &p.part, "over other entries");
	assert_page(f, 1, 0, 3, "a 1");
}

/* Where there was one attempt alone, its CVM goes on; who began another is not known. */
static void an_older_journal_is_the_only_cvms(void **state)
{
	struct store_room *f = *state;
	struct part p;

	store_room_run_on(f, "one", "cvm");
	assert_int_equal(add_named(f, "a", 1), 3);
	store_room_age(f, 42);
	assert_int_equal(add(f, "a", 4), 6);
	store_room_arrive_idle(f, "evil");
	run_again(f, "evil");
	store_room_age(f, 42);
	f->store.limits.record_bytes = 1 << 20;
	refuse_part(f, "evil", named_part_of(&p, "a", 7), "did not begin");
	assert_page(f, 1, 0, 6, "a 1");
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
	enum { HALF = STORE_RUNS_MAX / 2 };
	struct store_room *f = *state;
	char name[32];

	f->store.limits.record_bytes = 1 << 30;
	store_room_run_on(f, "one", "cvm");
	assert_ok(db_script(&f->store.db, "BEGIN", &f->e), f->e);
	for (int i = 1; i <= HALF; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		assert_int_equal(add_named(f, name, 1), 3);
	}
	assert_int_equal(add_named(f, "over", 1), 0);
	assert_int_equal(add(f, "over", 1), 0);
	assert_int_equal(add_named(f, "r1", 4), 6);
	assert_int_equal(add_named(f, name, 4), 6);
	/* Each attempt has half of those that are left, to the last one. */
	for (int left = STORE_RUNS_MAX - HALF, attempt = 2; left > 0; attempt++) {
		const int its = left - left / 2;

		run_again(f, "cvm");
		for (int i = 1; i <= its; i++) {
			snprintf(name, sizeof(name), "%d-%d", attempt, i);
			assert_int_equal(add_named(f, name, 1), 3);
		}
		assert_int_equal(add_named(f, "over", 1), 0);
		left -= its;
	}
	run_again(f, "cvm");
	assert_int_equal(add_named(f, "over", 1), 0);
	assert_ok(db_script(&f->store.db, "COMMIT", &f->e), f->e);
	assert_page(f, 1, 0, 6, "r1 1");
	assert_page(f, HALF, 0, 6, "r512 1");
}

/* Runs of an attempt, by names that no other has: so many as it takes. */
static unsigned fill(struct store_room *f, unsigned attempt, unsigned most)
{
	unsigned count = 0;
	char name[16];

	do
		snprintf(name, sizeof(name), "%u-%04u", attempt, count);
	while (count < most && add_named(f, name, 1) == PART && ++count);
	return count;
}

/* Of what those before have left each has half, and what it leaves over is there for the next. */
static void no_attempt_leaves_nothing_for_the_next(void **state)
{
	enum { RUN = STORE_RUN_ROOM + PART * (8 + STORE_ENTRY_ROOM) }; /* "1-0000 1" */
	/* Bytes, and how many runs five attempts have if each takes what it can. */
	static const struct {
		int64_t limit;
		unsigned runs[5];
	} rows[] = {
		{ 32 * RUN, { 16, 8, 4, 2, 1 } },   { 2 * RUN - 1, { 1, 0, 0, 0, 0 } },
		{ 2 * RUN - 2, { 0, 0, 0, 0, 0 } }, { 3 * RUN - 1, { 1, 1, 0, 0, 0 } },
		{ 3 * RUN - 2, { 1, 0, 0, 0, 0 } }, { 4 * RUN, { 2, 1, 0, 0, 0 } },
	};
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		f->store.limits.record_bytes = (uint64_t)rows[i].limit;
		for (unsigned attempt = 0; attempt < ARRAY_LEN(rows[i].runs); attempt++) {
			assert_int_equal(fill(f, attempt, 100), rows[i].runs[attempt]);
			run_again(f, "cvm");
		}
		assert_ok(db_script(&f->store.db,
				    "DELETE FROM signed_journals; DELETE FROM entries", &f->e),
			  f->e);
	}
	/* One that takes little leaves the more. */
	f->store.limits.record_bytes = 33 * RUN;
	assert_int_equal(fill(f, 0, 1), 1);
	run_again(f, "cvm");
	assert_int_equal(fill(f, 1, 100), 16);
}

/* What is left of an attempt before counts as its, wherever the one that goes on is by now. */
static void what_comes_late_is_in_the_room_of_its_attempt(void **state)
{
	enum {
		RUN = STORE_RUN_ROOM + PART * (3 + STORE_ENTRY_ROOM),
		MORE = PART * (3 + STORE_ENTRY_ROOM)
	};
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	bound_first(f, 2 * RUN + MORE);
	assert_int_equal(add_named(f, "a", 1), 3);
	run_again(f, "cvm");
	assert_int_equal(add_named(f, "b", 1), 3);
	assert_int_equal(add_named(f, "a", 4), 6);
	assert_int_equal(add_named(f, "a", 7), 6); /* its half is full, whoever filled it */
	assert_int_equal(add_named(f, "b", 4), 6);
	assert_int_equal(add_named(f, "b", 7), 9);
	assert_int_equal(add_named(f, "a", 7), 6);
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

static int enter(void **state)
{
	struct err e;

	if (key_generate(KEY_ECDSA, &agent, &e) < 0)
		return -1;
	(void)state;
	return 0;
}

static int leave(void **state)
{
	EVP_PKEY_free(agent);
	(void)state;
	return 0;
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
		STORE_ROOM_ROW(a_name_is_of_its_computation_alone),
		STORE_ROOM_ROW(what_had_no_room_is_continued_nowhere),
		STORE_ROOM_ROW(a_run_is_its_first_entrys),
		STORE_ROOM_ROW(a_run_without_name_gets_it),
		STORE_ROOM_ROW(nobody_goes_on_with_what_another_began),
		STORE_ROOM_ROW(an_attempt_before_goes_on_by_its_name),
		STORE_ROOM_ROW(nothing_is_behind_a_final_head),
		STORE_ROOM_ROW(a_head_is_one_of_its_entries),
		STORE_ROOM_ROW(an_older_journal_is_the_only_cvms),
		STORE_ROOM_ROW(sizes_are_bounded),
		STORE_ROOM_ROW(no_attempt_leaves_nothing_for_the_next),
		STORE_ROOM_ROW(what_comes_late_is_in_the_room_of_its_attempt),
		STORE_ROOM_ROW(a_computation_has_so_much_room),
		STORE_ROOM_ROW(a_part_has_so_many_entries),
		STORE_ROOM_ROW(runs_are_counted),
		STORE_ROOM_ROW(parts_over_a_limit_do_not_flood_the_log),
		STORE_ROOM_ROW(an_older_database_gets_journals),
		STORE_ROOM_ROW(it_goes_with_its_computation),
		STORE_ROOM_ROW(rows_that_others_wrote_are_refused),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
