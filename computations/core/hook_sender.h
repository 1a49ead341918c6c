/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_sender.h — sends what webhooks are to be told (computations/hook/hook_delivery.h): in a few threads, one try of each
 * webhook at a time, so that a receiver that hangs keeps nobody waiting but itself. What came of a try is kept until the
 * database has it, however long that cannot be written, and nothing else of that webhook is sent meanwhile. On the loop.
 */
#pragma once

#include "computations/core/config.h"
#include "computations/hook/hook_net.h"
#include "computations/store/store_queue.h"

enum { HOOK_SENDERS = 8 /* threads */ };

struct hook_sender;

/* Reads its settings. What waits in the database is sent as soon as the loop runs. */
int hook_sender_new(uv_loop_t *loop, struct store_queue *queue, const struct config *config,
		    struct hook_sender **made, struct err *e) MUST_CHECK;
/* Begins nothing any more; what is under way ends within about a second, and is sent again after the next start unless
 * it was taken. NULL is fine. */
void hook_sender_stop(struct hook_sender *sender);
/* When the loop has nothing to do any more. */
void hook_sender_free(struct hook_sender *sender);

/* Where webhooks may go; lent. */
const struct hook_nets *hook_sender_nets(const struct hook_sender *sender);
