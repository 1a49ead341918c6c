/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes in and out, by journals that agents bring: each entry once, by months, whatever it claims; and nobody is limited. */
#include "attestation/journal/journal_entry.h"
#include "attestation/journal/journal_head.h"
#include "common/base/writer.h"
#include "computations/people/workspace_member.h"
#include "computations/store/store_journal.h"
#include "computations/store/usage_limit.h"
#include "computations/store/usage_traffic.h"
#include "tests/unit/computations/store_room.h"

enum { BOOK_MAX = 1 << 20, NOTES_MAX = 4096, ODD = 1200 };

/* An agent's journal, as it grows. */
struct book {
	struct journal_head head;
	struct writer w;
	size_t starts[NOTES_MAX + 1];
	size_t count, brought;
};

static const uint8_t key_of_owner[32] = { 7 };
static EVP_PKEY *agent;

static void book_begin(struct book *b, const char *name)
{
	struct journal_note note = { .type = "start" };
	struct err e;

	*b = (struct book){ .w = writer_up_to(BOOK_MAX) };
	journal_put_digest(&note, "manifest", key_of_owner);
	journal_put_bytes(&note, "statement", name, strlen(name));
	journal_put_text(&note, "computation", name, strlen(name));
	assert_ok(journal_entry_write(&b->head, 1, &note, &b->w, &e), e);
	b->starts[++b->count] = b->w.len;
}

static void add(struct book *b, const char *type, uint64_t size)
{
	const struct journal_type *row = journal_type_of(type, strlen(type));
	struct journal_note note = { .type = type };
	struct err e;

	assert_true(b->count < NOTES_MAX);
	for (size_t i = 0; i < JOURNAL_FIELDS_MAX && row->fields[i].name; i++) {
		const char *name = row->fields[i].name;

		if (row->fields[i].kind == JOURNAL_DIGEST && !row->fields[i].optional)
			journal_put_digest(&note, name, key_of_owner);
		if (row->fields[i].kind == JOURNAL_NUMBER)
			journal_put_number(&note, name, size);
		if (row->fields[i].kind == JOURNAL_TEXT)
			journal_put_text(&note, name, "x", 1);
	}
	assert_ok(journal_entry_write(&b->head, 1, &note, &b->w, &e), e);
	b->starts[++b->count] = b->w.len;
}

/* The entries from `first` on, so many, as they come again; how many are kept then. */
static int64_t say(struct store_room *f, struct book *b, const char *id, size_t first, size_t count)
{
	CLEANUP_WRITER struct writer w = writer_up_to(JOURNAL_SIGNED_MAX);
	struct journal_head head = { .count = first + count - 1 };
	struct span entries[STORE_BATCH_MAX];
	uint8_t run[SHA256_LEN];
	int64_t kept;

	assert_ok(journal_head_sign(&head, false, agent, &w, &f->e), f->e);
	for (size_t i = 0; i < count; i++) {
		const size_t at = b->starts[first + i - 1];

		entries[i] = (struct span){ b->w.bytes + at, b->starts[first + i] - at };
	}
	assert_ok(journal_run((struct span){ b->w.bytes, b->starts[1] }, run, &f->e), f->e);
	const struct journal_part part = { .first = (int64_t)first,
					   .entries = entries,
					   .count = count,
					   .head = { w.bytes, w.len },
					   .run = { run, sizeof(run) } };
	assert_ok(store_journal_add(&f->store, "cvm", id, &part, &kept, &f->e), f->e);
	return kept;
}

/* All that was not brought yet. */
static void bring(struct store_room *f, struct book *b, const char *id)
{
	while (b->brought < b->count) {
		size_t count = b->count - b->brought;

		count = count < STORE_BATCH_MAX ? count : STORE_BATCH_MAX;
		assert_int_equal(say(f, b, id, b->brought + 1, count), b->brought + count);
		b->brought += count;
	}
}

static void enter(struct store_room *f, const char *id)
{
	f->store.limits.record_bytes = BOOK_MAX;
	store_room_run_on(f, id, "cvm");
}

/* Of all months: a test may run at midnight on the last of one. */
static void check(struct store_room *f, int64_t in, int64_t out)
{
	int64_t came, went, rows;

	assert_ok(db_number(&f->store.db, &came, &f->e,
			    "SELECT CAST(coalesce(sum(bytes_in), 0) AS BIGINT) FROM usage_traffic",
			    ""),
		  f->e);
	assert_ok(db_number(&f->store.db, &went, &f->e,
			    "SELECT CAST(coalesce(sum(bytes_out), 0) AS BIGINT) FROM usage_traffic",
			    ""),
		  f->e);
	assert_ok(db_number(&f->store.db, &rows, &f->e, "SELECT count(*) FROM usage_traffic", ""),
		  f->e);
	assert_int_equal(came, in);
	assert_int_equal(went, out);
	assert_true(rows <= 2);
}

