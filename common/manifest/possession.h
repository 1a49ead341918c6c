/* SPDX-License-Identifier: Apache-2.0 */
/*
 * possession.h — what a user signs to show the computation service that a key is theirs.
 *
 *   "cocos-user-key-v1" 00 ‖ service ‖ user ‖ computation ‖ key ‖ challenge
 *
 * each behind its length (4 bytes, big endian). service: the fingerprint (key.h) of the key that signs the service's
 * log of journals' heads, by which its clients know it; user: the name; computation: the id, empty for a key of all
 * computations; key: its fingerprint; challenge: what the service gave out for these, once.
 *
 * No other thing that people or programs sign here begins so: no proof for an agent (proof.h), no role's bare name, no
 * COSE structure, no TLS handshake.
 */
#pragma once

#include "common/crypto/key.h"

#define POSSESSION_LABEL "cocos-user-key-v1"

enum { POSSESSION_CHALLENGE_LEN = 32, POSSESSION_TEXT_MAX = 255 };

struct possession {
	uint8_t service[KEY_FINGERPRINT_LEN];
	const char *user, *computation;
	uint8_t key[KEY_FINGERPRINT_LEN];
	uint8_t challenge[POSSESSION_CHALLENGE_LEN];
};

/* What is signed, malloc'ed. ERR_INVALID: the user's name is empty, or a text longer than POSSESSION_TEXT_MAX. */
int possession_message(const struct possession *p, uint8_t **bytes, size_t *len,
		       struct err *e) MUST_CHECK;
