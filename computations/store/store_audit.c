/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_audit.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

/* ---- where it begins and ends ---- */

static int read_start(struct store *store, struct audit_head *after, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *text = NULL;
	int row;

	if (db_query(&store->db, &rows, e, "SELECT head FROM audit_start", "") < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	if (row == 0)
		return err_set(e, ERR_DATA_LOSS, "database: where the audit log begins is missing");
	if (db_text(rows, 0, &text, e) < 0)
		return err_code(e);
	return audit_head_parse(text, after, e) < 0
		       ? err_set(e, ERR_DATA_LOSS,
				 "database: where the audit log begins is no head")
		       : 0;
}

/* Of a row with number and digest. */
static int take_head(struct db_rows *rows, struct audit_head *head, struct err *e)
{
	const void *bytes;
	int64_t number;
	size_t len;

	if (db_integer(rows, 0, 1, INT64_MAX, &number, e) < 0 ||
	    db_blob(rows, 1, SHA3_256_LEN, &bytes, &len, e) < 0)
		return err_code(e);
	if (len != SHA3_256_LEN)
		return err_set(e, ERR_DATA_LOSS, "database: a digest of %zu bytes", len);
	head->number = (uint64_t)number;
	memcpy(head->digest, bytes, SHA3_256_LEN);
	return 0;
}

/* 1: of the next row; 0: there is none. */
static int read_head(struct db_rows *rows, struct audit_head *head, struct err *e)
{
	int row = db_next(rows, e);

	if (row <= 0)
		return row;
	return take_head(rows, head, e) < 0 ? err_code(e) : 1;
}

int store_audit_ends(struct store *store, struct audit_head *after, struct audit_head *head,
		     struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct audit_head first;
	int row;

	if (read_start(store, &first, e) < 0 ||
	    db_query(&store->db, &rows, e,
		     "SELECT number, digest FROM audit_rows ORDER BY number DESC LIMIT 1", "") < 0)
		return err_code(e);
	*head = first;
	row = read_head(rows, head, e);
	if (row < 0)
		return row;
	if (head->number < first.number)
		return err_set(e, ERR_DATA_LOSS,
			       "database: the audit log ends before row %" PRIu64
			       ", behind which it begins",
			       first.number);
	*after = first;
	return 0;
}

int store_audit_head(struct store *store, uint64_t number, struct audit_head *head, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct audit_head found;
	int row;

	if (read_start(store, &found, e) < 0)
		return err_code(e);
	if (found.number == number) {
		*head = found;
		return 0;
	}
	if (db_query(&store->db, &rows, e, "SELECT number, digest FROM audit_rows WHERE number = ?",
		     "i", (int64_t)(number > INT64_MAX ? 0 : number)) < 0)
		return err_code(e);
	row = read_head(rows, &found, e);
	if (row < 0)
		return row;
	if (row == 0)
		return err_set(e, ERR_NOT_FOUND, "the audit log has no row %" PRIu64, number);
	*head = found;
	return 0;
}

/* ---- rows ---- */

int store_audit_lock(struct store *store, struct err *e)
{
	return db_script(&store->db, "{lock} audit_start {locked}", e);
}

static bool is_refusal(const struct audit_row *row)
{
	return row->outcome && strcmp(row->outcome, AUDIT_OK) != 0;
}

static int put_row(struct store *store, const struct audit_row *row, struct audit_head *head,
		   struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(AUDIT_ROW_LINE_MAX + 1);
	const char *const given[] = { row->who,   row->from,
				      row->what,  row->object,
				      row->about, row->before,
				      row->after, row->outcome ? row->outcome : AUDIT_OK,
				      row->cause };
	char clean[ARRAY_LEN(given)][AUDIT_ROW_TEXT_MAX + 1];
	struct audit_row made = { .time = (uint64_t)store_now(),
				  .who = clean[0],
				  .from = clean[1],
				  .what = clean[2],
				  .object = clean[3],
				  .about = clean[4],
				  .before = clean[5],
				  .after = clean[6],
				  .outcome = clean[7],
				  .cause = clean[8] };

	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		audit_row_clean(given[i], clean[i]);
	if (audit_row_chain(&made, head, e) < 0)
		return err_code(e);
	audit_row_write(&made, head->digest, &w);
	writer_u8(&w, 0);
	if (writer_check(&w, "a row of the audit log", e) < 0)
		return err_code(e);
	return db_run(&store->db, e,
		      "INSERT INTO audit_rows (number, line, digest) VALUES (?, ?, ?)", "itb",
		      (int64_t)head->number, (const char *)w.bytes, head->digest,
		      sizeof(head->digest));
}

static void tell_no_room(struct store *store)
{
	unsigned long skipped;

	if (!log_rate_take(&store->audit_full, (uint64_t)clock_ms(CLOCK_MONOTONIC), &skipped))
		return;
	if (skipped)
		log_warn("%lu other refusals, or calls of strangers, have no row in the audit log",
			 skipped);
	log_warn("the audit log has no room left for refusals: 'cocos-cli audit export' and 'audit "
		 "trim' make some");
}

/* How many rows there may be for one more of these. */
static uint64_t room_of(uint64_t limit, enum audit_room room)
{
	static const uint64_t kept[] = { [AUDIT_ROOM_STRANGERS] = AUDIT_REFUSALS_SHARE,
					 [AUDIT_ROOM_USERS] = AUDIT_USERS_SHARE,
					 [AUDIT_ROOM_ALWAYS] = AUDIT_ALWAYS_SHARE,
					 [AUDIT_ROOM_OPERATORS] = 0 };

	return kept[room] ? limit - limit / kept[room] : limit;
}

/* Where users' rows are counted: from half of the limit on, for until then nobody is short of room. NULL: nowhere. */
static struct audit_shares *shares_of(struct store *store, uint64_t used, enum audit_room room)
{
	if (used < store->limits.audit_rows / 2) {
		memset(&store->audit_counts, 0, sizeof(store->audit_counts));
		return NULL;
	}
	if (room == AUDIT_ROOM_USERS)
		return &store->audit_counts.users;
	return room == AUDIT_ROOM_ALWAYS ? &store->audit_counts.always : NULL;
}

static int check_share(struct store *store, const struct audit_shares *shares, const char *who,
		       uint64_t left, struct err *e)
{
	uint64_t rows = audit_share_rows(shares, who);
	unsigned long skipped;

	if (rows < left)
		return 0;
	if (store_line_take(&store->lines, &(struct store_line){ STORE_LINE_AUDIT_USED, who },
			    clock_ms(CLOCK_MONOTONIC), &store->audit_used, &skipped)) {
		if (skipped)
			log_warn("%lu other changes of users who fill the audit log were refused",
				 skipped);
		log_warn("%s fills the audit log, and is refused: %" PRIu64
			 " rows since half of it was full, and %" PRIu64
			 " are left for users: 'cocos-cli audit export' and 'audit trim' make room",
			 log_quote(who).text, rows, left);
	}
	return err_set(e, ERR_EXHAUSTED,
		       "%s made %" PRIu64
		       " changes since half of the audit log was full, and it has room for %" PRIu64
		       " more of all users: ask who administers the service to make some "
		       "('cocos-cli audit export' and 'audit trim')",
		       who, rows, left);
}

int store_audit_add(struct store *store, const struct audit_row *row, enum audit_room room,
		    struct err *e)
{
	struct audit_head after, head;
	struct audit_shares *shares;
	uint64_t limit, used;

	if (store_audit_ends(store, &after, &head, e) < 0)
		return err_code(e);
	used = head.number - after.number;
	if (is_refusal(row))
		room = AUDIT_ROOM_STRANGERS;
	limit = room_of(store->limits.audit_rows, room);
	if (used >= limit && room == AUDIT_ROOM_STRANGERS) {
		tell_no_room(store);
		return 0;
	}
	if (used >= limit)
		return err_set(e, ERR_EXHAUSTED,
			       "the audit log has %" PRIu64
			       " rows, and nothing is changed without one: "
			       "'cocos-cli audit export' and 'audit trim' make room, or raise "
			       "COMPUTATIONS_MAX_AUDIT_ROWS",
			       used);
	shares = shares_of(store, used, room);
	if ((shares && check_share(store, shares, row->who, limit - used, e) < 0) ||
	    put_row(store, row, &head, e) < 0)
		return err_code(e);
	if (shares)
		audit_share_count(shares, row->who);
	return 0;
}

/* ---- pages ---- */

void audit_page_done(struct audit_page *page)
{
	free(page->bytes);
	*page = (struct audit_page){ .count = 0 };
}

static int read_lines(struct db_rows *rows, size_t max, struct audit_page *page, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(AUDIT_PAGE_BYTES + AUDIT_ROW_LINE_MAX);
	struct audit_page got = { .count = 0 };
	size_t len;
	int row = 0;

	while (got.count < max && w.len < AUDIT_PAGE_BYTES && (row = db_next(rows, e)) > 0) {
		CLEANUP(free) char *line = NULL;

		if (db_text(rows, 0, &line, e) < 0)
			return err_code(e);
		if (strlen(line) > AUDIT_ROW_LINE_MAX)
			return err_set(e, ERR_DATA_LOSS,
				       "database: a row of the audit log of %zu bytes",
				       strlen(line));
		writer_text(&w, line);
		got.ends[got.count++] = w.len;
	}
	if (row < 0)
		return row;
	if (writer_check(&w, "a page of the audit log", e) < 0)
		return err_code(e);
	got.bytes = (char *)writer_take(&w, &len);
	if (!got.bytes)
		return err_nomem(e);
	*page = got;
	return 0;
}

int store_audit_rows(struct store *store, uint64_t after, size_t max, struct audit_page *page,
		     struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;

	if (db_query(&store->db, &rows, e,
		     "SELECT line FROM audit_rows WHERE number > ? ORDER BY number LIMIT ?", "ii",
		     (int64_t)(after > INT64_MAX ? INT64_MAX : after), (int64_t)max) < 0)
		return err_code(e);
	return read_lines(rows, max < AUDIT_PAGE_MAX ? max : AUDIT_PAGE_MAX, page, e);
}

int store_audit_newest(struct store *store, uint64_t before, size_t max, struct audit_page *page,
		       struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;

	if (db_query(&store->db, &rows, e,
		     "SELECT line FROM audit_rows WHERE number < ? ORDER BY number DESC LIMIT ?",
		     "ii", (int64_t)(before && before < INT64_MAX ? before : INT64_MAX),
		     (int64_t)max) < 0)
		return err_code(e);
	return read_lines(rows, max < AUDIT_PAGE_MAX ? max : AUDIT_PAGE_MAX, page, e);
}

/* ---- the cut ---- */

static int check_saved(struct store *store, const struct audit_head *through,
		       const struct audit_head *after, struct err *e)
{
	struct audit_head found;

	if (through->number <= after->number)
		return err_set(e, ERR_PRECONDITION,
			       "the audit log begins behind row %" PRIu64
			       " already: there is nothing to cut",
			       after->number);
	if (store_audit_head(store, through->number, &found, e) < 0)
		return err_code(e);
	return memcmp(found.digest, through->digest, SHA3_256_LEN) == 0
		       ? 0
		       : err_set(e, ERR_PRECONDITION,
				 "row %" PRIu64 " has another digest: save this log first "
				 "('cocos-cli audit export'), and name the head that it prints",
				 through->number);
}

int store_audit_trim(struct store *store, const struct audit_head *through,
		     const struct audit_row *row, struct err *e)
{
	char text[AUDIT_HEAD_TEXT_MAX + 1], count[48];
	struct audit_head after, head;
	struct audit_row told = *row;

	if (store_audit_ends(store, &after, &head, e) < 0 ||
	    check_saved(store, through, &after, e) < 0)
		return err_code(e);
	audit_head_text(through, text);
	snprintf(count, sizeof(count), "{\"rows\":%" PRIu64 "}", through->number - after.number);
	told.object = text;
	told.about = count;
	/* Also into a log that is full: this is what makes room. */
	if (put_row(store, &told, &head, e) < 0 ||
	    db_run(&store->db, e, "UPDATE audit_start SET head = ?", "t", text) < 0)
		return err_code(e);
	return db_run(&store->db, e, "DELETE FROM audit_rows WHERE number <= ?", "i",
		      (int64_t)through->number);
}

/* ---- the whole chain ---- */

static int check_line(struct db_rows *rows, struct audit_head *head, struct err *e)
{
	CLEANUP(json_free) struct json *json = NULL;
	CLEANUP(free) char *line = NULL;
	struct audit_row row;
	struct audit_head kept;

	if (take_head(rows, &kept, e) < 0 || db_text(rows, 2, &line, e) < 0 ||
	    audit_row_follow(head, line, strlen(line), &json, &row, e) < 0)
		return err_code(e);
	if (kept.number != head->number)
		return err_set(e, ERR_DATA_LOSS, "row %" PRIu64 " is kept as row %" PRIu64,
			       head->number, kept.number);
	return memcmp(kept.digest, head->digest, SHA3_256_LEN) == 0
		       ? 0
		       : err_set(e, ERR_DATA_LOSS, "row %" PRIu64 " has two digests", head->number);
}

int store_audit_check(struct store *store, struct audit_head *head, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct audit_head at;
	int row;

	if (read_start(store, &at, e) < 0 ||
	    db_query(&store->db, &rows, e,
		     "SELECT number, digest, line FROM audit_rows ORDER BY number", "") < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0)
		if (check_line(rows, &at, e) < 0)
			return err_wrap(e, "the audit log");
	if (row < 0)
		return row;
	*head = at;
	return 0;
}
