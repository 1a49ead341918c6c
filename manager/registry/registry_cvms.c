/* SPDX-License-Identifier: Apache-2.0 */
/* registry_cvms.c — which CVMs there are and which were removed: the rows of the registry. */
#include "manager/registry/registry_state.h"

int registry_insert(struct registry *r, const struct cvm *cvm, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;

	if (registry_prepare(
		    r, "INSERT INTO cvm (" REGISTRY_COLUMNS ") VALUES (" REGISTRY_PARAMETERS ")",
		    &s, e) < 0)
		return err_code(e);
	registry_row_bind(s, cvm);
	return registry_run(r, s, cvm->id, e);
}

int registry_add(struct registry *r, const struct cvm *cvm, struct err *e)
{
	int failed;

	pthread_mutex_lock(&r->lock);
	failed = registry_insert(r, cvm, e);
	pthread_mutex_unlock(&r->lock);
	return failed;
}

/* `sql` takes the value and the id. */
static int change(struct registry *r, const char *sql, int64_t value, const char *id, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;

	if (registry_prepare(r, sql, &s, e) < 0)
		return err_code(e);
	sqlite3_bind_int64(s, 1, value);
	sqlite3_bind_text(s, 2, id, -1, SQLITE_STATIC);
	return registry_run(r, s, id, e);
}

static int change_locked(struct registry *r, const char *sql, int64_t value, const char *id,
			 struct err *e)
{
	int failed;

	pthread_mutex_lock(&r->lock);
	failed = change(r, sql, value, id, e);
	pthread_mutex_unlock(&r->lock);
	return failed;
}

int registry_set_step(struct registry *r, const char *id, enum cvm_step step, struct err *e)
{
	return change_locked(r, "UPDATE cvm SET step = ? WHERE id = ?", step, id, e);
}

int registry_set_port(struct registry *r, const char *id, uint16_t port, struct err *e)
{
	return change_locked(r, "UPDATE cvm SET port = ? WHERE id = ?", port, id, e);
}

/* REGISTRY_GONE_MAX of them stay: beyond that, the oldest of the owner who has most goes, as in fleet_gone.c. */
#define PRUNE_GONE                                                           \
	"DELETE FROM gone WHERE (SELECT count(*) FROM gone) > 1024 AND nr =" \
	" (SELECT min(nr) FROM gone GROUP BY owner ORDER BY count(*) DESC, min(nr) LIMIT 1);"
#define LIST_GONE                       \
	"SELECT " REGISTRY_GONE_COLUMNS \
	" FROM (SELECT * FROM gone ORDER BY nr DESC LIMIT 1024) ORDER BY nr"
_Static_assert(REGISTRY_GONE_MAX == 1024, "as PRUNE_GONE and LIST_GONE say");

#define KEEP_GONE                                                      \
	"INSERT INTO gone (" REGISTRY_GONE_COLUMNS                     \
	") SELECT id, name, labels, tee, kvm, ?, created_ms, ?, owner" \
	" FROM cvm WHERE id = ?"

static int delete(struct registry *r, const struct cvm *cvm, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *keep = NULL, *drop = NULL;

	if (registry_prepare(r, KEEP_GONE, &keep, e) < 0 ||
	    registry_prepare(r, "DELETE FROM cvm WHERE id = ?", &drop, e) < 0)
		return err_code(e);
	sqlite3_bind_int64(keep, 1, cvm->why);
	sqlite3_bind_int64(keep, 2, cvm->exited_ms);
	sqlite3_bind_text(keep, 3, cvm->id, -1, SQLITE_STATIC);
	sqlite3_bind_text(drop, 1, cvm->id, -1, SQLITE_STATIC);
	return registry_run(r, keep, cvm->id, e) < 0 ? err_code(e)
						     : registry_run(r, drop, cvm->id, e);
}

int registry_delete(struct registry *r, const struct cvm *cvm, struct err *e)
{
	struct err undo;
	int failed;

	pthread_mutex_lock(&r->lock);
	failed = registry_exec(r, "BEGIN IMMEDIATE", e);
	if (!failed) {
		failed = delete (r, cvm, e);
		if (!failed)
			failed = registry_exec(r, PRUNE_GONE "COMMIT", e);
		if (failed)
			(void)!registry_exec(r, "ROLLBACK", &undo);
	}
	pthread_mutex_unlock(&r->lock);
	return failed;
}

static int list_gone(struct registry *r, struct cvm_gone *gone, size_t *count, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;
	size_t n = 0;
	int code = SQLITE_DONE;

	if (registry_prepare(r, LIST_GONE, &s, e) < 0)
		return err_code(e);
	while (n < REGISTRY_GONE_MAX && (code = sqlite3_step(s)) == SQLITE_ROW)
		n += registry_row_take_gone(s, &gone[n]); /* another one names no domain of ours */
	if (n < REGISTRY_GONE_MAX && code != SQLITE_DONE)
		return registry_error(r, e);
	*count = n;
	return 0;
}

int registry_gone(struct registry *r, struct cvm_gone gone[REGISTRY_GONE_MAX], size_t *count,
		  struct err *e)
{
	int failed;

	pthread_mutex_lock(&r->lock);
	failed = list_gone(r, gone, count, e);
	pthread_mutex_unlock(&r->lock);
	return failed;
}

static int list(struct registry *r, struct cvm **cvms, size_t *count, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;
	CLEANUP(free) struct cvm *all = NULL;
	size_t n = 0, room = 0;
	int code;

	if (registry_prepare(r, "SELECT " REGISTRY_COLUMNS " FROM cvm ORDER BY slot", &s, e) < 0)
		return err_code(e);
	while ((code = sqlite3_step(s)) == SQLITE_ROW) {
		if (n == room) {
			struct cvm *more;

			room = room ? 2 * room : 16;
			if (room > REGISTRY_ROWS_MAX)
				return err_set(e, ERR_EXHAUSTED, "registry: too many CVMs");
			more = reallocarray(all, room, sizeof(*all));
			if (!more)
				return err_nomem(e);
			all = more;
		}
		if (registry_row_take(s, &all[n], e) < 0)
			return err_wrap(e, "registry: " WAY_OUT);
		if (n && all[n].slot == all[n - 1].slot)
			return err_set(e, ERR_DATA_LOSS,
				       "registry: " WAY_OUT ": CVMs %s and %s have one slot",
				       all[n - 1].id, all[n].id);
		n++;
	}
	if (code != SQLITE_DONE)
		return registry_error(r, e);
	*cvms = TAKE_PTR(all);
	*count = n;
	return 0;
}

int registry_list(struct registry *r, struct cvm **cvms, size_t *count, struct err *e)
{
	int failed;

	pthread_mutex_lock(&r->lock);
	failed = list(r, cvms, count, e);
	pthread_mutex_unlock(&r->lock);
	return failed;
}
