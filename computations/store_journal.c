/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store_journal.h"

#include "common/base/log.h"

#include <string.h>

#define RUNS_MAX    (INT64_C(1) << 20)
#define ENTRIES_MAX (INT64_C(1) << 32)
#define BYTES_MAX   (INT64_C(1) << 48)

/* The newest of a computation's; run 0: it has none. */
struct newest {
	int64_t run, count, bytes;
};

static int find_newest(struct store *store, const char *id, struct newest *n, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int row;

	*n = (struct newest){ .run = 0 };
	if (db_query(&store->db, &stmt, e,
		     "SELECT run, count, bytes FROM signed_journals WHERE computation = ?"
		     " ORDER BY run DESC LIMIT 1",
		     "t", id) < 0)
		return err_code(e);
	row = db_next(&store->db, stmt, e);
	if (row <= 0)
		return row;
	if (db_integer(stmt, 0, 1, RUNS_MAX, &n->run, e) < 0 ||
	    db_integer(stmt, 1, 0, ENTRIES_MAX, &n->count, e) < 0)
		return err_code(e);
	return db_integer(stmt, 2, 0, BYTES_MAX, &n->bytes, e);
}

/* An agent that was started again begins a journal of its own, whose first entry is another. */
static int is_another_run(struct store *store, const char *id, const struct newest *n,
			  const struct journal_part *part, bool *another, struct err *e)
{
	int64_t same;

	*another = !n->run;
	if (part->first != 1 || !n->run)
		return 0;
	if (db_number(&store->db, &same, e,
		      "SELECT count(*) FROM entries WHERE computation = ? AND run = ?"
		      " AND sequence = 1 AND bytes = ?",
		      "tib", id, n->run, part->entries[0].bytes, part->entries[0].len) < 0)
		return err_code(e);
	*another = !same;
	return 0;
}

static int check_part(const struct journal_part *part, struct err *e)
{
	bool good = part->count > 0 && part->count <= STORE_BATCH_MAX && part->first > 0 &&
		    part->first < ENTRIES_MAX && part->head.len > 0 &&
		    part->head.len <= STORE_HEAD_MAX;

	for (size_t i = 0; i < part->count && good; i++)
		good = part->entries[i].len > 0 && part->entries[i].len <= STORE_ENTRY_MAX;
	return good ? 0 : err_set(e, ERR_DATA_LOSS, "a part of a journal that is none");
}

static int64_t room_of(const struct span *entry)
{
	return (int64_t)entry->len + STORE_ENTRY_ROOM;
}

static int insert(struct store *store, const char *id, struct newest *n,
		  const struct journal_part *part, struct err *e)
{
	for (size_t i = 0; i < part->count; i++) {
		int64_t sequence = part->first + (int64_t)i;

		if (sequence <= n->count)
			continue;
		n->bytes += room_of(&part->entries[i]);
		if (db_run(&store->db, e,
			   "INSERT INTO entries (computation, run, sequence, bytes)"
			   " VALUES (?, ?, ?, ?)",
			   "tiib", id, n->run, sequence, part->entries[i].bytes,
			   part->entries[i].len) < 0)
			return err_code(e);
	}
	n->count = part->first + (int64_t)part->count - 1;
	return db_run(
		&store->db, e,
		"INSERT OR REPLACE INTO signed_journals (computation, run, count, bytes, head)"
		" VALUES (?, ?, ?, ?, ?)",
		"tiiib", id, n->run, n->count, n->bytes, part->head.bytes, part->head.len);
}

static bool is_full(const struct store *store, const struct newest *n,
		    const struct journal_part *part)
{
	int64_t bytes = n->bytes;

	for (size_t i = 0; i < part->count; i++)
		if (part->first + (int64_t)i > n->count)
			bytes += room_of(&part->entries[i]);
	return (uint64_t)bytes > store->limits.record_bytes || n->run > RUNS_MAX ||
	       part->first + (int64_t)part->count > ENTRIES_MAX;
}

static int may_speak(struct store *store, const char *cvm_id, const char *id, struct err *e)
{
	int64_t given;

	if (db_number(&store->db, &given, e,
		      "SELECT count(*) FROM computations WHERE id = ? AND cvm = ?", "tt", id,
		      cvm_id) < 0)
		return err_code(e);
	return given ? 0
		     : err_set(e, ERR_DENIED,
			       "CVM %s brings a journal of computation %s, which it was never given",
			       log_quote(cvm_id).text, log_quote(id).text);
}

