/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/rsa_key.h"

#include "common/crypto/key.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

DEFINE_CLEANUP(OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)
DEFINE_CLEANUP(OSSL_PARAM *, OSSL_PARAM_free)
DEFINE_CLEANUP(BIGNUM *, BN_free)

int rsa_key_make(struct span modulus, EVP_PKEY **key, struct err *e)
{
	CLEANUP(BN_free) BIGNUM *n = BN_bin2bn(modulus.bytes, (int)modulus.len, NULL);
	CLEANUP(OSSL_PARAM_BLD_free) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	CLEANUP(EVP_PKEY_CTX_free)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	CLEANUP(OSSL_PARAM_free) OSSL_PARAM *params = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *made = NULL;

	if (n && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_uint(build, OSSL_PKEY_PARAM_RSA_E, RSA_KEY_EXPONENT))
		params = OSSL_PARAM_BLD_to_param(build);
	if (!params || !ctx)
		return err_openssl(e, ERR_EXHAUSTED, "RSA public key");
	if (EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return err_openssl(e, ERR_INVALID, "RSA public key");
	*key = TAKE_PTR(made);
	return 0;
}
