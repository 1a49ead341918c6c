/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rsa_key.h — an RSA public key from its modulus. How long that one may be is for its format to
 * say.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

#include <openssl/evp.h>

/* The one exponent that we take. */
enum { RSA_KEY_EXPONENT = 65537 };

/* `modulus` has its highest byte first, leading zeros or none. The caller frees the key. */
int rsa_key_make(struct span modulus, EVP_PKEY **key, struct err *e) MUST_CHECK;
