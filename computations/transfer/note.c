/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/transfer/note.h"

static int read_note(struct db_rows *row, struct note *note, struct err *e)
{
	int64_t place;

	if (db_integer(row, 0, 0, DOCUMENT_ASSETS_MAX - 1, &place, e) < 0 ||
	    db_integer(row, 6, 0, INT64_MAX, &note->created, e) < 0 ||
	    db_text(row, 1, &note->id, e) < 0 || db_text(row, 2, &note->name, e) < 0 ||
	    db_text(row, 3, &note->owner, e) < 0 || db_text(row, 4, &note->description, e) < 0 ||
	    db_text(row, 5, &note->mime, e) < 0)
		return err_code(e);
	note->place = (int)place;
	return 0;
}

static int list_notes(struct db *db, const char *computation, struct note_list *list, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row = 0;

	if (db_query(db, &rows, e,
		     "SELECT place, id, name, owner, description, mime, created FROM asset_notes"
		     " WHERE computation = ? ORDER BY place",
		     "t", computation) < 0)
		return err_code(e);
	while (list->count < DOCUMENT_ASSETS_MAX && (row = db_next(rows, e)) > 0)
		if (read_note(rows, &list->rows[list->count++], e) < 0) /* freed from here on */
			return err_code(e);
	return row < 0 ? row : 0;
}

static int read_origin(struct db *db, const char *computation, struct note_list *list,
		       struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, "SELECT started, ended FROM origins WHERE computation = ?", "t",
		     computation) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	if (db_integer(rows, 0, 0, INT64_MAX, &list->started, e) < 0)
		return err_code(e);
	return db_integer(rows, 1, 0, INT64_MAX, &list->ended, e);
}

int note_list(struct db *db, const char *computation, struct note_list **list, struct err *e)
{
	CLEANUP(note_list_free) struct note_list *got = calloc(1, sizeof(*got));

	if (!got)
		return err_nomem(e);
	if (list_notes(db, computation, got, e) < 0 || read_origin(db, computation, got, e) < 0)
		return err_code(e);
	*list = TAKE_PTR(got);
	return 0;
}

void note_list_free(struct note_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++) {
		free(list->rows[i].id);
		free(list->rows[i].name);
		free(list->rows[i].owner);
		free(list->rows[i].description);
		free(list->rows[i].mime);
	}
	free(list);
}

int note_keep(struct db *db, const Cvms__ComputationRunReq *manifest,
	      const struct document_item *item, const char *(*owner)(void *data, const char *name),
	      void *data, struct err *e)
{
	for (size_t i = 0; i < item->asset_count; i++) {
		const struct document_asset *a = &item->assets[i];

		if (db_run(db, e,
			   "INSERT INTO asset_notes (computation, place, id, name, owner,"
			   " description, mime, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			   "tittttti", manifest->id, (int64_t)document_asset_place(manifest, a),
			   a->id, a->name, owner(data, a->owner), a->description, a->mime,
			   a->created) < 0)
			return err_code(e);
	}
	if (!item->started && !item->ended)
		return 0;
	return db_run(db, e, "INSERT INTO origins (computation, started, ended) VALUES (?, ?, ?)",
		      "tii", manifest->id, item->started, item->ended);
}

int note_forget(struct db *db, const char *computation, struct err *e)
{
	if (db_run(db, e, "DELETE FROM asset_notes WHERE computation = ?", "t", computation) < 0)
		return err_code(e);
	return db_run(db, e, "DELETE FROM origins WHERE computation = ?", "t", computation);
}
