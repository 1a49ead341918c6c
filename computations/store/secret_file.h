/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_file.h — the file of the key that seals (secret.h), and where it is.
 */
#pragma once

#include "computations/seal/secret.h"

/* A file of 64 hexadecimal digits in one line, for its owner alone. ERR_NOT_FOUND: it is missing; ERR_PRECONDITION: others
 * than this user and root can read it. */
int secret_key_read(const char *path, struct secret_key *key, struct err *e) MUST_CHECK;
/* A new one, in a new file of mode 0600. */
int secret_key_make(const char *path, struct secret_key *key, struct err *e) MUST_CHECK;

/* Where the key of a store's secrets is (store_secret.h). */
struct store_secrets_place {
	const char *path; /* NULL: STORE_SECRETS_FILE in the service's folder, made if need be */
	const char *
		old_path; /* the key of before; STORE_SECRETS_LOST: there is none any more; NULL: nothing */
};
#define STORE_SECRETS_FILE "secrets.key"
#define STORE_SECRETS_LOST "lost"
