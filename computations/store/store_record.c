/* SPDX-License-Identifier: Apache-2.0 */
/* store_record.c — what agents say, kept up to a limit: the oldest go first. */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "computations/store/secret_row.h"
#include "computations/store/store.h"
#include "computations/store/store_tell.h"

#include <string.h>

enum {
	ROW_BYTES = 128, /* what a record costs besides its texts */
	TRIM_PART = 16,  /* a sixteenth is trimmed at a time, so that it happens rarely */
	SIZE_MAX_OF_ROW = ROW_BYTES + STORE_TEXT_MAX + 4 * STORE_WORD_MAX,
};
#define COUNT_MAX (INT64_C(1) << 48) /* of a journal; no sum of such overflows */

void record_done(struct record *r)
{
	free(r->level);
	free(r->text);
	free(r->type);
	free(r->status);
	free(r->originator);
	*r = (struct record){ .number = 0 };
}

void records_free(struct record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		record_done(&records[i]);
	free(records);
}

/* "c:ID" for a computation's journal, "v:ID" for a CVM's. */
static int owner_of(const char *computation_id, const char *cvm_id, char **owner, struct err *e)
{
	return text_format(owner, e, "%s:%s", *computation_id ? "c" : "v",
			   *computation_id ? computation_id : cvm_id);
}

/* `text` or, if that is longer than `max`, its beginning, malloc'ed. */
static int cut(const char *text, size_t max, char **out, struct err *e)
{
	size_t len = text ? strnlen(text, max + 1) : 0;

	if (len > max) {
		len = max;
		/* Does not cut within a character, whose later bytes are 10xxxxxx. */
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	*out = strndup(text ? text : "", len);
	return *out ? 0 : err_nomem(e);
}

static int cut_record(const struct record *from, struct record *to, struct err *e)
{
	struct record got = *from;

	got.level = got.text = got.type = got.status = got.originator = NULL;
	if (cut(from->level, STORE_WORD_MAX, &got.level, e) < 0 ||
	    cut(from->text, STORE_TEXT_MAX, &got.text, e) < 0 ||
	    cut(from->type, STORE_WORD_MAX, &got.type, e) < 0 ||
	    cut(from->status, STORE_WORD_MAX, &got.status, e) < 0 ||
	    cut(from->originator, STORE_WORD_MAX, &got.originator, e) < 0) {
		record_done(&got);
		return err_code(e);
	}
	*to = got;
	return 0;
}

struct journal {
	int64_t number, records, bytes, dropped;
};

static int read_journal(struct db_rows *row, struct journal *j, struct err *e)
{
	if (db_integer(row, 0, INT64_MIN, INT64_MAX, &j->number, e) < 0 ||
	    db_integer(row, 1, 0, COUNT_MAX, &j->records, e) < 0 ||
	    db_integer(row, 2, 0, COUNT_MAX, &j->bytes, e) < 0)
		return err_code(e);
	return db_integer(row, 3, 0, COUNT_MAX, &j->dropped, e);
}

static int open_journal(struct store *store, const char *owner, struct journal *j, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_run(&store->db, e, "INSERT INTO journals (owner) VALUES (?) ON CONFLICT DO NOTHING",
		   "t", owner) < 0 ||
	    db_query(&store->db, &rows, e,
		     "SELECT number, records, bytes, dropped FROM journals WHERE owner = ?", "t",
		     owner) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : err_set(e, ERR_INTERNAL, "database: a journal vanished");
	return read_journal(rows, j, e);
}

static int miscounted(struct err *e)
{
	return err_set(e, ERR_DATA_LOSS,
		       "database: a journal counts other records than it holds: another program "
		       "wrote or damaged it; restore the database from a copy");
}

/* Counts and deletes the oldest `count` records. */
static int drop_oldest(struct store *store, struct journal *j, int64_t count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int64_t last = 0, gone = 0, bytes = 0, size;
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT number, size FROM records WHERE journal = ? ORDER BY number LIMIT ?",
		     "ii", j->number, count) < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0) {
		if (db_integer(rows, 0, INT64_MIN, INT64_MAX, &last, e) < 0 ||
		    db_integer(rows, 1, 0, SIZE_MAX_OF_ROW, &size, e) < 0)
			return err_code(e);
		bytes += size;
		gone++;
	}
	if (row < 0)
		return row;
	/* Else what trims would trim for ever. */
	if (gone == 0 || gone > j->records || bytes > j->bytes)
		return miscounted(e);
	j->records -= gone;
	j->bytes -= bytes;
	j->dropped += gone;
	return db_run(&store->db, e, "DELETE FROM records WHERE journal = ? AND number <= ?", "ii",
		      j->number, last);
}

static int drop_part(struct store *store, struct journal *j, struct err *e)
{
	int64_t part = j->records / TRIM_PART;

	return drop_oldest(store, j, part ? part : 1, e);
}

static int write_journal(struct store *store, const struct journal *j, struct err *e)
{
	return db_run(&store->db, e,
		      "UPDATE journals SET records = ?, bytes = ?, dropped = ? WHERE number = ?",
		      "iiii", j->records, j->bytes, j->dropped, j->number);
}

