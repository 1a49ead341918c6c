/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/ecdsa.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/params.h>

DEFINE_CLEANUP(BIGNUM *, BN_free)
DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free)

enum { COORDINATE_MAX = 48, DER_SIGNATURE_MAX = 2 * COORDINATE_MAX + 16 };

static const struct {
	size_t len;
	const char *group;
} curves[] = {
	[ECDSA_P256] = { 32, "P-256" },
	[ECDSA_P384] = { 48, "P-384" },
};

size_t ecdsa_len(enum ecdsa_curve curve)
{
	return curves[curve].len;
}

int ecdsa_key(enum ecdsa_curve curve, struct span point, EVP_PKEY **key, struct err *e)
{
	size_t len = 2 * ecdsa_len(curve);
	uint8_t octets[1 + 2 * COORDINATE_MAX] = { POINT_CONVERSION_UNCOMPRESSED };

	if (point.len != len)
		return err_set(e, ERR_INVALID, "%s key of %zu bytes, wanted %zu",
			       curves[curve].group, point.len, len);
	memcpy(octets + 1, point.bytes, len);

	char group[8];

	memcpy(group, curves[curve].group, strlen(curves[curve].group) + 1);

	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, strlen(group)),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets, 1 + len),
		OSSL_PARAM_END,
	};
	CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *made = NULL;

	/* The decoder of points refuses those that are not on the curve. */
	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		return err_openssl(e, ERR_INVALID, "the key is not a point of %s",
				   curves[curve].group);
	*key = made;
	return 0;
}

/* The DER that OpenSSL verifies, from r ‖ s. */
static int signature_to_der(enum ecdsa_curve curve, struct span raw, uint8_t *der, size_t *der_len,
			    struct err *e)
{
	int len = (int)ecdsa_len(curve);
	CLEANUP(BN_free) BIGNUM *r = BN_bin2bn(raw.bytes, len, NULL);
	CLEANUP(BN_free) BIGNUM *s = BN_bin2bn(raw.bytes + len, len, NULL);
	CLEANUP(ECDSA_SIG_free) ECDSA_SIG *sig = ECDSA_SIG_new();

	if (!r || !s || !sig || !ECDSA_SIG_set0(sig, r, s))
		return err_nomem(e);
	/* Now the signature owns both. */
	r = s = NULL;

	uint8_t *out = der;
	int written = i2d_ECDSA_SIG(sig, &out);

	if (written <= 0)
		return err_openssl(e, ERR_INTERNAL, "encode an ECDSA signature");
	*der_len = (size_t)written;
	return 0;
}

const EVP_MD *ecdsa_md(enum digest_kind kind)
{
	switch (kind) {
	case DIGEST_SHA256:
		return EVP_sha256();
	case DIGEST_SHA384:
		return EVP_sha384();
	case DIGEST_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

int ecdsa_verify(EVP_PKEY *key, enum ecdsa_curve curve, enum digest_kind kind, struct span bytes,
		 struct span signature, struct err *e)
{
	uint8_t der[DER_SIGNATURE_MAX];
	size_t der_len;
	const EVP_MD *md = ecdsa_md(kind);

	if (!md)
		return err_set(e, ERR_DENIED, "%s signs nothing here", digest_name(kind));
	if (signature.len != 2 * ecdsa_len(curve))
		return err_set(e, ERR_INVALID, "ECDSA signature of %zu bytes, wanted %zu",
			       signature.len, 2 * ecdsa_len(curve));
	if (signature_to_der(curve, signature, der, &der_len, e) < 0)
		return -(int)e->code;

	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ctx || EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) <= 0)
		return err_openssl(e, ERR_INTERNAL, "verify an ECDSA signature");
	if (EVP_DigestVerify(ctx, der, der_len, bytes.bytes, bytes.len) != 1)
		return err_openssl(e, ERR_DENIED, "the ECDSA signature does not hold");
	return 0;
}
