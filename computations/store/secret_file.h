/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_file.h — the file of the key that seals (secret.h), and where it is.
 *
 * A place is an absolute path, of a file with 64 hexadecimal digits in one line, or words of tpm_sealed.h, whose file has the
 * key as only that TPM opens it. Both files are for their owner alone.
 */
#pragma once

#include "computations/seal/secret.h"

#include <stdbool.h>

/* Reads the words alone. */
int secret_place_check(const char *place, struct err *e) MUST_CHECK;
bool secret_place_is_tpm(const char *place);

/* ERR_NOT_FOUND: it is missing; ERR_PRECONDITION: others than this user and root can read it, and what tpm_unseal() says. */
int secret_key_read(const char *place, struct secret_key *key, struct err *e) MUST_CHECK;
/* That key, in a new file of mode 0600. */
int secret_key_write(const char *place, const struct secret_key *key, struct err *e) MUST_CHECK;
/* A new one, the same way. */
int secret_key_make(const char *place, struct secret_key *key, struct err *e) MUST_CHECK;

/* Where the key of a store's secrets is (store_secret.h). */
struct store_secrets_place {
	const char *path; /* NULL: STORE_SECRETS_FILE in the service's folder, made if need be */
	const char *
		old_path; /* the key of before; STORE_SECRETS_LOST: there is none any more; NULL: nothing */
	/* What was read there once and for all; NULL: it is read when it is asked for. */
	const struct secret_key *held, *old_held;
};
#define STORE_SECRETS_FILE "secrets.key"
#define STORE_SECRETS_LOST "lost"
