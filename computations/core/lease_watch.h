/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease_watch.h — keeps the lease of an instance that serves (store_lease.h), and says when it is over.
 */
#pragma once

#include "computations/store/store_queue.h"

struct lease_watch;

/* lost(data) is called on the loop, once. Nothing is made (`*watch` NULL) for a store without a lease. */
int lease_watch_new(uv_loop_t *loop, struct store_queue *queue, const struct store_lease *lease,
		    void (*lost)(void *data), void *data, struct lease_watch **watch,
		    struct err *e) MUST_CHECK;
/* While the queue is there; it frees itself when the loop has closed its handle and the queue is done with it. NULL is
 * fine. */
void lease_watch_stop(struct lease_watch *watch);
