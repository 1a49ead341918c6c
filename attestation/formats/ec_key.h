/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ec_key.h — a public key from a point of a named curve.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

#include <openssl/evp.h>

/* `point` is uncompressed (4, x, y); `group` "prime256v1", "secp384r1" or "secp521r1". NULL, with the
 * reason in OpenSSL's queue, for another form of point, and for a point that is not on the curve; NULL
 * for another group. The caller frees the key. Any thread may call it. */
EVP_PKEY *ec_key_make(const char *group, struct span point) MUST_CHECK;

/* Whether it is a key on the curve of that name ("prime256v1"). */
bool ec_key_is_on(const EVP_PKEY *key, const char *group);
