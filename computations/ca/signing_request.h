/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signing_request.h — a PKCS#10 request (RFC 2986): a public key, and the proof that who asks has its private half.
 *
 * Nothing else is taken from it: what a certificate says comes from the service's records. A request that asks for
 * more, extensions say, is refused, and not ignored, for its sender would think that it got them.
 */
#pragma once

#include "common/crypto/key.h"

enum {
	SIGNING_REQUEST_MAX = 4096, /* bytes of DER */
	SIGNING_RSA_BITS_MAX = 4096,
};

/* Exactly `len` bytes. Its subject is empty, or `name` as the only common name. ERR_DENIED: the proof does not hold. */
int signing_request_read(const uint8_t *der, size_t len, const char *name, EVP_PKEY **key,
			 struct err *e) MUST_CHECK;
