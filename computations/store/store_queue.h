/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_queue.h — the way from the loop to the database: one transaction at a time, in a pool
 * thread.
 *
 * Operations run in the order in which they were added. Those that wait form one transaction, each
 * with its own savepoint, so that one that fails undoes only itself. `done` runs on the loop after
 * the commit, so what it reports is on disk.
 */
#pragma once

#include "computations/store/store.h"

#include <uv.h>

enum { STORE_QUEUE_BATCH_MAX = 256 };

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
