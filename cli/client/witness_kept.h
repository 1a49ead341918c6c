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
	WITNESS_KEPT_CHANGED = 1, /* an outcome: see witness_kept_write() */
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

/* Whether this account has a place for it. */
bool witness_kept_has_place(void);

/* Nothing that was seen is fine; a file that can't be read, or holds something else, is not. */
int witness_kept_read(const char *address, struct witness_kept *kept, struct err *e) MUST_CHECK;

/* The longest that was seen of that run; NULL: nothing. Others stay beside it until a journal was compared. */
const struct witness_leaf *witness_kept_leaf(const struct witness_kept *kept,
					     struct span computation, uint64_t run);
bool witness_kept_is_of(const struct witness_leaf *leaf, struct span computation, uint64_t run);

/* A head that was shown, of the log with that key, and the leaf that it was asked about, or NULL. */
struct witness_shown {
	struct span key, signed_head;
	const struct witness_head *head;
	const struct witness_leaf *leaf;
	bool compared; /* a journal, with the leaf and all that was kept of its run */
};

/* Puts what is shown now in place of `before`, the whole file at once. The caller has compared these two and no
 * others: where another call has kept a log of another size meanwhile nothing is written, and the outcome is
 * WITNESS_KEPT_CHANGED. ERR_DATA_LOSS if what that call saw is of another key, or forked. */
int witness_kept_write(const char *address, const struct witness_kept *before,
		       const struct witness_shown *shown, struct err *e) MUST_CHECK;
