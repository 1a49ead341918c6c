/* SPDX-License-Identifier: Apache-2.0 */
/*
 * challenge.h — one-use session values for `proof` on connections without TLS (common/manifest/proof.h).
 *
 * The agent recognizes them without keeping any (common/crypto/ticket.h), under a secret that is as old as its listener:
 * however many strangers ask for, and from wherever, nobody's is void for it. A call that names one holds it until it is
 * over, so that there is no other with it meanwhile. It is used up when the call's proof has shown a key that the manifest
 * names. These alone are kept, as long as they would be good: of each key so many that it can't fill another's room.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/crypto/digest.h"
#include "common/manifest/manifest.h"
#include "common/manifest/proof.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum {
	CHALLENGE_LIFE_MS = 10 * 60 * 1000,
	CHALLENGES_OF_ONE = 1024, /* that a key uses up within that time */
	CHALLENGE_USERS_MAX = MANIFEST_DATASETS_MAX + MANIFEST_CONSUMERS_MAX + 1,
};

struct challenge_claim;
struct challenge_user;

/* Zeros: nothing is given and nothing taken. */
struct challenges {
	bool begun;
	uint8_t secret[SHA256_LEN];
	LIST_HEAD(, challenge_claim) claims; /* of calls that are open */
	struct challenge_user *users;
	size_t user_count;
};

/* For a computation's listener: what was given out before is void. challenges_end() wipes. */
int challenges_begin(struct challenges *c, struct err *e) MUST_CHECK;
void challenges_end(struct challenges *c);

/* A fresh one, for a call that begins within CHALLENGE_LIFE_MS. `now_ms` is monotonic, here and below. */
int challenge_make(const struct challenges *c, uint64_t now_ms, uint8_t value[PROOF_SESSION_LEN],
		   struct err *e) MUST_CHECK;

/* For one call, which releases it at its end. DENIED: it is not one of these, too old, used up, or another call's. */
int challenge_hold(struct challenges *c, uint64_t now_ms, const uint8_t value[PROOF_SESSION_LEN],
		   struct challenge_claim **claim, struct err *e) MUST_CHECK;
void challenge_release(struct challenge_claim *claim); /* may be NULL */

/* Its call's proof holds under this key, which the manifest names: it is used up. Again, for the same call, it is as it was.
 * EXHAUSTED: the key has used up CHALLENGES_OF_ONE, and the call must be refused. */
int challenge_use(struct challenge_claim *claim, uint64_t now_ms, struct span spki,
		  struct err *e) MUST_CHECK;
/* challenge_use() failed; why, once more. `claim` may be NULL. */
bool challenge_was_refused(const struct challenge_claim *claim, struct err *e);
