/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay.h — what is told of connections that are passed on, and their limits.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	RELAY_YOUNG_MAX = 256,          /* at a time, that have not been passed on yet */
	RELAY_SILENT_MS = 10 * 1000,    /* for a client's first byte */
	RELAY_WAIT_MS = 5 * 1000,       /* for an instance that serves */
	RELAY_CONNECT_MS = 10 * 1000,   /* to it; and for its handshake */
	RELAY_HEADER_MS = 10 * 1000,    /* for a header behind the handshake */
	RELAY_STALL_MS = 60 * 1000,     /* while one side takes nothing of what the other said */
	RELAY_HALF_MS = 60 * 1000,      /* without a byte, when one side has ended */
	RELAY_IDLE_MS = 15 * 60 * 1000, /* without a byte */
	RELAY_LINGER_MS = 2 * 1000,     /* for the other side's end, when ours has left */
	RELAY_DRAIN_MS = 1000,          /* for what is under way, when an instance ends */
	RELAY_ALIVE_S = 20,             /* without a sign of life from the other machine's kernel */
};

struct relay_stats {
	uint64_t now;     /* moving */
	uint64_t total;   /* that were passed on, or taken */
	uint64_t refused; /* for want of a place, of an instance that serves, or of a proof */
	uint64_t failed;  /* that broke, or were cut */
	uint64_t out_bytes, in_bytes; /* to the other instance, and from it */
};
