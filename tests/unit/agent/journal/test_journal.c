/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's journal with a keeper of its own (this program again) and a service that is played: what
 * it gets is one history, through cuts, refusals and floods.
 */
#include "agent/journal/journal.h"
#include "attestation/journal/journal_check.h"
#include "common/base/writer.h"
#include "tests/unit.h"

#include <uv.h>

enum { ENTRIES = 10000, CUTS = 100 };

/* What a service has on disk. */
struct service {
	struct journal_check check;
	uint64_t kept;
	struct writer file;
	uint8_t head[JOURNAL_SIGNED_MAX];
	size_t head_len;
	size_t again; /* entries that came although they were kept */
	uint64_t lines, left_out;
};

struct world {
	uv_loop_t loop;
	struct keeper *keeper;
	struct journal *journal;
	uint8_t spki[SPKI_MAX];
	size_t spki_len;
	struct service service;
};

static int answers, readies;

static void on_measured(void *data, bool measured, const struct err *e)
{
	answers++;
	assert_null(e);
}

static void on_key(void *data, const struct span *parts, size_t count, const struct err *e)
{
	struct world *w = data;

	answers++;
	assert_null(e);
	memcpy(w->spki, parts[0].bytes, parts[0].len);
	w->spki_len = parts[0].len;
}

static void on_ready(void *data)
{
	readies++;
}

static void wait_answer(struct world *w)
{
	int before = answers;

	while (answers == before)
		uv_run(&w->loop, UV_RUN_ONCE);
}

static void measure(struct world *w, enum keeper_event event)
{
	struct err e;

	assert_ok(keeper_measure(w->keeper, event, "x", 1, on_measured, NULL, &e), e);
	wait_answer(w);
}

static void begin_as(struct world *w, const char *id)
{
	CLEANUP_WRITER struct writer statement = writer_up_to(RUN_STATEMENT_MAX);
	struct run_statement s = { .computation = id,
				   .identity = (const uint8_t *)"i",
				   .identity_len = 1 };
	struct err e;

	measure(w, KEEPER_EVENT_CONFIG);
	measure(w, KEEPER_EVENT_MANIFEST);
	assert_ok(keeper_journal_key(w->keeper, on_key, w, &e), e);
	wait_answer(w);
	s.journal = w->spki;
	s.journal_len = w->spki_len;
	assert_ok(run_statement_write(&s, &statement, &e), e);
	assert_ok(journal_begin(w->journal, id, s.manifest,
				(struct span){ statement.bytes, statement.len }, &e),
		  e);
}

static void begin(struct world *w)
{
	begin_as(w, "c-1");
}

static int enter(void **state)
{
	const struct keeper_options options = { .development = true };
	struct world *w = calloc(1, sizeof(*w));
	struct err e;

	if (!w || uv_loop_init(&w->loop) < 0 ||
	    keeper_start(&w->loop, &options, &w->keeper, &e) < 0 ||
	    journal_new(&w->loop, w->keeper, on_ready, w, &w->journal, &e) < 0)
		return -1;
	w->service.file = writer_up_to(64 << 20);
	readies = 0;
	measure(w, KEEPER_EVENT_BOOT);
	*state = w;
	return 0;
}

static int leave(void **state)
{
	struct world *w = *state;

	keeper_free(w->keeper);
	journal_free(w->journal);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	int result = uv_loop_close(&w->loop);
	writer_done(&w->service.file);
	journal_check_done(&w->service.check);
	free(w);
	return result;
}

static void add_line(struct world *w, const char *text, size_t len)
{
	struct journal_note note = { .type = "output" };
	struct err e;

	journal_put_text(&note, "text", text, len);
	journal_put_number(&note, "stream", 1);
	assert_ok(journal_add(w->journal, &note, &e), e);
}

static void add_event(struct world *w)
{
	struct journal_note note = { .type = "event" };
	struct err e;

	journal_put_text(&note, "type", "Running", 7);
	journal_put_text(&note, "status", "InProgress", 10);
	assert_ok(journal_add(w->journal, &note, &e), e);
}

