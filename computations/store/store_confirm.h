/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_confirm.h — who has compared the digest of a computation's manifest (common/manifest/confirmation.h).
 *
 * One of each user stays, the newest. One of a manifest that has changed since is stale, and stays as that until its
 * user confirms again. One by a key that was retired since stays too, and counts for nothing: whoever has the key may be
 * somebody else.
 */
#pragma once

#include "common/manifest/confirmation.h"
#include "computations/store/store_key.h"

enum {
	STORE_CONFIRMATIONS_MAX = STORE_KEY_OWNERS_MAX
}; /* of a computation; the oldest stale one gives way */

struct store_confirmation {
	char *user;
	uint8_t key[KEY_FINGERPRINT_LEN], digest[MANIFEST_HASH_LEN];
	int64_t revision, made; /* made: ms since 1970 */
	uint8_t signature[SIGNATURE_MAX];
	size_t signature_len;
	bool stale, retired;
};

/* Of one computation, oldest first. */
struct store_confirmations {
	uint8_t digest[MANIFEST_HASH_LEN]; /* of its manifest now */
	int64_t revision;
	struct store_confirmation rows[STORE_CONFIRMATIONS_MAX];
	size_t count;
};
int store_confirmations(struct store *store, const char *computation,
			struct store_confirmations **list, struct err *e) MUST_CHECK;
void store_confirmations_free(struct store_confirmations *list);
DEFINE_CLEANUP(struct store_confirmations *, store_confirmations_free)

/* Keeps what that user signed, once it is shown to be so. ERR_ABORTED: the manifest has another digest or revision by
 * now; ERR_DENIED: it names no key in use of that user with this fingerprint, or the signature is not that key's. */
int store_confirm(struct store *store, int64_t person, const struct confirmation *c,
		  const uint8_t *signature, size_t len, int64_t now, struct err *e) MUST_CHECK;
