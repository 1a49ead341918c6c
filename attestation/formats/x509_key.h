/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x509_key.h — the public key of a certificate, and a signature checked with it.
 *
 * Built from the parts of the SubjectPublicKeyInfo directly: OpenSSL's decoder would take longer
 * than the signature, and its full check of an RSA modulus even longer.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

#include <openssl/evp.h>

/* `spki` is a whole SubjectPublicKeyInfo: rsaEncryption (2048 to 8192 bits, odd modulus, exponent
 * 65537), or id-ecPublicKey on P-256, P-384 or P-521 by name with an uncompressed point that lies
 * on it. The caller frees the key. */
int x509_key_from_spki(struct span spki, EVP_PKEY **key, struct err *e) MUST_CHECK;
