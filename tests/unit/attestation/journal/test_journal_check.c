/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saved journals: a whole one passes, and whatever was altered, dropped, moved, repeated or cut off is
 * refused: all bits of a small one, and of a large one a sample (tests/sample.h) of as many as 100,000.
 */
#include "attestation/journal/journal_check.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "tests/sample.h"
#include "tests/unit.h"

enum { ITEMS_MAX = 1100 };

/* A journal under construction, item by item. */
struct book {
	EVP_PKEY *key;
	uint8_t *spki;
	size_t spki_len;
	struct journal_head head;
	struct writer items[ITEMS_MAX];
	size_t count;
};

static void add(struct book *b, const struct journal_note *note)
{
	struct err e;

	assert_true(b->count < ITEMS_MAX);
	b->items[b->count] = writer_up_to(JOURNAL_ENTRY_MAX);
	assert_ok(journal_entry_write(&b->head, 1700000000000 + b->count, note, &b->items[b->count],
				      &e),
		  e);
	b->count++;
}

static void add_text(struct book *b, const char *type, const char *field, const char *text)
{
	struct journal_note note = { .type = type };

	journal_put_text(&note, field, text, strlen(text));
	add(b, &note);
}

static void add_log(struct book *b, const char *text)
{
	struct journal_note note = { .type = "log" };

	journal_put_text(&note, "text", text, strlen(text));
	journal_put_text(&note, "level", "INFO", 4);
	add(b, &note);
}

/* `id` and `manifest`: as the entry names them beside the statement, which is c-1's. */
static void add_start_as(struct book *b, const uint8_t *journal, size_t len, const char *id,
			 const uint8_t manifest[SHA3_256_LEN])
{
	CLEANUP_WRITER struct writer statement = writer_up_to(RUN_STATEMENT_MAX);
	const struct run_statement s = { .computation = "c-1",
					 .identity = b->spki,
					 .identity_len = b->spki_len,
					 .journal = journal,
					 .journal_len = len };
	struct journal_note note = { .type = "start" };
	struct err e;

	assert_ok(run_statement_write(&s, &statement, &e), e);
	journal_put_digest(&note, "manifest", manifest);
	journal_put_bytes(&note, "statement", statement.bytes, statement.len);
	journal_put_text(&note, "computation", id, strlen(id));
	add(b, &note);
}

static void add_start_of(struct book *b, const uint8_t *journal, size_t len, const char *id)
{
	static const uint8_t its[SHA3_256_LEN];

	add_start_as(b, journal, len, id, its);
}

/* Another manifest than its statement's, by the last bit. */
static void add_start_under(struct book *b)
{
	static const uint8_t another[SHA3_256_LEN] = { [SHA3_256_LEN - 1] = 1 };

	add_start_as(b, b->spki, b->spki_len, "c-1", another);
}

static void add_start(struct book *b)
{
	add_start_of(b, b->spki, b->spki_len, "c-1");
}

static void add_head(struct book *b, bool final)
{
	struct err e;

	b->items[b->count] = writer_up_to(JOURNAL_SIGNED_MAX);
	assert_ok(journal_head_sign(&b->head, final, b->key, &b->items[b->count], &e), e);
	b->count++;
}

static void put(struct writer *w, const struct book *b, size_t i)
{
	journal_put_item(w, (struct span){ b->items[i].bytes, b->items[i].len });
}

static void put_all(struct writer *w, const struct book *b)
{
	for (size_t i = 0; i < b->count; i++)
		put(w, b, i);
	assert_false(w->bad);
}

static void clear(struct book *b)
{
	for (size_t i = 0; i < b->count; i++)
		writer_done(&b->items[i]);
	b->count = 0;
	b->head = (struct journal_head){ 0 };
}

static int enter(void **state)
{
	struct book *b = calloc(1, sizeof(*b));
	struct err e;

	if (!b || key_generate(KEY_ECDSA, &b->key, &e) < 0 ||
	    key_to_spki(b->key, &b->spki, &b->spki_len, &e) < 0)
		return -1;
	*state = b;
	return 0;
}

static int leave(void **state)
{
	struct book *b = *state;

	clear(b);
	EVP_PKEY_free(b->key);
	free(b->spki);
	free(b);
	return 0;
}

static int check(const uint8_t *bytes, size_t len, struct err *e)
{
	struct journal_check c = { .ended = false };
	int failed = journal_check_file(&c, (struct span){ bytes, len }, NULL, NULL, e);

	journal_check_done(&c);
	return failed;
}