static int trim(struct store *store, struct journal *j, struct err *e)
{
	while ((uint64_t)j->records > store->limits.records ||
	       (uint64_t)j->bytes > store->limits.record_bytes) {
		/* The newest always stays, whatever its size. */
		if (j->records <= 1 && j->bytes > SIZE_MAX_OF_ROW)
			return miscounted(e);
		if (j->records <= 1)
			break;
		if (drop_part(store, j, e) < 0)
			return err_code(e);
	}
	return write_journal(store, j, e);
}

/* ---- those of one key ---- */

/* What CVMs keep outside of computations whose names belong to the same key as that one's. */
#define OF_KEY                                                   \
	" FROM cvms v JOIN journals j ON j.owner = 'v:' || v.id" \
	" WHERE v.key = (SELECT key FROM cvms WHERE id = ?)"

/* 1: the journal that has most of it. */
static int largest_of_key(struct store *store, const char *cvm_id, struct journal *j, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT j.number, j.records, j.bytes, j.dropped" OF_KEY
		     " ORDER BY j.bytes DESC, j.number LIMIT 1",
		     "t", cvm_id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	return read_journal(rows, j, e) < 0 ? err_code(e) : 1;
}

/* Who makes up names fills no disk with what they say: whoever of them has most gives its oldest. */
static int trim_key(struct store *store, const char *cvm_id, struct err *e)
{
	const uint64_t max = store->limits.record_bytes * STORE_KEY_JOURNALS;
	struct journal j = { .number = 0 };
	int64_t sum, before;
	int found;

	if (db_number(&store->db, &sum, e,
		      "SELECT CAST(coalesce(sum(j.bytes), 0) AS BIGINT)" OF_KEY, "t", cvm_id) < 0)
		return err_code(e);
	while (sum > 0 && (uint64_t)sum > max) {
		found = largest_of_key(store, cvm_id, &j, e);
		if (found < 0)
			return found;
		/* The newest of each stays. */
		if (!found || j.records <= 1)
			break;
		before = j.bytes;
		if (drop_part(store, &j, e) < 0 || write_journal(store, &j, e) < 0)
			return err_code(e);
		sum -= before - j.bytes;
	}
	return 0;
}

/* Not for each line: when the CVM's own have grown by a step. */
static bool is_step(const struct store *store, const struct journal *j, int64_t size)
{
	const uint64_t part = store->limits.record_bytes / TRIM_PART;
	const int64_t step = part < STORE_KEY_STEP ? (int64_t)part : STORE_KEY_STEP;

	return step == 0 || j->bytes / step != (j->bytes - size) / step;
}

/* `cvm_id`: its own journal, or that of a computation which it speaks of. */
static int append(struct store *store, const char *cvm_id, const char *owner,
		  const struct record *given, struct err *e)
{
	struct record r CLEANUP_RECORD = { .number = 0 };
	struct journal j = { .number = 0 };
	int64_t size;
	bool is_due;

	if (cut_record(given, &r, e) < 0 || open_journal(store, owner, &j, e) < 0)
		return err_code(e);
	size = (int64_t)(ROW_BYTES + strlen(r.level) + strlen(r.text) + strlen(r.type) +
			 strlen(r.status) + strlen(r.originator));
	if (db_run(&store->db, e,
		   "INSERT INTO records (journal, seconds, nanos, received, event, level, text,"
		   " type, status, originator, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		   "iiiiittttti", j.number, r.seconds, r.nanos, store_now(), (int64_t)r.event,
		   r.level, r.text, r.type, r.status, r.originator, size) < 0)
		return err_code(e);
	j.records++;
	j.bytes += size;
	is_due = *owner == 'v' && is_step(store, &j, size);
	if (trim(store, &j, e) < 0)
		return err_code(e);
	return is_due ? trim_key(store, cvm_id, e) : 0;
}

/* Where the record belongs, once it is known that the CVM may speak of that computation. */
static int journal_owner(struct store *store, const char *cvm_id, const char *computation_id,
			 char **owner, struct err *e)
{
	int64_t given = 1;

	if (*computation_id && db_number(&store->db, &given, e,
					 "SELECT count(*) FROM computations WHERE id = ?"
					 " AND cvm = ?",
					 "tt", computation_id, cvm_id) < 0)
		return err_code(e);
	if (!given)
		return err_set(e, ERR_DENIED,
			       "CVM %s speaks of computation %s, which it was never given",
			       log_quote(cvm_id).text, log_quote(computation_id).text);
	return owner_of(computation_id, cvm_id, owner, e);
}

int store_log(struct store *store, const char *cvm_id, const char *computation_id,
	      const struct record *r, struct err *e)
{
	CLEANUP(free) char *owner = NULL;

	if (journal_owner(store, cvm_id, computation_id, &owner, e) < 0)
		return err_code(e);
	return append(store, cvm_id, owner, r, e);
}

