/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/x509_key.h"

#include "attestation/formats/ec_key.h"
#include "attestation/formats/rsa_key.h"
#include "attestation/formats/vendor_signatures.h"
#include "attestation/formats/x509.h"
#include "common/base/der.h"
#include "common/crypto/key.h"

#include <openssl/rsa.h>

struct curve {
	const char *oid, *group;
	size_t point_len;
};

static const struct curve curves[] = {
	{ "1.2.840.10045.3.1.7", "prime256v1", 65 },
	{ "1.3.132.0.34", "secp384r1", 97 },
	{ "1.3.132.0.35", "secp521r1", 133 },
};

/* What a key is made of: an RSA modulus, or a point of the curve. */
struct key_parts {
	const struct curve *curve; /* NULL: RSA */
	struct span number;
};

/* RFC 3279, 2.3.1. */
static int rsa_parts(struct reader *parameters, struct span bits, struct key_parts *p,
		     struct err *e)
{
	struct span null = der_body(parameters, DER_NULL);
	struct reader outer = span_reader(bits);
	struct reader r = der_enter(&outer, DER_SEQUENCE);
	struct span n = der_body(&r, DER_INTEGER);
	uint64_t exponent = der_u64(&r);

	if (!reader_done(parameters) || null.len || !reader_done(&outer) || !reader_done(&r) ||
	    n.len < 2 || n.bytes[0] != 0 || exponent != RSA_KEY_EXPONENT)
		return err_set(e, ERR_INVALID, "RSA key: wanted a modulus and exponent 65537");
	if (n.bytes[1] < 0x80 || n.len < 257 || n.len > 1025 || !(n.bytes[n.len - 1] & 1))
		return err_set(e, ERR_INVALID,
			       "RSA key: modulus of %zu bytes is even, or not 2048 to 8192 bits",
			       n.len);
	*p = (struct key_parts){ NULL, n };
	return 0;
}

/* RFC 5480. */
static int ec_parts(struct reader *parameters, struct span point, struct key_parts *p,
		    struct err *e)
{
	struct span oid = der_body(parameters, DER_OID);
	const struct curve *curve = NULL;

	for (size_t i = 0; i < ARRAY_LEN(curves); i++)
		if (der_oid_is(oid, curves[i].oid))
			curve = &curves[i];
	if (!reader_done(parameters) || !curve)
		return err_set(e, ERR_INVALID, "EC key: wanted P-256, P-384 or P-521 by name");
	if (point.len != curve->point_len || point.bytes[0] != 4)
		return err_set(e, ERR_INVALID, "EC key: wanted an uncompressed point of %zu bytes",
			       curve->point_len);
	*p = (struct key_parts){ curve, point };
	return 0;
}

static int read_spki(struct span spki, struct key_parts *p, struct err *e)
{
	struct reader outer = span_reader(spki);
	struct reader r = der_enter(&outer, DER_SEQUENCE);
	struct reader algorithm = der_enter(&r, DER_SEQUENCE);
	struct span oid = der_body(&algorithm, DER_OID);
	struct span bits = der_bits(&r);

	if (!reader_done(&outer) || !reader_done(&r) || !reader_ok(&algorithm) || !bits.len)
		return err_set(e, ERR_INVALID, "not a SubjectPublicKeyInfo");
	if (der_oid_is(oid, "1.2.840.113549.1.1.1"))
		return rsa_parts(&algorithm, bits, p, e);
	if (der_oid_is(oid, "1.2.840.10045.2.1"))
		return ec_parts(&algorithm, bits, p, e);
	return err_set(e, ERR_INVALID, "a public key of another kind than RSA or ECDSA");
}

int x509_key_check(struct span spki, struct err *e)
{
	struct key_parts p;

	return read_spki(spki, &p, e);
}

int x509_key_from_spki(struct span spki, EVP_PKEY **key, struct err *e)
{
	struct key_parts p;
	EVP_PKEY *made;

	if (read_spki(spki, &p, e) < 0)
		return err_code(e);
	if (!p.curve)
		return rsa_key_make(p.number, key, e);
	made = ec_key_make(p.curve->group, p.number);
	if (!made)
		return err_openssl(e, ERR_INVALID, "EC public key");
	*key = made;
	return 0;
}

int x509_key(const struct x509 *cert, EVP_PKEY **key, struct err *e)
{
	/* To its readers it is as if the key had been there. */
	struct x509 *own = (struct x509 *)(uintptr_t)cert;

	if (!own->key && x509_key_from_spki(own->spki, &own->key, e) < 0) {
		/* Its form was right: by a point beside the curve nothing holds. */
		if (e->code == ERR_INVALID)
			e->code = ERR_DENIED;
		return err_wrap(e, "the certificate's key");
	}
	*key = own->key;
	return 0;
}

