/* SPDX-License-Identifier: Apache-2.0 */
/* store_list.c — computations as they are read: one, and pages of them. */
#include "common/base/file.h"
#include "common/base/log.h"
#include "computations/list/list_rows.h"
#include "computations/people/workspace.h"
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
	" c.attempt, c.manifest_revision"

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
			{ 22, INT64_MAX, &c->attempt },
			{ 23, INT64_MAX, &c->revision } };

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

/* Agents and manifests say some of them at length. */
static size_t texts_of(const void *row)
{
	const struct computation *c = row;
	const char *const texts[] = { c->id,      c->name,     c->description, c->agent_state,
				      c->cvm_id,  c->failure,  c->notice,      c->cvm_verdict,
				      c->new_cvm, c->workspace };
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		len += strlen(texts[i]);
	return len;
}

DEFINE_LIST_ROW(computation_row, struct computation, 24, read_computation, computation_done,
		texts_of);

/* A store_view is ?2 and ?3. */
#define SEEN                                                                          \
	"(?2 = 0 OR c.id IN (" WORKSPACE_SEEN_BY_2 "))"                               \
	" AND (?3 = 0 OR c.id IN (SELECT h.computation FROM workspace_computations h" \
	" WHERE h.workspace = ?3))"

int store_computations(struct store *store, struct store_view view, const char *after, size_t max,
		       struct computation *rows, size_t *count, bool *more, struct err *e)
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
		     "iiii", number, view.person, view.workspace, (int64_t)max + 1) < 0)
		return err_code(e);
	return list_rows(&computation_row, found, max, rows, count, more, e);
}

/* ---- what people look for, in an order, page by page ---- */

#define FOUND                                                                                  \
	COMPUTATION_TABLES                                                                     \
	"WHERE " SEEN " AND (c.state = ?4 OR ?4 < 0)"                                          \
	" AND (" LIST_HOLDS("c.id", "?5") " OR " LIST_HOLDS("c.name", "?5") " OR " LIST_HOLDS( \
		"c.description", "?5") " OR c.digest = ?6)"
#define ORDER(order, column)                                                                  \
	{ order, LIST_STATEMENTS(COMPUTATION_COLUMNS, FOUND, column, "c.number", "?7", "?8"), \
	  "SELECT c.number, " column " FROM computations c WHERE c.id = ?" }

static const struct list_order_row orders[] = {
	ORDER(LIST_BY_CREATED, "c.created"),
	ORDER(LIST_BY_CHANGED, "c.changed"),
	ORDER(LIST_BY_NAME, LIST_NAME("c.name")),
	ORDER(LIST_BY_STATE, "c.state"),
};
const struct list_kind store_list = {
	"computations", orders, ARRAY_LEN(orders), { LIST_BY_CREATED, false }
};

static int look_for(const struct store_search *search, struct list_look *l, struct err *e)
{
	const int64_t scope[] = { search->view.person, search->view.workspace, search->state };

	return list_look_begin(&store_list,
			       &(struct list_search){ search->text, search->before, search->sort },
			       scope, ARRAY_LEN(scope), l, e);
}

int store_find_behind(struct store *store, const struct store_search *search, const char *id,
		      char **next, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct list_look l CLEANUP_LIST_LOOK = { .pattern = NULL };
	int row;

	if (look_for(search, &l, e) < 0 ||
	    db_query(&store->db, &rows, e, l.order->place, "t", id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : unknown(id, e);
	return list_look_behind(&l, rows, 0, next, e);
}

int store_find(struct store *store, const struct store_search *search, size_t max,
	       struct computation *rows, size_t *count, char **next, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	struct list_look l CLEANUP_LIST_LOOK = { .pattern = NULL };

	if (look_for(search, &l, e) < 0 ||
	    LIST_ASK(&store->db, &found, &l, max, e, "iiitb", search->view.person,
		     search->view.workspace, (int64_t)search->state, l.pattern, l.digest,
		     l.digest_len) < 0)
		return err_code(e);
	return list_page(&computation_row, &l, found, max, rows, count, next, e);
}
