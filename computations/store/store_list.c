/* SPDX-License-Identifier: Apache-2.0 */
/* store_list.c — computations as they are read: one, and pages of them. */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "computations/people/workspace.h"
#include "computations/store/list_form.h"
#include "computations/store/store.h"

#include <string.h>

void computation_done(struct computation *c)
{
	free(c->id);
	free(c->name);
	free(c->description);
	free(c->agent_state);
	free(c->cvm_id);
	free(c->failure);
	free(c->notice);
	free(c->cvm_verdict);
	free(c->new_cvm);
	free(c->workspace);
	*c = (struct computation){ .id = NULL };
}

/* The columns that read_computation() expects. */
#define COMPUTATION_COLUMNS                                                                  \
	"c.id, c.name, c.description, c.agent_state, c.cvm, c.failure, c.state, c.stopping," \
	" c.finished, c.created, c.sent, c.ended, c.digest, c.datasets, c.consumers,"        \
	" coalesce(j.records, 0), coalesce(j.dropped, 0), c.notice,"                         \
	" coalesce(v.verdict, ''), coalesce(s.name, ''), coalesce(n.name, ''), c.changed,"   \
	" c.attempt"

#define COMPUTATION_TABLES                                                                  \
	" FROM computations c LEFT JOIN journals j ON j.owner = 'c:' || c.id"               \
	" LEFT JOIN cvms v ON v.id = c.cvm AND v.computation = c.id"                        \
	" LEFT JOIN workspace_computations h ON h.computation = c.id"                       \
	" LEFT JOIN machines n ON n.run = c.number AND n.attempt = c.attempt AND n.run > 0" \
	" AND n.phase < 3"                                                                  \
	" LEFT JOIN workspaces s ON s.number = h.workspace "

/* Where a row's texts go, by their columns. */
static int read_texts(struct db_rows *row, struct computation *c, struct err *e)
{
	const struct {
		int column;
		char **text;
	} texts[] = { { 0, &c->id },          { 1, &c->name },         { 2, &c->description },
		      { 3, &c->agent_state }, { 4, &c->cvm_id },       { 5, &c->failure },
		      { 17, &c->notice },     { 18, &c->cvm_verdict }, { 19, &c->workspace },
		      { 20, &c->new_cvm } };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (db_text(row, texts[i].column, texts[i].text, e) < 0)
			return err_code(e);
	return 0;
}

static int read_numbers(struct db_rows *row, struct computation *c, struct err *e)
{
	int64_t state;
	const struct {
		int column;
		int64_t max, *number;
	} numbers[] = { { 6, COMPUTATION_STATES - 1, &state },
			{ 9, INT64_MAX, &c->created },
			{ 10, INT64_MAX, &c->sent },
			{ 11, INT64_MAX, &c->ended },
			{ 13, MANIFEST_DATASETS_MAX, &c->datasets },
			{ 14, MANIFEST_CONSUMERS_MAX, &c->consumers },
			{ 15, INT64_MAX, &c->records },
			{ 16, INT64_MAX, &c->dropped },
			{ 21, INT64_MAX, &c->changed },
			{ 22, INT64_MAX, &c->attempt } };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (db_integer(row, numbers[i].column, 0, numbers[i].max, numbers[i].number, e) < 0)
			return err_code(e);
	c->state = (enum computation_state)state;
	if (db_flag(row, 7, &c->stopping, e) < 0)
		return err_code(e);
	return db_flag(row, 8, &c->finished, e);
}

static int read_digest(struct db_rows *row, struct computation *c, struct err *e)
{
	const void *bytes;
	size_t len;

	if (db_blob(row, 12, sizeof(c->digest), &bytes, &len, e) < 0)
		return err_code(e);
	if (len != sizeof(c->digest))
		return err_set(e, ERR_DATA_LOSS, "database: a digest of %zu bytes", len);
	memcpy(c->digest, bytes, sizeof(c->digest));
	return 0;
}

static int read_computation(struct db_rows *row, struct computation *c, struct err *e)
{
	struct computation got = { .id = NULL };

	if (read_texts(row, &got, e) < 0 || read_numbers(row, &got, e) < 0 ||
	    read_digest(row, &got, e) < 0) {
		computation_done(&got);
		return err_code(e);
	}
	*c = got;
	return 0;
}

static int unknown(const char *id, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "no computation %s", log_quote(id).text);
}