/* Whole AlgorithmIdentifiers. PSS comes in two spellings: AMD's tools of 2020 write the trailer
 * field, which is the default and should be absent (X.690, 11.5). */
#define PSS_SHA384 "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define PSS_SHA384_PARAMETERS                                                  \
	"\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00" \
	"\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"         \
	"\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\xa2\x03\x02\x01\x30"
#define TEXT_BYTES(text) { (const uint8_t *)(text), sizeof(text) - 1 }

struct algorithm {
	enum x509_algorithm bit;
	struct span identifier;
	const char *md, *group; /* group NULL: RSA */
	int bits;               /* of an RSA key; 0: any that x509_key_from_spki takes */
	int salt;               /* of PSS; 0: PKCS #1 v1.5 */
};

static const struct algorithm algorithms_known[] = {
	{ X509_RSA4096_PSS_SHA384,
	  TEXT_BYTES("\x30\x41" PSS_SHA384 "\x30\x34" PSS_SHA384_PARAMETERS), "SHA384", NULL, 4096,
	  48 },
	{ X509_RSA4096_PSS_SHA384,
	  TEXT_BYTES("\x30\x46" PSS_SHA384 "\x30\x39" PSS_SHA384_PARAMETERS "\xa3\x03\x02\x01\x01"),
	  "SHA384", NULL, 4096, 48 },
	{ X509_P256_SHA256, TEXT_BYTES("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"),
	  "SHA256", "prime256v1", 0, 0 },
	{ X509_P384_SHA384, TEXT_BYTES("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"),
	  "SHA384", "secp384r1", 0, 0 },
	{ X509_RSA_SHA256,
	  TEXT_BYTES("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"), "SHA256",
	  NULL, 0, 0 },
	{ X509_RSA_SHA384,
	  TEXT_BYTES("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00"), "SHA384",
	  NULL, 0, 0 },
	{ X509_RSA_SHA512,
	  TEXT_BYTES("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00"), "SHA512",
	  NULL, 0, 0 },
};

static bool key_suits(const EVP_PKEY *key, const struct algorithm *a)
{
	if (!a->group)
		return EVP_PKEY_is_a(key, "RSA") && (!a->bits || EVP_PKEY_get_bits(key) == a->bits);
	return ec_key_is_on(key, a->group);
}

static int verify(const struct algorithm *a, struct span content, struct span signature,
		  EVP_PKEY *key, struct err *e)
{
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL; /* md's */

	if (!md || EVP_DigestVerifyInit_ex(md, &ctx, a->md, NULL, NULL, key, NULL) != 1)
		return err_openssl(e, ERR_INTERNAL, "signature check");
	if (!a->group && a->salt == 0 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1)
		return err_openssl(e, ERR_INTERNAL, "signature check");
	if (a->salt && (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
			EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, a->md, NULL) != 1 ||
			EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, a->salt) != 1))
		return err_openssl(e, ERR_INTERNAL, "signature check");
	if (EVP_DigestVerify(md, signature.bytes, signature.len, content.bytes, content.len) != 1)
		return err_openssl(e, ERR_DENIED, "the signature does not hold");
	return 0;
}

/* Remembered only after it was verified just here, by a key of the kind that the algorithm needs: both are
 * part of the fact. */
static int verify_known(const struct algorithm *a, const struct x509_signed *what,
			const struct x509 *signer, const struct x509_known *known, struct err *e)
{
	const struct signatures_fact fact = { signer->key_digest, what->algorithm, what->bytes,
					      what->signature };
	uint8_t digest[SHA256_LEN];
	EVP_PKEY *key;
	bool holds;

	if (vendor_signature_holds(&fact, &holds, e) < 0)
		return err_code(e);
	if (holds || (known && signatures_know(known->signatures, &fact, digest)))
		return 0;
	if (x509_key(signer, &key, e) < 0)
		return err_code(e);
	if (!key_suits(key, a))
		return err_set(e, ERR_DENIED,
			       "the issuer's key is not of the kind that the algorithm needs");
	if (verify(a, what->bytes, what->signature, key, e) < 0)
		return err_code(e);
	if (known)
		signatures_add(known->signatures, known->shelf, digest);
	return 0;
}

int x509_verify_signature(const struct x509_signed *what, const struct x509 *signer,
			  unsigned algorithms, const struct x509_known *known, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms_known); i++) {
		const struct algorithm *a = &algorithms_known[i];

		if ((a->bit & algorithms) && span_equal(a->identifier, what->algorithm))
			return verify_known(a, what, signer, known, e);
	}
	return err_set(e, ERR_DENIED, "signed with another algorithm than is accepted here");
}
