/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential.h — tokens and sessions as they are found: by hashes.
 */
#pragma once

#include "common/crypto/digest.h"
#include "common/db/db.h"
#include "computations/people/user.h"

struct credential_hash {
	uint8_t bytes[SHA256_LEN];
	char user[PEOPLE_NAME_MAX + 1];
};

/* Those that are somebody's at `now` (ms since 1970) who is not suspended, the one that was used last first; at most
 * `max`. */
int credential_newest(struct db *db, int64_t now, size_t max, struct credential_hash *hashes,
		      size_t *count, struct err *e) MUST_CHECK;
