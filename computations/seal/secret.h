/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h — what the service keeps for others and has to give on as it is, sealed under a key that is in no database:
 * ChaCha20-Poly1305 (aead.h) with a nonce by chance. What it is and whose is sealed with it, so that no row can stand for
 * another one. Computing alone: rows are secret_keep.h's, the key's file secret_file.h's.
 */
#pragma once

#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
	SECRET_KEY_LEN = 32,
	SECRET_KEY_ID_LEN = 8,
	SECRET_KEY_ID_TEXT = 2 * SECRET_KEY_ID_LEN + 1,
	SECRET_NONCE_LEN = 12,
	SECRET_OVERHEAD = SECRET_NONCE_LEN + 16, /* what sealed bytes are more */
	SECRET_MAX = 4 << 20,                    /* bytes of one */
};

struct secret_key {
	uint8_t bytes[SECRET_KEY_LEN];
	char id[SECRET_KEY_ID_TEXT]; /* by which rows name it: hexadecimal of a digest; says nothing of the key */
};
void secret_key_wipe(struct secret_key *key);
/* A copy in memory that is in no core dump, and is not swapped out where this process may lock memory; else it warns. */
int secret_key_hold(const struct secret_key *key, struct secret_key **held,
		    struct err *e) MUST_CHECK;
/* Of such a copy; NULL is fine. */
void secret_key_free(struct secret_key *held);

/* `bytes` and the id that follows from them. */
int secret_key_of(const uint8_t bytes[SECRET_KEY_LEN], struct secret_key *key,
		  struct err *e) MUST_CHECK;
/* What it is ("agent") and whose. */
struct secret_name {
	const char *kind, *owner;
};

/* Malloc'ed: nonce, then the sealed bytes; len + SECRET_OVERHEAD. ERR_INVALID: more than SECRET_MAX. */
int secret_seal(const struct secret_key *key, const struct secret_name *name, const void *bytes,
		size_t len, uint8_t **sealed, size_t *sealed_len, struct err *e) MUST_CHECK;
/* Malloc'ed, with a zero byte behind, for secret_free(). ERR_DATA_LOSS: it is not what was sealed under that key and
 * that name. */
int secret_open(const struct secret_key *key, const struct secret_name *name, const void *sealed,
		size_t sealed_len, uint8_t **bytes, size_t *len, struct err *e) MUST_CHECK;
/* Wipes them first. */
void secret_free(uint8_t *bytes, size_t len);
