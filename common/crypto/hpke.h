/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hpke.h — hybrid public key encryption (RFC 9180) for one message: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
 * ChaCha20-Poly1305; mode base, or auth where who seals shows by a key of its own who it is.
 *
 * Keys are raw X25519 (RFC 7748). One that leads to an all-zero secret, as points of small order do, is refused.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdint.h>

enum {
	HPKE_KEY_LEN = 32, /* of either half, and of `enc` */
	HPKE_TAG_LEN = 16,
	HPKE_MESSAGE_MAX = 4 << 20,
};

struct hpke_key {
	uint8_t secret[HPKE_KEY_LEN], public[HPKE_KEY_LEN];
};
void hpke_key_done(struct hpke_key *key); /* wipes it */
#define CLEANUP_HPKE_KEY __attribute__((cleanup(hpke_key_done)))

int hpke_key_generate(struct hpke_key *key, struct err *e) MUST_CHECK;
/* The public half of that secret. */
int hpke_key_of(const uint8_t secret[HPKE_KEY_LEN], struct hpke_key *key, struct err *e) MUST_CHECK;

/* What both sides have to say alike. */
struct hpke_about {
	const void *info, *aad;
	size_t info_len, aad_len;
};

/* Writes len + HPKE_TAG_LEN bytes to `sealed`. `from` NULL: mode base. ERR_INVALID: that recipient's key is none. */
int hpke_seal(const uint8_t to[HPKE_KEY_LEN], const struct hpke_key *from,
	      const struct hpke_about *about, const void *bytes, size_t len,
	      uint8_t enc[HPKE_KEY_LEN], uint8_t *sealed, struct err *e) MUST_CHECK;

/* Writes len - HPKE_TAG_LEN bytes to `bytes`; none of them if it fails. `from` NULL: mode base. ERR_DENIED: it was
 * not sealed for this key, from that one, about this. */
int hpke_open(const struct hpke_key *to, const uint8_t *from, const struct hpke_about *about,
	      const uint8_t enc[HPKE_KEY_LEN], const void *sealed, size_t len, uint8_t *bytes,
	      struct err *e) MUST_CHECK;