/* One batch to disk, but for what is there. */
static void keep(struct service *s, const Cvms__ClientStreamMessage *m)
{
	const Cvms__JournalEntries *b = m->journal_entries;
	struct journal_entry entry;
	bool is_entry;
	struct err e;

	assert_int_equal(m->message_case, CVMS__CLIENT_STREAM_MESSAGE__MESSAGE_JOURNAL_ENTRIES);
	assert_string_equal(b->computation_id, "c-1");
	assert_true(b->first <= s->kept + 1 && b->n_entries <= JOURNAL_BATCH_MAX);
	if (b->first <= s->kept) { /* all of it, since batches stay as they were */
		s->again += b->n_entries;
		assert_true(b->first + b->n_entries - 1 <= s->kept);
		return;
	}
	for (size_t i = 0; i < b->n_entries; i++) {
		const struct span item = { b->entries[i].data, b->entries[i].len };

		assert_ok(journal_check_item(&s->check, item, &entry, &is_entry, &e), e);
		s->lines += strcmp(entry.note.type, "output") == 0;
		if (strcmp(entry.note.type, "left-out") == 0)
			s->left_out += journal_field_of(&entry.note, "count")->number;
		journal_put_item(&s->file, item);
	}
	s->kept += b->n_entries;
	assert_ok(journal_check_item(&s->check,
				     (struct span){ b->signed_head.data, b->signed_head.len },
				     &entry, &is_entry, &e),
		  e);
	memcpy(s->head, b->signed_head.data, b->signed_head.len);
	s->head_len = b->signed_head.len;
}

static bool deliver_one(struct world *w)
{
	const Cvms__ClientStreamMessage *m = journal_next(w->journal);

	if (!m)
		return false;
	keep(&w->service, m);
	journal_handed(w->journal);
	return true;
}

/* As an older service does it, which names no run, or ours. */
static void acknowledge_as(struct world *w, const char *id, uint64_t count, const uint8_t *run,
			   size_t len)
{
	Cvms__JournalAck ack = CVMS__JOURNAL_ACK__INIT;

	ack.computation_id = (char *)(uintptr_t)id;
	ack.count = count;
	ack.run = (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)run };
	journal_acknowledge(w->journal, &ack);
}

static void acknowledge(struct world *w)
{
	acknowledge_as(w, "c-1", w->service.kept, NULL, 0);
}

/* Until the service has that many. */
static void deliver(struct world *w, uint64_t count)
{
	while (w->service.kept < count) {
		if (!deliver_one(w))
			uv_run(&w->loop, UV_RUN_ONCE);
		acknowledge(w);
	}
}

/* What the service serves is a saved journal. */
static void check_file(struct world *w, uint64_t count, bool closed)
{
	struct journal_check c = { .ended = false };
	struct err e;

	journal_put_item(&w->service.file, (struct span){ w->service.head, w->service.head_len });
	assert_false(w->service.file.bad);
	assert_ok(journal_check_file(&c,
				     (struct span){ w->service.file.bytes, w->service.file.len },
				     NULL, NULL, &e),
		  e);
	assert_int_equal(c.head.count, count);
	assert_int_equal(c.closed, closed);
	journal_check_done(&c);
}

static void an_end_closes_it(void **state)
{
	struct world *w = *state;

	begin(w);
	add_line(w, "one", 3);
	journal_end(w->journal, "complete");
	add_line(w, "into nothing", 12);
	deliver(w, 3);
	check_file(w, 3, true);
	assert_true(readies > 0);
	assert_int_equal(journal_head_of(w->journal).count, 3);
	assert_null(journal_next(w->journal));
}

static void without_an_end_it_is_open(void **state)
{
	struct world *w = *state;

	begin(w);
	add_event(w);
	deliver(w, 2);
	check_file(w, 2, false);
}

