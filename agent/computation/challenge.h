/* SPDX-License-Identifier: Apache-2.0 */
/*
 * challenge.h — one-use session values for `proof` on connections without TLS (common/proof.h).
 */
#pragma once

#include "common/base/err.h"
#include "common/manifest/proof.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	CHALLENGES_MAX = 256, /* outstanding; the oldest gives way */
	CHALLENGE_LIFE_MS = 10 * 60 * 1000,
};

struct challenges {
	struct challenge {
		uint8_t value[PROOF_SESSION_LEN];
		uint64_t made_ms;
		bool live;
	} slots[CHALLENGES_MAX];
	size_t next;
};

/* A fresh one, valid until it is used or CHALLENGE_LIFE_MS have passed. `now_ms` is monotonic. */
int challenge_make(struct challenges *c, uint64_t now_ms, uint8_t value[PROOF_SESSION_LEN],
		   struct err *e) MUST_CHECK;

/* Uses one up. ERR_DENIED if it is not outstanding (any more). */
int challenge_use(struct challenges *c, uint64_t now_ms, const uint8_t value[PROOF_SESSION_LEN],
		  struct err *e) MUST_CHECK;
