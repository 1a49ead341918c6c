/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_inner.h — where the instance that serves takes what others pass on to it. Who comes proves first that it has the secret of
 * the lease that runs (relay_tls.h); only then is believed what it says of where a connection is from. Nobody is passed on
 * from here.
 */
#pragma once

#include "common/relay/relay.h"
#include "common/relay/relay_header.h"
#include "common/relay/relay_tls.h"

#include <uv.h>

struct relay_inner;

/* A connection that came in at a door elsewhere; `fd` is taken over in every case. ERR_NOT_FOUND: there is no such door here;
 * ERR_EXHAUSTED: no room. */
typedef int relay_take_fn(void *data, enum relay_door door, int fd, const struct rpc_origin *origin,
			  struct err *e);

struct relay_inner_config {
	uv_loop_t *loop;
	const char *address;   /* relay_address_parse() */
	int64_t fence;         /* of the lease that runs */
	const uint8_t *secret; /* RELAY_SECRET_LEN bytes; copied */
	unsigned most;         /* connections at a time; fewer where descriptors are fewer */
	relay_take_fn *take;
	void *data;
};

int relay_inner_new(const struct relay_inner_config *config, struct relay_inner **inner,
		    struct err *e) MUST_CHECK;
/* Who comes from now on is told that this one serves no more. */
void relay_inner_stop(struct relay_inner *inner);
/* take() is not called any more. What is under way has RELAY_DRAIN_MS; frees itself when the loop has closed its handles. NULL is
 * fine, here and above. */
void relay_inner_close(struct relay_inner *inner);

/* `out_bytes` are to the other instance here, too. */
struct relay_stats relay_inner_stats(const struct relay_inner *inner);
