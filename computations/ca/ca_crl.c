/* SPDX-License-Identifier: Apache-2.0 */
/* ca_crl.c — the list of revoked certificates: the last one, or a new one. */
#include "computations/ca/ca_record.h"

#include <string.h>

/* The one that was made last. */
struct last {
	int64_t number, fresh; /* 0: none was; somebody was added since */
	uint8_t *der;
	size_t len;
};

static int read_last(struct db *db, const struct authority *a, struct last *last, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct last found = { 0 };
	const void *bytes;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT number, fresh, bytes FROM certificate_lists WHERE authority = ?", "t",
		     a->fingerprint) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	if (row) {
		if (db_integer(rows, 0, 1, INT64_MAX - 1, &found.number, e) < 0 ||
		    db_integer(rows, 1, 0, INT64_MAX, &found.fresh, e) < 0 ||
		    db_blob(rows, 2, CA_LIST_MAX, &bytes, &found.len, e) < 0)
			return err_code(e);
		found.der = malloc(found.len);
		if (!found.der)
			return err_nomem(e);
		memcpy(found.der, bytes, found.len);
	}
	*last = found;
	return 0;
}

/* A clock that went back must not keep one for longer than that. */
static bool is_fresh(const struct last *last, int64_t now)
{
	return last->fresh > now && last->fresh <= now + (int64_t)CA_LIST_FRESH_H * 3600 * 1000;
}

/* Nobody was added, and it has not ended. */
static bool is_good(const struct last *last, int64_t now)
{
	return last->fresh && last->fresh <= now + (int64_t)CA_LIST_FRESH_H * 3600 * 1000 &&
	       now < last->fresh + (int64_t)(CA_LIST_HOURS - CA_LIST_FRESH_H) * 3600 * 1000;
}

/* Those that are valid but for this, or were a day ago: RFC 5280, section 3.3, wants each on a list that was made after its
 * end, too. As a certificate is for a day at least, they are twice as many as may be valid, at most. */
enum { REVOKED_MAX = 2 * CA_RECORDS_MAX };

static int read_revoked(struct db *db, const struct authority *a, int64_t now,
			struct certificate_revoked **revoked, size_t *count, struct err *e)
{
	CLEANUP(free)
	struct certificate_revoked *all = calloc(REVOKED_MAX, sizeof(*all));
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	size_t got = 0;
	int row;

	if (!all)
		return err_nomem(e);
	if (db_query(db, &rows, e,
		     "SELECT serial, revoked FROM certificates WHERE authority = ? AND revoked > 0"
		     " AND until > ? ORDER BY number",
		     "ti", a->fingerprint, now - (int64_t)CA_LIST_HOURS * 3600 * 1000) < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0) {
		CLEANUP(free) char *serial = NULL;

		/* None may be left out. */
		if (got == REVOKED_MAX)
			return err_set(e, ERR_EXHAUSTED, "more than %d revoked certificates",
				       REVOKED_MAX);
		if (db_text(rows, 0, &serial, e) < 0 ||
		    db_integer(rows, 1, 1, INT64_MAX, &all[got].when, e) < 0)
			return err_code(e);
		if (strlen(serial) != SERIAL_TEXT_LEN)
			return err_set(e, ERR_DATA_LOSS, "database: a serial number of %zu digits",
				       strlen(serial));
		memcpy(all[got++].serial, serial, SERIAL_TEXT_LEN + 1);
	}
	if (row < 0)
		return row;
	*revoked = TAKE_PTR(all);
	*count = got;
	return 0;
}

static int keep(struct db *db, const struct authority *a, const struct certificate_list *list,
		const uint8_t *der, size_t len, struct err *e)
{
	const int64_t fresh = list->from + (int64_t)AUTHORITY_SKEW_S * 1000 +
			      (int64_t)CA_LIST_FRESH_H * 3600 * 1000;

	if (db_run(db, e, "DELETE FROM certificate_lists WHERE authority = ?", "t",
		   a->fingerprint) < 0)
		return err_code(e);
	return db_run(db, e,
		      "INSERT INTO certificate_lists (authority, number, fresh, bytes)"
		      " VALUES (?, ?, ?, ?)",
		      "tiib", a->fingerprint, list->number, fresh, der, len);
}

/* What the next list says. */
static int plan(struct db *db, const struct authority *a, const struct last *last, int64_t now,
		struct certificate_revoked **revoked, struct certificate_list *list, struct err *e)
{
	size_t count;

	if (read_revoked(db, a, now, revoked, &count, e) < 0)
		return err_code(e);
	*list = (struct certificate_list){
		/* By the clock, a database of last week goes on where today's was. */
		.number = last->number < now / 1000 ? now / 1000 : last->number + 1,
		.from = now - AUTHORITY_SKEW_S * 1000,
		.until = now + (int64_t)CA_LIST_HOURS * 3600 * 1000,
		.revoked = *revoked,
		.count = count,
	};
	return 0;
}

int ca_crl(struct db *db, const struct authority *a, int64_t now, uint8_t **der, size_t *len,
	   struct err *e)
{
	CLEANUP(free) struct certificate_revoked *revoked = NULL;
	CLEANUP(free) uint8_t *made = NULL, *old = NULL;
	struct certificate_list list;
	struct last last;
	size_t size;

	if (read_last(db, a, &last, e) < 0)
		return err_code(e);
	old = last.der;
	if (!is_fresh(&last, now)) {
		if (plan(db, a, &last, now, &revoked, &list, e) < 0)
			return err_code(e);
		if (certificate_list_sign(a, &list, &made, &size, e) == 0) {
			if (keep(db, a, &list, made, size, e) < 0)
				return err_code(e);
			*der = TAKE_PTR(made);
			*len = size;
			return 0;
		}
		/* The authority's key is away: what is true still is good still. */
		if (!ca_signer_may_wait(e) || !is_good(&last, now))
			return err_code(e);
	}
	*der = TAKE_PTR(old);
	*len = last.len;
	return 0;
}

int ca_own_crl(struct db *db, const struct authority *a, int64_t now, uint8_t **der, size_t *len,
	       struct err *e)
{
	CLEANUP(free) struct certificate_revoked *revoked = NULL;
	CLEANUP(free) uint8_t *old = NULL;
	struct certificate_list list;
	struct last last;

	if (read_last(db, a, &last, e) < 0)
		return err_code(e);
	old = last.der;
	if (plan(db, a, &last, now, &revoked, &list, e) < 0)
		return err_code(e);
	return certificate_own_list(a, &list, der, len, e);
}

int ca_strays(struct db *db, const struct authority *a, int64_t now, int64_t *all, int64_t *revoked,
	      struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	const char *old = a->old ? a->old->fingerprint : a->fingerprint;
	int row;

	*all = *revoked = 0;
	if (db_query(db, &rows, e,
		     "SELECT count(*), count(CASE WHEN revoked > 0 THEN 1 END) FROM certificates"
		     " WHERE issued > 0 AND until > ? AND authority NOT IN (?, ?)",
		     "itt", now, a->fingerprint, old) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0 || (row && (db_integer(rows, 0, 0, INT64_MAX, all, e) < 0 ||
				db_integer(rows, 1, 0, INT64_MAX, revoked, e) < 0)))
		return err_code(e);
	return 0;
}
