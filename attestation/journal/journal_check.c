/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/journal/journal_check.h"

#include "common/base/reader.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* First bytes (RFC 8949, section 3): an array of five, tag 18. */
enum { ENTRY_FIRST = 0x85, HEAD_FIRST = 0xd2 };

void journal_check_done(struct journal_check *check)
{
	run_statement_done(&check->statement);
	EVP_PKEY_free(check->key);
	free(check->token);
	*check = (struct journal_check){ .ended = false };
}

int journal_evidence_nonce(const uint8_t *statement, size_t len, uint8_t nonce[SHA512_LEN],
			   struct err *e)
{
	static const char label[] = "cocos-journal-evidence-v1"; /* its final zero belongs to it */
	const struct digest_part parts[] = { { label, sizeof(label) }, { statement, len } };

	return digest_parts(DIGEST_SHA512, parts, ARRAY_LEN(parts), nonce, e);
}

/* ---- entries ---- */

static struct span bytes_of(const struct journal_entry *entry, const char *name)
{
	return journal_field_of(&entry->note, name)->bytes; /* the table says that it is there */
}

/* What all else hangs on: who is allowed to sign, and for which computation. */
static int begin(struct journal_check *check, const struct journal_entry *entry, struct err *e)
{
	struct span statement = bytes_of(entry, "statement");
	struct span manifest = bytes_of(entry, "manifest"), id = bytes_of(entry, "computation");
	struct run_statement *s = &check->statement;

	if (run_statement_parse(statement.bytes, statement.len, s, e) < 0)
		return err_wrap(e, "journal: its start");
	if (!s->journal)
		return err_set(e, ERR_INVALID, "journal: its run statement names no key for it");
	if (memcmp(s->manifest, manifest.bytes, manifest.len) != 0 ||
	    strlen(s->computation) != id.len || memcmp(s->computation, id.bytes, id.len) != 0)
		return err_set(e, ERR_INVALID,
			       "journal: its start is not of the computation that its run "
			       "statement speaks of");
	if (key_from_spki(s->journal, s->journal_len, &check->key, e) < 0)
		return err_wrap(e, "journal: its key");
	check->first_ms = entry->time_ms;
	return digest(DIGEST_SHA256, statement.bytes, statement.len, check->statement_digest, e);
}

static int keep_token(struct journal_check *check, const struct journal_entry *entry, struct err *e)
{
	struct span token = bytes_of(entry, "token");

	if (check->token)
		return err_set(e, ERR_INVALID, "journal: evidence a second time");
	check->token = malloc(token.len ? token.len : 1);
	if (!check->token)
		return err_nomem(e);
	memcpy(check->token, token.bytes, token.len);
	check->token_len = token.len;
	check->token_ms = entry->time_ms;
	return 0;
}

static bool is(const struct journal_entry *entry, const char *type)
{
	return strcmp(entry->note.type, type) == 0;
}

static int take_entry(struct journal_check *check, struct span item, struct journal_entry *entry,
		      struct err *e)
{
	uint64_t wanted = check->head.count + 1;
	uint8_t hash[SHA256_LEN];

	if (journal_entry_parse(item, entry, e) < 0)
		return err_wrap(e, "entry %" PRIu64, wanted);
	if (entry->sequence != wanted)
		return err_set(e, ERR_DATA_LOSS,
			       "journal: entry %" PRIu64 " where %" PRIu64 " has to be",
			       entry->sequence, wanted);
	if (memcmp(entry->previous, check->head.digest, SHA256_LEN) != 0)
		return err_set(e, ERR_DATA_LOSS,
			       "journal: entry %" PRIu64 " does not follow the one before it",
			       wanted);
	if (check->ended || is(entry, "start") != (wanted == 1))
		return err_set(e, ERR_INVALID, "journal: entry %" PRIu64 ": '%s' out of place",
			       wanted, entry->note.type);
	if (wanted == 1 && begin(check, entry, e) < 0)
		return err_code(e);
	if (is(entry, "evidence") && keep_token(check, entry, e) < 0)
		return err_code(e);
	if (journal_entry_digest(item, hash, e) < 0 || journal_head_add(&check->head, hash, e) < 0)
		return err_code(e);
	check->ended = is(entry, "end");
	check->last_ms = entry->time_ms;
	return 0;
}

/* ---- heads ---- */

