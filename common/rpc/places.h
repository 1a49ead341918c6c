/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places.h — who takes up places that are scarce, by the address it comes from, so that the one who
 * has to give way is found at once. For this folder only.
 *
 * A place stands in one of a few classes. In a class the one who gives way is the oldest of the
 * address that has most places in it; of addresses with equally many, the one whose oldest is the
 * oldest. So an address that takes many places loses its own before anybody else does.
 *
 * Entering and leaving take time logarithmic in the number of addresses, the choice is immediate.
 * There is no clock: age is the order of entry. The tree is balanced, so no choice of addresses
 * makes it slow.
 */
#pragma once

#include "common/base/err.h"
#include "common/rpc/source.h"

#include <stdint.h>
#include <sys/queue.h>

enum { PLACES_CLASSES = 3, PLACES_KEY_LEN = RPC_SOURCE_LEN };

/* What counts as one address: an IPv4 address, the first 64 bits of an IPv6 address, the user at the
 * other end of a unix socket; where holders are counted, the key of a client's certificate. */
struct places_key {
	uint8_t bytes[PLACES_KEY_LEN];
};

struct places_source;

/* Embedded in what takes it up; zeroed. */
struct place {
	TAILQ_ENTRY(place) younger;
	struct places_source *source; /* NULL: takes up no place */
	unsigned class;
	uint64_t number; /* in order of entry into the class */
};

/* The sources with a place in one class, as a heap: the first gives way first. */
struct places_order {
	struct places_source **sources;
	unsigned sources_count;
	unsigned count; /* places */
};

struct places {
	void *sources; /* tree by key */
	struct places_order orders[PLACES_CLASSES];
	unsigned sources_count, room; /* of each order */
	uint64_t last_number;
};

/* Zeroed is empty. All must have left. */
void places_done(struct places *places);

int places_enter(struct places *places, struct place *place, const struct places_key *key,
		 unsigned class, struct err *e) MUST_CHECK;
/* Into another class, as its youngest. */
void places_move(struct places *places, struct place *place, unsigned class);
/* Fine when it takes up none. */
void places_leave(struct places *places, struct place *place);

unsigned places_count(const struct places *places, unsigned class);
/* How many the place's own source has in its class; and its oldest in another class, or NULL. */
unsigned places_count_beside(const struct place *place);
struct place *places_beside(const struct place *place, unsigned class);
/* Who gives way in this class; NULL: nobody is in it. */
struct place *places_victim(const struct places *places, unsigned class);
