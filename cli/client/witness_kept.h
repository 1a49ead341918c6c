/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness_kept.h — what this account saw of a service's log of journals' heads, from one call to the
 * next: $XDG_STATE_HOME/cocos/witness (or ~/.local/state/…), a file for each service's address.
 */
#pragma once

#include "attestation/journal/witness.h"

enum {
	WITNESS_KEPT_LEAVES = 256, /* of journals; the oldest go first */
	WITNESS_KEPT_MAX = 256 << 10,
};

struct witness_kept {
	char *path;     /* of the file */
	uint8_t *bytes; /* of which the spans are; NULL: nothing was seen of that service */
	struct span key, signed_head;
	struct witness_head head;
	struct witness_leaf leaves[WITNESS_KEPT_LEAVES];
	size_t count;
};
void witness_kept_done(struct witness_kept *kept);
#define CLEANUP_WITNESS_KEPT __attribute__((cleanup(witness_kept_done)))

/* Nothing that was seen is fine; a file that can't be read, or holds something else, is not. */
int witness_kept_read(const char *address, struct witness_kept *kept, struct err *e) MUST_CHECK;

/* The newest that was seen of that run; NULL: nothing. */
const struct witness_leaf *witness_kept_leaf(const struct witness_kept *kept,
					     struct span computation, uint64_t run);

/* Puts what is seen now in place of what was: the whole file at once, unless another call has put a
 * larger log there meanwhile. ERR_DATA_LOSS if that is of another key, or forked at this size. `leaf` may be
 * NULL. */
int witness_kept_write(const char *address, struct span key, struct span signed_head,
		       const struct witness_head *head, const struct witness_leaf *leaf,
		       struct err *e) MUST_CHECK;
