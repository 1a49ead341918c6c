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

/* Whether it has the form of a SubjectPublicKeyInfo that we take: rsaEncryption (2048 to 8192 bits,
 * odd modulus, exponent 65537), or id-ecPublicKey on P-256, P-384 or P-521 by name with an
 * uncompressed point, of which only the making of the key says whether it lies on the curve. */
int x509_key_check(struct span spki, struct err *e) MUST_CHECK;

/* The key of a whole SubjectPublicKeyInfo of that form. The caller frees it. */
int x509_key_from_spki(struct span spki, EVP_PKEY **key, struct err *e) MUST_CHECK;