static int take_head(struct journal_check *check, struct span item, struct err *e)
{
	struct journal_head head;
	bool final;

	if (!check->key || check->signed_head.count == check->head.count)
		return err_set(e, ERR_INVALID, "journal: a signed head without an entry");
	if (journal_head_verify(item, check->key, &head, &final, e) < 0)
		return err_wrap(e, "journal");
	if (head.count != check->head.count ||
	    memcmp(head.digest, check->head.digest, SHA256_LEN) != 0)
		return err_set(e, ERR_DATA_LOSS,
			       "journal: the signed head has %" PRIu64
			       " entries, and not these %" PRIu64,
			       head.count, check->head.count);
	if (final != check->ended)
		return err_set(e, ERR_INVALID, "journal: %s",
			       final ? "a final head without an end" : "an end that is not final");
	check->signed_head = head;
	check->closed = final;
	return 0;
}

int journal_check_item(struct journal_check *check, struct span item, struct journal_entry *entry,
		       bool *is_entry, struct err *e)
{
	uint8_t first = item.len ? item.bytes[0] : 0;

	if (check->closed)
		return err_set(e, ERR_INVALID, "journal: more behind its end");
	*is_entry = first == ENTRY_FIRST;
	if (first == ENTRY_FIRST)
		return take_entry(check, item, entry, e);
	if (first == HEAD_FIRST)
		return take_head(check, item, e);
	return err_set(e, ERR_INVALID, "journal: an item that is neither entry nor signed head");
}

/* ---- the file ---- */

void journal_put_item(struct writer *w, struct span item)
{
	datum_put_bytes(w, item.bytes, item.len);
}

/* The head of a byte string, as short as it can be; the item itself in place. */
int journal_take_item(struct reader *r, struct span *item, struct err *e)
{
	uint8_t first = reader_u8(r), kind = first & 0x1f;
	uint64_t len = kind;
	uint64_t least = 0;

	if (kind == 24) {
		len = reader_u8(r);
		least = 24;
	} else if (kind == 25) {
		len = reader_be16(r);
		least = 1 << 8;
	} else if (kind == 26) {
		len = reader_be32(r);
		least = 1 << 16;
	}
	if (!reader_ok(r) || first >> 5 != 2 || kind > 26 || len < least)
		return err_set(e, ERR_INVALID, "journal: not a sequence of byte strings");
	if (len > JOURNAL_ENTRY_MAX)
		return err_set(e, ERR_INVALID, "journal: an item of %" PRIu64 " bytes; at most %d",
			       len, JOURNAL_ENTRY_MAX);
	*item = span_take(r, (size_t)len);
	if (!reader_ok(r))
		return err_set(e, ERR_DATA_LOSS, "journal: cut off within an item");
	return 0;
}

int journal_check_file(struct journal_check *check, struct span file, journal_each_fn *each,
		       void *data, struct err *e)
{
	struct reader r = reader_over(file.bytes, file.len);

	if (file.len > JOURNAL_FILE_MAX)
		return err_set(e, ERR_EXHAUSTED, "journal: %zu bytes; at most %" PRIu64, file.len,
			       JOURNAL_FILE_MAX);
	while (reader_left(&r)) {
		struct journal_entry entry;
		struct span item;
		bool is_entry;

		if (check->signed_head.count)
			return err_set(e, ERR_INVALID, "journal: more behind its signed head");
		if (journal_take_item(&r, &item, e) < 0 ||
		    journal_check_item(check, item, &entry, &is_entry, e) < 0)
			return err_code(e);
		if (is_entry && each)
			each(data, &entry);
	}
	if (check->signed_head.count)
		return 0;
	return err_set(e, ERR_DATA_LOSS,
		       "journal: cut off: no signed head behind its %" PRIu64 " entries",
		       check->head.count);
}

/* The entry behind it names it. */
int journal_check_digest_at(struct span file, const struct journal_head *head, uint64_t count,
			    uint8_t out[SHA256_LEN], struct err *e)
{
	struct reader r = reader_over(file.bytes, file.len);
	struct journal_entry entry = { .sequence = 0 };
	struct span item;

	if (!count || count > head->count)
		return err_set(e, ERR_OUT_OF_RANGE,
			       "journal: entry %" PRIu64 " of one with %" PRIu64, count,
			       head->count);
	for (uint64_t n = 0; count < head->count && n <= count; n++)
		if (journal_take_item(&r, &item, e) < 0 ||
		    (n == count && journal_entry_parse(item, &entry, e) < 0))
			return err_code(e);
	memcpy(out, count < head->count ? entry.previous : head->digest, SHA256_LEN);
	return 0;
}
