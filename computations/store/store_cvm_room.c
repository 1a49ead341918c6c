/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_cvm_room.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "computations/store/store_evidence.h"
#include "computations/store/store_machine.h"

#include <string.h>

/* That a name is kept unseen, at least, which was used. */
#define BOUND_MS (INT64_C(7) * 24 * 3600 * 1000)

/* One key's names. Those that its holder may have made up were never used: no computation was run there, no manager was
 * asked for that CVM, and no certificate of ours was made out to it. */
struct owner {
	char *key, *oldest; /* of those that may go; NULL: none */
	uint64_t names, idle;
};

static void owner_done(struct owner *o)
{
	free(o->key);
	free(o->oldest);
	*o = (struct owner){ .key = NULL };
}
#define CLEANUP_OWNER __attribute__((cleanup(owner_done)))

/* The workspace that had it made would take whoever comes under its name for it. */
#define IS_NO_MACHINE " NOT EXISTS (SELECT 1 FROM machines m WHERE m.cvm = v.id AND m.phase < 3)"
#define IS_UNUSED                                                       \
	"CASE WHEN v.computation = '' AND v.used = 0 AND" IS_NO_MACHINE \
	" AND NOT EXISTS (SELECT 1 FROM certificates c"                 \
	" WHERE c.name = v.id AND c.revoked = 0)"                       \
	" THEN 1 ELSE 0 END"
_Static_assert(MACHINE_LOST == 3, "what is written in SQL");

/* Who is there. */
struct room {
	struct store *store;
	const char *key; /* the newcomer's */
	bool (*connected)(const char *id, void *data);
	void *data;
};

static bool is_away(const struct room *r, const char *id)
{
	return !r->connected(id, r->data);
}

/* The first row's CVM that is away; NULL: none is. */
static int first_away(const struct room *r, struct db_rows *rows, char **found, struct err *e)
{
	int row;

	while ((row = db_next(rows, e)) > 0) {
		CLEANUP(free) char *id = NULL;

		if (db_text(rows, 0, &id, e) < 0)
			return err_code(e);
		if (is_away(r, id)) {
			*found = TAKE_PTR(id);
			return 0;
		}
	}
	return row;
}

static int unseen(const struct room *r, char **found, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;

	if (db_query(
		    &r->store->db, &rows, e,
		    "SELECT v.id FROM cvms v WHERE v.computation = '' AND v.last_seen < ? AND" IS_NO_MACHINE
		    " ORDER BY v.last_seen, v.number",
		    "i", store_now() - BOUND_MS) < 0)
		return err_code(e);
	return first_away(r, rows, found, e);
}

static int own(const struct room *r, char **found, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;

	if (db_query(
		    &r->store->db, &rows, e,
		    "SELECT v.id FROM cvms v WHERE v.computation = '' AND v.key IN ('', ?) AND" IS_NO_MACHINE
		    " ORDER BY v.last_seen, v.number",
		    "t", r->key) < 0)
		return err_code(e);
	return first_away(r, rows, found, e);
}

/* One key's row; they come in the order of keys, and of each the oldest first. */
static int count_row(const struct room *r, struct db_rows *row, struct owner *o, struct err *e)
{
	CLEANUP(free) char *id = NULL;
	bool is_unused;

	if (db_text(row, 0, &id, e) < 0 || db_flag(row, 2, &is_unused, e) < 0)
		return err_code(e);
	o->names++;
	if (!is_unused || !is_away(r, id))
		return 0;
	o->idle++;
	if (!o->oldest)
		o->oldest = TAKE_PTR(id);
	return 0;
}

/* Keeps the greediest, of equals the newcomer itself. */
static void compare(const struct room *r, struct owner *o, struct owner *most, uint64_t *has)
{
	bool is_own = o->key && strcmp(o->key, r->key) == 0;

	if (is_own)
		*has = o->names;
	if (o->idle > most->idle || (o->idle && o->idle == most->idle && is_own)) {
		owner_done(most);
		*most = *o;
		*o = (struct owner){ .key = NULL };
	}
	owner_done(o);
}

