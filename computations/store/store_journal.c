/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_journal.h"

#include "attestation/journal/journal_entry.h"
#include "attestation/journal/journal_head.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "computations/store/store_witness.h"
#include "computations/store/usage_traffic.h"

#include <string.h>

#define RUNS_MAX    (INT64_C(1) << 20)
#define ENTRIES_MAX (INT64_C(1) << 32)
#define BYTES_MAX   (INT64_C(1) << 48)

/* One run of a computation; 0: none. */
struct run {
	int64_t run, count;
	/* The computation's: its last run, how many are here, and what all of them have. */
	int64_t newest, runs, bytes;
	int64_t runs_max, bytes_max; /* that they may be, with those of its attempt */
	int64_t results;             /* bytes that its journal says they have; 0: it doesn't say */
	uint8_t name[SHA256_LEN];
};

/* That of the newest, which an older program kept without it. */
static int name_newest(struct store *store, const char *id, int64_t run, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	uint8_t name[SHA256_LEN];
	const void *bytes;
	size_t len;
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT bytes FROM entries WHERE computation = ? AND run = ? AND sequence = 1",
		     "ti", id, run) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row
			       : err_set(e, ERR_DATA_LOSS, "database: a run without first entry");
	if (db_blob(rows, 0, STORE_ENTRY_MAX, &bytes, &len, e) < 0 ||
	    journal_run((struct span){ bytes, len }, name, e) < 0)
		return err_code(e);
	return db_run(&store->db, e,
		      "UPDATE signed_journals SET name = ? WHERE computation = ? AND run = ?",
		      "bti", name, sizeof(name), id, run);
}

static int find_newest(struct store *store, const char *id, struct run *r, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int64_t named;
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT run, count, max(bytes) OVER (), "
		     " CASE WHEN name IS NULL THEN 0 ELSE 1 END, count(*) OVER (), results"
		     " FROM signed_journals"
		     " WHERE computation = ? ORDER BY run DESC LIMIT 1",
		     "t", id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	/* A computation of that id that was removed has had its runs: the log names each once. */
	if (row == 0)
		return store_witness_runs(store, id, &r->newest, e);
	if (db_integer(rows, 0, 1, RUNS_MAX, &r->newest, e) < 0 ||
	    db_integer(rows, 1, 0, ENTRIES_MAX, &r->count, e) < 0 ||
	    db_integer(rows, 2, 0, BYTES_MAX, &r->bytes, e) < 0 ||
	    db_integer(rows, 3, 0, 1, &named, e) < 0 ||
	    db_integer(rows, 4, 1, RUNS_MAX, &r->runs, e) < 0 ||
	    db_integer(rows, 5, 0, USAGE_NOTE_BYTES_MAX, &r->results, e) < 0)
		return err_code(e);
	r->run = r->newest;
	return named ? 0 : name_newest(store, id, r->run, e);
}

