/* SPDX-License-Identifier: Apache-2.0 */
/* registry_copy.c — one record as a registry of its own, for a CVM's folder, and back. */
#include "manager/registry/registry_state.h"

#include <sys/stat.h>

int registry_save(const struct registry *registry, const char *path, const struct cvm *cvm,
		  struct err *e)
{
	CLEANUP(registry_close) struct registry *r = calloc(1, sizeof(*r));
	struct cvm running = *cvm;
	struct stat st;

	if (!r)
		return err_nomem(e);
	if (lstat(path, &st) == 0)
		return err_set(e, ERR_EXISTS, "'%s' exists", path);
	pthread_mutex_init(&r->lock, NULL);
	running.step = CVM_RUNNING;
	/* The CVM does not outlive a crash of the machine, so the copy need not. */
	if (sqlite3_open_v2(path, &r->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK ||
	    registry_exec(r, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN", e) <
		    0 ||
	    registry_make_tables(r, registry->tag, e) < 0 || registry_insert(r, &running, e) < 0 ||
	    registry_exec(r, "COMMIT", e) < 0) {
		registry_error(r, e);
		return err_wrap(e, "'%s'", path);
	}
	return 0;
}

static int take_one(struct registry *r, const char *id, struct cvm *cvm, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;
	int code;

	if (registry_prepare(r, "SELECT " REGISTRY_COLUMNS " FROM cvm WHERE id = ?", &s, e) < 0)
		return err_code(e);
	sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
	code = sqlite3_step(s);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return registry_error(r, e);
	if (code == SQLITE_DONE)
		return err_set(e, ERR_DATA_LOSS, "no record of CVM %s is in it", id);
	return registry_row_take(s, cvm, e);
}

/* The copy in memory, where it can be made to be of the newest version. */
static int load(struct registry *r, const char *path, struct err *e)
{
	sqlite3_backup *backup;
	sqlite3 *file = NULL;
	int code = sqlite3_open_v2(path, &file, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_open_v2(":memory:", &r->db,
				       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code == SQLITE_OK) {
		backup = sqlite3_backup_init(r->db, "main", file, "main");
		if (backup)
			(void)sqlite3_backup_step(backup, -1);
		code = backup ? sqlite3_backup_finish(backup) : sqlite3_errcode(r->db);
	}
	sqlite3_close(file);
	if ((code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_CORRUPT)
		return registry_damaged(r, sqlite3_errstr(code), e);
	return code == SQLITE_OK ? 0 : err_set(e, ERR_INTERNAL, "%s", sqlite3_errstr(code));
}

int registry_saved(const char *path, const char *id, struct cvm *cvm, struct err *e)
{
	CLEANUP(registry_close) struct registry *r = calloc(1, sizeof(*r));
	int version;

	if (!r)
		return err_nomem(e);
	pthread_mutex_init(&r->lock, NULL);
	r->is_copy = true;
	if (load(r, path, e) < 0 || registry_check_integrity(r, e) < 0 ||
	    registry_version(r, &version, e) < 0 || registry_migrate(r, version, e) < 0)
		return err_code(e);
	return take_one(r, id, cvm, e);
}
