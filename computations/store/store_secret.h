/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_secret.h — under which key secrets are sealed (secret_keep.h), and private keys of computations' agents, which
 * manifests bring.
 *
 * A manifest lies in the database without its key; only what is sent to an agent has it. When no agent can get it any
 * more it is forgotten.
 */
#pragma once

#include "computations/store/secret_file.h"
#include "computations/store/store.h"

/* First of all that uses the store's secrets, and once: seals what older forms had as it was, and what the old key sealed
 * anew. All or nothing. ERR_PRECONDITION: something is sealed under a key that is neither, or the key is missing, and
 * something is sealed under it. store_close() forgets the key. */
int store_secrets_open(struct store *store, const char *dir,
		       const struct store_secrets_place *place, struct err *e) MUST_CHECK;

/* A number that a statement without parameters asks of where the secrets are; 0 where there is no table of them. */
struct store_secrets_count {
	int (*number)(void *data, const char *sql, int64_t *count, struct err *e);
	void *data;
};
/* What store_secrets_open() would say of keys; nothing is made or changed. `*is_new`: it would make the file. */
int store_secrets_look(const char *dir, const struct store_secrets_place *place,
		       const struct store_secrets_count *count, bool *is_new,
		       struct err *e) MUST_CHECK;
/* The same for a database of any form that has the table. */
int store_secrets_same(struct db *db, const char *dir, const struct store_secrets_place *place,
		       struct err *e) MUST_CHECK;
/* What is sealed, kind by kind, in a line. */
enum { STORE_SECRETS_WORDS = 256 };
int store_secrets_words(const struct store_secrets_count *count, char words[STORE_SECRETS_WORDS],
			struct err *e) MUST_CHECK;

/* store_manifest() for the agent, with its key, for secret_free(). ERR_PRECONDITION: it is gone. */
int store_secret_send(struct store *store, const char *id, uint8_t **bytes, size_t *len,
		      struct err *e) MUST_CHECK;
