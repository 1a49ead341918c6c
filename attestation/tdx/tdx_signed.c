/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tdx/tdx_signed.h"

#include "attestation/formats/ecdsa.h"

int tdx_signed_verify(const struct x509 *signer, struct span bytes, struct span signature,
		      const struct x509_known *known, struct err *e)
{
	static const uint8_t raw[] = "ECDSA P-256 SHA-256, r and s"; /* no AlgorithmIdentifier */
	const struct signatures_fact fact = {
		signer->key_digest, { raw, sizeof(raw) }, bytes, signature
	};
	uint8_t digest[SHA256_LEN];
	EVP_PKEY *key;

	if (signatures_know(known->signatures, &fact, digest))
		return 0;
	if (x509_key(signer, &key, e) < 0 ||
	    ecdsa_verify(key, ECDSA_P256, DIGEST_SHA256, bytes, signature, e) < 0)
		return err_code(e);
	signatures_add(known->signatures, known->shelf, digest);
	return 0;
}
