/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/token/run_statement.h"

#include "common/base/cleanup.h"
#include "common/base/writer.h"

#include <stdlib.h>
#include <string.h>

/* TEXTS: computation, each entry's key and value, each word. */
enum { KEYS = RUN_KEY_WEAK + 1, TEXTS = 1 + 2 * RUN_ENTRIES_MAX + RUN_WORDS_MAX };

/* RFC 8949, 4.2.1: shorter encodings first, then byte by byte. */
static int by_key(const void *a, const void *b)
{
	const struct run_entry *x = a, *y = b;
	size_t x_len = strlen(x->key), y_len = strlen(y->key);

	if (x_len != y_len)
		return x_len < y_len ? -1 : 1;
	return memcmp(x->key, y->key, x_len);
}

static int check_counts(const struct run_statement *s, struct err *e)
{
	if (s->entry_count > RUN_ENTRIES_MAX || s->weak_count > RUN_WORDS_MAX)
		return err_set(e, ERR_EXHAUSTED, "run statement: %zu entries, %zu words",
			       s->entry_count, s->weak_count);
	if (!s->identity_len)
		return err_set(e, ERR_INVALID, "run statement: without an identity key");
	return 0;
}

static void put_entries(const struct run_statement *s, struct writer *w)
{
	struct run_entry sorted[RUN_ENTRIES_MAX];

	memcpy(sorted, s->entries, s->entry_count * sizeof(sorted[0]));
	qsort(sorted, s->entry_count, sizeof(sorted[0]), by_key);
	datum_put_map(w, s->entry_count);
	for (size_t i = 0; i < s->entry_count; i++) {
		datum_put_text(w, sorted[i].key);
		if (sorted[i].value) {
			datum_put_text(w, sorted[i].value);
			continue;
		}
		datum_put_array(w, 2);
		datum_put_bytes(w, sorted[i].salt, RUN_SALT_LEN);
		datum_put_bytes(w, sorted[i].digest, SHA256_LEN);
	}
}

int run_statement_write(const struct run_statement *s, struct writer *w, struct err *e)
{
	if (check_counts(s, e) < 0)
		return err_code(e);
	datum_put_map(w, KEYS);
	datum_put_uint(w, RUN_KEY_VERSION);
	datum_put_uint(w, RUN_VERSION);
	datum_put_uint(w, RUN_KEY_COMPUTATION);
	datum_put_text(w, s->computation);
	datum_put_uint(w, RUN_KEY_BOOT);
	datum_put_bytes(w, s->boot, sizeof(s->boot));
	datum_put_uint(w, RUN_KEY_AGENT_CONFIG);
	datum_put_bytes(w, s->agent_config, sizeof(s->agent_config));
	datum_put_uint(w, RUN_KEY_MANIFEST);
	datum_put_bytes(w, s->manifest, sizeof(s->manifest));
	datum_put_uint(w, RUN_KEY_ENTRIES);
	put_entries(s, w);
	datum_put_uint(w, RUN_KEY_FIXED);
	datum_put_bool(w, s->fixed);
	datum_put_uint(w, RUN_KEY_IDENTITY);
	datum_put_bytes(w, s->identity, s->identity_len);
	datum_put_uint(w, RUN_KEY_EXTERNAL);
	datum_put_bool(w, s->external);
	datum_put_uint(w, RUN_KEY_JOURNAL);
	if (s->journal)
		datum_put_bytes(w, s->journal, s->journal_len);
	else
		datum_put_null(w);
	datum_put_uint(w, RUN_KEY_WEAK);
	datum_put_array(w, s->weak_count);
	for (size_t i = 0; i < s->weak_count; i++)
		datum_put_text(w, s->weak[i]);
	return writer_check(w, "run statement", e);
}

/* ---- parsing ---- */

/* Copies of the statement's texts, one after the other; never more than the statement is long. */
struct texts {
	char *at, *end;
};

static const char *keep_text(struct texts *t, const struct datum *item)
{
	char *start = t->at;

	if (!item || item->type != DATUM_TEXT || memchr(item->bytes, 0, item->len) ||
	    (size_t)(t->end - t->at) <= item->len)
		return NULL;
	memcpy(start, item->bytes, item->len);
	start[item->len] = '\0';
	t->at += item->len + 1;
	return start;
}

static int wrong(struct err *e, const char *what)
{
	return err_set(e, ERR_INVALID, "run statement: %s", what);
}

static bool take_digest(const struct datum *map, int64_t key, uint8_t out[32])
{
	const struct datum *d = datum_get(map, key);

	if (!d || d->type != DATUM_BYTES || d->len != 32)
		return false;
	memcpy(out, d->bytes, 32);
	return true;
}

static bool take_flag(const struct datum *map, int64_t key, bool *out)
{
	const struct datum *d = datum_get(map, key);

	if (!d || d->type != DATUM_BOOL)
		return false;
	*out = d->boolean;
	return true;
}

static int take_entry(const struct datum *key, const struct datum *value, struct texts *t,
		      struct run_entry *entry, struct err *e)
{
	entry->key = keep_text(t, key);
	if (!entry->key)
		return wrong(e, "an entry without a name");
	if (value->type == DATUM_TEXT) {
		entry->value = keep_text(t, value);
		return entry->value ? 0 : wrong(e, "an entry's value");
	}
	if (value->type != DATUM_ARRAY || value->count != 2 ||
	    value->items[0].type != DATUM_BYTES || value->items[0].len != RUN_SALT_LEN ||
	    value->items[1].type != DATUM_BYTES || value->items[1].len != SHA256_LEN)
		return wrong(e, "an entry that is neither text nor [salt, digest]");
	memcpy(entry->salt, value->items[0].bytes, RUN_SALT_LEN);
	memcpy(entry->digest, value->items[1].bytes, SHA256_LEN);
	return 0;
}

