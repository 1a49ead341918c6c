/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_key.h — the keys that a computation's manifest names, and whose they are.
 */
#pragma once

#include "computations/people/user_key.h"
#include "computations/store/store.h"

/* The claim's key, which is sound, in place of each one of that user's in the manifest of its computation, which has not run.
 * ERR_PRECONDITION: as store_update_check() says; ERR_INVALID: it would be no manifest. `*changed` false: it names none of them. */
int store_key_replace(struct store *store, const struct user_key_claim *claim, bool *changed,
		      uint8_t digest[MANIFEST_HASH_LEN], struct err *e) MUST_CHECK;

enum { STORE_KEY_OWNERS_MAX = 1 + MANIFEST_DATASETS_MAX + MANIFEST_CONSUMERS_MAX };

/* Of the keys in a manifest, each once, those of users whom the service knows. */
struct store_key_owners {
	struct user_key_owner rows[STORE_KEY_OWNERS_MAX];
	size_t count;
};
int store_key_owners(struct store *store, const Cvms__ComputationRunReq *manifest,
		     struct store_key_owners **owners, struct err *e) MUST_CHECK;
void store_key_owners_free(struct store_key_owners *owners);
DEFINE_CLEANUP(struct store_key_owners *, store_key_owners_free)
/* NULL: nobody's whom the service knows. */
const struct user_key_owner *store_key_owner_of(const struct store_key_owners *owners,
						const ProtobufCBinaryData *key);
