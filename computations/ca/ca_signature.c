/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/ca_signature.h"

#include <openssl/ecdsa.h>

DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free)

const EVP_MD *ca_signature_md(const EVP_PKEY *key)
{
	if (key_kind_of(key) == KEY_ED25519)
		return NULL;
	return EVP_PKEY_get_bits(key) > 256 ? EVP_sha384() : EVP_sha256();
}

int ca_signature_der(struct span r, struct span s, uint8_t sig[CA_SIGNATURE_MAX], size_t *len,
		     struct err *e)
{
	CLEANUP(ECDSA_SIG_free) ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *first = BN_bin2bn(r.bytes, (int)r.len, NULL);
	BIGNUM *second = BN_bin2bn(s.bytes, (int)s.len, NULL);
	int size;

	if (!pair || !first || !second || !ECDSA_SIG_set0(pair, first, second)) {
		BN_free(first);
		BN_free(second);
		return err_nomem(e);
	}
	size = i2d_ECDSA_SIG(pair, NULL);
	if (size <= 0 || size > CA_SIGNATURE_MAX)
		return err_set(e, ERR_INTERNAL, "a signature of %d bytes", size);
	*len = (size_t)i2d_ECDSA_SIG(pair, &sig);
	return 0;
}
