/* SPDX-License-Identifier: Apache-2.0 */
/* What entries say: the table, and that nothing else is written or read; and the form around it. */
#include "attestation/journal/journal_entry.h"
#include "common/base/cleanup.h"
#include "common/base/writer.h"
#include "tests/unit.h"

static const uint8_t some[32] = { 1, 2, 3 };

static void fill(struct journal_note *note, const struct journal_type *type, bool optional)
{
	*note = (struct journal_note){ .type = type->name };
	for (size_t i = 0; i < JOURNAL_FIELDS_MAX && type->fields[i].name; i++)
		if (optional || !type->fields[i].optional)
			note->fields[note->count++] = (struct journal_field){
				.name = type->fields[i].name,
				.kind = type->fields[i].kind,
				.number = 1,
				.bytes = { some, type->fields[i].kind == JOURNAL_TEXT ? 3 : 32 }
			};
}

/* Writes, and reads again; the caller frees what the note leads into. */
static int pass(const struct journal_note *note, struct writer *w, struct datum **root,
		struct journal_note *again, struct err *e)
{
	datum_put_array(w, 2);
	if (journal_note_write(note, w, e) < 0)
		return err_code(e);
	assert_ok(datum_parse(w->bytes, w->len, root, e), (*e));
	return journal_note_read(&(*root)->items[0], &(*root)->items[1], again, e);
}

/* RFC 8949, 4.2.1: so that a writer by the table is deterministic. */
static void fields_stand_in_the_order_of_deterministic_cbor(void **state)
{
	const struct journal_type *type;

	for (size_t i = 0; (type = journal_type_row(i)); i++)
		for (size_t n = 1; n < JOURNAL_FIELDS_MAX && type->fields[n].name; n++) {
			const char *a = type->fields[n - 1].name, *b = type->fields[n].name;

			assert_true(strlen(a) < strlen(b) ||
				    (strlen(a) == strlen(b) && strcmp(a, b) < 0));
		}
	assert_null(journal_type_of("no such", 7));
	assert_null(journal_type_of("ends", 4));
}

static void each_type_is_read_as_it_was_written(void **state)
{
	const struct journal_type *type;

	for (size_t i = 0; (type = journal_type_row(i)); i++)
		for (int optional = 0; optional < 2; optional++) {
			CLEANUP_WRITER struct writer w = writer_up_to(4096);
			struct journal_note note, again;
			struct datum *root = NULL;
			struct err e;

			fill(&note, type, optional);
			assert_ok(pass(&note, &w, &root, &again, &e), e);
			assert_string_equal(again.type, type->name);
			assert_int_equal(again.count, note.count);
			for (size_t n = 0; n < note.count; n++) {
				const struct journal_field *f = &again.fields[n];

				assert_string_equal(f->name, note.fields[n].name);
				if (f->kind >= JOURNAL_TEXT)
					assert_true(span_equal(f->bytes, note.fields[n].bytes));
				else
					assert_int_equal(f->number, 1);
			}
			datum_free(root);
		}
}

static void refuse_writing(const struct journal_note *note, enum err_code code, const char *words)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4096);
	struct err e;

	assert_refused(journal_note_write(note, &w, &e), e, code, words);
}

static void what_is_not_of_the_table_is_not_written(void **state)
{
	struct journal_note note = { .type = "rumour" };

	refuse_writing(&note, ERR_INTERNAL, "no type");
	note.type = "exit";
	journal_put_flag(&note, "ok", true);
	refuse_writing(&note, ERR_INTERNAL, "without 'cause'");
	journal_put_bytes(&note, "cause", "x", 1);
	refuse_writing(&note, ERR_INTERNAL, "another kind");
	note.fields[1].kind = JOURNAL_TEXT;
	journal_put_text(&note, "cause", "y", 1);
	refuse_writing(&note, ERR_INTERNAL, "none of its");
	note.count = 1;
	journal_put_text(&note, "cause", (const char *)some, JOURNAL_VALUE_MAX + 1);
	refuse_writing(&note, ERR_EXHAUSTED, "at most");
	note = (struct journal_note){ .type = "exit" };
	for (int i = 0; i < JOURNAL_FIELDS_MAX + 1; i++)
		journal_put_number(&note, "ok", 1);
	refuse_writing(&note, ERR_INTERNAL, "kind");
}

