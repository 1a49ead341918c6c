/* SPDX-License-Identifier: Apache-2.0 */
/* registry_hosts.c — which hosts were added while the manager ran, and which of all of them drain. */
#include "common/base/log.h"
#include "manager/registry/registry_state.h"

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

struct list {
	struct registry_host *all;
	size_t count;
};

static int list(struct registry *r, void *data, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct list *l = data;
	int row;

	if (db_query(&r->db, &rows, e, "SELECT name, uri, words, draining FROM host ORDER BY nr",
		     "") < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0) {
		if (l->count == REGISTRY_HOSTS_MAX)
			return err_set(e, ERR_DATA_LOSS, "more than %d hosts", REGISTRY_HOSTS_MAX);
		if (take(rows, &l->all[l->count++], e) < 0)
			return err_code(e);
	}
	return row;
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
	return added ? 0 : err_set(e, ERR_EXISTS, "host %s is another by that name", host->name);
}

int registry_host_add(struct registry *r, const struct registry_host *host, struct err *e)
{
	return registry_write(r, add, (void *)(uintptr_t)host, e);
}

static int drain(struct registry *r, void *data, struct err *e)
{
	const struct registry_host *host = data;

	return db_run(&r->db, e,
		      "INSERT INTO host (name, uri, words, draining) VALUES (?, '', '', ?)"
		      " ON CONFLICT (name) DO UPDATE SET draining = excluded.draining",
		      "ti", host->name, (int64_t)host->draining);
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

static int drop(struct registry *r, void *data, struct err *e)
{
	const struct registry_host *host = data;

	return db_run(&r->db, e, "DELETE FROM host WHERE name = ?", "t", host->name);
}

int registry_host_drop(struct registry *r, const char *name, struct err *e)
{
	return run(r, drop, name, false, e);
}
