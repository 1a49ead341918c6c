/* SPDX-License-Identifier: Apache-2.0 */
/* ca_signature.h — a signature of the authority's: how large it is, how long one is waited for, its form. */
#pragma once

#include "common/base/span.h"
#include "common/crypto/key.h"

enum {
	CA_SIGNATURE_MAX = 160, /* ECDSA of P-521 in DER has 139 */
	CA_SIGNER_WHERE_MAX = 1024,
	CA_SIGNER_WAIT_MS = 5000,
	CA_SIGNER_RETRY_MS = 2000,
	CA_SIGNER_IDLE_MS = 30000,  /* then the device is let go, and others have room */
	CA_SIGNER_SECRET_MAX = 255, /* bytes of a PIN */
};

/* What signs with such a key: NULL for Ed25519, which has none. */
const EVP_MD *ca_signature_md(const EVP_PKEY *key);
/* ECDSA's two numbers, big endian, as DER. */
int ca_signature_der(struct span r, struct span s, uint8_t sig[CA_SIGNATURE_MAX], size_t *len,
		     struct err *e) MUST_CHECK;