int store_event(struct store *store, const char *cvm_id, const char *computation_id,
		const struct record *r, struct err *e)
{
	CLEANUP(free) char *owner = NULL;
	struct state_change change;
	int64_t current;

	if (journal_owner(store, cvm_id, computation_id, &owner, e) < 0 ||
	    append(store, cvm_id, owner, r, e) < 0)
		return err_code(e);
	if (!*computation_id || !state_of_event(r->type, r->status, &change))
		return 0;
	if (store_attempt(store, computation_id, &current, e) < 0)
		return err_code(e);
	/* Sent again, of a run that is over: it tells, and changes nothing. Of one that is to be stopped the end alone
	 * counts: no agent begins anew what it was told to end. */
	if (r->attempt && r->attempt != current)
		return 0;
	if (db_run(&store->db, e,
		   "UPDATE computations SET state = ?1, finished = ?2, agent_state = ?3,"
		   " reached = 1, ended = ?4, failure = ?5 WHERE id = ?6 AND finished = 0"
		   " AND (stopping = 0 OR ?2 = 1)",
		   "iititt", (int64_t)change.state, (int64_t)change.finished, r->type,
		   change.finished ? store_now() : 0,
		   change.state == COMPUTATION_FAILED ? r->text : "", computation_id) < 0 ||
	    secret_row_settle(&store->db, computation_id, e) < 0 ||
	    store_tell(&store->db, &store->has_told, computation_id, e) < 0)
		return err_code(e);
	return db_run(&store->db, e,
		      "UPDATE cvms SET agent_state = ?, last_seen = ? WHERE id = ?"
		      " AND computation = ?",
		      "titt", r->type, store_now(), cvm_id, computation_id);
}

static int read_record(struct db_rows *row, struct record *r, struct err *e)
{
	struct record got = { .number = 0 };

	if (db_text(row, 5, &got.level, e) < 0 || db_text(row, 6, &got.text, e) < 0 ||
	    db_text(row, 7, &got.type, e) < 0 || db_text(row, 8, &got.status, e) < 0 ||
	    db_text(row, 9, &got.originator, e) < 0 ||
	    db_integer(row, 0, 1, INT64_MAX, &got.number, e) < 0 ||
	    db_integer(row, 1, INT64_MIN, INT64_MAX, &got.seconds, e) < 0 ||
	    db_integer(row, 2, 0, 999999999, &got.nanos, e) < 0 ||
	    db_integer(row, 3, 0, INT64_MAX, &got.received, e) < 0 ||
	    db_flag(row, 4, &got.event, e) < 0) {
		record_done(&got);
		return err_code(e);
	}
	*r = got;
	return 0;
}

static int read_page(struct store *store, struct db_rows *found, struct record *rows, size_t *count,
		     struct err *e)
{
	size_t got = 0, bytes = 0;
	int row = 0;

	while (got < STORE_PAGE_MAX && bytes < STORE_PAGE_BYTES && (row = db_next(found, e)) > 0) {
		row = read_record(found, &rows[got], e);
		if (row < 0)
			break;
		bytes += strlen(rows[got++].text);
	}
	*count = got;
	return row < 0 ? row : 0;
}

int store_records(struct store *store, const char *computation_id, const char *cvm_id,
		  int64_t after, struct record **records, size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	CLEANUP(free) char *owner = NULL;
	struct record *rows;
	size_t got = 0;

	if (owner_of(computation_id, cvm_id, &owner, e) < 0 ||
	    db_query(&store->db, &found, e,
		     "SELECT r.number, r.seconds, r.nanos, r.received, r.event, r.level, r.text,"
		     " r.type, r.status, r.originator FROM records r"
		     " JOIN journals j ON j.number = r.journal"
		     " WHERE j.owner = ? AND r.number > ? ORDER BY r.number LIMIT ?",
		     "tii", owner, after, (int64_t)STORE_PAGE_MAX) < 0)
		return err_code(e);
	rows = calloc(STORE_PAGE_MAX, sizeof(*rows));
	if (!rows)
		return err_nomem(e);
	if (read_page(store, found, rows, &got, e) < 0) {
		records_free(rows, got);
		return err_code(e);
	}
	*records = rows;
	*count = got;
	return 0;
}

int store_newest_records(struct store *store, const char *computation_id, const char *cvm_id,
			 size_t count, int64_t *after, struct err *e)
{
	CLEANUP(free) char *owner = NULL;

	if (owner_of(computation_id, cvm_id, &owner, e) < 0)
		return err_code(e);
	return db_number(&store->db, after, e,
			 "SELECT coalesce(min(n), 1) - 1 FROM (SELECT r.number AS n FROM records r"
			 " JOIN journals j ON j.number = r.journal WHERE j.owner = ?"
			 " ORDER BY r.number DESC LIMIT ?) newest",
			 "ti", owner, (int64_t)count);
}

int store_newest_record(struct store *store, int64_t *number, struct err *e)
{
	return db_number(&store->db, number, e, "SELECT coalesce(max(number), 0) FROM records", "");
}
