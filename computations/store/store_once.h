/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_once.h — which creation a user sent with which Idempotency-Key, and what came of it: so that what is sent again is
 * made once.
 *
 * A key is claimed on disk before anything is made, and kept with what was made behind it. If the service ends in between,
 * nobody knows which of the two it was, and the key stays claimed: it says so for as long as keys are kept. Keys are
 * each user's own: nobody's is in another's way.
 */
#pragma once

#include "computations/store/store.h"

enum {
	ONCE_KEY_MAX = 64, /* ASCII that is seen */
	ONCE_KEYS_MAX =
		1000, /* of a user within ONCE_KEPT_MS: one more is refused, none gives way */
	ONCE_WHAT_MAX = 128,
	ONCE_MADE_MAX = 4096, /* bytes of an answer that are kept */
	ONCE_LOCATION_MAX = 512,
	ONCE_OTHERS_MAX = 64, /* rows of others that a claim removes once they are over */
	ONCE_KEPT_MS = 24 * 3600 * 1000,
};

struct once {
	int64_t person; /* 0: nobody's, who administers the service */
	char key[ONCE_KEY_MAX + 1];
	char what[ONCE_WHAT_MAX + 1]; /* method and path */
	uint8_t digest[SHA3_256_LEN]; /* of all that was sent */
};

struct once_made {
	unsigned status; /* of HTTP */
	char made[ONCE_MADE_MAX + 1], location[ONCE_LOCATION_MAX + 1];
};

enum once_claim {
	ONCE_FIRST, /* the key is claimed: make it, then store_once_keep() or store_once_drop() */
	ONCE_AGAIN, /* it was made: `made` says how that was answered */
	ONCE_BUSY,  /* it was claimed for the same, and its end is not known (yet) */
	ONCE_OTHER, /* it was sent with something else */
};

/* `now`: ms since 1970. ERR_EXHAUSTED: that user has as many keys as one may have. `*made` is set with ONCE_AGAIN alone. */
int store_once_claim(struct store *store, const struct once *once, int64_t now,
		     enum once_claim *claim, struct once_made *made, struct err *e) MUST_CHECK;
/* What was claimed is made. */
int store_once_keep(struct store *store, const struct once *once, const struct once_made *made,
		    struct err *e) MUST_CHECK;
/* Nothing was made: the key is free again. */
int store_once_drop(struct store *store, const struct once *once, struct err *e) MUST_CHECK;
