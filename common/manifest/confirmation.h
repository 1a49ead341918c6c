/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confirmation.h — what a participant signs to say: I have compared the digest of this computation's manifest.
 *
 *   "cocos-manifest-compared-v1" 00 ‖ service ‖ user ‖ computation ‖ key ‖ digest ‖ revision
 *
 * each behind its length (4 bytes, big endian). service, user, computation, key: as in possession.h, but that the
 * computation is never empty; digest: SHA3-256 of the canonical manifest; revision: 8 bytes, big endian, how often the
 * service has changed that manifest, from 1. Who verifies it has the digest and the key from the manifest itself.
 *
 * No other thing that people or programs sign here begins so.
 */
#pragma once

#include "common/manifest/manifest.h"
#include "common/manifest/possession.h"

#define CONFIRMATION_LABEL "cocos-manifest-compared-v1"

struct confirmation {
	uint8_t service[KEY_FINGERPRINT_LEN];
	const char *user, *computation;
	uint8_t key[KEY_FINGERPRINT_LEN];
	uint8_t digest[MANIFEST_HASH_LEN];
	uint64_t revision;
};

/* What is signed, malloc'ed. ERR_INVALID: a text is empty, or longer than POSSESSION_TEXT_MAX. */
int confirmation_message(const struct confirmation *c, uint8_t **bytes, size_t *len,
			 struct err *e) MUST_CHECK;

/* ERR_DENIED: that is not `key`'s signature over it. `c->key` is that key's fingerprint. */
int confirmation_verify(const struct confirmation *c, EVP_PKEY *key, const uint8_t *signature,
			size_t len, struct err *e) MUST_CHECK;
