/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webauthn_key.h — the public key of a passkey: COSE_Key (RFC 9052, section 7; RFC 8230 for RSA) with its algorithm, as
 * Web Authentication, 5.8.5 and 6.5.1, wants it: those members and no others.
 */
#pragma once

#include "common/base/datum.h"
#include "common/crypto/key.h"

/* The caller frees the key. */
int webauthn_key(const struct datum *map, EVP_PKEY **key, struct err *e) MUST_CHECK;
/* Whether `number` is the algorithm of that key. */
bool webauthn_key_is(EVP_PKEY *key, int64_t number);