/* Whose key has most names that may go; `has` is how many the newcomer's has, of whatever kind. */
static int greediest(const struct room *r, struct owner *most, uint64_t *has, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct owner o CLEANUP_OWNER = { .key = NULL };
	int row;

	*has = 0;
	if (db_query(&r->store->db, &rows, e,
		     "SELECT v.id, v.key, " IS_UNUSED
		     " FROM cvms v ORDER BY v.key, v.last_seen, v.number",
		     "") < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0) {
		CLEANUP(free) char *key = NULL;

		if (db_text(rows, 1, &key, e) < 0)
			return err_code(e);
		if (!o.key || strcmp(o.key, key) != 0) {
			compare(r, &o, most, has);
			o.key = TAKE_PTR(key);
		}
		if (count_row(r, rows, &o, e) < 0)
			return err_code(e);
	}
	if (row < 0)
		return row;
	compare(r, &o, most, has);
	return 0;
}

/* Of the places, a quarter. */
static uint64_t share_of(const struct store *store)
{
	return store->limits.cvms < 8 ? 1 : store->limits.cvms / 4;
}

static void tell(struct store *store, const struct owner *o)
{
	unsigned long skipped;

	if (!store_line_take(&store->lines, &(struct store_line){ STORE_LINE_FORGOT, o->key },
			     clock_ms(CLOCK_MONOTONIC), &store->forgot, &skipped))
		return;
	if (skipped)
		log_warn("%lu other names of CVMs made room for others'", skipped);
	log_warn("CVM %s, which was never used, is forgotten to make room: the key %.16s... of its "
		 "client certificate has %llu names",
		 log_quote(o->oldest).text, o->key, (unsigned long long)o->names);
}

/* Places are shared: who has two more than the one that comes, or more than a quarter, gives one away. */
static int shared(const struct room *r, char **found, struct err *e)
{
	struct owner most CLEANUP_OWNER = { .key = NULL };
	uint64_t has;
	bool is_own;

	if (greediest(r, &most, &has, e) < 0)
		return err_code(e);
	if (!most.oldest)
		return 0;
	is_own = strcmp(most.key, r->key) == 0;
	if (!is_own && most.names < has + 2 && most.names <= share_of(r->store))
		return 0;
	if (!is_own)
		tell(r->store, &most);
	*found = TAKE_PTR(most.oldest);
	return 0;
}

static int forget(struct store *store, const char *id, struct err *e)
{
	CLEANUP(free) char *owner = NULL;

	if (text_format(&owner, e, "v:%s", id) < 0 ||
	    db_run(&store->db, e, "DELETE FROM journals WHERE owner = ?", "t", owner) < 0 ||
	    store_evidence_forget_cvm(store, id, e) < 0)
		return err_code(e);
	return db_run(&store->db, e, "DELETE FROM cvms WHERE id = ?", "t", id);
}

int store_cvm_room(struct store *store, const char *key,
		   bool (*connected)(const char *id, void *data), void *data, struct err *e)
{
	static int (*const givers[])(const struct room *r, char **found,
				     struct err *e) = { unseen, shared, own };
	const struct room r = { store, key, connected, data };
	CLEANUP(free) char *found = NULL;
	int64_t count;

	if (db_number(&store->db, &count, e, "SELECT count(*) FROM cvms", "") < 0)
		return err_code(e);
	if ((uint64_t)count < store->limits.cvms)
		return 0;
	for (size_t i = 0; !found && i < ARRAY_LEN(givers); i++)
		if (givers[i](&r, &found, e) < 0)
			return err_code(e);
	if (!found)
		return err_set(e, ERR_EXHAUSTED,
			       "%lld CVMs are connected, hold computations or were here within a "
			       "week: COMPUTATIONS_MAX_CVMS allows no more",
			       (long long)count);
	return forget(store, found, e);
}