static void nothing_is_kept_of_no_computation(void **state)
{
	struct world *w = *state;

	add_event(w);
	journal_end(w->journal, "nothing");
	assert_null(journal_next(w->journal));
	assert_int_equal(journal_head_of(w->journal).count, 0);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Each cut loses an acknowledgement, or comes before one. */
static void nothing_is_lost_moved_or_doubled_through_cuts(void **state)
{
	struct world *w = *state;
	uint32_t seed = 20261121;
	int cuts = 0, said = 0;

	begin(w);
	while (said < ENTRIES || cuts < CUTS) {
		char line[64];
		int more = said < ENTRIES ? (int)(next_random(&seed) % 200) : 0;

		for (; more > 0 && said < ENTRIES; more--, said++) {
			snprintf(line, sizeof(line), "line %d", said);
			add_line(w, line, strlen(line));
		}
		while (!journal_next(w->journal) && said < ENTRIES && w->service.kept == 0)
			uv_run(&w->loop, UV_RUN_ONCE);
		for (uint32_t n = next_random(&seed) % 4; n > 0; n--)
			(void)deliver_one(w);
		if (next_random(&seed) % 2)
			acknowledge(w);
		journal_rewind(w->journal);
		cuts++;
		uv_run(&w->loop, UV_RUN_NOWAIT);
	}
	journal_end(w->journal, "complete");
	uint64_t all = journal_head_of(w->journal).count;
	deliver(w, all);
	/* A keeper that gets no processor leaves lines out, and counts them. */
	assert_int_equal(w->service.lines + w->service.left_out, ENTRIES);
	check_file(w, all, true);
}

/* A run of more lines than are kept. What is told of them: how many entries there are. */
static uint64_t flood(struct world *w)
{
	enum { LINES = 20000 };
	static char line[1000];
	uint64_t count;

	memset(line, 'x', sizeof(line));
	begin(w);
	for (int i = 0; i < LINES; i++) {
		add_line(w, line, sizeof(line));
		if (i % 100 == 0)
			uv_run(&w->loop, UV_RUN_NOWAIT);
	}
	count = journal_head_of(w->journal).count;
	assert_true(count < LINES);
	return count;
}

/* The service is away: lines stop to become entries, and how many is said; nothing else is lost. */
static void a_flood_is_counted(void **state)
{
	struct world *w = *state;
	uint64_t count = flood(w);

	add_event(w);
	assert_int_equal(journal_head_of(w->journal).count, count + 1);
	deliver(w, count + 1);
	add_line(w, "again", 5);
	assert_int_equal(journal_head_of(w->journal).count, count + 3); /* left-out, and it */
	journal_end(w->journal, "complete");
	deliver(w, count + 4);
	check_file(w, count + 4, true);
}

/* What the journal keeps, counted as it is handed to a service that says nothing. */
struct tally {
	size_t bytes, last; /* last: of the last entry */
};

static int add_big(struct world *w, size_t len, struct err *e)
{
	static char text[JOURNAL_VALUE_MAX];
	struct journal_note note = { .type = "event" };

	memset(text, 'x', sizeof(text));
	journal_put_text(&note, "type", text, len);
	journal_put_text(&note, "status", "InProgress", 10);
	return journal_add(w->journal, &note, e);
}

static void hand_all(struct world *w, struct tally *t)
{
	const Cvms__ClientStreamMessage *m = NULL;
	uint64_t last = 0;

	while (last < journal_head_of(w->journal).count) {
		m = journal_next(w->journal);
		if (!m) {
			uv_run(&w->loop, UV_RUN_ONCE);
			continue;
		}
		const Cvms__JournalEntries *b = m->journal_entries;
		for (size_t i = 0; i < b->n_entries; i++)
			t->bytes += b->entries[i].len + JOURNAL_ENTRY_COST;
		t->last = b->entries[b->n_entries - 1].len;
		last = b->first + b->n_entries - 1;
		journal_handed(w->journal);
	}
}

static void on_receipt(void *data, const struct span *parts, size_t count, const struct err *e)
{
	answers++;
	assert_null(e);
}

/* However much waits to be signed: a receipt that found no place would end its computation. */
static void the_keeper_has_places_for_others(void **state)
{
	enum { BIG = 400000, COUNT = 24, RECEIPTS = 8 };
	struct world *w = *state;
	struct err e;

	begin(w);
	for (int i = 0; i < COUNT; i++) /* a batch each */
		assert_ok(add_big(w, BIG, &e), e);
	uv_run(&w->loop, UV_RUN_ONCE); /* the timer, and no answer yet */
	answers = 0;
	for (int i = 0; i < RECEIPTS; i++)
		assert_ok(keeper_receipt(w->keeper, (const uint8_t *)"r", 1, on_receipt, NULL, &e),
			  e);
	deliver(w, COUNT + 1);
	assert_int_equal(answers, RECEIPTS);
	journal_end(w->journal, "complete");
	deliver(w, COUNT + 2);
	check_file(w, COUNT + 2, true);
}

/* Two computations that are over leave exactly so many bytes; another one follows. */
static void fill(struct world *w, size_t bytes)
{
	const size_t big = 500000;
	struct tally t = { 0 };
	struct err e;

	begin_as(w, "c-1");
	assert_ok(add_big(w, big, &e), e);
	hand_all(w, &t);
	begin_as(w, "c-2");
	for (size_t said = t.bytes; bytes - said > 2 * big; said += big + 200)
		assert_ok(add_big(w, big, &e), e);
	hand_all(w, &t);
	assert_ok(add_big(w, bytes - t.bytes - JOURNAL_ENTRY_COST - (t.last - big), &e), e);
	hand_all(w, &t);
	assert_int_equal(t.bytes, bytes);
	journal_rewind(w->journal);
}

static void assert_next(struct world *w, const char *id)
{
	while (!journal_next(w->journal))
		uv_run(&w->loop, UV_RUN_ONCE);
	const Cvms__JournalEntries *b = journal_next(w->journal)->journal_entries;
	assert_string_equal(b->computation_id, id);
	assert_int_equal(b->first, 1);
}

static void what_is_over_stays_while_there_is_room(void **state)
{
	struct world *w = *state;

	fill(w, JOURNAL_BEFORE_MAX);
	begin_as(w, "c-3");
	assert_next(w, "c-1");
}

static void the_oldest_goes_first_and_whole(void **state)
{
	struct world *w = *state;

	fill(w, JOURNAL_BEFORE_MAX + 1);
	begin_as(w, "c-3");
	assert_next(w, "c-2");
}

/* The service keeps no journals: what computations leave must not stop the next. */
static void a_full_journal_stops_no_computation(void **state)
{
	struct world *w = *state;
	struct tally t = { 0 };
	int failed = 0;
	struct err e;

	fill(w, JOURNAL_BEFORE_MAX + 1);
	while (!failed)
		failed = add_big(w, JOURNAL_VALUE_MAX, &e);
	assert_int_equal(failed, -ERR_EXHAUSTED);
	hand_all(w, &t);
	assert_true(t.bytes > JOURNAL_KEPT_MAX);
	journal_rewind(w->journal);
	journal_end(w->journal, "complete");
	begin_as(w, "c-3");
	add_event(w);
	assert_next(w, "c-3");
}

static void two_computations_follow_each_other(void **state)
{
	struct world *w = *state;

	begin(w);
	journal_end(w->journal, "stopped");
	begin(w); /* the first one's batch is on its way through the keeper */
	add_event(w);
	while (!journal_next(w->journal))
		uv_run(&w->loop, UV_RUN_ONCE);
	assert_int_equal(journal_next(w->journal)->journal_entries->n_entries, 2);
	deliver(w, 2);
	check_file(w, 2, true);
	acknowledge_as(w, "c-2", 100, NULL, 0); /* nobody's */
	while (!journal_next(w->journal))
		uv_run(&w->loop, UV_RUN_ONCE);
	assert_int_equal(journal_next(w->journal)->journal_entries->first, 1);
}

/* The next one that waits is a journal's first entry, and a start. */
static void assert_start(struct world *w)
{
	struct journal_entry entry;
	struct err e;

	assert_next(w, "c-1");
	const Cvms__JournalEntries *b = journal_next(w->journal)->journal_entries;
	assert_ok(journal_entry_parse((struct span){ b->entries[0].data, b->entries[0].len },
				      &entry, &e),
		  e);
	assert_string_equal(entry.note.type, "start");
	assert_int_equal(entry.sequence, 1);
}

/* What one that was not ended left out is not told by the next. */
static void lines_left_out_are_their_journals(void **state)
{
	struct world *w = *state;
	uint64_t count = flood(w);

	deliver(w, count);
	assert_null(journal_next(w->journal));
	begin(w);
	assert_int_equal(journal_head_of(w->journal).count, 1);
	assert_start(w);
}

/* The service has said more than it was handed. */
static void what_was_not_handed_over_is_not_acknowledged(void **state)
{
	struct world *w = *state;

	begin(w);
	assert_next(w, "c-1");
	journal_handed(w->journal);
	add_event(w);
	while (!journal_next(w->journal))
		uv_run(&w->loop, UV_RUN_ONCE);
	acknowledge_as(w, "c-1", 100, NULL, 0);
	assert_non_null(journal_next(w->journal));
	assert_int_equal(journal_next(w->journal)->journal_entries->first, 2);
}

/* More entries wait than a batch holds when the end comes: the last head alone is the final one. */
static void an_end_behind_many_closes_it(void **state)
{
	enum { COUNT = JOURNAL_SIGNING_MAX * JOURNAL_BATCH_MAX / 2 + 2 * JOURNAL_BATCH_MAX };
	struct world *w = *state;

	begin(w);
	for (int i = 0; i < COUNT; i++) /* nothing is signed meanwhile */
		add_event(w);
	journal_end(w->journal, "complete");
	deliver(w, COUNT + 2);
	check_file(w, COUNT + 2, true);
}

/* What waits, from the oldest; a batch for each run of "c-1". */
static void assert_waits(struct world *w, size_t count, const uint8_t (*runs)[SHA256_LEN])
{
	journal_rewind(w->journal);
	for (size_t i = 0; i < count; i++) {
		const Cvms__ClientStreamMessage *m = journal_next(w->journal);

		assert_non_null(m);
		assert_int_equal(m->journal_entries->run.len, SHA256_LEN);
		assert_memory_equal(m->journal_entries->run.data, runs[i], SHA256_LEN);
		journal_handed(w->journal);
	}
	assert_null(journal_next(w->journal));
}

/* Three runs of one computation, all of them handed to a service that has not answered. */
static void begin_three(struct world *w, uint8_t (*runs)[SHA256_LEN])
{
	for (size_t i = 0; i < 3; i++) {
		begin(w);
		journal_end(w->journal, "stopped");
		while (!journal_next(w->journal))
			uv_run(&w->loop, UV_RUN_ONCE);
		const Cvms__JournalEntries *b = journal_next(w->journal)->journal_entries;
		assert_int_equal(b->n_entries, 2);
		assert_ok(journal_run((struct span){ b->entries[0].data, b->entries[0].len },
				      runs[i], &(struct err){ 0 }),
			  ((struct err){ .text = "run" }));
		assert_int_equal(b->run.len, SHA256_LEN);
		assert_memory_equal(b->run.data, runs[i], SHA256_LEN);
		journal_handed(w->journal);
	}
	assert_waits(w, 3, (const uint8_t(*)[SHA256_LEN])runs);
}

static void an_acknowledgement_is_of_its_run_alone(void **state)
{
	const uint8_t other[SHA256_LEN] = { 1 };
	struct world *w = *state;
	uint8_t runs[3][SHA256_LEN];

	begin_three(w, runs);
	acknowledge_as(w, "c-1", 100, other, sizeof(other)); /* nobody's */
	acknowledge_as(w, "c-1", 100, runs[1], sizeof(runs[1]) - 1);
	acknowledge_as(w, "c-2", 100, runs[1], sizeof(runs[1]));
	acknowledge_as(w, "c-1", 1, runs[1], sizeof(runs[1])); /* not all of it */
	assert_waits(w, 3, (const uint8_t(*)[SHA256_LEN])runs);
	acknowledge_as(w, "c-1", 2, runs[1], sizeof(runs[1]));
	memcpy(runs[1], runs[2], sizeof(runs[1]));
	assert_waits(w, 2, (const uint8_t(*)[SHA256_LEN])runs);
}

/* Parts came to it one after another, and so do its answers. */
static void an_older_service_acknowledges_the_oldest_run(void **state)
{
	struct world *w = *state;
	uint8_t runs[3][SHA256_LEN];

	begin_three(w, runs);
	for (size_t i = 0; i < 3; i++) {
		acknowledge_as(w, "c-1", 2, NULL, 0);
		assert_waits(w, 2 - i, (const uint8_t(*)[SHA256_LEN])(runs + i + 1));
	}
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "keeper") == 0)
		return keeper_main(argc, argv);

	const struct CMUnitTest tests[] = {
		ROW(an_end_closes_it),
		ROW(without_an_end_it_is_open),
		ROW(nothing_is_kept_of_no_computation),
		ROW(nothing_is_lost_moved_or_doubled_through_cuts),
		ROW(a_flood_is_counted),
		ROW(the_keeper_has_places_for_others),
		ROW(what_is_over_stays_while_there_is_room),
		ROW(the_oldest_goes_first_and_whole),
		ROW(a_full_journal_stops_no_computation),
		ROW(two_computations_follow_each_other),
		ROW(lines_left_out_are_their_journals),
		ROW(what_was_not_handed_over_is_not_acknowledged),
		ROW(an_end_behind_many_closes_it),
		ROW(an_acknowledgement_is_of_its_run_alone),
		ROW(an_older_service_acknowledges_the_oldest_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
