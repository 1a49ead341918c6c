/* SPDX-License-Identifier: Apache-2.0 */
/* registry_sql.c — transactions of the registry, and what the database says of them. */
#include "manager/registry/registry_lease_state.h"

#include <inttypes.h>
#include <stdio.h>

/* A manager that guessed would remove what it does not know. */
#define LATER        "and start again: what it knew is listed then, and nothing removed"
#define FILE_WAY_OUT "damaged; move registry.db away, with its -wal and -shm, " LATER
#define SERVER_WAY_OUT                                                   \
	"damaged; restore the database from a copy, or drop its schema " \
	"cocos_manager " LATER

static const char *way_out(const struct registry *r)
{
	return r->is_copy ? "damaged" : r->is_server ? SERVER_WAY_OUT : FILE_WAY_OUT;
}

int registry_damaged(const struct registry *r, const char *why, struct err *e)
{
	err_set(e, ERR_DATA_LOSS, "%s", why);
	return registry_error(r, e);
}

int registry_error(const struct registry *r, struct err *e)
{
	if (e->code == ERR_DATA_LOSS)
		err_wrap(e, "%s", way_out(r));
	return r->is_copy ? err_code(e) : err_wrap(e, "registry");
}

/* The number of who opened it last goes with each change, and so does the tag: of several hosts that the place names,
 * one may have a registry of its own. A manager that lost its connection to the server, and its place to another
 * manager, has an older number: what it knows of CVMs is not true any more. */
static int check_epoch(struct registry *r, struct err *e)
{
	char mine[24];
	int64_t are_mine;

	snprintf(mine, sizeof(mine), "%" PRIu64, r->epoch);
	if (db_number(&r->db, &are_mine, e,
		      "SELECT count(*) FROM meta WHERE key = 'epoch' AND value = ?"
		      " OR key = 'tag' AND value = ?",
		      "tt", mine, r->tag) < 0)
		return err_code(e);
	return are_mine == 2
		       ? 0
		       : err_set(e, ERR_PRECONDITION,
				 "another manager has used it since this one started, which may "
				 "change nothing any more: start this one anew");
}

/* Beside others each is its own, and leases say which hosts are whose: the tag alone has to be the same. */
static int check_tag(struct registry *r, struct err *e)
{
	int64_t is_ours;

	if (db_number(&r->db, &is_ours, e,
		      "SELECT count(*) FROM meta WHERE key = 'tag' AND value = ?", "t", r->tag) < 0)
		return err_code(e);
	return is_ours == 1
		       ? 0
		       : err_set(e, ERR_PRECONDITION,
				 "it is another one than it was when this manager started, which "
				 "may change nothing any more: start this one anew");
}

/* Writers go one after the other: what one has looked at holds until it has written. Who is stopped in between (SIGSTOP,
 * a machine that is paused) keeps the others for a short time, and then has lost its transaction. */
static int enter(struct registry *r, struct err *e)
{
	if (!r->leases)
		return 0;
	if (r->is_server && db_script(&r->db,
				      "SET LOCAL idle_in_transaction_session_timeout = 3000;"
				      "SET LOCAL lock_timeout = 8000",
				      e) < 0)
		return err_code(e);
	return db_script(&r->db, "{lock} lease {locked}", e);
}

static int write_locked(struct registry *r, registry_work *work, void *data, struct err *e)
{
	if (db_begin(&r->db, e) < 0)
		return err_code(e);
	if (enter(r, e) < 0 || (r->leases ? check_tag(r, e) : check_epoch(r, e)) < 0 ||
	    work(r, data, e) < 0) {
		db_rollback(&r->db);
		return err_code(e);
	}
	return db_commit(&r->db, e);
}

static int read_locked(struct registry *r, registry_work *work, void *data, struct err *e)
{
	int failed = db_snapshot(&r->db, e);

	if (failed)
		return failed;
	failed = work(r, data, e);
	db_rollback(&r->db);
	return failed;
}

static int with_lock(struct registry *r,
		     int (*run)(struct registry *, registry_work *, void *, struct err *),
		     registry_work *work, void *data, struct err *e)
{
	pthread_mutex_lock(&r->lock);
	int failed = run(r, work, data, e);
	pthread_mutex_unlock(&r->lock);
	return failed ? registry_error(r, e) : 0;
}

int registry_write(struct registry *r, registry_work *work, void *data, struct err *e)
{
	return with_lock(r, write_locked, work, data, e);
}

int registry_read(struct registry *r, registry_work *work, void *data, struct err *e)
{
	return with_lock(r, read_locked, work, data, e);
}