static void refuse_reading(const char *bytes, size_t len, const char *words)
{
	struct journal_note note;
	struct datum *root;
	struct err e;

	assert_ok(datum_parse(bytes, len, &root, &e), e);
	assert_refused(journal_note_read(&root->items[0], &root->items[1], &note, &e), e,
		       ERR_INVALID, words);
	datum_free(root);
}

static void what_is_not_of_the_table_is_not_read(void **state)
{
#define READ(bytes_, words_) refuse_reading(bytes_, sizeof(bytes_) - 1, words_)
	READ("\x82\x63zzz\xa0", "unknown type");
	READ("\x82\x01\xa0", "unknown type");
	READ("\x82\x63"
	     "end"
	     "\x80",
	     "no map");
	READ("\x82\x63"
	     "end"
	     "\xa0",
	     "'reason' is missing");
	READ("\x82\x63"
	     "end"
	     "\xa1\x66reason\x01",
	     "'reason' is missing or none");
	READ("\x82\x63"
	     "end"
	     "\xa2\x66reason\x61x\x61"
	     "a\x01",
	     "none of its");
	READ("\x82\x64"
	     "exit"
	     "\xa2\x62ok\x01\x65"
	     "cause\x61x",
	     "'ok'");
	READ("\x82\x64"
	     "exit"
	     "\xa2\x65"
	     "cause\x61x\x62ok\xf5",
	     "'ok'"); /* order */
	READ("\x82\x68"
	     "left-out"
	     "\xa1\x65"
	     "count\x20",
	     "'count'");
	READ("\x82\x68"
	     "delivery"
	     "\xa1\x63key\x41x",
	     "'key'"); /* no digest */
#undef READ
}

/* ---- around it ---- */

/* An end, but for one thing. Those who read what a machine brought check no chain first. */
static void an_entry_has_one_form(void **state)
{
	static const struct {
		size_t items, previous;
		int64_t sequence, time;
	} rows[] = {
		{ 5, SHA256_LEN, 7, 8 },     { 4, SHA256_LEN, 7, 8 },     { 6, SHA256_LEN, 7, 8 },
		{ 5, SHA256_LEN, -1, 8 },    { 5, SHA256_LEN, 7, -1 },    { 5, 0, 7, 8 },
		{ 5, SHA256_LEN - 1, 7, 8 }, { 5, SHA256_LEN + 1, 7, 8 },
	};
	static const uint8_t previous[SHA256_LEN + 1] = { 1, 2, 3 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(256);
		struct journal_entry entry;
		struct err e;

		datum_put_array(&w, rows[i].items);
		datum_put_int(&w, rows[i].sequence);
		datum_put_bytes(&w, previous, rows[i].previous);
		datum_put_int(&w, rows[i].time);
		datum_put_text(&w, "end");
		if (rows[i].items > 4) {
			datum_put_map(&w, 1);
			datum_put_text(&w, "reason");
			datum_put_text(&w, "");
		}
		if (rows[i].items > 5)
			datum_put_null(&w);
		const struct span bytes = { w.bytes, w.len };
		if (i) {
			assert_refused(journal_entry_parse(bytes, &entry, &e), e, ERR_INVALID,
				       "not [sequence, previous, time, type, content]");
			continue;
		}
		assert_ok(journal_entry_parse(bytes, &entry, &e), e);
		assert_int_equal(entry.sequence, 7);
		assert_memory_equal(entry.previous, previous, SHA256_LEN);
		assert_int_equal(entry.time_ms, 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_stand_in_the_order_of_deterministic_cbor),
		cmocka_unit_test(each_type_is_read_as_it_was_written),
		cmocka_unit_test(what_is_not_of_the_table_is_not_written),
		cmocka_unit_test(what_is_not_of_the_table_is_not_read),
		cmocka_unit_test(an_entry_has_one_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
