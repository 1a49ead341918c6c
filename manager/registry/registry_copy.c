/* SPDX-License-Identifier: Apache-2.0 */
/* registry_copy.c — one record as a registry of its own, for a CVM's folder, and back. A file, whichever database
 * has the registry. */
#include "common/db/db_sqlite.h"
#include "manager/registry/registry_form.h"
#include "manager/registry/registry_state.h"

#include <sys/stat.h>

static struct registry *new_copy(struct err *e)
{
	struct registry *r = calloc(1, sizeof(*r));

	if (!r) {
		err_nomem(e);
		return NULL;
	}
	pthread_mutex_init(&r->lock, NULL);
	r->is_copy = true;
	return r;
}

/* `flags`: how SQLite is to open it. The connection is the copy's, also of a failure. */
static int open_file(struct registry *r, const char *path, int flags, struct err *e)
{
	sqlite3 *file = NULL;
	int code = sqlite3_open_v2(path, &file, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
				   NULL);

	db_sqlite_adopt(&r->db, file);
	return code == SQLITE_OK ? 0 : err_set(e, ERR_INTERNAL, "%s", sqlite3_errstr(code));
}

/* The CVM does not outlive a crash of the machine, so the copy need not. */
static int write_one(struct registry *r, const char *tag, const struct cvm *cvm, struct err *e)
{
	if (db_script(&r->db, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF", e) < 0 ||
	    db_begin(&r->db, e) < 0 || registry_make_tables(r, tag, e) < 0 ||
	    registry_insert(r, cvm, e) < 0)
		return err_code(e);
	return db_commit(&r->db, e);
}

int registry_save(const struct registry *registry, const char *path, const struct cvm *cvm,
		  struct err *e)
{
	CLEANUP(registry_close) struct registry *r = new_copy(e);
	struct cvm running = *cvm;
	struct stat st;

	if (!r)
		return err_code(e);
	if (lstat(path, &st) == 0)
		return err_set(e, ERR_EXISTS, "'%s' exists", path);
	running.step = CVM_RUNNING;
	if (open_file(r, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e) < 0 ||
	    write_one(r, registry->tag, &running, e) < 0)
		return err_wrap(e, "'%s'", path);
	return 0;
}

static int take_one(struct registry *r, const char *id, struct cvm *cvm, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(&r->db, &rows, e, "SELECT " REGISTRY_COLUMNS " FROM cvm WHERE id = ?", "t",
		     id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	if (!row)
		return err_set(e, ERR_DATA_LOSS, "no record of CVM %s is in it", id);
	return registry_row_take(rows, cvm, e);
}

/* The copy in memory, where it can be made to be of the newest version. */
static int load(struct registry *r, const char *path, struct err *e)
{
	sqlite3_backup *backup;
	sqlite3 *file = NULL, *memory;
	int code = sqlite3_open_v2(path, &file, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

	if (code == SQLITE_OK && open_file(r, ":memory:", SQLITE_OPEN_READWRITE, e) < 0) {
		sqlite3_close(file);
		return err_code(e);
	}
	if (code == SQLITE_OK) {
		memory = db_sqlite_of(&r->db);
		backup = sqlite3_backup_init(memory, "main", file, "main");
		if (backup)
			(void)sqlite3_backup_step(backup, -1);
		code = backup ? sqlite3_backup_finish(backup) : sqlite3_errcode(memory);
	}
	sqlite3_close(file);
	if ((code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_CORRUPT)
		return registry_damaged(r, sqlite3_errstr(code), e);
	return code == SQLITE_OK ? 0 : err_set(e, ERR_INTERNAL, "%s", sqlite3_errstr(code));
}

/* One without tables is no copy. */
static int check_form(struct registry *r, struct err *e)
{
	int64_t form;

	if (db_form(&r->db, &form, e) < 0)
		return err_code(e);
	return form ? db_forms_apply(&r->db, &registry_forms, e)
		    : err_set(e, ERR_DATA_LOSS, "its version is none");
}

int registry_saved(const char *path, const char *id, struct cvm *cvm, struct err *e)
{
	CLEANUP(registry_close) struct registry *r = new_copy(e);

	if (!r)
		return err_code(e);
	if (load(r, path, e) < 0)
		return err_code(e);
	if (registry_check_integrity(r, e) < 0 || check_form(r, e) < 0 ||
	    take_one(r, id, cvm, e) < 0)
		return registry_error(r, e);
	return 0;
}
