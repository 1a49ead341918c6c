/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_front.h — the doors of an instance that does not serve: who comes in is passed on, as bytes, to the one that does.
 *
 * Nobody is dialled before the client has said something. Without an instance that serves a connection waits for one, for
 * RELAY_WAIT_MS; when another one serves all that were passed on end, so that clients come again.
 */
#pragma once

#include "common/relay/relay.h"
#include "common/relay/relay_header.h"
#include "common/relay/relay_tls.h"

#include <stdbool.h>
#include <uv.h>

struct relay_front;

struct relay_front_config {
	uv_loop_t *loop;
	const char *instance; /* its own name; lent */
	unsigned most; /* connections passed on at a time; fewer where descriptors are fewer */
};

int relay_front_new(const struct relay_front_config *config, struct relay_front **front,
		    struct err *e) MUST_CHECK;
/* A door; `address` and `group` as struct rpc_listen has them. */
int relay_front_listen(struct relay_front *front, enum relay_door door, const char *address,
		       const char *group, struct err *e) MUST_CHECK;

/* Who serves. */
struct relay_lead {
	const char *holder;  /* its name */
	const char *address; /* relay_address_parse() */
	int64_t fence;       /* of its lease */
	uint8_t secret[RELAY_SECRET_LEN];
};
/* NULL: nobody does. What it was told before stays as it is if it is the same. A `lead` that can't be used is ERR_INVALID, and
 * counts as nobody. */
int relay_front_lead(struct relay_front *front, const struct relay_lead *lead,
		     struct err *e) MUST_CHECK;

/* The name of the one that serves; lent until it is told otherwise. NULL: none does. */
const char *relay_front_holder(const struct relay_front *front);
struct relay_stats relay_front_stats(const struct relay_front *front);
/* At once; frees itself when the loop has closed its handles. NULL is fine. */
void relay_front_close(struct relay_front *front);