static int find_named(struct store *store, const char *id, struct run *r, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	r->run = r->count = r->results = 0;
	if (db_query(&store->db, &rows, e,
		     "SELECT run, count, results FROM signed_journals"
		     " WHERE computation = ? AND name = ?",
		     "tb", id, r->name, sizeof(r->name)) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	if (db_integer(rows, 0, 1, RUNS_MAX, &r->run, e) < 0 ||
	    db_integer(rows, 1, 0, ENTRIES_MAX, &r->count, e) < 0)
		return err_code(e);
	return db_integer(rows, 2, 0, USAGE_NOTE_BYTES_MAX, &r->results, e);
}

/* Whose part it is. A first entry names its run; a later part that names none (an older agent's) goes on
 * with the newest. */
static int find_run(struct store *store, const char *id, const struct journal_part *part,
		    struct run *r, struct err *e)
{
	*r = (struct run){ .run = 0 };
	if (find_newest(store, id, r, e) < 0)
		return err_code(e);
	if (part->first == 1 && journal_run(part->entries[0], r->name, e) < 0)
		return err_code(e);
	if (part->first == 1 && part->run.len && memcmp(part->run.bytes, r->name, SHA256_LEN) != 0)
		return err_set(e, ERR_DATA_LOSS,
			       "a part of a journal names another run than its "
			       "first entry");
	if (part->first > 1 && !part->run.len)
		return 0;
	if (part->first > 1)
		memcpy(r->name, part->run.bytes, SHA256_LEN);
	return find_named(store, id, r, e);
}

static int check_part(const struct journal_part *part, struct err *e)
{
	bool good = part->count > 0 && part->count <= STORE_BATCH_MAX && part->first > 0 &&
		    part->first < ENTRIES_MAX && part->head.len > 0 &&
		    part->head.len <= STORE_HEAD_MAX &&
		    (!part->run.len || part->run.len == SHA256_LEN);

	for (size_t i = 0; i < part->count && good; i++)
		good = part->entries[i].len > 0 && part->entries[i].len <= STORE_ENTRY_MAX;
	return good ? 0 : err_set(e, ERR_DATA_LOSS, "a part of a journal that is none");
}

static int64_t last_of(const struct journal_part *part)
{
	return part->first + (int64_t)part->count - 1;
}

/* The head that is kept is the only one: what can't be read would take the place of one that can. */
static int check_head(const char *cvm_id, const struct journal_part *part, struct err *e)
{
	struct journal_head head;
	struct err why;
	bool final;

	if (journal_head_read(part->head, &head, &final, &why) < 0)
		return err_set(e, ERR_DENIED,
			       "CVM %s brings entries of a journal under a head that is none: %s",
			       log_quote(cvm_id).text, why.text);
	return head.count == (uint64_t)last_of(part)
		       ? 0
		       : err_set(e, ERR_DENIED,
				 "CVM %s brings entries of a journal under a head that is over "
				 "other entries",
				 log_quote(cvm_id).text);
}

/* A journal that is here is its CVM's that began it, and ends with its final head. Who names no run speaks of the one
 * that it was given last. */
static int check_begun(struct store *store, const char *cvm_id, const char *id,
		       const struct journal_part *part, const struct run *r, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct span kept = { NULL, 0 };
	struct journal_head head;
	const void *bytes;
	int64_t is_its, is_now;
	struct err why;
	bool final;

	if (db_query(&store->db, &rows, e,
		     "SELECT s.head, CASE WHEN s.cvm = ? THEN 1 ELSE 0 END,"
		     " CASE WHEN s.attempt = c.attempt THEN 1 ELSE 0 END"
		     " FROM signed_journals s JOIN computations c ON c.id = s.computation"
		     " WHERE s.computation = ? AND s.run = ?",
		     "tti", cvm_id, id, r->run) < 0)
		return err_code(e);
	int row = db_next(rows, e);
	if (row < 0)
		return row;
	if (row == 0)
		return err_set(e, ERR_DATA_LOSS, "database: a journal of no computation");
	if (db_blob(rows, 0, STORE_HEAD_MAX, &bytes, &kept.len, e) < 0 ||
	    db_integer(rows, 1, 0, 1, &is_its, e) < 0 || db_integer(rows, 2, 0, 1, &is_now, e) < 0)
		return err_code(e);
	if (!is_its || (!is_now && !part->run.len))
		return err_set(e, ERR_DENIED,
			       "CVM %s goes on with a journal of computation %s that it did not "
			       "begin",
			       log_quote(cvm_id).text, log_quote(id).text);
	kept.bytes = bytes;
	if (last_of(part) > r->count && journal_head_read(kept, &head, &final, &why) == 0 && final)
		return err_set(e, ERR_DENIED,
			       "CVM %s goes on with a journal of computation %s that is closed",
			       log_quote(cvm_id).text, log_quote(id).text);
	return 0;
}

static int64_t room_of(const struct span *entry)
{
	return (int64_t)entry->len + STORE_ENTRY_ROOM;
}

/* What the computation has, once that part is here. */
static int64_t bytes_with(const struct run *r, const struct journal_part *part)
{
	int64_t bytes = r->bytes + (r->run ? 0 : STORE_RUN_ROOM);

	for (size_t i = 0; i < part->count; i++)
		if (part->first + (int64_t)i > r->count)
			bytes += room_of(&part->entries[i]);
	return bytes;
}

/* Of what the attempts before have left, half: an attempt that fills its own leaves the next one as much as it had. Of a part
 * that comes late of an attempt before, it is that one's. */
static int find_room(struct store *store, const char *id, const struct journal_part *part,
		     struct run *r, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	const int64_t most = (int64_t)store->limits.record_bytes;
	int64_t bytes, runs;
	int row;

	/* The least that it can be needs no look at the others. */
	r->bytes_max = most - most / 2;
	r->runs_max = STORE_RUNS_MAX - STORE_RUNS_MAX / 2;
	if (bytes_with(r, part) <= r->bytes_max && r->runs < r->runs_max)
		return 0;
	if (db_query(&store->db, &rows, e,
		     "SELECT coalesce(max(bytes), 0), count(*) FROM signed_journals"
		     " WHERE computation = ?1 AND attempt < coalesce("
		     "(SELECT attempt FROM signed_journals WHERE computation = ?1 AND run = ?2),"
		     " (SELECT attempt FROM computations WHERE id = ?1))",
		     "ti", id, r->run) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : err_set(e, ERR_DATA_LOSS, "database: a count is missing");
	if (db_integer(rows, 0, 0, BYTES_MAX, &bytes, e) < 0 ||
	    db_integer(rows, 1, 0, RUNS_MAX, &runs, e) < 0)
		return err_code(e);
	r->bytes_max = bytes < most ? most - (most - bytes) / 2 : most;
	r->runs_max = runs < STORE_RUNS_MAX ? STORE_RUNS_MAX - (STORE_RUNS_MAX - runs) / 2
					    : STORE_RUNS_MAX;
	return 0;
}

static int insert(struct store *store, const char *cvm_id, const char *id, struct run *r,
		  const struct journal_part *part, struct err *e)
{
	struct usage_traffic traffic = { .results = r->results };

	for (size_t i = 0; i < part->count; i++) {
		int64_t sequence = part->first + (int64_t)i;

		if (sequence <= r->count)
			continue;
		r->bytes += room_of(&part->entries[i]);
		if (db_run(&store->db, e,
			   "INSERT INTO entries (computation, run, sequence, bytes)"
			   " VALUES (?, ?, ?, ?)",
			   "tiib", id, r->run, sequence, part->entries[i].bytes,
			   part->entries[i].len) < 0)
			return err_code(e);
		usage_traffic_take(store, id, sequence, part->entries[i], &traffic);
	}
	r->count = last_of(part);
	if (usage_traffic_keep(store, id, &traffic, store_now(), e) < 0)
		return err_code(e);
	return db_run(&store->db, e,
		      "INSERT INTO signed_journals"
		      " (computation, run, count, bytes, head, name, cvm, results, attempt)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
		      " (SELECT attempt FROM computations WHERE id = ?1))"
		      " ON CONFLICT (computation, run)"
		      " DO UPDATE SET count = ?3, bytes = ?4, head = ?5, results = ?8",
		      "tiiibbti", id, r->run, r->count, r->bytes, part->head.bytes, part->head.len,
		      r->name, sizeof(r->name), cvm_id, traffic.results);
}

static bool is_full(const struct run *r, const struct journal_part *part)
{
	return bytes_with(r, part) > r->bytes_max || r->run > RUNS_MAX ||
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

/* Its agent may go on to bring it, so often as it likes. */
static void tell_full(struct store *store, const char *id, const char *what)
{
	unsigned long skipped;

	if (!store_line_take(&store->lines, &(struct store_line){ STORE_LINE_FULL, id },
			     clock_ms(CLOCK_MONOTONIC), &store->full, &skipped))
		return;
	if (skipped)
		log_warn("%lu other parts of journals were over a limit", skipped);
	log_warn("computation %s: %s", log_quote(id).text, what);
}

int store_journal_add(struct store *store, const char *cvm_id, const char *id,
		      const struct journal_part *part, int64_t *kept, struct err *e)
{
	struct run r;

	if (check_part(part, e) < 0 || may_speak(store, cvm_id, id, e) < 0 ||
	    check_head(cvm_id, part, e) < 0 || find_run(store, id, part, &r, e) < 0 ||
	    (r.run && check_begun(store, cvm_id, id, part, &r, e) < 0))
		return err_code(e);
	if (part->first > r.count + 1)
		return err_set(e, ERR_NOT_FOUND,
			       "CVM %s: a journal goes on at entry %lld, and of that run %lld are "
			       "here",
			       log_quote(cvm_id).text, (long long)part->first, (long long)r.count);
	*kept = r.count;
	if (find_room(store, id, part, &r, e) < 0)
		return err_code(e);
	if (!r.run && r.runs >= r.runs_max) {
		tell_full(store, id,
			  "it has journals of as many runs as are kept of this attempt, and no "
			  "more");
		return 0;
	}
	if (!r.run) {
		r.run = r.newest + 1;
		r.bytes += STORE_RUN_ROOM;
	}
	if (last_of(part) <= r.count)
		return 0;
	if (is_full(&r, part)) {
		tell_full(store, id,
			  "its journal is over this attempt's part of "
			  "COMPUTATIONS_MAX_RECORD_BYTES, and goes no further");
		return 0;
	}
	if (insert(store, cvm_id, id, &r, part, e) < 0 ||
	    store_witness_see(store, id, r.run, r.count, part->head, e) < 0)
		return err_code(e);
	*kept = r.count;
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
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	const void *bytes;
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT run, count, head FROM signed_journals WHERE computation = ?"
		     " AND (run = ? OR ? = 0) ORDER BY run DESC LIMIT 1",
		     "tii", id, run, run) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	if (row == 0 && !run)
		return 0; /* none yet */
	if (row == 0)
		return err_set(e, ERR_NOT_FOUND, "computation %s has no journal of that run",
			       log_quote(id).text);
	if (db_integer(rows, 0, 1, RUNS_MAX, &page->run, e) < 0 ||
	    db_integer(rows, 1, 1, ENTRIES_MAX, &page->count, e) < 0 ||
	    db_blob(rows, 2, STORE_HEAD_MAX, &bytes, &page->head_len, e) < 0)
		return err_code(e);
	memcpy(page->head, bytes, page->head_len);
	return 0;
}

int store_journal_newest(struct store *store, const char *id, int64_t *run, int64_t *count,
			 struct err *e)
{
	struct journal_page page = { .run = 0 };

	if (read_head(store, id, 0, &page, e) < 0)
		return err_code(e);
	*run = page.run;
	*count = page.count;
	return 0;
}

static int keep_entry(struct db_rows *rows, struct journal_page *page, size_t *bytes, struct err *e)
{
	const void *blob;
	size_t len;

	if (db_blob(rows, 0, STORE_ENTRY_MAX, &blob, &len, e) < 0)
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
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	size_t bytes = 0;
	int row = 0;

	page->entries = calloc(STORE_PAGE_MAX, sizeof(*page->entries));
	if (!page->entries)
		return err_nomem(e);
	/* Up to the one that fills the page: lengths are found without reading what they are of. */
	if (db_query(&store->db, &rows, e,
		     "SELECT bytes FROM entries WHERE computation = ?1 AND run = ?2"
		     " AND sequence > ?3 AND sequence <= (SELECT max(sequence) FROM"
		     " (SELECT sequence, sum(len) OVER (ORDER BY sequence) - len AS before FROM"
		     " (SELECT sequence, length(bytes) AS len FROM entries"
		     " WHERE computation = ?1 AND run = ?2 AND sequence > ?3"
		     " ORDER BY sequence LIMIT ?4) AS lengths) AS page"
		     " WHERE before < ?5) ORDER BY sequence",
		     "tiiii", id, page->run, after, (int64_t)STORE_PAGE_MAX,
		     (int64_t)STORE_PAGE_BYTES) < 0)
		return err_code(e);
	while (page->entry_count < STORE_PAGE_MAX && bytes < STORE_PAGE_BYTES &&
	       (row = db_next(rows, e)) > 0)
		if (keep_entry(rows, page, &bytes, e) < 0)
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
