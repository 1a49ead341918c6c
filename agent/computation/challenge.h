/* SPDX-License-Identifier: Apache-2.0 */
/*
 * challenge.h — one-use session values for `proof` on connections without TLS (common/proof.h).
 */
#pragma once

#include "common/base/err.h"
#include "common/manifest/proof.h"
#include "common/rpc/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CHALLENGES_MAX = 256,   /* outstanding; another gives way */
	CHALLENGES_OF_ONE = 16, /* of a source: what it has beyond them gives way first */
	CHALLENGE_LIFE_MS = 10 * 60 * 1000,
};

struct challenges {
	struct challenge {
		uint8_t value[PROOF_SESSION_LEN];
		uint64_t made_ms, number;
		bool live;
		struct rpc_source source;
	} slots[CHALLENGES_MAX];
	uint64_t made;
};

/* A fresh one, valid until it is used or CHALLENGE_LIFE_MS have passed; or until it gives way, which callers of one
 * source alone can't make another's do. Through a port that QEMU forwards all are one source. `now_ms` is monotonic. */
int challenge_make(struct challenges *c, const struct rpc_source *source, uint64_t now_ms,
		   uint8_t value[PROOF_SESSION_LEN], struct err *e) MUST_CHECK;

/* Uses one up. ERR_DENIED if it is not outstanding (any more). */
int challenge_use(struct challenges *c, uint64_t now_ms, const uint8_t value[PROOF_SESSION_LEN],
		  struct err *e) MUST_CHECK;
