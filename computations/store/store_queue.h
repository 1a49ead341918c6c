/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_queue.h — the way from the loop to the database: one transaction at a time, in a pool
 * thread.
 *
 * Those of one account run in the order in which they were added, and so do those of none. Those that wait form one
 * transaction, each with its own savepoint, so that one that fails undoes only itself. `done` runs on the loop after
 * the commit, so what it reports is on disk.
 *
 * Accounts take turns, and those of none have half of a transaction: nobody waits for all that another one has added. Accounts
 * share STORE_QUEUE_LINES lines, and which two do, nobody can choose.
 */
#pragma once

#include "computations/store/store.h"

#include <uv.h>

enum {
	STORE_QUEUE_BATCH_MAX = 256,
	STORE_QUEUE_EACH_MAX = 4, /* of them, of a line */
	STORE_QUEUE_LINE_BITS = 10,
	STORE_QUEUE_LINES = 1 << STORE_QUEUE_LINE_BITS,
};

struct store_queue;

struct store_queue_op {
	/* In the pool. Touches nothing but the store and `data`. */
	int (*run)(struct store *store, void *data, struct err *e);
	/* On the loop, always, once; `e` is NULL when it is done and on disk. Frees `data`. */
	void (*done)(void *data, const struct err *e);
	void *data;
};

int store_queue_new(uv_loop_t *loop, struct store *store, struct store_queue **queue,
		    struct err *e) MUST_CHECK;

/* Fails (and calls nothing) only if memory runs out. */
int store_queue_add(struct store_queue *queue, const struct store_queue_op *op,
		    struct err *e) MUST_CHECK;

/* The same for one that may add rows to the audit log (store_audit.h). */
int store_queue_add_audited(struct store_queue *queue, const struct store_queue_op *op,
			    struct err *e) MUST_CHECK;

/* One of these for an account (admin_access_account()); 0: for none, as they are. */
int store_queue_add_for(struct store_queue *queue, uint64_t account,
			const struct store_queue_op *op, bool audits, struct err *e) MUST_CHECK;

/* On the loop, behind each transaction in which something was told (store_tell.h): when it is on disk. One at a time;
 * NULL: nobody. */
void store_queue_on_told(struct store_queue *queue, void (*told)(void *data), void *data);

/* On the loop, once, when the lease of the store (store_lease.h) is over, or an instance has had the database of a service
 * that is alone: before any operation is told that it is done, and
 * of those that follow none is run. NULL: nobody. */
void store_queue_on_lost(struct store_queue *queue, void (*lost)(void *data), void *data);

/* Call it when nothing waits and nothing is under way. Operations that are added late still run:
 * first stop whoever adds them, then run the loop until it has nothing to do. */
void store_queue_free(struct store_queue *queue);