static void refuse(const struct writer *w, enum err_code code, const char *words)
{
	struct err e;

	assert_refused(check(w->bytes, w->len, &e), e, code, words);
}

static void refuse_book(struct book *b, enum err_code code, const char *words)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 22);

	put_all(&w, b);
	refuse(&w, code, words);
}

static void count_entry(void *data, const struct journal_entry *entry)
{
	size_t *count = data;

	assert_int_equal(entry->sequence, ++*count);
}

/* Three lines between start and end. */
static void small(struct book *b)
{
	clear(b);
	add_start(b);
	add_text(b, "no-evidence", "reason", "none here");
	add_log(b, "one");
	add_log(b, "two");
	add_text(b, "end", "reason", "stopped");
	add_head(b, true);
}

static void a_whole_journal_passes(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	struct journal_check c = { .ended = false };
	struct book *b = *state;
	size_t count = 0;
	struct err e;

	small(b);
	put_all(&w, b);
	assert_ok(journal_check_file(&c, (struct span){ w.bytes, w.len }, count_entry, &count, &e),
		  e);
	assert_int_equal(count, 5);
	assert_true(c.ended && c.closed);
	assert_int_equal(c.signed_head.count, 5);
	assert_string_equal(c.statement.computation, "c-1");
	assert_int_equal(c.last_ms - c.first_ms, 4);
	journal_check_done(&c);
}

/* As they were while it was written. */
static void each_digest_on_the_way_is_found(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	struct book *b = *state;
	uint8_t wanted[7][SHA256_LEN] = { { 0 } }, found[SHA256_LEN];
	struct err e;

	clear(b);
	add_start(b);
	for (size_t n = 1; n < ARRAY_LEN(wanted); n++) {
		memcpy(wanted[n], b->head.digest, SHA256_LEN);
		if (n + 1 < ARRAY_LEN(wanted))
			add_log(b, "x");
	}
	const struct journal_head head = b->head;
	for (int with_head = 0; with_head < 2; with_head++) {
		if (with_head)
			add_head(b, false);
		w.len = 0;
		put_all(&w, b);
		const struct span file = { w.bytes, w.len };
		for (size_t n = 1; n < ARRAY_LEN(wanted); n++) {
			assert_ok(journal_check_digest_at(file, &head, n, found, &e), e);
			assert_memory_equal(found, wanted[n], SHA256_LEN);
		}
		assert_refused(journal_check_digest_at(file, &head, 0, found, &e), e,
			       ERR_OUT_OF_RANGE, "entry 0");
		assert_refused(journal_check_digest_at(file, &head, ARRAY_LEN(wanted), found, &e),
			       e, ERR_OUT_OF_RANGE, "entry 7 of one with 6");
	}
	clear(b);
}

static void one_that_goes_on_is_open(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	struct journal_check c = { .ended = false };
	struct book *b = *state;
	struct err e;

	clear(b);
	add_start(b);
	add_log(b, "one");
	add_head(b, false);
	put_all(&w, b);
	assert_ok(journal_check_file(&c, (struct span){ w.bytes, w.len }, NULL, NULL, &e), e);
	assert_false(c.closed);
	journal_check_done(&c);
}

static void heads_on_the_way_are_checked(void **state)
{
	struct journal_check c = { .ended = false };
	struct book *b = *state;
	struct journal_entry entry;
	bool is_entry;
	struct err e;

	clear(b);
	add_start(b);
	add_head(b, false);
	add_log(b, "one");
	add_head(b, false);
	add_text(b, "end", "reason", "stopped");
	add_head(b, true);
	for (size_t i = 0; i < b->count; i++) {
		const struct span item = { b->items[i].bytes, b->items[i].len };

		assert_ok(journal_check_item(&c, item, &entry, &is_entry, &e), e);
		assert_int_equal(is_entry, i % 2 == 0);
		/* A head again, with nothing new under it, is none. */
		if (!is_entry && !c.closed)
			assert_refused(journal_check_item(&c, item, &entry, &is_entry, &e), e,
				       ERR_INVALID, "without an entry");
	}
	assert_true(c.closed);
	assert_refused(journal_check_item(&c, (struct span){ b->items[0].bytes, b->items[0].len },
					  &entry, &is_entry, &e),
		       e, ERR_INVALID, "behind its end");
	journal_check_done(&c);
	/* A saved one has one alone. */
	refuse_book(b, ERR_INVALID, "behind its signed head");
}

