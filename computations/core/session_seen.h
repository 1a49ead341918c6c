/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_seen.h — when the CVMs that are connected were here last, in the database: at intervals while they are, so that
 * one that said nothing for weeks is no stranger once it is away, also behind a crash. On the loop. Nothing is written
 * when a connection ends: on a full disk that would fail whoever's operation is in the same transaction, for each agent sent away.
 */
#pragma once

#include "computations/core/service.h"

enum {
	SESSION_SEEN_MS =
		3600 *
		1000, /* between two rounds; far below what makes a name go first (store_cvm_room.h) */
	SESSION_SEEN_BATCH = 256, /* CVMs in one operation of the queue */
};

struct session_seen;

/* Begins once the loop runs, and then again so many milliseconds behind each round. */
int session_seen_new(struct service *service, uint64_t every_ms, struct session_seen **made,
		     struct err *e) MUST_CHECK;
/* Begins nothing any more; NULL is fine. */
void session_seen_stop(struct session_seen *seen);
/* When the loop has nothing to do any more. */
void session_seen_free(struct session_seen *seen);
