/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_standby.h — an instance that does not serve looks whether it may take the lease (store_lease.h). It reads the
 * database, and ends the session of an instance whose lease has ended; it writes nothing.
 *
 * Blocking; called from one pool thread at a time.
 */
#pragma once

#include "computations/store/store_lease.h"

struct store_standby;

enum { STORE_STANDBY_WORDS_MAX = 256 };

struct store_look {
	bool may_take;
	struct store_lease_row seen;         /* what is taken then */
	bool is_served;                      /* by whom was seen */
	bool was_left;                       /* whoever had it did not give it back */
	char words[STORE_STANDBY_WORDS_MAX]; /* else: what it waits for */
};

/* `dir`, `database` as of store_open(), a server; all are borrowed. Asks nothing yet. */
int store_standby_new(const char *dir, const char *database, const struct store_share *share,
		      struct store_standby **standby, struct err *e) MUST_CHECK;
void store_standby_free(struct store_standby *standby);

/* A look. ERR_UNAVAILABLE: the database is away. ERR_PRECONDITION: this instance can't take the place of the one that
 * serves, since it lacks the log's key, has another one, or another authority, or is of an older version. */
int store_standby_look(struct store_standby *standby, struct store_look *look,
		       struct err *e) MUST_CHECK;