static void every_bit_counts(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	struct book *b = *state;
	struct err e;

	small(b);
	put_all(&w, b);
	for (size_t bit = 0; bit < 8 * w.len; bit++) {
		w.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (check(w.bytes, w.len, &e) == 0)
			fail_msg("bit %zu of %zu changes nothing", bit, 8 * w.len);
		w.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_ok(check(w.bytes, w.len, &e), e);
}

static void every_truncation_and_every_addition_is_refused(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	struct book *b = *state;
	struct err e;

	small(b);
	put_all(&w, b);
	for (size_t len = 0; len < w.len; len++)
		assert_true(check(w.bytes, len, &e) < 0);
	for (int byte = 0; byte < 256; byte++) {
		writer_u8(&w, (uint8_t)byte);
		assert_true(check(w.bytes, w.len, &e) < 0);
		w.len--;
	}
}

/* Items are dropped, repeated and swapped in all ways. */
static void items_have_their_place(void **state)
{
	struct book *b = *state;
	struct err e;

	small(b);
	for (size_t i = 0; i < b->count; i++)
		for (size_t j = 0; j < b->count; j++) {
			CLEANUP_WRITER struct writer dropped = writer_up_to(1 << 20);
			CLEANUP_WRITER struct writer doubled = writer_up_to(1 << 20);
			CLEANUP_WRITER struct writer swapped = writer_up_to(1 << 20);

			for (size_t n = 0; n < b->count; n++) {
				if (n < i || n > j)
					put(&dropped, b, n);
				put(&doubled, b, n);
				if (n == i)
					put(&doubled, b, j);
				put(&swapped, b, n == i ? j : n == j ? i : n);
			}
			assert_true(i > j || check(dropped.bytes, dropped.len, &e) < 0);
			assert_true(check(doubled.bytes, doubled.len, &e) < 0);
			assert_true(i == j || check(swapped.bytes, swapped.len, &e) < 0);
		}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void large(struct book *b)
{
	clear(b);
	add_start(b);
	for (int i = 0; i < 1000; i++)
		add_log(b, i % 3 ? "a line" : "a line of an algorithm that says rather more");
	add_text(b, "end", "reason", "stopped");
	add_head(b, true);
}

static void alterations_of_a_large_one_are_refused(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 22);
	struct book *b = *state;
	int rounds = sample_is_whole() ? 100000 : 2000;
	uint32_t seed = 20261121;
	struct err e;

	large(b);
	put_all(&w, b);
	assert_ok(check(w.bytes, w.len, &e), e);
	for (int i = 0; i < rounds; i++) {
		size_t at = next_random(&seed) % w.len;
		uint8_t change = (uint8_t)(1 << next_random(&seed) % 8);

		w.bytes[at] ^= change;
		if (check(w.bytes, w.len, &e) == 0)
			fail_msg("byte %zu of %zu, ^ 0x%02x: nothing noticed", at, w.len, change);
		w.bytes[at] ^= change;
	}
	for (int i = 0; i < rounds / 20; i++)
		assert_true(check(w.bytes, next_random(&seed) % w.len, &e) < 0);
}

/* Of the same one: an item dropped, repeated or exchanged with another, anywhere. */
static void items_of_a_large_one_have_their_place(void **state)
{
	struct book *b = *state;
	int rounds = sample_is_whole() ? 1000 : 20;
	uint32_t seed = 20261123;
	struct err e;

	large(b);
	for (int i = 0; i < rounds; i++) {
		CLEANUP_WRITER struct writer dropped = writer_up_to(1 << 22);
		CLEANUP_WRITER struct writer doubled = writer_up_to(1 << 22);
		CLEANUP_WRITER struct writer swapped = writer_up_to(1 << 22);
		size_t one = next_random(&seed) % b->count, other = next_random(&seed) % b->count;

		if (one == other)
			continue;
		for (size_t n = 0; n < b->count; n++) {
			if (n != one)
				put(&dropped, b, n);
			put(&doubled, b, n);
			if (n == other)
				put(&doubled, b, one);
			put(&swapped, b, n == one ? other : n == other ? one : n);
		}
		assert_true(check(dropped.bytes, dropped.len, &e) < 0);
		assert_true(check(doubled.bytes, doubled.len, &e) < 0);
		assert_true(check(swapped.bytes, swapped.len, &e) < 0);
	}
}

/* An entry that says it follows `said`, in its place under the signature. */
static void add_log_behind(struct book *b, struct journal_head said)
{
	struct journal_note note = { .type = "log" };
	struct writer *w = &b->items[b->count++];
	uint8_t hash[SHA256_LEN];
	struct err e;

	journal_put_text(&note, "text", "x", 1);
	journal_put_text(&note, "level", "INFO", 4);
	*w = writer_up_to(JOURNAL_ENTRY_MAX);
	assert_ok(journal_entry_write(&said, 1, &note, w, &e), e);
	assert_ok(journal_entry_digest((struct span){ w->bytes, w->len }, hash, &e), e);
	assert_ok(journal_head_add(&b->head, hash, &e), e);
}

/* Well signed, and in its place: what an entry says of itself counts besides. */
static void an_entry_says_what_it_follows(void **state)
{
	struct book *b = *state;

	for (int of = 0; of < 4; of++) {
		clear(b);
		add_start(b);
		struct journal_head said = b->head;
		said.count += of == 1 ? 1 : of == 2 ? (uint64_t)-1 : 0;
		said.digest[SHA256_LEN - 1] ^= of == 3;
		add_log_behind(b, said);
		add_head(b, false);
		if (of)
			refuse_book(b, ERR_DATA_LOSS, of == 3 ? "does not follow" : "has to be");
	}
}

static void starts_that_are_none(void **state)
{
	struct book *b = *state;

	clear(b);
	add_log(b, "first");
	add_head(b, false);
	refuse_book(b, ERR_INVALID, "'log' out of place");
	clear(b);
	add_start(b);
	add_start(b);
	add_head(b, false);
	refuse_book(b, ERR_INVALID, "'start' out of place");
	clear(b);
	add_start_of(b, NULL, 0, "c-1");
	add_head(b, false);
	refuse_book(b, ERR_INVALID, "names no key");
	clear(b);
	add_start_of(b, (const uint8_t *)"x", 1, "c-1");
	add_head(b, false);
	refuse_book(b, ERR_INVALID, "its key");
	static const char *const others[] = { "c-2", "c-", "c-10", "" };
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		clear(b);
		add_start_of(b, b->spki, b->spki_len, others[i]);
		add_head(b, false);
		refuse_book(b, ERR_INVALID, "not of the computation");
	}
	clear(b);
	add_start_under(b);
	add_head(b, false);
	refuse_book(b, ERR_INVALID, "not of the computation");
	clear(b);
	add_head(b, false);
	refuse_book(b, ERR_INVALID, "without an entry");
	clear(b);
	refuse_book(b, ERR_DATA_LOSS, "cut off");
}

