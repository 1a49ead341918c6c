/* SPDX-License-Identifier: Apache-2.0 */
/* registry_hosts.c — which hosts were added while the manager ran, and which of all of them drain. */
#include "common/base/log.h"
#include "manager/registry/registry_lease_state.h"

#include <string.h>

enum column { COLUMN_NAME, COLUMN_URI, COLUMN_WORDS, COLUMN_DRAINING };

static int bad(struct db_rows *rows, const struct registry_host *host, enum column column,
	       const char *why, struct err *e)
{
	return err_set(e, ERR_DATA_LOSS, "host %s: its %s %s", log_quote(host->name).text,
		       db_column_name(rows, (int)column), why);
}

/* Of what a line of a table may have, for it becomes one: printable ASCII, and tabs between words. */
static int take_text(struct db_rows *rows, const struct registry_host *host, enum column column,
		     char *out, size_t room, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	size_t len;

	if (db_text(rows, (int)column, &text, e) < 0)
		return e->code == ERR_DATA_LOSS ? bad(rows, host, column, "is no text of ours", e)
						: err_code(e);
	len = strlen(text);
	if (len >= room)
		return bad(rows, host, column, "is too long", e);
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\t' && (text[i] < 0x20 || text[i] > 0x7e))
			return bad(rows, host, column, "is no text of ours", e);
	memcpy(out, text, len + 1);
	return 0;
}

static int take(struct db_rows *rows, struct registry_host *host, struct err *e)
{
	if (take_text(rows, host, COLUMN_NAME, host->name, sizeof(host->name), e) < 0 ||
	    take_text(rows, host, COLUMN_URI, host->uri, sizeof(host->uri), e) < 0 ||
	    take_text(rows, host, COLUMN_WORDS, host->words, sizeof(host->words), e) < 0)
		return err_code(e);
	if (!access_name_is_valid(host->name))
		return bad(rows, host, COLUMN_NAME, "is no host's name", e);
	if (db_flag(rows, COLUMN_DRAINING, &host->draining, e) < 0)
		return bad(rows, host, COLUMN_DRAINING, "is neither 0 nor 1", e);
	return 0;
}

int registry_list_hosts(struct registry *r, struct registry_host *hosts, size_t *count,
			struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	size_t n = 0;
	int row;

	if (db_query(&r->db, &rows, e, "SELECT name, uri, words, draining FROM host ORDER BY nr",
		     "") < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0) {
		if (n == REGISTRY_HOSTS_MAX)
			return err_set(e, ERR_DATA_LOSS, "more than %d hosts", REGISTRY_HOSTS_MAX);
		if (take(rows, &hosts[n++], e) < 0)
			return err_code(e);
	}
	*count = n;
	return row;
}

struct list {
	struct registry_host *all;
	size_t count;
};

static int list(struct registry *r, void *data, struct err *e)
{
	struct list *l = data;

	return registry_list_hosts(r, l->all, &l->count, e);
}

int registry_hosts(struct registry *r, struct registry_host **hosts, size_t *count, struct err *e)
{
	CLEANUP(free) struct registry_host *all = calloc(REGISTRY_HOSTS_MAX, sizeof(*all));
	struct list l = { all, 0 };

	if (!all)
		return err_nomem(e);
	if (registry_read(r, list, &l, e) < 0)
		return err_code(e);
	*hosts = TAKE_PTR(all);
	*count = l.count;
	return 0;
}

/* One more than are read would keep every manager that shares it from starting. */
static int check_count(struct registry *r, struct err *e)
{
	int64_t count;

	if (db_number(&r->db, &count, e, "SELECT count(*) FROM host", "") < 0)
		return err_code(e);
	return count <= REGISTRY_HOSTS_MAX
		       ? 0
		       : err_set(e, ERR_EXHAUSTED,
				 "something is said of %d hosts already, of those that were added "
				 "or drain: remove or undrain one",
				 REGISTRY_HOSTS_MAX);
}