static void what_comes_again_counts_once(void **state)
{
	struct store_room *f = *state;
	struct book b;

	enter(f, "one");
	book_begin(&b, "one");
	bring(f, &b, "one");
	check(f, 0, 0);
	add(&b, "algorithm", 1000);
	add(&b, "dataset", 200);
	add(&b, "dataset", 30);
	add(&b, "kept", 7777); /* it was sent in an earlier run */
	add(&b, "results", 5);
	bring(f, &b, "one");
	check(f, 1230, 0);
	add(&b, "delivery", 0);
	add(&b, "delivery", 0);
	bring(f, &b, "one");
	check(f, 1230, 10);
	for (size_t first = 1; first <= b.count; first++)
		assert_int_equal(say(f, &b, "one", first, b.count - first + 1), b.count);
	check(f, 1230, 10);
	/* Some that are new behind some that are not. */
	add(&b, "delivery", 0);
	add(&b, "dataset", 4);
	assert_int_equal(say(f, &b, "one", 3, b.count - 2), b.count);
	check(f, 1234, 15);
	writer_done(&b.w);
}

/* Whichever of them is the newest, and whether a part says whose it is. */
static void each_run_has_results_of_its_own(void **state)
{
	struct store_room *f = *state;
	struct book shown, hidden;

	enter(f, "one");
	book_begin(&shown, "a");
	add(&shown, "results", 100);
	bring(f, &shown, "one");
	book_begin(&hidden, "b");
	add(&hidden, "delivery", 0); /* of results whose size its manifest hides */
	bring(f, &hidden, "one");
	check(f, 0, 0);
	add(&shown, "delivery", 0);
	bring(f, &shown, "one");
	check(f, 0, 100);
	add(&hidden, "delivery", 0);
	bring(f, &hidden, "one");
	check(f, 0, 100);
	writer_done(&shown.w);
	writer_done(&hidden.w);
}

static struct book *odd;

static void bring_odd(struct store_room *f)
{
	bring(f, odd, "one");
}

static void what_can_not_be_is_not_counted(void **state)
{
	static const uint64_t sizes[] = { USAGE_NOTE_BYTES_MAX + 1, INT64_MAX,
					  (uint64_t)INT64_MAX + 1, UINT64_MAX };
	struct store_room *f = *state;
	struct book b;

	enter(f, "one");
	book_begin(&b, "one");
	add(&b, "dataset", USAGE_NOTE_BYTES_MAX);
	bring(f, &b, "one");
	check(f, USAGE_NOTE_BYTES_MAX, 0);
	add(&b, "results", 6);
	for (size_t i = 0; i < ODD / 3; i++) {
		const uint64_t size = sizes[i % ARRAY_LEN(sizes)];

		add(&b, "algorithm", size);
		add(&b, "dataset", size);
		add(&b, "results", size); /* the one before it holds */
	}
	add(&b, "delivery", 0);
	odd = &b;
	assert_in_range(store_room_lines(f, bring_odd), 1, ODD / 2);
	check(f, USAGE_NOTE_BYTES_MAX, 6);
	writer_done(&b.w);
}

/* They are kept as they came: who verifies the journal hears of it. */
static void what_is_no_entry_of_its_place_counts_as_nothing(void **state)
{
	struct usage_traffic t = { .results = 9 };
	struct store_room *f = *state;
	struct book b;

	enter(f, "one");
	book_begin(&b, "one");
	add(&b, "dataset", 10);
	const struct span entry = { b.w.bytes + b.starts[1], b.starts[2] - b.starts[1] };
	usage_traffic_take(&f->store, "one", 1, entry, &t);
	usage_traffic_take(&f->store, "one", 3, entry, &t);
	for (size_t len = 0; len < entry.len; len++)
		usage_traffic_take(&f->store, "one", 2, (struct span){ entry.bytes, len }, &t);
	assert_int_equal(t.in, 0);
	usage_traffic_take(&f->store, "one", 2, entry, &t);
	assert_int_equal(t.in, 10);
	assert_int_equal(t.out, 0);
	b.w.bytes[b.starts[1]] ^= 1; /* no array of five */
	bring(f, &b, "one");
	check(f, 0, 0);
	writer_done(&b.w);
}

