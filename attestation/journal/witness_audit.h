/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness_audit.h — all leaves of a log of journals' heads (witness.h), one after the other in constant
 * memory: are they what its signed head is over, and do they begin with those of a head that was seen before?
 */
#pragma once

#include "attestation/journal/witness.h"
#include "common/crypto/merkle_frontier.h"

enum {
	WITNESS_PAGE_MAX = 1024, /* leaves that are asked for at once */
};

struct witness_audit {
	struct merkle_frontier tree;
	struct witness_head before, now; /* verified by the caller; before.size 0: none was seen */
};

void witness_audit_begin(struct witness_audit *audit, const struct witness_head *before,
			 const struct witness_head *now);

/* How many leaves the next page has to have; 0: all have come. */
size_t witness_audit_wants(const struct witness_audit *audit);

/* The next leaf, in the one encoding; the spans of `leaf` lead into `bytes`. ERR_INVALID: it is none;
 * ERR_DATA_LOSS: one more than the head is over, or those up to here are not those of the head before. */
int witness_audit_take(struct witness_audit *audit, struct span bytes, struct witness_leaf *leaf,
		       struct err *e) MUST_CHECK;

/* No further leaf. ERR_DATA_LOSS if these are not all that the head is over. */
int witness_audit_end(const struct witness_audit *audit, struct err *e) MUST_CHECK;
