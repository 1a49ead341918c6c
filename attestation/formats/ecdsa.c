/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/ecdsa.h"

#include "attestation/formats/ec_key.h"
#include "common/base/der.h"

#include <string.h>

enum {
	COORDINATE_MAX = 48,
	UNCOMPRESSED = 4,                         /* SEC 1, 2.3.3 */
	DER_INTEGER_MAX = 2 + 1 + COORDINATE_MAX, /* a leading zero may keep the number positive */
	DER_SIGNATURE_MAX = 2 + 2 * DER_INTEGER_MAX,
};

static const struct {
	size_t len;
	const char *name, *group;
} curves[] = {
	[ECDSA_P256] = { 32, "P-256", "prime256v1" },
	[ECDSA_P384] = { 48, "P-384", "secp384r1" },
};

size_t ecdsa_len(enum ecdsa_curve curve)
{
	return curves[curve].len;
}

int ecdsa_key(enum ecdsa_curve curve, struct span point, EVP_PKEY **key, struct err *e)
{
	size_t len = 2 * ecdsa_len(curve);
	uint8_t octets[1 + 2 * COORDINATE_MAX] = { UNCOMPRESSED };
	EVP_PKEY *made;

	if (point.len != len)
		return err_set(e, ERR_INVALID, "%s key of %zu bytes, wanted %zu",
			       curves[curve].name, point.len, len);
	memcpy(octets + 1, point.bytes, len);
	made = ec_key_make(curves[curve].group, (struct span){ octets, 1 + len });
	if (!made)
		return err_openssl(e, ERR_INVALID, "the key is not a point of %s",
				   curves[curve].name);
	*key = made;
	return 0;
}

/* One INTEGER in its only form, X.690, 8.3; returns where the next begins. */
static uint8_t *put_integer(uint8_t *out, const uint8_t *bytes, size_t len)
{
	while (len > 1 && *bytes == 0) {
		bytes++;
		len--;
	}
	*out++ = DER_INTEGER;
	*out++ = (uint8_t)(len + (*bytes >> 7));
	if (*bytes >> 7)
		*out++ = 0;
	memcpy(out, bytes, len);
	return out + len;
}

/* SEQUENCE { r, s }, as OpenSSL takes it; its length fits into one byte. */
static size_t signature_to_der(const uint8_t *raw, size_t len, uint8_t der[DER_SIGNATURE_MAX])
{
	uint8_t *end = put_integer(der + 2, raw, len);

	end = put_integer(end, raw + len, len);
	der[0] = DER_SEQUENCE;
	der[1] = (uint8_t)(end - der - 2);
	return (size_t)(end - der);
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
		return err_set(e, ERR_DENIED, "signatures over %s are not accepted",
			       digest_name(kind));
	if (signature.len != 2 * ecdsa_len(curve))
		return err_set(e, ERR_INVALID, "ECDSA signature of %zu bytes, wanted %zu",
			       signature.len, 2 * ecdsa_len(curve));
	der_len = signature_to_der(signature.bytes, ecdsa_len(curve), der);

	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ctx || EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) <= 0)
		return err_openssl(e, ERR_INTERNAL, "verify an ECDSA signature");
	if (EVP_DigestVerify(ctx, der, der_len, bytes.bytes, bytes.len) != 1)
		return err_openssl(e, ERR_DENIED, "the ECDSA signature does not hold");
	return 0;
}
