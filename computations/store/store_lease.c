/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_lease.h"

#include "common/base/clock.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "computations/store/store_form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>

enum { ROUNDS = 3 /* of renewing, in the time of a lease */ };

void store_lease_session(int64_t tenure, char name[48])
{
	snprintf(name, 48, STORE_LEASE_SESSION "%016" PRIx64, (uint64_t)tenure);
}

int store_lease_new(const struct store_share *share, struct store_lease **lease, struct err *e)
{
	struct store_lease *l = calloc(1, sizeof(*l));
	uint64_t number = 0;

	if (!l)
		return err_nomem(e);
	if (random_bytes(&number, sizeof(number), e) < 0 ||
	    random_bytes(l->secret, sizeof(l->secret), e) < 0) {
		free(l);
		return err_code(e);
	}
	l->tenure = (int64_t)(number >> 1) | 1;
	l->lease_ms = share->lease_ms;
	snprintf(l->name, sizeof(l->name), "%s", share->name);
	snprintf(l->authority, sizeof(l->authority), "%s", share->authority);
	snprintf(l->address, sizeof(l->address), "%s", share->address);
	store_lease_session(l->tenure, l->session);
	*lease = l;
	return 0;
}

void store_lease_free(struct store_lease *lease)
{
	if (lease)
		explicit_bzero(lease->secret, sizeof(lease->secret));
	free(lease);
}

/* ---- the row ---- */

static int take_text(struct db_rows *rows, int column, char *out, size_t room, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	size_t len;

	if (db_text(rows, column, &text, e) < 0)
		return err_code(e);
	len = strlen(text);
	if (len >= room || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") != len)
		return err_set(e, ERR_DATA_LOSS,
			       "database: column %s of the lease is no text of ours",
			       db_column_name(rows, column));
	memcpy(out, text, len + 1);
	return 0;
}

/* Of a form that has them. */
static int take_place(struct db_rows *rows, struct store_lease_row *row, struct err *e)
{
	CLEANUP(free) char *address = NULL, *secret = NULL;
	union relay_address ignored;
	socklen_t len;

	if (db_text(rows, 5, &address, e) < 0 || db_text(rows, 6, &secret, e) < 0)
		return err_code(e);
	if (!*address)
		return 0;
	if (strlen(address) >= sizeof(row->address) ||
	    relay_address_parse(address, &ignored, &len, e) < 0 ||
	    hex_decode(secret, row->secret, sizeof(row->secret), e) < 0) {
		OPENSSL_cleanse(secret, strlen(secret));
		return err_set(
			e, ERR_DATA_LOSS,
			"database: the lease names no address of an instance and its secret");
	}
	OPENSSL_cleanse(secret, strlen(secret));
	memcpy(row->address, address, strlen(address) + 1);
	return 0;
}

int store_lease_read(struct db *db, struct store_lease_row *row, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct store_lease_row got = { .is_there = false };
	int64_t form;
	int there;

	if (db_form(db, &form, e) < 0 ||
	    db_query(db, &rows, e,
		     form < STORE_FORM_LEASE_PLACE
			     ? "SELECT holder, authority, tenure, fence, until_ms FROM lease"
			       " WHERE number = 1"
			     : "SELECT holder, authority, tenure, fence, until_ms, address, secret"
			       " FROM lease WHERE number = 1",
		     "") < 0)
		return err_code(e);
	there = db_next(rows, e);
	if (there < 0)
		return there;
	if (there && (take_text(rows, 0, got.holder, sizeof(got.holder), e) < 0 ||
		      take_text(rows, 1, got.authority, sizeof(got.authority), e) < 0 ||
		      db_integer(rows, 2, 0, INT64_MAX, &got.tenure, e) < 0 ||
		      db_integer(rows, 3, 1, INT64_MAX - 1, &got.fence, e) < 0 ||
		      db_integer(rows, 4, 0, INT64_MAX, &got.until_ms, e) < 0))
		return err_code(e);
	if (there && form >= STORE_FORM_LEASE_PLACE && take_place(rows, &got, e) < 0)
		return err_code(e);
	got.is_there = there;
	*row = got;
	return 0;
}

/* A database that knows of no leases has none. */
static int read_if_any(struct db *db, struct store_lease_row *row, struct err *e)
{
	int64_t form;

	*row = (struct store_lease_row){ .is_there = false };
	if (db_form(db, &form, e) < 0)
		return err_code(e);
	/* A newer one is refused by who looks at forms, and not touched. */
	return form < STORE_FORM_LEASE || form > STORE_FORM ? 0 : store_lease_read(db, row, e);
}

int store_lease_none(struct db *db, struct err *e)
{
	struct store_lease_row row;
	int64_t now;

	if (read_if_any(db, &row, e) < 0 || db_clock(db, &now, e) < 0)
		return err_code(e);
	/* One that ends later than any does: the database's clock was set back. */
	if (row.until_ms <= now || row.until_ms - now > STORE_LEASE_MAX_MS)
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "instance %s has the database by a lease: end it first, or give this one "
		       "a COMPUTATIONS_INSTANCE, too",
		       row.holder);
}

/* One more than that of the row: 0 says that nothing is to be looked at. */
#define FENCE_ALONE "SELECT coalesce(max(fence), 0) + 1 FROM lease"

int store_lease_end_all(struct db *db, int64_t *fence, struct err *e)
{
	if (db_run(db, e,
		   "UPDATE lease SET holder = '', authority = '', address = '', secret = '',"
		   " tenure = 0, until_ms = 0,"
		   " fence = fence + 1",
		   "") < 0)
		return err_code(e);
	return db_number(db, fence, e, FENCE_ALONE, "");
}