static void ends_that_are_none(void **state)
{
	struct book *b = *state;

	clear(b);
	add_start(b);
	add_head(b, true);
	refuse_book(b, ERR_INVALID, "without an end");
	clear(b);
	add_start(b);
	add_text(b, "end", "reason", "stopped");
	add_head(b, false);
	refuse_book(b, ERR_INVALID, "not final");
	clear(b);
	add_start(b);
	add_text(b, "end", "reason", "stopped");
	add_log(b, "more");
	add_head(b, true);
	refuse_book(b, ERR_INVALID, "'log' out of place");
	clear(b);
	add_start(b);
	add_log(b, "never signed");
	refuse_book(b, ERR_DATA_LOSS, "no signed head behind its 2 entries");
}

/* Signed by the right key, over another history. */
static void a_head_is_of_these_entries(void **state)
{
	struct book *b = *state;

	clear(b);
	add_start(b);
	add_log(b, "one");
	b->head.count++;
	add_head(b, false);
	refuse_book(b, ERR_DATA_LOSS, "has 3 entries, and not these 2");
	b->head.count--;
	b->head.digest[0] ^= 1;
	writer_done(&b->items[--b->count]);
	add_head(b, false);
	refuse_book(b, ERR_DATA_LOSS, "not these 2");
}

static void evidence_comes_once(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	struct journal_check c = { .ended = false };
	struct journal_note note = { .type = "evidence" };
	struct book *b = *state;
	struct err e;

	journal_put_bytes(&note, "token", "token", 5);
	clear(b);
	add_start(b);
	add(b, &note);
	add_head(b, false);
	put_all(&w, b);
	assert_ok(journal_check_file(&c, (struct span){ w.bytes, w.len }, NULL, NULL, &e), e);
	assert_int_equal(c.token_len, 5);
	assert_memory_equal(c.token, "token", 5);
	assert_int_equal(c.token_ms - c.first_ms, 1);
	journal_check_done(&c);
	writer_done(&b->items[--b->count]);
	add(b, &note);
	add_head(b, false);
	refuse_book(b, ERR_INVALID, "a second time");
}

