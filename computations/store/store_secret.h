/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_secret.h — rows of sealed secrets (secret.h): private keys of computations' agents, which manifests bring.
 *
 * A manifest lies in the database without its key; only what is sent to an agent has it. When no agent can get it any
 * more it is forgotten.
 */
#pragma once

#include "computations/store/secret.h"
#include "computations/store/store.h"

/* First of all that uses the store's secrets, and once: seals what older forms had as it was, and what the old key sealed
 * anew. All or nothing. ERR_PRECONDITION: something is sealed under a key that is neither, or the key is missing, and
 * something is sealed under it. store_close() forgets the key. */
int store_secrets_open(struct store *store, const char *dir,
		       const struct store_secrets_place *place, struct err *e) MUST_CHECK;

/* What store_secrets_open() would say of keys, with how many rows are sealed under others; nothing is made or changed.
 * `*is_new`: it would make the file. */
struct store_secrets_count {
	/* Rows that are sealed, but under none of these ids; "" for none. */
	int (*others)(void *data, const char *id, const char *old_id, int64_t *count,
		      struct err *e);
	void *data;
};
int store_secrets_look(const char *dir, const struct store_secrets_place *place,
		       const struct store_secrets_count *count, bool *is_new,
		       struct err *e) MUST_CHECK;
/* The same for a database of any form. */
int store_secrets_same(struct db *db, const char *dir, const struct store_secrets_place *place,
		       struct err *e) MUST_CHECK;
int store_secrets_others(struct db *db, const char *id, const char *old_id, int64_t *count,
			 struct err *e) MUST_CHECK;
/* The same for who has no struct db; %s and %s are the ids. */
#define STORE_SECRETS_OTHERS "SELECT count(*) FROM secrets WHERE key NOT IN ('', '%s', '%s')"

/* store_manifest() for the agent, with its key, for secret_free(). ERR_PRECONDITION: it is gone. */
int store_secret_send(struct store *store, const char *id, uint8_t **bytes, size_t *len,
		      struct err *e) MUST_CHECK;
