/* SPDX-License-Identifier: Apache-2.0 */
/* registry_cvms.c — which CVMs there are and which were removed: the rows of the registry. */
#include "manager/registry/registry_lease_state.h"

#include <string.h>

int registry_insert(struct registry *r, const struct cvm *cvm, struct err *e)
{
	return registry_row_insert(&r->db, cvm, e);
}

static int insert(struct registry *r, void *data, struct err *e)
{
	const struct cvm *cvm = data;

	if (lease_must_run(r, cvm->host, e) < 0 || other_check(r, cvm, e) < 0)
		return err_code(e);
	return registry_insert(r, cvm, e);
}

int registry_add(struct registry *r, const struct cvm *cvm, struct err *e)
{
	return registry_write(r, insert, (void *)(uintptr_t)cvm, e);
}

/* One row, that of `id`. */
static int one(int64_t changed, const char *id, struct err *e)
{
	return changed == 1 ? 0 : err_set(e, ERR_NOT_FOUND, "no CVM '%s'", id);
}

/* `sql` takes the value and the id. */
struct change {
	const char *sql, *id;
	int64_t value;
};

static int change(struct registry *r, void *data, struct err *e)
{
	const struct change *c = data;
	int64_t changed;

	if (lease_must_run_for(r, c->id, e) < 0 ||
	    db_change(&r->db, &changed, e, c->sql, "it", c->value, c->id) < 0)
		return err_code(e);
	return one(changed, c->id, e);
}

int registry_set_step(struct registry *r, const char *id, enum cvm_step step, struct err *e)
{
	struct change c = { "UPDATE cvm SET step = ? WHERE id = ?", id, step };

	return registry_write(r, change, &c, e);
}

int registry_set_port(struct registry *r, const char *id, uint16_t port, struct err *e)
{
	struct change c = { "UPDATE cvm SET port = ? WHERE id = ?", id, port };

	return registry_write(r, change, &c, e);
}

/* REGISTRY_GONE_MAX of them stay: beyond that, the oldest of the owner who has most goes, as in fleet_gone.c. */
#define PRUNE_GONE                                                           \
	"DELETE FROM gone WHERE (SELECT count(*) FROM gone) > 1024 AND nr =" \
	" (SELECT min(nr) FROM gone GROUP BY owner ORDER BY count(*) DESC, min(nr) LIMIT 1)"
#define LIST_GONE                       \
	"SELECT " REGISTRY_GONE_COLUMNS \
	" FROM (SELECT * FROM gone ORDER BY nr DESC LIMIT 1024) AS newest ORDER BY nr"
_Static_assert(REGISTRY_GONE_MAX == 1024, "as PRUNE_GONE and LIST_GONE say");

#define KEEP_GONE                                                      \
	"INSERT INTO gone (" REGISTRY_GONE_COLUMNS                     \
	") SELECT id, name, labels, tee, kvm, ?, created_ms, ?, owner" \
	" FROM cvm WHERE id = ?"

static int delete(struct registry *r, void *data, struct err *e)
{
	const struct cvm *cvm = data;
	int64_t kept;

	if (lease_must_run_for(r, cvm->id, e) < 0 ||
	    db_change(&r->db, &kept, e, KEEP_GONE, "iit", (int64_t)cvm->why, cvm->exited_ms,
		      cvm->id) < 0 ||
	    one(kept, cvm->id, e) < 0 ||
	    db_run(&r->db, e, "DELETE FROM cvm WHERE id = ?", "t", cvm->id) < 0)
		return err_code(e);
	return db_run(&r->db, e, PRUNE_GONE, "");
}

int registry_delete(struct registry *r, const struct cvm *cvm, struct err *e)
{
	return registry_write(r, delete, (void *)(uintptr_t)cvm, e);
}

int registry_list_gone(struct registry *r, struct cvm_gone *gone, size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	size_t n = 0;
	int row = 0;

	if (db_query(&r->db, &rows, e, LIST_GONE, "") < 0)
		return err_code(e);
	while (n < REGISTRY_GONE_MAX && (row = db_next(rows, e)) > 0)
		/* another one names no domain of ours */
		n += registry_row_take_gone(rows, &gone[n]);
	*count = n;
	return row < 0 ? row : 0;
}

struct gone {
	struct cvm_gone *all;
	size_t count;
};

static int list_gone(struct registry *r, void *data, struct err *e)
{
	struct gone *gone = data;

	return registry_list_gone(r, gone->all, &gone->count, e);
}

int registry_gone(struct registry *r, struct cvm_gone gone[REGISTRY_GONE_MAX], size_t *count,
		  struct err *e)
{
	struct gone all = { gone, 0 };

	if (registry_read(r, list_gone, &all, e) < 0)
		return err_code(e);
	*count = all.count;
	return 0;
}

struct list {
	struct cvm *all;
	size_t count, room;
};

static int make_room(struct list *l, struct err *e)
{
	struct cvm *more;

	if (l->count < l->room)
		return 0;
	l->room = l->room ? 2 * l->room : 16;
	if (l->room > REGISTRY_ROWS_MAX)
		return err_set(e, ERR_EXHAUSTED, "too many CVMs");
	more = reallocarray(l->all, l->room, sizeof(*more));
	if (!more)
		return err_nomem(e);
	l->all = more;
	return 0;
}

/* Behind those that are there. */
static int take_rows(struct db_rows *rows, struct list *l, struct err *e)
{
	const size_t first = l->count;
	int row;

	while ((row = db_next(rows, e)) > 0) {
		struct cvm *cvm;

		if (make_room(l, e) < 0)
			return err_code(e);
		cvm = &l->all[l->count];
		if (registry_row_take(rows, cvm, e) < 0)
			return err_code(e);
		/* Whoever counts slots by the last one goes by this order, whatever a server or an index says. */
		if (l->count > first && cvm->slot <= cvm[-1].slot)
			return err_set(e, ERR_DATA_LOSS, "CVMs %s and %s %s", cvm[-1].id, cvm->id,
				       cvm->slot == cvm[-1].slot ? "have one slot"
								 : "are not in the order of slots");
		l->count++;
	}
	return row;
}

static int list(struct registry *r, void *data, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;

	return db_query(&r->db, &rows, e, "SELECT " REGISTRY_COLUMNS " FROM cvm ORDER BY slot",
			"") < 0
		       ? err_code(e)
		       : take_rows(rows, data, e);
}

int registry_list_of(struct registry *r, const char *host, struct cvm **cvms, size_t *count,
		     struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct list l = { *cvms, *count, *count };
	int failed = db_query(&r->db, &rows, e,
			      "SELECT " REGISTRY_COLUMNS " FROM cvm WHERE host = ? ORDER BY slot",
			      "t", host);

	if (!failed)
		failed = take_rows(rows, &l, e);
	*cvms = l.all; /* the caller's also if it failed */
	*count = l.count;
	return failed;
}

int registry_list(struct registry *r, struct cvm **cvms, size_t *count, struct err *e)
{
	struct list l = { .all = NULL };

	if (registry_read(r, list, &l, e) < 0) {
		free(l.all);
		return err_code(e);
	}
	*cvms = l.all;
	*count = l.count;
	return 0;
}