int store_computation(struct store *store, const char *id, struct computation *c, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT " COMPUTATION_COLUMNS COMPUTATION_TABLES "WHERE c.id = ?", "t",
		     id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : unknown(id, e);
	return read_computation(rows, c, e);
}

static void rows_done(struct computation *rows, size_t count)
{
	while (count > 0)
		computation_done(&rows[--count]);
}

/* Those of `found`, which end with it. */
static int read_all(struct db_rows *found, size_t max, struct computation *rows, size_t *count,
		    struct err *e)
{
	size_t got = 0;
	int row = 0;

	while (got < max && (row = db_next(found, e)) > 0) {
		row = read_computation(found, &rows[got], e);
		if (row < 0)
			break;
		got++;
	}
	if (row < 0) {
		rows_done(rows, got);
		return row;
	}
	*count = got;
	return 0;
}

/* A store_view is ?2 and ?3. */
#define SEEN                                                                          \
	"(?2 = 0 OR c.id IN (" WORKSPACE_SEEN_BY_2 "))"                               \
	" AND (?3 = 0 OR c.id IN (SELECT h.computation FROM workspace_computations h" \
	" WHERE h.workspace = ?3))"

int store_computations(struct store *store, struct store_view view, const char *after, size_t max,
		       struct computation *rows, size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	int64_t number = 0;

	if (*after && db_number(&store->db, &number, e,
				"SELECT number FROM computations c WHERE id = ?1 AND " SEEN, "tii",
				after, view.person, view.workspace) < 0)
		return err_wrap(e, "the page after %s", log_quote(after).text);
	if (db_query(&store->db, &found, e,
		     "SELECT " COMPUTATION_COLUMNS COMPUTATION_TABLES
		     "WHERE c.number > ?1 AND " SEEN " ORDER BY c.number LIMIT ?4",
		     "iiii", number, view.person, view.workspace, (int64_t)max) < 0)
		return err_code(e);
	return read_all(found, max, rows, count, e);
}

/* "%text%", where % and _ of the text stand for themselves. */
static int like(const char *text, char **pattern, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4 * STORE_WORD_MAX);
	size_t len;

	writer_u8(&w, '%');
	for (; *text; text++) {
		if (strchr("%_!", *text))
			writer_u8(&w, '!');
		writer_u8(&w, (uint8_t)*text);
	}
	writer_u8(&w, '%');
	if (writer_check(&w, "what is searched for", e) < 0)
		return err_code(e);
	*pattern = (char *)writer_take(&w, &len);
	return *pattern ? 0 : err_nomem(e);
}

/* ---- what people look for, in an order, page by page ---- */

/* Each order by its column, as an index has it (list_form.h). Of a row that is behind another one SQLite finds the first by the
 * column alone, PostgreSQL by the pair. */
#define FOUND                                                                                    \
	"SELECT " COMPUTATION_COLUMNS COMPUTATION_TABLES "WHERE " SEEN                           \
	" AND (c.state = ?4 OR ?4 < 0)"                                                          \
	" AND (lower(c.id) LIKE lower(?5) ESCAPE '!' OR lower(c.name) LIKE lower(?5) ESCAPE '!'" \
	" OR lower(c.description) LIKE lower(?5) ESCAPE '!' OR c.digest = ?6)"
#define BEHIND(column, sign) \
	" AND " column " " sign "= ?8 AND (" column ", c.number) " sign " (?8, ?7)"
#define ORDERED(column, way) " ORDER BY " column way ", c.number" way " LIMIT ?1"
#define STATEMENTS(column)                                                                    \
	{                                                                                     \
		{ FOUND ORDERED(column, " DESC"),                                             \
		  FOUND BEHIND(column, "<") ORDERED(column, " DESC") },                       \
		{ FOUND ORDERED(column, ""), FOUND BEHIND(column, ">") ORDERED(column, "") }, \
	}

#define ORDER(column) \
	{ STATEMENTS(column), "SELECT c.number, " column " FROM computations c WHERE c.id = ?" }

static const struct {
	const char *find[2][2]; /* down and up; the first page, and one behind a place */
	const char *place;      /* of a row */
} orders[LIST_ORDERS] = {
	[LIST_BY_CREATED] = ORDER("c.created"),
	[LIST_BY_CHANGED] = ORDER("c.changed"),
	[LIST_BY_NAME] = ORDER(LIST_NAME("c.name")),
	[LIST_BY_STATE] = ORDER("c.state"),
};