int store_journal_add(struct store *store, const char *cvm_id, const char *id,
		      const struct journal_part *part, int64_t *kept, struct err *e)
{
	struct newest n;
	bool another;

	if (check_part(part, e) < 0 || may_speak(store, cvm_id, id, e) < 0 ||
	    find_newest(store, id, &n, e) < 0 ||
	    is_another_run(store, id, &n, part, &another, e) < 0)
		return err_code(e);
	if (another)
		n = (struct newest){ .run = n.run + 1, .bytes = n.bytes + STORE_RUN_ROOM };
	if (part->first > n.count + 1)
		return err_set(e, ERR_DATA_LOSS,
			       "CVM %s: a journal goes on at entry %lld, and %lld are here",
			       log_quote(cvm_id).text, (long long)part->first, (long long)n.count);
	*kept = n.count;
	if (part->first + (int64_t)part->count - 1 <= n.count)
		return 0;
	if (is_full(store, &n, part)) {
		log_warn("computation %s: its journal is over COMPUTATIONS_MAX_RECORD_BYTES, and "
			 "not taken from entry %lld on",
			 log_quote(id).text, (long long)n.count + 1);
		return 0;
	}
	if (insert(store, id, &n, part, e) < 0)
		return err_code(e);
	*kept = n.count;
	return 0;
}

/* ---- reading ---- */

void journal_page_done(struct journal_page *page)
{
	for (size_t i = 0; i < page->entry_count; i++)
		free((void *)(uintptr_t)page->entries[i].bytes);
	free(page->entries);
	*page = (struct journal_page){ .run = 0 };
}

static int read_head(struct store *store, const char *id, int64_t run, struct journal_page *page,
		     struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	const void *bytes;
	int row;

	if (db_query(&store->db, &stmt, e,
		     "SELECT run, count, head FROM signed_journals WHERE computation = ?"
		     " AND (run = ? OR ? = 0) ORDER BY run DESC LIMIT 1",
		     "tii", id, run, run) < 0)
		return err_code(e);
	row = db_next(&store->db, stmt, e);
	if (row < 0)
		return row;
	if (row == 0 && !run)
		return 0; /* none yet */
	if (row == 0)
		return err_set(e, ERR_NOT_FOUND, "computation %s has no journal of that run",
			       log_quote(id).text);
	if (db_integer(stmt, 0, 1, RUNS_MAX, &page->run, e) < 0 ||
	    db_integer(stmt, 1, 1, ENTRIES_MAX, &page->count, e) < 0 ||
	    db_blob(stmt, 2, STORE_HEAD_MAX, &bytes, &page->head_len, e) < 0)
		return err_code(e);
	memcpy(page->head, bytes, page->head_len);
	return 0;
}

static int keep_entry(sqlite3_stmt *stmt, struct journal_page *page, size_t *bytes, struct err *e)
{
	const void *blob;
	size_t len;

	if (db_blob(stmt, 0, STORE_ENTRY_MAX, &blob, &len, e) < 0)
		return err_code(e);
	uint8_t *copy = malloc(len ? len : 1);
	if (!copy)
		return err_nomem(e);
	if (len)
		memcpy(copy, blob, len);
	page->entries[page->entry_count++] = (struct span){ copy, len };
	*bytes += len;
	return 0;
}

static int read_entries(struct store *store, const char *id, int64_t after,
			struct journal_page *page, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	size_t bytes = 0;
	int row = 0;

	page->entries = calloc(STORE_PAGE_MAX, sizeof(*page->entries));
	if (!page->entries)
		return err_nomem(e);
	if (db_query(&store->db, &stmt, e,
		     "SELECT bytes FROM entries WHERE computation = ? AND run = ?"
		     " AND sequence > ? ORDER BY sequence",
		     "tii", id, page->run, after) < 0)
		return err_code(e);
	while (page->entry_count < STORE_PAGE_MAX && bytes < STORE_PAGE_BYTES &&
	       (row = db_next(&store->db, stmt, e)) > 0)
		if (keep_entry(stmt, page, &bytes, e) < 0)
			return err_code(e);
	return row < 0 ? row : 0;
}

int store_journal_page(struct store *store, const char *id, int64_t run, int64_t after,
		       struct journal_page *page, struct err *e)
{
	struct journal_page got = { .run = 0 };

	if (read_head(store, id, run, &got, e) < 0 || read_entries(store, id, after, &got, e) < 0) {
		journal_page_done(&got);
		return err_code(e);
	}
	*page = got;
	return 0;
}
