/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rsa_key.h — an RSA public key from its modulus. Its caller limits the length of the modulus.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

#include <openssl/evp.h>

/* The only exponent that we accept. */
enum { RSA_KEY_EXPONENT = 65537 };

/* `modulus` has its highest byte first, with or without leading zeros. The caller frees the key. */
int rsa_key_make(struct span modulus, EVP_PKEY **key, struct err *e) MUST_CHECK;
