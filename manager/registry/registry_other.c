/* SPDX-License-Identifier: Apache-2.0 */
/* registry_other.c — CVMs on hosts of other managers: what they take up, and where each is. */
#include "common/base/log.h"
#include "manager/registry/host_table.h"
#include "manager/registry/registry_lease_state.h"

#include <string.h>

enum column {
	COLUMN_ID,
	COLUMN_OWNER,
	COLUMN_NAME,
	COLUMN_HOST,
	COLUMN_SLOT,
	COLUMN_PORT,
	COLUMN_CPUS,
	COLUMN_MEMORY,
	COLUMN_HOLDER,   /* of one that is looked for */
	COLUMN_INSTANCE, /* the same */
};
#define COLUMNS "c.id, c.owner, c.name, c.host, c.slot, c.port, c.cpus, c.memory"

static int bad(struct db_rows *rows, const struct registry_other *cvm, int column, struct err *e)
{
	return err_set(e, ERR_DATA_LOSS, "CVM %s: its %s is none of ours", log_quote(cvm->id).text,
		       db_column_name(rows, column));
}

static int take_text(struct db_rows *rows, const struct registry_other *cvm, int column, char *out,
		     size_t room, struct err *e)
{
	CLEANUP(free) char *text = NULL;

	if (db_text(rows, column, &text, e) < 0)
		return e->code == ERR_DATA_LOSS ? bad(rows, cvm, column, e) : err_code(e);
	if (strlen(text) >= room)
		return bad(rows, cvm, column, e);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int take_number(struct db_rows *rows, const struct registry_other *cvm, int column,
		       int64_t min, int64_t max, int64_t *out, struct err *e)
{
	return db_integer(rows, column, min, max, out, e) < 0 ? bad(rows, cvm, column, e) : 0;
}

static int take(struct db_rows *rows, struct registry_other *cvm, struct err *e)
{
	int64_t slot, port, cpus, memory;
	struct err why;

	*cvm = (struct registry_other){ .slot = 0 };
	if (take_text(rows, cvm, COLUMN_ID, cvm->id, sizeof(cvm->id), e) < 0 ||
	    take_text(rows, cvm, COLUMN_OWNER, cvm->owner, sizeof(cvm->owner), e) < 0 ||
	    take_text(rows, cvm, COLUMN_NAME, cvm->name, sizeof(cvm->name), e) < 0 ||
	    take_text(rows, cvm, COLUMN_HOST, cvm->host, sizeof(cvm->host), e) < 0 ||
	    take_number(rows, cvm, COLUMN_SLOT, 0, REGISTRY_ROWS_MAX - 1, &slot, e) < 0 ||
	    take_number(rows, cvm, COLUMN_PORT, 1, UINT16_MAX, &port, e) < 0 ||
	    take_number(rows, cvm, COLUMN_CPUS, 1, REGISTRY_CPUS_MAX, &cpus, e) < 0 ||
	    take_number(rows, cvm, COLUMN_MEMORY, 0, INT64_MAX, &memory, e) < 0)
		return err_code(e);
	if (!cvm_id_is_valid(cvm->id))
		return bad(rows, cvm, COLUMN_ID, e);
	if (*cvm->owner && !access_name_is_valid(cvm->owner))
		return bad(rows, cvm, COLUMN_OWNER, e);
	if (cvm_name_check(cvm->name, &why) < 0)
		return bad(rows, cvm, COLUMN_NAME, e);
	if (*cvm->host && !host_name_is_valid(cvm->host))
		return bad(rows, cvm, COLUMN_HOST, e);
	cvm->slot = (unsigned)slot;
	cvm->port = (uint16_t)port;
	cvm->cpus = (unsigned)cpus;
	cvm->memory = (uint64_t)memory;
	return 0;
}

static bool is_held(const struct registry_wish *wishes, size_t count, const char *host)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(wishes[i].host, host) == 0)
			return wishes[i].held;
	return false;
}

int other_rows(struct registry *r, struct registry_round *round, const struct registry_wish *wishes,
	       size_t count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int64_t seen = 0;
	int row;

	if (db_query(&r->db, &rows, e, "SELECT " COLUMNS " FROM cvm c", "") < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0) {
		struct registry_other other;

		if (seen++ == REGISTRY_ROWS_MAX)
			return err_set(e, ERR_DATA_LOSS, "too many CVMs");
		if (take(rows, &other, e) < 0)
			return err_code(e);
		if (is_held(wishes, count, other.host))
			continue;
		if (round->other_count % 256 == 0) {
			struct registry_other *more = reallocarray(
				round->others, round->other_count + 256, sizeof(*more));

			if (!more)
				return err_nomem(e);
			round->others = more;
		}
		round->others[round->other_count++] = other;
	}
	return row;
}

int other_check(struct registry *r, const struct cvm *cvm, struct err *e)
{
	int64_t count;

	if (!r->leases)
		return 0;
	if (db_number(&r->db, &count, e,
		      "SELECT count(*) FROM cvm WHERE name = ? AND name <> '' AND owner = ?", "tt",
		      cvm->name, cvm->owner) < 0)
		return err_code(e);
	if (count)
		return err_set(e, ERR_EXISTS, "name: a CVM is called %s", cvm->name);
	if (db_number(&r->db, &count, e, "SELECT count(*) FROM cvm WHERE slot = ? OR port = ?",
		      "ii", (int64_t)cvm->slot, (int64_t)cvm->port) < 0)
		return err_code(e);
	return count ? err_set(e, ERR_ABORTED, "another manager has taken slot %u or port %u",
			       cvm->slot, cvm->port)
		     : 0;
}

/* ---- where one is ---- */

struct search {
	const char *id, *owner, *name;
	struct registry_place *place;
};

#define FROM                                                                  \
	"SELECT " COLUMNS ", coalesce(l.holder, ''), coalesce(l.instance, 0)" \
	" FROM cvm c LEFT JOIN lease l ON l.host = c.host AND l.until_ms > ?1 WHERE "

static int search(struct registry *r, void *data, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	const struct search *s = data;
	struct registry_place *place = s->place;
	int64_t now, instance;
	int row;

	if (db_clock(&r->db, &now, e) < 0)
		return err_code(e);
	row = s->id ? db_query(&r->db, &rows, e, FROM "c.id = ?2", "it", now, s->id)
		    : db_query(&r->db, &rows, e, FROM "c.owner = ?2 AND c.name = ?3", "itt", now,
			       s->owner, s->name);
	if (row < 0 || (row = db_next(rows, e)) < 0)
		return err_code(e);
	if (!row)
		return err_set(e, ERR_NOT_FOUND, "no CVM %s",
			       log_quote(s->id ? s->id : s->name).text);
	if (take(rows, &place->cvm, e) < 0 ||
	    take_text(rows, &place->cvm, COLUMN_HOLDER, place->holder, sizeof(place->holder), e) <
		    0 ||
	    take_number(rows, &place->cvm, COLUMN_INSTANCE, 0, INT64_MAX, &instance, e) < 0)
		return err_code(e);
	if (*place->holder && !host_name_is_valid(place->holder))
		return bad(rows, &place->cvm, COLUMN_HOLDER, e);
	place->mine = *place->holder && instance == r->leases->instance;
	return 0;
}

int registry_whereabouts(struct registry *r, const char *id, const char *owner, const char *name,
			 struct registry_place *place, struct err *e)
{
	struct search s = { id, owner, name, place };

	return registry_read(r, search, &s, e);
}