/* Of the list that a place is of. */
static int tag_of(const struct store_search *search, uint8_t tag[LIST_TAG_LEN], struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4 * STORE_WORD_MAX + 64);
	uint8_t made[SHA256_LEN];

	writer_text(&w, "cocos list of computations");
	writer_u8(&w, (uint8_t)search->sort.by);
	writer_u8(&w, search->sort.is_up);
	writer_be32(&w, (uint32_t)search->state);
	writer_be64(&w, (uint64_t)search->view.person);
	writer_be64(&w, (uint64_t)search->view.workspace);
	writer_text(&w, search->text);
	if (writer_check(&w, "what is searched for", e) < 0 ||
	    digest(DIGEST_SHA256, w.bytes, w.len, made, e) < 0)
		return err_code(e);
	memcpy(tag, made, LIST_TAG_LEN);
	return 0;
}

struct looked_for {
	char *pattern;
	uint8_t digest[MANIFEST_HASH_LEN];
	size_t digest_len; /* 0: the text is none */
	bool is_behind;
	struct list_place place; /* its tag alone, of the first page */
};

static void looked_for_done(struct looked_for *l)
{
	free(l->pattern);
	list_place_done(&l->place);
}
#define CLEANUP_LOOKED_FOR __attribute__((cleanup(looked_for_done)))

static int look_for(const struct store_search *search, struct looked_for *l, struct err *e)
{
	struct err ignored;

	if (hex_decode(search->text, l->digest, sizeof(l->digest), &ignored) == 0)
		l->digest_len = sizeof(l->digest);
	l->is_behind = *search->before;
	if (like(search->text, &l->pattern, e) < 0 || tag_of(search, l->place.tag, e) < 0)
		return err_code(e);
	return l->is_behind ? list_place_read(search->before, l->place.tag, search->sort.by,
					      &l->place, e)
			    : 0;
}

const char *store_find_sql(struct list_sort sort, bool is_behind)
{
	return orders[sort.by].find[sort.is_up][is_behind];
}

static int ask(struct store *store, const struct store_search *search, const struct looked_for *l,
	       size_t max, struct db_rows **found, struct err *e)
{
	const char *sql = store_find_sql(search->sort, l->is_behind);
	const int64_t person = search->view.person, workspace = search->view.workspace;
	const int64_t state = search->state, limit = (int64_t)max + 1;

	if (!l->is_behind)
		return db_query(&store->db, found, e, sql, "iiiitb", limit, person, workspace,
				state, l->pattern, l->digest, l->digest_len);
	if (l->place.name)
		return db_query(&store->db, found, e, sql, "iiiitbit", limit, person, workspace,
				state, l->pattern, l->digest, l->digest_len, l->place.number,
				l->place.name);
	return db_query(&store->db, found, e, sql, "iiiitbii", limit, person, workspace, state,
			l->pattern, l->digest, l->digest_len, l->place.number, l->place.value);
}

static int read_place(struct db_rows *row, enum list_order by, struct list_place *place,
		      struct err *e)
{
	if (db_integer(row, 0, INT64_MIN, INT64_MAX, &place->number, e) < 0)
		return err_code(e);
	return by == LIST_BY_NAME ? db_text(row, 1, &place->name, e)
				  : db_integer(row, 1, 0, INT64_MAX, &place->value, e);
}

int store_find_behind(struct store *store, const struct store_search *search, const char *id,
		      char **next, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct list_place place CLEANUP_LIST_PLACE = { .name = NULL };
	int row;

	if (tag_of(search, place.tag, e) < 0 ||
	    db_query(&store->db, &rows, e, orders[search->sort.by].place, "t", id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : unknown(id, e);
	if (read_place(rows, search->sort.by, &place, e) < 0)
		return err_code(e);
	return list_place_write(&place, next, e);
}

int store_find(struct store *store, const struct store_search *search, size_t max,
	       struct computation *rows, size_t *count, char **next, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	struct looked_for l CLEANUP_LOOKED_FOR = { .pattern = NULL };
	CLEANUP(free) char *text = NULL;
	size_t got;
	int more;

	if (look_for(search, &l, e) < 0 || ask(store, search, &l, max, &found, e) < 0 ||
	    read_all(found, max, rows, &got, e) < 0)
		return err_code(e);
	more = got == max && max ? db_next(found, e) : 0;
	if (more > 0)
		more = store_find_behind(store, search, rows[got - 1].id, &text, e);
	if (more < 0) {
		rows_done(rows, got);
		return more;
	}
	*count = got;
	*next = TAKE_PTR(text);
	return 0;
}