/* The same once more changes nothing: whoever lost the answer to it (ERR_UNKNOWN) asks again. */
static int add(struct registry *r, void *data, struct err *e)
{
	const struct registry_host *host = data;
	int64_t added;

	if (db_change(&r->db, &added, e,
		      "INSERT INTO host (name, uri, words, draining) VALUES (?, ?, ?, ?)"
		      " ON CONFLICT (name) DO UPDATE SET draining = excluded.draining"
		      " WHERE host.uri = excluded.uri AND host.words = excluded.words",
		      "ttti", host->name, host->uri, host->words, (int64_t)host->draining) < 0)
		return err_code(e);
	return added ? check_count(r, e)
		     : err_set(e, ERR_EXISTS, "host %s is another by that name", host->name);
}

int registry_host_add(struct registry *r, const struct registry_host *host, struct err *e)
{
	return registry_write(r, add, (void *)(uintptr_t)host, e);
}

static int drain(struct registry *r, void *data, struct err *e)
{
	const struct registry_host *host = data;

	if (db_run(&r->db, e,
		   "INSERT INTO host (name, uri, words, draining) VALUES (?, '', '', ?)"
		   " ON CONFLICT (name) DO UPDATE SET draining = excluded.draining",
		   "ti", host->name, (int64_t)host->draining) < 0)
		return err_code(e);
	return check_count(r, e);
}

/* The host of that name, for one of these. */
static int run(struct registry *r, registry_work *work, const char *name, bool draining,
	       struct err *e)
{
	struct registry_host host = { .draining = draining };

	if (strlen(name) >= sizeof(host.name))
		return err_set(e, ERR_INVALID, "registry: the host's name is too long");
	memcpy(host.name, name, strlen(name) + 1);
	return registry_write(r, work, &host, e);
}

int registry_host_drain(struct registry *r, const char *name, bool draining, struct err *e)
{
	return run(r, drain, name, draining, e);
}

static int settle(struct registry *r, void *data, struct err *e)
{
	const struct registry_host *host = data;

	return db_run(&r->db, e, "UPDATE host SET uri = '', words = '' WHERE name = ?", "t",
		      host->name);
}

int registry_host_settle(struct registry *r, const char *name, struct err *e)
{
	return run(r, settle, name, false, e);
}

/* Of a host that is shared nobody but who holds it can say that it has no CVM. */
static int leave(struct registry *r, const char *name, struct err *e)
{
	int64_t cvms;

	if (lease_must_run(r, name, e) < 0 ||
	    db_number(&r->db, &cvms, e, "SELECT count(*) FROM cvm WHERE host = ?", "t", name) < 0)
		return err_code(e);
	if (cvms)
		return err_set(e, ERR_PRECONDITION, "host %s has CVMs: remove them first", name);
	return db_run(&r->db, e, "DELETE FROM lease WHERE host = ?", "t", name);
}

static int drop(struct registry *r, void *data, struct err *e)
{
	const struct registry_host *host = data;

	if (r->leases && leave(r, host->name, e) < 0)
		return err_code(e);
	return db_run(&r->db, e, "DELETE FROM host WHERE name = ?", "t", host->name);
}

int registry_host_drop(struct registry *r, const char *name, struct err *e)
{
	return run(r, drop, name, false, e);
}

/* Whichever manager's settings have it: what was added stays so. */
static int undrain(struct registry *r, void *data, struct err *e)
{
	const struct registry_host *host = data;

	if (db_run(&r->db, e, "DELETE FROM host WHERE name = ? AND uri = ''", "t", host->name) < 0)
		return err_code(e);
	return db_run(&r->db, e, "UPDATE host SET draining = 0 WHERE name = ?", "t", host->name);
}

int registry_host_undrain(struct registry *r, const char *name, struct err *e)
{
	return run(r, undrain, name, false, e);
}
