/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_standby.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/db/db_postgres_hold.h"
#include "computations/store/store_form.h"
#include "computations/store/store_place.h"
#include "computations/store/store_secret.h"
#include "computations/store/store_witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct store_standby {
	const char *dir, *database;
	struct store_share share;
	struct db db; /* `driver` NULL: not open yet */
	/* A lease that ends later than any does, and since when it was not renewed (CLOCK_BOOTTIME). */
	int64_t odd_tenure, odd_until, odd_seen;
};

int store_standby_new(const char *dir, const char *database, const struct store_share *share,
		      struct store_standby **standby, struct err *e)
{
	struct store_standby *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(e);
	s->dir = dir;
	s->database = database;
	s->share = *share;
	*standby = s;
	return 0;
}

void store_standby_free(struct store_standby *s)
{
	if (s && s->db.driver)
		db_close(&s->db);
	free(s);
}

/* The database's clock was set back, or the row is nobody's work of ours: it counts as ended when nobody has renewed it for
 * as long as the longest lease lasts by this machine's clock. */
static bool odd_has_ended(struct store_standby *s, const struct store_lease_row *row)
{
	const int64_t now = clock_ms(CLOCK_BOOTTIME);

	if (s->odd_tenure != row->tenure || s->odd_until != row->until_ms || !s->odd_seen) {
		log_warn("the lease of instance %s ends later than any lease does: it counts as "
			 "ended when it was not renewed for %d s",
			 row->holder, STORE_LEASE_MAX_MS / 1000);
		s->odd_tenure = row->tenure;
		s->odd_until = row->until_ms;
		s->odd_seen = now;
	}
	return now - s->odd_seen > STORE_LEASE_MAX_MS;
}

static bool runs(struct store_standby *s, const struct store_lease_row *row, int64_t now)
{
	if (row->until_ms <= now)
		return false;
	return row->until_ms - now <= STORE_LEASE_MAX_MS || !odd_has_ended(s, row);
}

/* Certificates that one of them issues, and the answers about them, are to be those of all. Where the lease was given back
 * everything was in order, and whoever comes next may bring another one. */
static int check_authority(const struct store_standby *s, const struct store_lease_row *row,
			   struct err *e)
{
	if (!row->tenure || !row->until_ms || strcmp(row->authority, s->share.authority) == 0)
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "COMPUTATIONS_CA_KEY is %s instance %s has: give both the same; if it was "
		       "changed, end that one in order first",
		       !*s->share.authority ? "not set here, and"
		       : !*row->authority   ? "set here, and not what"
					    : "another key than what",
		       row->holder);
}

/* It has the lock for longer than its lease: its session is ended. It may be another's that is just taking over. */
static int end_holder(struct store_standby *s, const struct store_lease_row *row, struct err *e)
{
	char session[48];
	int64_t ended;

	store_lease_session(row->tenure, session);
	if (db_postgres_end_holder(&s->db, STORE_SCHEMA,
				   &(struct db_postgres_holder){ session, STORE_LEASE_SESSION,
								 STORE_LEASE_MAX_MS },
				   &ended, e) < 0)
		return err_code(e);
	if (ended)
		log_warn("instance %s has not renewed its lease: its session with the database is "
			 "ended",
			 row->holder);
	return 0;
}

static int look_at_row(struct store_standby *s, struct store_look *look, struct err *e)
{
	const struct store_lease_row *row = &look->seen;
	int64_t now, holders;
	bool is_running;

	/* Which is asked first: it can only become later. */
	if (db_clock(&s->db, &now, e) < 0 || store_lease_read(&s->db, &look->seen, e) < 0 ||
	    check_authority(s, row, e) < 0)
		return err_code(e);
	is_running = row->is_there && runs(s, row, now);
	look->is_served = is_running;
	if (is_running) {
		snprintf(look->words, sizeof(look->words), "instance %s serves", row->holder);
		return 0;
	}
	if (row->tenure && end_holder(s, row, e) < 0)
		return err_code(e);
	if (db_postgres_holders(&s->db, STORE_SCHEMA, &holders, e) < 0)
		return err_code(e);
	look->may_take = holders == 0;
	look->was_left = row->is_there && row->until_ms;
	if (!look->may_take)
		snprintf(look->words, sizeof(look->words), "%s",
			 row->tenure ? "another instance takes over"
				     : "a service without COMPUTATIONS_INSTANCE serves");
	return 0;
}

/* Before there is a table of leases. */
static int look_at_lock(struct store_standby *s, struct store_look *look, struct err *e)
{
	int64_t holders;

	if (db_postgres_holders(&s->db, STORE_SCHEMA, &holders, e) < 0)
		return err_code(e);
	look->may_take = holders == 0;
	if (holders)
		snprintf(look->words, sizeof(look->words),
			 "a service that knows no instances serves");
	return 0;
}

static int look(struct store_standby *s, struct store_look *look, struct err *e)
{
	int64_t form;

	if (!s->db.driver && store_place_look(s->dir, s->database, &s->db, e) < 0) {
		s->db.driver = NULL;
		return err_code(e);
	}
	if (db_form(&s->db, &form, e) < 0)
		return err_code(e);
	if (form > STORE_FORM)
		return err_set(e, ERR_PRECONDITION,
			       "the database has form %lld, and this program knows %d at most: "
			       "install the version that serves",
			       (long long)form, STORE_FORM);
	if (form < STORE_FORM_LEASE)
		return look_at_lock(s, look, e);
	if (store_witness_same(&s->db, s->dir, e) < 0 ||
	    (form >= STORE_FORM_SECRETS &&
	     store_secrets_same(&s->db, s->dir, &s->share.secrets, e) < 0))
		return err_code(e);
	return look_at_row(s, look, e);
}

int store_standby_look(struct store_standby *s, struct store_look *out, struct err *e)
{
	*out = (struct store_look){ .may_take = false };
	if (look(s, out, e) == 0)
		return 0;
	/* A new connection next time: the tables may have become a newer form's. */
	if (s->db.driver)
		db_close(&s->db);
	s->db.driver = NULL;
	return err_code(e);
}