static void an_entry_has_its_limit(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4 << 20);
	CLEANUP(free) uint8_t *large = calloc(1, JOURNAL_ENTRY_MAX + 1);
	struct journal_note note = { .type = "evidence" };
	struct book *b = *state;
	struct err e;

	journal_put_bytes(&note, "token", large, JOURNAL_VALUE_MAX);
	clear(b);
	add_start(b);
	add(b, &note);
	add_head(b, false);
	put_all(&w, b);
	assert_ok(check(w.bytes, w.len, &e), e);
	w.len = 0;
	journal_put_item(&w, (struct span){ large, JOURNAL_ENTRY_MAX });
	refuse(&w, ERR_INVALID, "neither entry nor signed head");
	w.len = 0;
	journal_put_item(&w, (struct span){ large, JOURNAL_ENTRY_MAX + 1 });
	refuse(&w, ERR_INVALID, "at most");
	/* As it is streamed, no file around it says so before. */
	struct journal_check c = { .ended = false };
	struct journal_entry entry;
	bool is_entry;
	large[0] = 0x85;
	assert_refused(journal_check_item(&c, (struct span){ large, JOURNAL_ENTRY_MAX + 1 }, &entry,
					  &is_entry, &e),
		       e, ERR_INVALID, "at most");
}

/* Each value may be as long as it is; both are too long together. */
static void no_larger_entry_is_written(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4 << 20);
	CLEANUP(free) char *large = calloc(1, JOURNAL_VALUE_MAX);
	struct journal_note note = { .type = "log" };
	struct journal_head head = { .count = 0 };
	struct err e;

	journal_put_text(&note, "text", large, JOURNAL_VALUE_MAX);
	journal_put_text(&note, "level", large, JOURNAL_VALUE_MAX);
	assert_refused(journal_entry_write(&head, 1, &note, &w, &e), e, ERR_EXHAUSTED, "at most");
	assert_int_equal(head.count, 0);
}

/* Nothing of it is read. */
static void a_file_has_its_limit(void **state)
{
	struct err e;

	assert_refused(check((const uint8_t *)"\xf6", JOURNAL_FILE_MAX + 1, &e), e, ERR_EXHAUSTED,
		       "at most");
	assert_refused(check((const uint8_t *)"\xf6", JOURNAL_FILE_MAX, &e), e, ERR_INVALID,
		       "byte strings");
}

static void only_byte_strings_of_the_shortest_head(void **state)
{
	static const char *const wrong[] = { "\x61x",         "\x58\x01x",
					     "\x59\x00\x18x", "\x5a\x00\x01\x00\x00x",
					     "\x5b\x01",      "\x5f\xff",
					     "\xf6",          "\x58" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct err e;
		size_t len = i == 2 ? 4 : i == 3 ? 6 : strlen(wrong[i]);

		assert_true(check((const uint8_t *)wrong[i], len, &e) < 0);
		if (!strstr(e.text, "byte strings") && i != 3)
			fail_msg("%zu: %s", i, e.text);
	}
}

/* The longest item of each head, with the next longer one. */
static void a_longer_head_than_needed_is_none(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *words;
	} rows[] = {
		{ "\x58\x17", 2, "byte strings" },
		{ "\x58\x18", 2, "cut off" },
		{ "\x59\x00\xff", 3, "byte strings" },
		{ "\x59\x01\x00", 3, "cut off" },
		{ "\x5a\x00\x00\xff\xff", 5, "byte strings" },
		{ "\x5a\x00\x01\x00\x00", 5, "cut off" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e;

		assert_true(check((const uint8_t *)rows[i].bytes, rows[i].len, &e) < 0);
		if (!strstr(e.text, rows[i].words))
			fail_msg("%zu: %s", i, e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_journal_passes),
		cmocka_unit_test(each_digest_on_the_way_is_found),
		cmocka_unit_test(one_that_goes_on_is_open),
		cmocka_unit_test(heads_on_the_way_are_checked),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(every_truncation_and_every_addition_is_refused),
		cmocka_unit_test(items_have_their_place),
		cmocka_unit_test(alterations_of_a_large_one_are_refused),
		cmocka_unit_test(items_of_a_large_one_have_their_place),
		cmocka_unit_test(an_entry_says_what_it_follows),
		cmocka_unit_test(starts_that_are_none),
		cmocka_unit_test(ends_that_are_none),
		cmocka_unit_test(a_head_is_of_these_entries),
		cmocka_unit_test(evidence_comes_once),
		cmocka_unit_test(an_entry_has_its_limit),
		cmocka_unit_test(no_larger_entry_is_written),
		cmocka_unit_test(a_file_has_its_limit),
		cmocka_unit_test(only_byte_strings_of_the_shortest_head),
		cmocka_unit_test(a_longer_head_than_needed_is_none),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
