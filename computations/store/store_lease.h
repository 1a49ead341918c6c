/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_lease.h — several instances with one database on a server: one serves, by a lease, and the others stand by.
 *
 * Two things keep an instance that was taken for gone (killed, paused, cut off) from writing when it is not. All that an
 * instance does goes through one session of the server's, which has a lock that no two sessions have; whoever takes over ends
 * the session of the one before and has that lock then. And each transaction, also one that only reads, begins with a look
 * whether the lease is still its instance's: a session that is made anew finds out there.
 *
 * The lease ends by the database's clock. Its instance counts by a clock of its machine that goes on while that sleeps
 * (CLOCK_BOOTTIME), from before the server was last asked, and ends a tenth early.
 */
#pragma once

#include "common/access/access_table.h"
#include "common/crypto/digest.h"
#include "common/db/db.h"
#include "common/relay/relay_address.h"
#include "common/relay/relay_tls.h"
#include "computations/store/secret_file.h"

#include <stdatomic.h>

enum {
	STORE_LEASE_MIN_MS = 5 * 1000,
	STORE_LEASE_MAX_MS = 300 * 1000,
	STORE_AUTHORITY_MAX = 2 * SHA256_LEN,
};

/* What an instance says of itself. */
struct store_share {
	const char *name; /* in the form of access_name_is_valid() */
	int64_t lease_ms;
	const char *
		authority; /* that issues certificates: its key's digest as hexadecimal; "": none */
	const char *address; /* where others pass callers on to it (relay_address.h); "": nowhere */
	struct store_secrets_place secrets;
};

/* The row. */
struct store_lease_row {
	char holder[ACCESS_NAME_MAX + 1]; /* "": nobody has had it, or a service that is alone */
	char authority[STORE_AUTHORITY_MAX + 1];
	char address[RELAY_ADDRESS_MAX];  /* "": nowhere */
	uint8_t secret[RELAY_SECRET_LEN]; /* its part (lease_secret.h); zeros without an address */
	int64_t tenure, fence, until_ms;
	bool is_there;
};

/* Of an instance that serves, or tries to. */
struct store_lease {
	char name[ACCESS_NAME_MAX + 1], authority[STORE_AUTHORITY_MAX + 1];
	char address[RELAY_ADDRESS_MAX];
	uint8_t secret
		[RELAY_SECRET_LEN]; /* the row's part (lease_secret.h); of this tenure alone */
	char session[48];           /* what the server calls its session */
	int64_t tenure, lease_ms;
	int64_t fence; /* 0: it was not taken yet */
	int64_t asked; /* CLOCK_BOOTTIME: when the transaction that renewed it began; the pool's */
	bool renews;   /* the transaction that is open; the pool's */
	_Atomic int64_t renewed; /* CLOCK_BOOTTIME */
	_Atomic int64_t until;   /* CLOCK_BOOTTIME */
	atomic_bool is_lost;     /* another one has it */
};

/* What begins the names of all instances' sessions. */
#define STORE_LEASE_SESSION "cocos-instance "

int store_lease_new(const struct store_share *share, struct store_lease **lease,
		    struct err *e) MUST_CHECK;
void store_lease_free(struct store_lease *lease);
/* The name of the session in which that tenure is served. */
void store_lease_session(int64_t tenure, char name[48]);

/* The row of a database of this form; `is_there` false: there was none yet. */
int store_lease_read(struct db *db, struct store_lease_row *row, struct err *e) MUST_CHECK;
/* In a copy: whoever has it reaches nobody by it. */
int store_lease_hide(struct db *db, struct err *e) MUST_CHECK;

/* Before the tables are touched. ERR_PRECONDITION while an instance's lease runs: for a service that is alone. */
int store_lease_none(struct db *db, struct err *e) MUST_CHECK;
/* Nor may any go on by the one that it had: a service that is alone has the database now. `*fence`: by which it knows whether
 * an instance had it since. */
int store_lease_end_all(struct db *db, int64_t *fence, struct err *e) MUST_CHECK;
/* First in each transaction of a service that is alone; `fence` 0, a file's: all is well. ERR_ABORTED: an instance had it. */
int store_lease_alone(struct db *db, int64_t fence, struct err *e) MUST_CHECK;

/* ERR_ABORTED: the row is not as it was `seen` any more. */
int store_lease_is_as(struct db *db, const struct store_lease_row *seen, struct err *e) MUST_CHECK;
/* Takes what was seen, in a transaction of its own; ERR_ABORTED as above. */
int store_lease_take(struct db *db, struct store_lease *lease, const struct store_lease_row *seen,
		     struct err *e) MUST_CHECK;

/* In the pool, first in a transaction: ERR_UNAVAILABLE when the lease is another's, or has run out. Renews it when that is
 * due. A `lease` of NULL, here and below: all is well. */
int store_lease_begin(struct db *db, struct store_lease *lease, struct err *e) MUST_CHECK;
/* Behind that transaction. */
void store_lease_ended(struct store_lease *lease, bool committed);

/* Any thread; neither asks the server. The lease runs; and it is time to renew it. */
bool store_lease_runs(const struct store_lease *lease);
bool store_lease_is_due(const struct store_lease *lease);

/* Gives it back, if it is this one's still. */
void store_lease_release(struct db *db, struct store_lease *lease);