/* One row, whose sum stays where it can be told; and so does that of more rows than are there. */
static void a_flood_takes_one_row_and_runs_over_nothing(void **state)
{
	struct usage_month month;
	struct usage_row rows[2] = { 0 };
	const struct usage_query query = { .month = &month, .max = 2 };
	struct store_room *f = *state;
	struct usage_bytes sum;
	size_t count;
	struct book b;

	store_room_create(f, "one");
	book_begin(&b, "one");
	for (size_t i = 0; i < STORE_BATCH_MAX; i++)
		add(&b, i % 2 ? "delivery" : "dataset", USAGE_NOTE_BYTES_MAX);
	/* In one part, and in one more. */
	for (size_t part = 0; part < 2; part++) {
		struct usage_traffic t = { .results = USAGE_NOTE_BYTES_MAX };

		for (size_t i = 1; i < b.count; i++)
			usage_traffic_take(&f->store, "one", (int64_t)i + 1,
					   (struct span){ b.w.bytes + b.starts[i],
							  b.starts[i + 1] - b.starts[i] },
					   &t);
		assert_ok(usage_traffic_keep(&f->store, "one", &t, 0, &f->e), f->e);
		check(f, USAGE_BYTES_MAX, USAGE_BYTES_MAX);
	}
	/* As if many agents lied. */
	for (int64_t i = 0; i < 1100; i++)
		assert_ok(db_run(&f->store.db, &f->e,
				 "INSERT INTO usage_traffic (since, workspace, computation, called,"
				 " bytes_in, bytes_out) SELECT 0, ?, 'c', 'w', ?, ?",
				 "iii", i + 100, USAGE_BYTES_MAX, USAGE_BYTES_MAX),
			  f->e);
	assert_ok(usage_month_parse("1970-01", 0, &month, &f->e), f->e);
	assert_ok(store_usage_bytes(&f->store, &query, &sum, &f->e), f->e);
	assert_int_equal(sum.in, USAGE_BYTES_MAX);
	assert_int_equal(sum.out, USAGE_BYTES_MAX);
	assert_ok(store_usage(&f->store, &query, rows, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_int_equal(rows[0].bytes_in, USAGE_BYTES_MAX);
	assert_int_equal(usage_traffic_sum(INT64_MAX, INT64_MAX), USAGE_BYTES_MAX);
	assert_int_equal(usage_traffic_sum(1, INT64_MAX), USAGE_BYTES_MAX);
	assert_int_equal(usage_traffic_sum(3, 5), (3 << 20) + 5);
	for (size_t i = 0; i < count; i++)
		usage_row_done(&rows[i]);
	writer_done(&b.w);
}

/* What is not kept is not counted: over the room that journals have. */
static void what_is_not_kept_is_not_counted(void **state)
{
	struct store_room *f = *state;
	struct book b;

	enter(f, "one");
	book_begin(&b, "one");
	bring(f, &b, "one");
	add(&b, "dataset", 10);
	f->store.limits.record_bytes = 1;
	assert_int_equal(say(f, &b, "one", 2, 1), 1);
	check(f, 0, 0);
	f->store.limits.record_bytes = BOOK_MAX;
	assert_int_equal(say(f, &b, "one", 2, 1), 2);
	check(f, 10, 0);
	writer_done(&b.w);
}

/* The rows without their names. */
static size_t ask(struct store_room *f, const char *name, int64_t person, struct usage_row *rows)
{
	struct usage_month month;
	const struct usage_query query = { .month = &month, .person = person, .max = 2 };
	int64_t sum_in = 0, sum_out = 0;
	struct usage_bytes sum;
	size_t count;

	assert_ok(usage_month_parse(name, 0, &month, &f->e), f->e);
	assert_ok(store_usage(&f->store, &query, rows, &count, &f->e), f->e);
	assert_ok(store_usage_bytes(&f->store, &query, &sum, &f->e), f->e);
	for (size_t i = 0; i < count; i++) {
		sum_in += rows[i].bytes_in;
		sum_out += rows[i].bytes_out;
		free(TAKE_PTR(rows[i].workspace));
		free(TAKE_PTR(rows[i].computation));
	}
	assert_int_equal(sum.in, sum_in);
	assert_int_equal(sum.out, sum_out);
	return count;
}

static void months_part_it(void **state)
{
	static const int64_t november = INT64_C(1793491200000); /* 2026-11-01T00:00:00Z */
	const struct usage_traffic some = { .in = 3, .out = 1 };
	struct usage_row rows[2] = { 0 };
	struct store_room *f = *state;

	store_room_create(f, "one");
	assert_ok(usage_traffic_keep(&f->store, "one", &some, november - 1, &f->e), f->e);
	assert_ok(usage_traffic_keep(&f->store, "one", &some, november, &f->e), f->e);
	assert_ok(usage_traffic_keep(&f->store, "one", &some, november + 9, &f->e), f->e);
	/* A computation that is not there has no workspace. */
	assert_ok(usage_traffic_keep(&f->store, "two", &some, november, &f->e), f->e);
	assert_int_equal(ask(f, "2026-10", 0, rows), 1);
	assert_int_equal(rows[0].bytes_in, 3);
	assert_int_equal(ask(f, "2026-11", 0, rows), 1);
	assert_int_equal(rows[0].bytes_in, 6);
	assert_int_equal(rows[0].bytes_out, 2);
	assert_int_equal(rows[0].cvms, 0); /* none that a manager made */
	assert_int_equal(rows[0].kind, USAGE_OF_COMPUTATION);
	assert_int_equal(ask(f, "2026-12", 0, rows), 0);
}

/* Also one that is made anew under that id. */
static void it_outlives_its_computation_for_who_may_see_it(void **state)
{
	const struct usage_traffic some = { .in = 3, .out = 1 };
	struct user anna CLEANUP_USER = { .name = NULL };
	CLEANUP(free) char *held = NULL;
	struct usage_row rows[2] = { 0 };
	struct store_room *f = *state;

	store_room_user(f, "anna");
	assert_ok(user_find(&f->store.db, "anna", &anna, &f->e), f->e);
	store_room_create(f, "one");
	assert_ok(usage_traffic_keep(&f->store, "one", &some, 0, &f->e), f->e);
	assert_ok(store_remove(&f->store, "one", false, &held, &f->e), f->e);
	assert_int_equal(ask(f, "1970-01", 0, rows), 1);
	assert_int_equal(rows[0].bytes_in, 3);
	assert_int_equal(ask(f, "1970-01", anna.number, rows), 1);
	assert_int_equal(rows[0].kind, USAGE_OF_OTHERS);
	assert_int_equal(ask(f, "1970-01", anna.number + 1, rows), 0);
	store_room_create(f, "one");
	assert_ok(usage_traffic_keep(&f->store, "one", &some, 0, &f->e), f->e);
	assert_int_equal(ask(f, "1970-01", 0, rows), 1);
	assert_int_equal(rows[0].bytes_in, 6);
}

static void it_limits_nobody(void **state)
{
	const struct machine_quota tight = { .cvm_hours = 1, .cpu_hours = 1, .memory_hours = 1 };
	const struct usage_traffic most = { .in = USAGE_BYTES_MAX, .out = USAGE_BYTES_MAX };
	struct usage_standing standing;
	struct store_room *f = *state;

	store_room_create(f, "one");
	assert_ok(usage_traffic_keep(&f->store, "one", &most, 0, &f->e), f->e);
	assert_ok(usage_limit_standing(&f->store, store_room_workspace(f), &tight, 0, &standing,
				       &f->e),
		  f->e);
	assert_int_equal(standing.level, USAGE_WITHIN);
	assert_string_equal(standing.text, "");
}

/* Of a journal that an older program has begun it counts what comes from now on. */
static void an_older_database_goes_on(void **state)
{
	struct store_room *f = *state;
	struct book b;

	enter(f, "one");
	book_begin(&b, "one");
	add(&b, "dataset", 10);
	add(&b, "results", 20);
	bring(f, &b, "one");
	store_room_age(f, 45);
	f->store.limits.record_bytes = BOOK_MAX;
	check(f, 0, 0);
	add(&b, "delivery", 0);
	add(&b, "dataset", 4);
	bring(f, &b, "one");
	check(f, 4, 0);
	writer_done(&b.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(what_comes_again_counts_once),
		STORE_ROOM_ROW(each_run_has_results_of_its_own),
		STORE_ROOM_ROW(what_can_not_be_is_not_counted),
		STORE_ROOM_ROW(what_is_no_entry_of_its_place_counts_as_nothing),
		STORE_ROOM_ROW(a_flood_takes_one_row_and_runs_over_nothing),
		STORE_ROOM_ROW(what_is_not_kept_is_not_counted),
		STORE_ROOM_ROW(months_part_it),
		STORE_ROOM_ROW(it_outlives_its_computation_for_who_may_see_it),
		STORE_ROOM_ROW(it_limits_nobody),
		STORE_ROOM_ROW(an_older_database_goes_on),
	};
	struct err e;
	int failed;

	assert_ok(key_generate(KEY_ECDSA, &agent, &e), e);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	EVP_PKEY_free(agent);
	return failed;
}
