/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp/snp_key.h"

#include "attestation/formats/x509_key.h"
#include "common/base/reader.h"
#include "common/crypto/key.h"

#include <string.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>

DEFINE_CLEANUP(BIGNUM *, BN_free)
DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free)

enum { PART = SNP_SIGNATURE_PART_LEN, SIG_DER_MAX = 2 * (PART + 3) + 3 };

bool snp_key_is_p384(const EVP_PKEY *key)
{
	char group[32] = "";

	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, "secp384r1") == 0;
}

static int to_der(const uint8_t *r, const uint8_t *s, uint8_t der[SIG_DER_MAX], size_t *len,
		  struct err *e)
{
	CLEANUP(ECDSA_SIG_free) ECDSA_SIG *sig = ECDSA_SIG_new();
	CLEANUP(BN_free) BIGNUM *a = BN_lebin2bn(r, PART, NULL);
	CLEANUP(BN_free) BIGNUM *b = BN_lebin2bn(s, PART, NULL);
	int made;

	if (!sig || !a || !b || ECDSA_SIG_set0(sig, a, b) != 1)
		return err_nomem(e);
	a = b = NULL; /* the signature's now */
	made = i2d_ECDSA_SIG(sig, NULL);
	if (made <= 0 || made > SIG_DER_MAX || i2d_ECDSA_SIG(sig, &der) != made)
		return err_set(e, ERR_INVALID, "signature out of range");
	*len = (size_t)made;
	return 0;
}

int snp_key_verify(EVP_PKEY *key, struct span content, const uint8_t *r, const uint8_t *s,
		   struct err *e)
{
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t der[SIG_DER_MAX];
	size_t len;

	if (!snp_key_is_p384(key))
		return err_set(e, ERR_DENIED, "the key is not on P-384");
	if (!md || EVP_DigestVerifyInit_ex(md, NULL, "SHA384", NULL, NULL, key, NULL) != 1)
		return err_openssl(e, ERR_INTERNAL, "signature check");
	if (to_der(r, s, der, &len, e) < 0)
		return err_code(e);
	if (EVP_DigestVerify(md, der, len, content.bytes, content.len) != 1)
		return err_openssl(e, ERR_DENIED, "the signature does not hold");
	return 0;
}

/* Two numbers of 48 bytes in 72 each, and zeros up to `len`. */
static bool read_pair(struct reader *r, const uint8_t **a, const uint8_t **b, size_t rest)
{
	*a = reader_take(r, PART);
	reader_zeros(r, SNP_PART_ROOM - PART);
	*b = reader_take(r, PART);
	reader_zeros(r, SNP_PART_ROOM - PART + rest);
	return reader_done(r);
}

int snp_key_verify_block(EVP_PKEY *key, struct span content, const uint8_t *block, struct err *e)
{
	struct reader reader = reader_over(block, SNP_SIGNATURE_LEN);
	const uint8_t *r, *s;

	if (!read_pair(&reader, &r, &s, SNP_SIGNATURE_LEN - 2 * SNP_PART_ROOM))
		return err_set(e, ERR_DENIED, "signature: bytes that have to be zero are not");
	return snp_key_verify(key, content, r, s, e);
}

int snp_key_sign_block(EVP_PKEY *key, struct span content, uint8_t block[SNP_SIGNATURE_LEN],
		       struct err *e)
{
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t der[SIG_DER_MAX];
	const uint8_t *at = der;
	size_t len = sizeof(der);

	if (!snp_key_is_p384(key))
		return err_set(e, ERR_INVALID, "wanted a P-384 key");
	if (!md || EVP_DigestSignInit_ex(md, NULL, "SHA384", NULL, NULL, key, NULL) != 1 ||
	    EVP_DigestSign(md, der, &len, content.bytes, content.len) != 1)
		return err_openssl(e, ERR_INTERNAL, "sign");
	CLEANUP(ECDSA_SIG_free) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	memset(block, 0, SNP_SIGNATURE_LEN);
	if (!sig || BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), block, PART) != PART ||
	    BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), block + SNP_PART_ROOM, PART) != PART)
		return err_openssl(e, ERR_INTERNAL, "sign");
	return 0;
}

static void reversed(const uint8_t *from, uint8_t *to)
{
	for (size_t i = 0; i < PART; i++)
		to[i] = from[PART - 1 - i];
}

int snp_key_read(const uint8_t *block, EVP_PKEY **key, struct err *e)
{
	/* SubjectPublicKeyInfo of a P-384 key, up to the point (RFC 5480). */
	static const uint8_t head[] = { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
					0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
					0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04 };
	struct reader r = reader_over(block, SNP_PUBLIC_KEY_LEN);
	uint8_t spki[sizeof(head) + 2 * PART];
	uint32_t curve = reader_le32(&r);
	const uint8_t *x, *y;

	if (!read_pair(&r, &x, &y, SNP_PUBLIC_KEY_LEN - 4 - 2 * SNP_PART_ROOM) ||
	    curve != SNP_CURVE_P384)
		return err_set(e, ERR_INVALID,
			       "public key: wanted curve 2 (P-384) and zeros "
			       "behind the numbers");
	memcpy(spki, head, sizeof(head));
	reversed(x, spki + sizeof(head));
	reversed(y, spki + sizeof(head) + PART);
	return x509_key_from_spki((struct span){ .bytes = spki, .len = sizeof(spki) }, key, e);
}

int snp_key_write(const EVP_PKEY *key, uint8_t block[SNP_PUBLIC_KEY_LEN], struct err *e)
{
	BIGNUM *x_owned = NULL, *y_owned = NULL;
	bool got = snp_key_is_p384(key) &&
		   EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x_owned) == 1 &&
		   EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y_owned) == 1;
	CLEANUP(BN_free) BIGNUM *x = x_owned;
	CLEANUP(BN_free) BIGNUM *y = y_owned;

	if (!got)
		return err_openssl(e, ERR_INVALID, "wanted a P-384 key");
	memset(block, 0, SNP_PUBLIC_KEY_LEN);
	block[0] = SNP_CURVE_P384;
	if (BN_bn2lebinpad(x, block + 4, PART) != PART ||
	    BN_bn2lebinpad(y, block + 4 + SNP_PART_ROOM, PART) != PART)
		return err_openssl(e, ERR_INTERNAL, "public key");
	return 0;
}
