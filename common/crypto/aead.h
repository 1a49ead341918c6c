/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead.h — ChaCha20-Poly1305 (RFC 8439) of one message. A key with a nonce is for one message alone.
 */
#pragma once

#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { AEAD_KEY_LEN = 32, AEAD_NONCE_LEN = 12, AEAD_TAG_LEN = 16 };

/* Writes len + AEAD_TAG_LEN bytes, at most INT32_MAX. */
int aead_seal(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN], const void *aad,
	      size_t aad_len, const void *bytes, size_t len, uint8_t *sealed,
	      struct err *e) MUST_CHECK;

/* Writes len - AEAD_TAG_LEN bytes; if it fails, zeros. ERR_DENIED: it was not sealed so. `len` is AEAD_TAG_LEN at least. */
int aead_open(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN], const void *aad,
	      size_t aad_len, const void *sealed, size_t len, uint8_t *bytes,
	      struct err *e) MUST_CHECK;
