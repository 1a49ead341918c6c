/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage_keeper.h — has noted what is kept of computations (computations/store/usage_kept.h), and usage of months long ago summed up (computations/store/usage_fold.h): a few at a time, each in
 * a transaction that others' changes stand beside, with a pause behind it; then again within the hour. And tells whose monthly statement is ready (computations/store/store_billing.h). On the loop.
 */
#pragma once

#include "computations/core/config.h"
#include "computations/store/store_queue.h"

struct usage_keeper;

/* Begins once the loop runs. */
int usage_keeper_new(uv_loop_t *loop, struct store_queue *queue, const struct config *config,
		     struct usage_keeper **made, struct err *e) MUST_CHECK;
/* Begins nothing any more; NULL is fine. */
void usage_keeper_stop(struct usage_keeper *keeper);
/* When the loop has nothing to do any more. */
void usage_keeper_free(struct usage_keeper *keeper);
