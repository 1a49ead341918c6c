/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uploads.h — the calls of Algo and Data: assets of a computation on their way from their owners to
 * the place where the algorithm finds them.
 *
 * This room knows neither the agent's state nor what follows from an asset; it asks and tells by
 * `callbacks`. Everything here happens on the loop thread.
 */
#pragma once

#include "agent/computation/challenge.h"
#include "agent/computation/computation.h"
#include "agent/upload/retained.h"
#include "common/rpc/call.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

enum { UPLOADS_MAX = 64 }; /* open at a time */

enum upload_asset { UPLOAD_ALGORITHM, UPLOAD_DATASET };

struct uploads_callbacks {
	/* 0 if such an asset is wanted now; else the error for the caller. */
	int (*expects)(void *data, enum upload_asset asset, struct err *e);
	/* It is in its place, and its owner has the answer, if he is still there. `name` is NULL for the algorithm. */
	void (*arrived)(void *data, enum upload_asset asset, const char *name, uint64_t size);
	/* Work in the computation's folder (`placing`) has ended. */
	void (*released)(void *data);
};

/* Lent, like all that it points to. */
struct uploads_config {
	uv_loop_t *loop;
	uint64_t asset_max;        /* bytes of one asset, or of one bundle of requirements */
	const char *pip_index_url; /* AGENT_PIP_INDEX_URL, or NULL */
	bool role_signature;       /* signatures over the role alone are taken */
	struct challenges *challenges;
	const struct uploads_callbacks *callbacks;
	void *data;
};

struct judging;
struct unpacking;
struct upload_call;

/* Holds nothing once uploads_close() was called and the loop has run out. */
struct uploads {
	struct uploads_config config;
	LIST_HEAD(, upload_call) calls; /* that are not over, the newest first */
	unsigned count;
	TAILQ_HEAD(, unpacking) waiting; /* zips whose turn has not come, see unpacking.h */
	struct unpacking *unpacking;     /* the one that the pool is at; NULL: none */
	struct judging *judging;         /* the algorithm that the pool is at; NULL: none */
	struct retained retained;        /* not emptied by uploads_close() */
};

void uploads_init(struct uploads *uploads, const struct uploads_config *config);

/* Ends the calls that are open with ABORTED; the one that is being unpacked follows soon. */
void uploads_close(struct uploads *uploads, const char *why);

/* How far an asset is that is not in its place. */
struct upload_progress {
	uint64_t received; /* bytes */
	uint64_t
		expected; /* in all, as the caller says; 0: he does not, or more than could be taken */
	bool waits;       /* it was cut off */
};
/* False: nothing of it is here. */
bool uploads_progress(const struct uploads *uploads, const struct asset *asset,
		      struct upload_progress *progress);

/* Removes what is kept of uploads that were cut off. For a computation that is over. */
void uploads_drop_kept(struct computation *c);

/* ---- the handlers of Algo and Data (common/rpc/call.h) ---- */

/* `c` is the computation that the call is for; NULL where callbacks->expects() says no. */
void uploads_start(struct uploads *uploads, enum upload_asset asset, struct computation *c,
		   struct rpc_call *call);
void uploads_bytes(struct rpc_call *call, uint8_t *bytes, size_t len);
void uploads_half_close(struct rpc_call *call);
void uploads_closed(struct rpc_call *call);
