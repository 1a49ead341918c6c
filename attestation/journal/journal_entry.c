/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/journal/journal_entry.h"

#include "common/base/writer.h"

#include <string.h>

static int put_entry(uint64_t sequence, const uint8_t previous[SHA256_LEN], uint64_t time_ms,
		     const struct journal_note *note, struct writer *w, struct err *e)
{
	datum_put_array(w, 5);
	datum_put_uint(w, sequence);
	datum_put_bytes(w, previous, SHA256_LEN);
	datum_put_uint(w, time_ms);
	if (journal_note_write(note, w, e) < 0)
		return err_code(e);
	return writer_check(w, "journal entry", e);
}

int journal_entry_digest(struct span entry, uint8_t out[SHA256_LEN], struct err *e)
{
	return digest(DIGEST_SHA256, entry.bytes, entry.len, out, e);
}

int journal_run(struct span first, uint8_t run[SHA256_LEN], struct err *e)
{
	struct journal_head head = { .count = 0 };
	uint8_t hash[SHA256_LEN];

	if (journal_entry_digest(first, hash, e) < 0 || journal_head_add(&head, hash, e) < 0)
		return err_code(e);
	memcpy(run, head.digest, SHA256_LEN);
	return 0;
}

int journal_entry_write(struct journal_head *head, uint64_t time_ms,
			const struct journal_note *note, struct writer *w, struct err *e)
{
	uint8_t hash[SHA256_LEN];
	size_t start = w->len;

	if (put_entry(head->count + 1, head->digest, time_ms, note, w, e) < 0)
		return err_code(e);
	if (w->len - start > JOURNAL_ENTRY_MAX)
		return err_set(e, ERR_EXHAUSTED, "journal: an entry of %zu bytes; at most %d",
			       w->len - start, JOURNAL_ENTRY_MAX);
	const struct span entry = { w->bytes + start, w->len - start };
	if (journal_entry_digest(entry, hash, e) < 0)
		return err_code(e);
	return journal_head_add(head, hash, e);
}

static int take(const struct datum *root, struct journal_entry *entry, struct err *e)
{
	if (root->type != DATUM_ARRAY || root->count != 5 || root->items[0].type != DATUM_UINT ||
	    root->items[1].type != DATUM_BYTES || root->items[1].len != SHA256_LEN ||
	    root->items[2].type != DATUM_UINT)
		return err_set(e, ERR_INVALID, "not [sequence, previous, time, type, content]");
	entry->sequence = root->items[0].value;
	memcpy(entry->previous, root->items[1].bytes, SHA256_LEN);
	entry->time_ms = root->items[2].value;
	return journal_note_read(&root->items[3], &root->items[4], &entry->note, e);
}

int journal_entry_parse(struct span bytes, struct journal_entry *entry, struct err *e)
{
	struct journal_entry found = { .sequence = 0 };
	struct datum *root = NULL;

	if (bytes.len > JOURNAL_ENTRY_MAX)
		return err_set(e, ERR_INVALID, "journal: an entry of %zu bytes; at most %d",
			       bytes.len, JOURNAL_ENTRY_MAX);
	if (datum_parse(bytes.bytes, bytes.len, &root, e) < 0)
		return err_wrap(e, "journal entry");
	/* Shortest heads are datum's to ask for, the order of fields the table's: there is no second
	 * encoding that would pass. */
	int failed = take(root, &found, e);
	datum_free(root);
	if (failed)
		return err_wrap(e, "journal entry");
	*entry = found;
	return 0;
}
