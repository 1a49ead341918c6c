/* SPDX-License-Identifier: Apache-2.0 */
/* Saved journals: as they come; and brought into a chain, with the test's key in their start and its
 * signature on their heads, which then have to hold. */
#include "attestation/journal/journal_check.h"
#include "tests/fuzz/cose_resign.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { FILE_MAX = 4 << 20 };

static void count(void *data, const struct journal_entry *entry)
{
	size_t *entries = data;

	assert(entry->sequence == ++*entries && entry->note.count <= JOURNAL_FIELDS_MAX);
}

static int check(struct span file, bool *closed)
{
	struct journal_check c = { .ended = false };
	size_t entries = 0;
	struct err e;
	int failed = journal_check_file(&c, file, count, &entries, &e);

	assert(!failed || e.text[0]);
	assert(failed || (c.head.count == entries && c.key && c.signed_head.count == entries));
	*closed = c.closed;
	uint8_t digest[SHA256_LEN];
	assert(failed || (journal_check_digest_at(file, &c.head, 1, digest, &e) == 0 &&
			  journal_check_digest_at(file, &c.head, entries, digest, &e) == 0 &&
			  memcmp(digest, c.head.digest, SHA256_LEN) == 0));
	assert(journal_check_digest_at(file, &c.head, c.head.count + 1, digest, &e) < 0);
	journal_check_done(&c);
	return failed;
}

/* Under construction; `ended`, `started` as the rules of a chain want them. */
struct book {
	struct writer file;
	struct journal_head head;
	struct journal_note *start;
	uint8_t *spki;
	size_t spki_len;
	bool started, evidence, ended, whole;
};

/* The statement that it holds, with the test's key for a journal's; false if it holds none. */
static bool rewrite_start(struct book *b, struct journal_note *note, struct writer *statement)
{
	struct run_statement s;
	struct span bytes = journal_field_of(note, "statement")->bytes;
	struct err e;

	if (run_statement_parse(bytes.bytes, bytes.len, &s, &e) < 0)
		return false;
	s.journal = b->spki;
	s.journal_len = b->spki_len;
	assert(run_statement_write(&s, statement, &e) == 0);
	for (size_t i = 0; i < note->count; i++)
		if (strcmp(note->fields[i].name, "statement") == 0)
			note->fields[i].bytes = (struct span){ statement->bytes, statement->len };
	b->whole =
		memcmp(journal_field_of(note, "manifest")->bytes.bytes, s.manifest,
		       sizeof(s.manifest)) == 0 &&
		span_equal(journal_field_of(note, "computation")->bytes,
			   (struct span){ (const uint8_t *)s.computation, strlen(s.computation) });
	run_statement_done(&s);
	return true;
}

static bool is(const struct journal_note *note, const char *type)
{
	return strcmp(note->type, type) == 0;
}

/* A journal's first digest is the name of its run. */
static void check_run(const struct book *b, struct span made)
{
	uint8_t run[SHA256_LEN];
	struct err e;

	if (b->head.count != 1)
		return;
	assert(journal_run(made, run, &e) == 0);
	assert(memcmp(run, b->head.digest, sizeof(run)) == 0);
}

static void add_entry(struct book *b, struct span item)
{
	struct writer w = writer_up_to(2 * JOURNAL_ENTRY_MAX);
	struct writer statement = writer_up_to(RUN_STATEMENT_MAX);
	struct journal_entry entry, again;
	struct err e;

	if (journal_entry_parse(item, &entry, &e) < 0 || is(&entry.note, "start") == b->started ||
	    b->ended || (b->evidence && is(&entry.note, "evidence")) ||
	    (!b->started && !rewrite_start(b, &entry.note, &statement)) ||
	    journal_entry_write(&b->head, entry.time_ms, &entry.note, &w, &e) < 0)
		goto out;
	b->started = true;
	b->evidence |= is(&entry.note, "evidence");
	b->ended = is(&entry.note, "end");
	const struct span made = { w.bytes, w.len };
	check_run(b, made);
	assert(journal_entry_parse(made, &again, &e) == 0 && again.sequence == b->head.count);
	assert(again.note.type == entry.note.type && again.note.count == entry.note.count);
	journal_put_item(&b->file, made);
out:
	writer_done(&w);
	writer_done(&statement);
}

static void check_chained(struct span file)
{
	const struct cose_test_key *k = cose_test_key(COSE_ES256);
	struct book b = { .file = writer_up_to(FILE_MAX) };
	struct writer head = writer_up_to(JOURNAL_SIGNED_MAX);
	struct reader r = reader_over(file.bytes, file.len);
	struct journal_head read;
	struct span item;
	bool closed;
	struct err e;

	assert(key_to_spki(k->key, &b.spki, &b.spki_len, &e) == 0);
	while (reader_left(&r) && journal_take_item(&r, &item, &e) == 0)
		add_entry(&b, item);
	assert(journal_head_sign(&b.head, b.ended, k->key, &head, &e) == 0);
	/* what a service reads of it, without the key */
	assert(journal_head_read((struct span){ head.bytes, head.len }, &read, &closed, &e) == 0);
	assert(read.count == b.head.count && closed == b.ended);
	journal_put_item(&b.file, (struct span){ head.bytes, head.len });
	int failed = check((struct span){ b.file.bytes, b.file.len }, &closed);
	assert(b.file.bad || !failed == (b.started && b.whole));
	assert(failed || closed == b.ended);
	writer_done(&b.file);
	writer_done(&head);
	free(b.spki);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct span file = { bytes, len };
	struct journal_head head;
	struct err e;
	bool flag;

	(void)!check(file, &flag);
	(void)!journal_head_read(file, &head, &flag, &e);
	(void)!journal_head_verify(file, cose_test_key(COSE_ES256)->key, &head, &flag, &e);
	if (len < FILE_MAX / 4)
		check_chained(file);
	return 0;
}
