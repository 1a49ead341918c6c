/* SPDX-License-Identifier: Apache-2.0 */
/*
 * database_watch.h — whether the database server of a service that is alone answers: asked every two seconds by an operation
 * of the queue that does nothing else, so that it is known also while nobody calls.
 *
 * One of several instances needs none: it serves as long as its lease runs (lease_watch.h).
 */
#pragma once

#include "computations/store/store_queue.h"

struct database_watch;

/* changed(data, answers) is called on the loop, each time that it is otherwise than before; it answers at first. */
int database_watch_new(uv_loop_t *loop, struct store_queue *queue,
		       void (*changed)(void *data, bool answers), void *data,
		       struct database_watch **watch, struct err *e) MUST_CHECK;
/* While the queue is there; it frees itself when the loop has closed its handle and the queue is done with it. NULL is
 * fine. */
void database_watch_stop(struct database_watch *watch);

/* Why it does not answer, lent until the loop goes on; NULL: it does, or `watch` is NULL. */
const char *database_watch_why(const struct database_watch *watch);