int store_lease_alone(struct db *db, int64_t fence, struct err *e)
{
	int64_t now;

	if (!fence)
		return 0;
	if (db_number(db, &now, e, FENCE_ALONE, "") < 0)
		return err_code(e);
	if (now == fence)
		return 0;
	return err_set(e, ERR_ABORTED,
		       "an instance has had the database meanwhile, and this one begins anew: "
		       "come again");
}

int store_lease_is_as(struct db *db, const struct store_lease_row *seen, struct err *e)
{
	struct store_lease_row row;

	if (read_if_any(db, &row, e) < 0)
		return err_code(e);
	if (row.is_there == seen->is_there && row.tenure == seen->tenure &&
	    row.fence == seen->fence && row.until_ms == seen->until_ms)
		return 0;
	return err_set(e, ERR_ABORTED, "instance %s was quicker", row.holder);
}

/* ---- taking it ---- */

static int write_row(struct db *db, const struct store_lease *l, int64_t fence, struct err *e)
{
	char secret[2 * RELAY_SECRET_LEN + 1] = "";
	int64_t now;
	int failed;

	if (db_clock(db, &now, e) < 0)
		return err_code(e);
	if (*l->address)
		hex_encode(l->secret, sizeof(l->secret), secret);
	if (fence > 1)
		failed = db_run(
			db, e,
			"UPDATE lease SET holder = ?, authority = ?, address = ?, secret = ?,"
			" tenure = ?, fence = ?, until_ms = ? WHERE number = 1",
			"ttttiii", l->name, l->authority, l->address, secret, l->tenure, fence,
			now + l->lease_ms);
	else
		failed = db_run(db, e,
				"INSERT INTO lease (number, holder, authority, address, secret,"
				" tenure, fence, until_ms) VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
				"ttttiii", l->name, l->authority, l->address, secret, l->tenure,
				fence, now + l->lease_ms);
	OPENSSL_cleanse(secret, sizeof(secret));
	return failed;
}

int store_lease_hide(struct db *db, struct err *e)
{
	return db_run(db, e, "UPDATE lease SET address = '', secret = ''", "");
}

static void set_until(struct store_lease *l, int64_t asked)
{
	atomic_store(&l->until, asked + l->lease_ms - l->lease_ms / 10);
	atomic_store(&l->renewed, asked);
}

int store_lease_take(struct db *db, struct store_lease *l, const struct store_lease_row *seen,
		     struct err *e)
{
	const int64_t asked = clock_ms(CLOCK_BOOTTIME);

	if (seen->fence >= INT64_MAX - 2)
		return err_set(e, ERR_DATA_LOSS, "the fences of leases are used up");
	if (db_begin(db, e) < 0)
		return err_code(e);
	if (store_lease_is_as(db, seen, e) < 0 || write_row(db, l, seen->fence + 1, e) < 0) {
		db_rollback(db);
		return err_code(e);
	}
	if (db_commit(db, e) < 0)
		return err_code(e);
	l->fence = seen->fence + 1;
	set_until(l, asked);
	return 0;
}

/* ---- having it ---- */

bool store_lease_runs(const struct store_lease *lease)
{
	struct store_lease *l = (struct store_lease *)(uintptr_t)lease;

	return !atomic_load(&l->is_lost) && clock_ms(CLOCK_BOOTTIME) < atomic_load(&l->until);
}

bool store_lease_is_due(const struct store_lease *lease)
{
	struct store_lease *l = (struct store_lease *)(uintptr_t)lease;

	return clock_ms(CLOCK_BOOTTIME) - atomic_load(&l->renewed) >= l->lease_ms / ROUNDS;
}

static int renew(struct db *db, struct store_lease *l, struct err *e)
{
	int64_t now;

	if (db_clock(db, &now, e) < 0 ||
	    db_run(db, e, "UPDATE lease SET until_ms = ? WHERE tenure = ?", "ii", now + l->lease_ms,
		   l->tenure) < 0)
		return err_code(e);
	l->renews = true;
	return 0;
}

int store_lease_begin(struct db *db, struct store_lease *l, struct err *e)
{
	int64_t mine;

	if (!l)
		return 0;
	l->renews = false;
	l->asked = clock_ms(CLOCK_BOOTTIME);
	if (!store_lease_runs(l))
		return err_set(e, ERR_UNAVAILABLE,
			       "this instance's lease has run out, and it stands by: come again");
	if (db_number(db, &mine, e, "SELECT count(*) FROM lease WHERE tenure = ?", "i", l->tenure) <
	    0)
		return err_code(e);
	if (!mine) {
		atomic_store(&l->is_lost, true);
		return err_set(e, ERR_UNAVAILABLE,
			       "another instance serves, and this one stands by: come again");
	}
	return store_lease_is_due(l) ? renew(db, l, e) : 0;
}

void store_lease_ended(struct store_lease *l, bool committed)
{
	if (l && l->renews && committed)
		set_until(l, l->asked);
}

void store_lease_release(struct db *db, struct store_lease *l)
{
	struct err e;

	/* Asked of a server that is away it would take long, and what has run out needs no giving back. */
	if (!l || !store_lease_runs(l))
		return;
	if (db_run(db, &e,
		   "UPDATE lease SET until_ms = 0, address = '', secret = '' WHERE tenure = ?", "i",
		   l->tenure) < 0)
		log_warn("the lease is not given back: %s", e.text);
	else
		log_info("the lease is given back");
}
