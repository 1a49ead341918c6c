/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence_turns.h — whose request is next at the devices, whatever the number of those who ask. For
 * this folder only.
 *
 * Start-time fair queueing (Goyal, Vin, Cheng 1996), with a request as the unit: a request's turn is the
 * one that is being served when it comes, or the one behind its source's own last request, whichever is
 * later; the lowest turn is served first. So who asks for the first time waits for one request of each
 * other source, however many these have brought, and whoever was just served is behind him.
 *
 * There is no clock. The last sources that were served are known by name; who had so many others
 * served behind him counts as new.
 */
#pragma once

#include "common/rpc/source.h"

#include <stdint.h>

enum { EVIDENCE_TURNS_KNOWN = 128 };

/* Zeroed is empty. */
struct evidence_turns {
	uint64_t now; /* of the request that was served last */
	struct {
		struct rpc_source source;
		uint64_t next; /* 0: empty */
	} known[EVIDENCE_TURNS_KNOWN];
	unsigned oldest;
};

/* The turn of a request that comes now; `behind` is that of its source's last one that waits, plus one,
 * or 0. */
uint64_t evidence_turns_of(const struct evidence_turns *turns, const struct rpc_source *source,
			   uint64_t behind);
/* A request of that turn goes to the device. */
void evidence_turns_served(struct evidence_turns *turns, const struct rpc_source *source,
			   uint64_t turn);
