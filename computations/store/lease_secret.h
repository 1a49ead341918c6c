/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease_secret.h — by what instances know each other (relay_tls.h): of the row of the lease, and of the key that signs the log,
 * which all have in a file of their own (store_witness.h). So a copy of the database is not enough, nor that file.
 */
#pragma once

#include "common/base/err.h"
#include "common/relay/relay_tls.h"

/* `row`: what the row of that fence has. ERR_NOT_FOUND: there is no such file in `dir`. Wipe `secret`. */
int lease_secret(const char *dir, int64_t fence, const uint8_t row[RELAY_SECRET_LEN],
		 uint8_t secret[RELAY_SECRET_LEN], struct err *e) MUST_CHECK;