static int take_entries(const struct datum *map, struct texts *t, struct run_statement *s,
			struct err *e)
{
	if (!map || map->type != DATUM_MAP || map->count > RUN_ENTRIES_MAX)
		return wrong(e, "its entries");
	for (size_t i = 0; i < map->count; i++)
		if (take_entry(&map->items[2 * i], &map->items[2 * i + 1], t, &s->entries[i], e) <
		    0)
			return err_code(e);
	s->entry_count = map->count;
	return 0;
}

static int take_words(const struct datum *array, struct texts *t, struct run_statement *s,
		      struct err *e)
{
	if (!array || array->type != DATUM_ARRAY || array->count > RUN_WORDS_MAX)
		return wrong(e, "its weakening words");
	for (size_t i = 0; i < array->count; i++) {
		s->weak[i] = keep_text(t, &array->items[i]);
		if (!s->weak[i])
			return wrong(e, "a weakening word");
	}
	s->weak_count = array->count;
	return 0;
}

static int take_keys(const struct datum *map, const uint8_t *bytes, uint8_t *copy,
		     struct run_statement *s, struct err *e)
{
	const struct datum *identity = datum_get(map, RUN_KEY_IDENTITY);
	const struct datum *journal = datum_get(map, RUN_KEY_JOURNAL);

	if (!identity || identity->type != DATUM_BYTES || !identity->len)
		return wrong(e, "its identity key");
	if (!journal || (journal->type != DATUM_NULL && journal->type != DATUM_BYTES) ||
	    (journal->type == DATUM_BYTES && !journal->len))
		return wrong(e, "its journal key");
	/* Spans of the input become spans of the copy. */
	s->identity = copy + (identity->bytes - bytes);
	s->identity_len = identity->len;
	if (journal->type == DATUM_BYTES) {
		s->journal = copy + (journal->bytes - bytes);
		s->journal_len = journal->len;
	}
	return 0;
}

static int take_all(const struct datum *map, const uint8_t *bytes, size_t len,
		    struct run_statement *s, struct err *e)
{
	uint8_t *copy = s->memory;
	struct texts t = { (char *)copy + len, (char *)copy + 2 * len + TEXTS };
	const struct datum *version = datum_get(map, RUN_KEY_VERSION);

	if (map->type != DATUM_MAP || map->count != KEYS)
		return wrong(e, "not the map of its version");
	if (!version || version->type != DATUM_UINT || version->value != RUN_VERSION)
		return wrong(e, "of an unknown version");
	s->computation = keep_text(&t, datum_get(map, RUN_KEY_COMPUTATION));
	if (!s->computation || !take_digest(map, RUN_KEY_BOOT, s->boot) ||
	    !take_digest(map, RUN_KEY_AGENT_CONFIG, s->agent_config) ||
	    !take_digest(map, RUN_KEY_MANIFEST, s->manifest) ||
	    !take_flag(map, RUN_KEY_FIXED, &s->fixed) ||
	    !take_flag(map, RUN_KEY_EXTERNAL, &s->external))
		return wrong(e, "a member that is missing or of another type");
	if (take_entries(datum_get(map, RUN_KEY_ENTRIES), &t, s, e) < 0 ||
	    take_words(datum_get(map, RUN_KEY_WEAK), &t, s, e) < 0)
		return err_code(e);
	return take_keys(map, bytes, copy, s, e);
}

/* What was read, written again, has to be what came: one statement, one encoding. */
static int check_encoding(const struct run_statement *s, const uint8_t *bytes, size_t len,
			  struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(RUN_STATEMENT_MAX);

	if (run_statement_write(s, &w, e) < 0)
		return err_code(e);
	if (w.len != len || memcmp(w.bytes, bytes, len) != 0)
		return wrong(e, "not in its deterministic encoding");
	return 0;
}

int run_statement_parse(const uint8_t *bytes, size_t len, struct run_statement *statement,
			struct err *e)
{
	struct run_statement s = { .memory = NULL };
	struct datum *map = NULL;

	if (!len || len > RUN_STATEMENT_MAX)
		return err_set(e, ERR_INVALID, "run statement: %zu bytes; 1 to %d", len,
			       RUN_STATEMENT_MAX);
	if (datum_parse(bytes, len, &map, e) < 0)
		return err_wrap(e, "run statement");
	/* The bytes, then room for every text with its final zero. */
	s.memory = calloc(1, 2 * len + TEXTS);
	int failed = s.memory ? 0 : err_nomem(e);
	if (!failed) {
		memcpy(s.memory, bytes, len);
		failed = take_all(map, bytes, len, &s, e);
	}
	if (!failed)
		failed = check_encoding(&s, bytes, len, e);
	datum_free(map);
	if (failed) {
		run_statement_done(&s);
		return failed;
	}
	*statement = s;
	return 0;
}

void run_statement_done(struct run_statement *statement)
{
	free(statement->memory);
	memset(statement, 0, sizeof(*statement));
}
