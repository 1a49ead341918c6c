/* SPDX-License-Identifier: Apache-2.0 */
/* registry_hosts.c — which hosts were added while the manager ran, and which of all of them drain. */
#include "common/base/log.h"
#include "manager/registry/registry_state.h"

#include <string.h>

enum column { COLUMN_NAME, COLUMN_URI, COLUMN_WORDS, COLUMN_DRAINING };

static int bad(sqlite3_stmt *s, enum column column, const char *why, struct err *e)
{
	const char *name = (const char *)sqlite3_column_text(s, COLUMN_NAME);

	return err_set(e, ERR_DATA_LOSS, "registry: " WAY_OUT ": host %s: its %s %s",
		       log_quote(name ? name : "").text, sqlite3_column_name(s, (int)column), why);
}

/* Of what a line of a table may have, for it becomes one: printable ASCII, and tabs between words. */
static int take_text(sqlite3_stmt *s, enum column column, char *out, size_t room, struct err *e)
{
	const char *text = (const char *)sqlite3_column_text(s, (int)column);
	size_t len = (size_t)sqlite3_column_bytes(s, (int)column);

	if (sqlite3_column_type(s, (int)column) != SQLITE_TEXT || !text)
		return bad(s, column, "is no text", e);
	if (len >= room)
		return bad(s, column, "is too long", e);
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\t' && (text[i] < 0x20 || text[i] > 0x7e))
			return bad(s, column, "is no text of ours", e);
	memcpy(out, text, len);
	out[len] = '\0';
	return 0;
}

static int take(sqlite3_stmt *s, struct registry_host *host, struct err *e)
{
	int64_t draining = sqlite3_column_int64(s, COLUMN_DRAINING);

	if (take_text(s, COLUMN_NAME, host->name, sizeof(host->name), e) < 0 ||
	    take_text(s, COLUMN_URI, host->uri, sizeof(host->uri), e) < 0 ||
	    take_text(s, COLUMN_WORDS, host->words, sizeof(host->words), e) < 0)
		return err_code(e);
	if (!access_name_is_valid(host->name))
		return bad(s, COLUMN_NAME, "is no host's name", e);
	if (sqlite3_column_type(s, COLUMN_DRAINING) != SQLITE_INTEGER || draining < 0 ||
	    draining > 1)
		return bad(s, COLUMN_DRAINING, "is neither 0 nor 1", e);
	host->draining = draining;
	return 0;
}

static int list(struct registry *r, struct registry_host **hosts, size_t *count, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;
	CLEANUP(free) struct registry_host *all = calloc(REGISTRY_HOSTS_MAX, sizeof(*all));
	size_t n = 0;
	int code;

	if (!all)
		return err_nomem(e);
	if (registry_prepare(r, "SELECT name, uri, words, draining FROM host ORDER BY nr", &s, e) <
	    0)
		return err_code(e);
	while ((code = sqlite3_step(s)) == SQLITE_ROW) {
		if (n == REGISTRY_HOSTS_MAX)
			return err_set(e, ERR_DATA_LOSS,
				       "registry: " WAY_OUT ": more than %d hosts",
				       REGISTRY_HOSTS_MAX);
		if (take(s, &all[n++], e) < 0)
			return err_code(e);
	}
	if (code != SQLITE_DONE)
		return registry_error(r, e);
	*hosts = TAKE_PTR(all);
	*count = n;
	return 0;
}

int registry_hosts(struct registry *r, struct registry_host **hosts, size_t *count, struct err *e)
{
	int failed;

	pthread_mutex_lock(&r->lock);
	failed = list(r, hosts, count, e);
	pthread_mutex_unlock(&r->lock);
	return failed;
}

/* As many texts as parameters, and then `draining` if that is not negative. */
static int run(struct registry *r, const char *sql, const char *const *texts, int count,
	       int draining, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;

	if (registry_prepare(r, sql, &s, e) < 0)
		return err_code(e);
	for (int i = 0; i < count; i++)
		sqlite3_bind_text(s, i + 1, texts[i], -1, SQLITE_STATIC);
	if (draining >= 0)
		sqlite3_bind_int(s, count + 1, draining);
	return sqlite3_step(s) == SQLITE_DONE ? 0 : registry_error(r, e);
}

static int run_locked(struct registry *r, const char *sql, const char *const *texts, int count,
		      int draining, struct err *e)
{
	int failed;

	pthread_mutex_lock(&r->lock);
	failed = run(r, sql, texts, count, draining, e);
	pthread_mutex_unlock(&r->lock);
	return failed;
}

int registry_host_add(struct registry *r, const struct registry_host *host, struct err *e)
{
	const char *const texts[] = { host->name, host->uri, host->words };

	return run_locked(r, "INSERT INTO host (name, uri, words, draining) VALUES (?, ?, ?, ?)",
			  texts, 3, host->draining, e);
}

int registry_host_drain(struct registry *r, const char *name, bool draining, struct err *e)
{
	return run_locked(r,
			  "INSERT INTO host (name, uri, words, draining) VALUES (?, '', '', ?)"
			  " ON CONFLICT (name) DO UPDATE SET draining = excluded.draining",
			  &name, 1, draining, e);
}

int registry_host_settle(struct registry *r, const char *name, struct err *e)
{
	return run_locked(r, "UPDATE host SET uri = '', words = '' WHERE name = ?", &name, 1, -1,
			  e);
}

int registry_host_drop(struct registry *r, const char *name, struct err *e)
{
	return run_locked(r, "DELETE FROM host WHERE name = ?", &name, 1, -1, e);
}
