/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tpm/tpm_public.h"

#include "attestation/formats/ecdsa.h"
#include "attestation/formats/rsa_key.h"
#include "common/crypto/key.h"

#include <string.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

enum {
	TPM_ALG_RSAES = 0x0015,
	TPM_ALG_ECDAA = 0x001a,
	CURVE_P256 = 0x0003,
	CURVE_P384 = 0x0004,
	RSA_BITS_MIN = 2048,
};

static const uint32_t defined_attributes = TPM_ATTR_FIXED_TPM | TPM_ATTR_ST_CLEAR |
					   TPM_ATTR_FIXED_PARENT | TPM_ATTR_SENSITIVE_DATA_ORIGIN |
					   TPM_ATTR_USER_WITH_AUTH | TPM_ATTR_ADMIN_WITH_POLICY |
					   TPM_ATTR_NO_DA | TPM_ATTR_ENCRYPTED_DUPLICATION |
					   TPM_ATTR_RESTRICTED | TPM_ATTR_DECRYPT | TPM_ATTR_SIGN;

/* TPMT_SYM_DEF_OBJECT, part 2, 11.1.7. */
static void symmetric_parse(struct reader *r, struct tpm_public *pub)
{
	pub->symmetric = reader_be16(r);
	if (pub->symmetric != TPM_ALG_NULL)
		reader_skip(r, 4); /* key bits, mode */
}

/* TPMT_RSA_SCHEME and TPMT_ECC_SCHEME, part 2, 11.2.4.2 and 11.2.5.6. */
static void scheme_parse(struct reader *r, struct tpm_public *pub)
{
	pub->scheme = reader_be16(r);
	if (pub->scheme == TPM_ALG_NULL || pub->scheme == TPM_ALG_RSAES)
		return;
	pub->scheme_hash = reader_be16(r);
	if (pub->scheme == TPM_ALG_ECDAA)
		reader_skip(r, 2);
}

static void rsa_parse(struct reader *r, struct tpm_public *pub)
{
	symmetric_parse(r, pub);
	scheme_parse(r, pub);
	pub->rsa_bits = reader_be16(r);
	pub->rsa_exponent = reader_be32(r);
	pub->n = tpm_sized(r);
}

static void ecc_parse(struct reader *r, struct tpm_public *pub)
{
	symmetric_parse(r, pub);
	scheme_parse(r, pub);
	pub->curve = reader_be16(r);
	if (reader_be16(r) != TPM_ALG_NULL)
		reader_skip(r, 2); /* key derivation: its hash */
	pub->x = tpm_sized(r);
	pub->y = tpm_sized(r);
}

int tpm_public_parse(struct span bytes, struct tpm_public *pub, struct err *e)
{
	struct tpm_public p = { .bytes = bytes };
	struct reader r = span_reader(bytes);

	if (bytes.len > TPM_PUBLIC_MAX)
		return err_set(e, ERR_INVALID, "TPMT_PUBLIC: %zu bytes are more than %d", bytes.len,
			       TPM_PUBLIC_MAX);
	p.type = reader_be16(&r);
	p.name_alg = reader_be16(&r);
	p.attributes = reader_be32(&r);
	p.auth_policy = tpm_sized(&r);
	if (reader_ok(&r) && p.type != TPM_ALG_RSA && p.type != TPM_ALG_ECC)
		return err_set(e, ERR_INVALID, "TPMT_PUBLIC: type 0x%04x, wanted RSA or ECC",
			       p.type);
	if (p.type == TPM_ALG_RSA)
		rsa_parse(&r, &p);
	else
		ecc_parse(&r, &p);
	if (!reader_done(&r))
		return err_set(e, ERR_INVALID, "TPMT_PUBLIC: %zu bytes do not hold one", bytes.len);
	if (p.auth_policy.len > DIGEST_MAX) /* TPM2B_DIGEST */
		return err_set(e, ERR_INVALID, "TPMT_PUBLIC: an authPolicy of %zu bytes",
			       p.auth_policy.len);
	if (p.attributes & ~defined_attributes)
		return err_set(e, ERR_INVALID, "TPMT_PUBLIC: reserved attributes 0x%08x",
			       p.attributes & ~defined_attributes);
	*pub = p;
	return 0;
}

static int rsa_key(const struct tpm_public *pub, EVP_PKEY **key, struct err *e)
{
	uint32_t exponent = pub->rsa_exponent ? pub->rsa_exponent : RSA_KEY_EXPONENT;

	if (pub->rsa_bits < RSA_BITS_MIN || pub->n.len != pub->rsa_bits / 8 ||
	    pub->n.len > TPM_RSA_MAX || !(pub->n.bytes[0] & 0x80) ||
	    !(pub->n.bytes[pub->n.len - 1] & 1))
		return err_set(e, ERR_DENIED,
			       "an RSA key of %u bits in %zu bytes, wanted 2048 to 4096",
			       pub->rsa_bits, pub->n.len);
	if (exponent != RSA_KEY_EXPONENT)
		return err_set(e, ERR_DENIED, "RSA exponent %u, wanted 65537", exponent);
	return rsa_key_make(pub->n, key, e);
}

/* TPMs may leave leading zeros of a coordinate out. */
static int coordinate(struct span s, uint8_t *out, size_t len, struct err *e)
{
	if (s.len == 0 || s.len > len)
		return err_set(e, ERR_DENIED, "a coordinate of %zu bytes, wanted %zu", s.len, len);
	memset(out, 0, len - s.len);
	memcpy(out + len - s.len, s.bytes, s.len);
	return 0;
}

static int ecc_key(const struct tpm_public *pub, EVP_PKEY **key, struct err *e)
{
	enum ecdsa_curve curve = pub->curve == CURVE_P384 ? ECDSA_P384 : ECDSA_P256;
	size_t len = ecdsa_len(curve);
	uint8_t point[2 * TPM_ECC_MAX];

	if (pub->curve != CURVE_P256 && pub->curve != CURVE_P384)
		return err_set(e, ERR_DENIED, "curve 0x%04x, wanted P-256 or P-384", pub->curve);
	if (coordinate(pub->x, point, len, e) < 0 || coordinate(pub->y, point + len, len, e) < 0)
		return err_code(e);
	return ecdsa_key(curve, (struct span){ point, 2 * len }, key, e);
}

int tpm_public_key(const struct tpm_public *pub, EVP_PKEY **key, struct err *e)
{
	return pub->type == TPM_ALG_RSA ? rsa_key(pub, key, e) : ecc_key(pub, key, e);
}

int tpm_public_check_ak(const struct tpm_public *pub, struct err *e)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} wanted[] = {
		{ TPM_ATTR_FIXED_TPM, "fixedTPM" },
		{ TPM_ATTR_FIXED_PARENT, "fixedParent" },
		{ TPM_ATTR_SENSITIVE_DATA_ORIGIN, "sensitiveDataOrigin" },
		{ TPM_ATTR_RESTRICTED, "restricted" },
		{ TPM_ATTR_SIGN, "sign" },
	};
	enum digest_kind hash;
	bool rsa = pub->type == TPM_ALG_RSA;

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (!(pub->attributes & wanted[i].bit))
			return err_set(e, ERR_DENIED, "the AK is not %s", wanted[i].name);
	if (pub->attributes & TPM_ATTR_DECRYPT)
		return err_set(e, ERR_DENIED, "the AK may decrypt");
	if (pub->symmetric != TPM_ALG_NULL)
		return err_set(e, ERR_DENIED, "the AK has a symmetric algorithm");
	if (rsa ? pub->scheme != TPM_ALG_RSASSA && pub->scheme != TPM_ALG_RSAPSS
		: pub->scheme != TPM_ALG_ECDSA)
		return err_set(e, ERR_DENIED,
			       "the AK's scheme is 0x%04x, wanted RSASSA, RSAPSS or "
			       "ECDSA",
			       pub->scheme);
	/* Credentials, logs of the service and people know the AK by its name. */
	if (!tpm_alg_digest(pub->name_alg, &hash) || hash == DIGEST_SHA1)
		return err_set(e, ERR_DENIED,
			       "the AK's name is made with hash 0x%04x, wanted SHA-256 or better",
			       pub->name_alg);
	if (!tpm_alg_digest(pub->scheme_hash, &hash) || hash == DIGEST_SHA1)
		return err_set(e, ERR_DENIED,
			       "the AK signs with hash 0x%04x, wanted SHA-256 or "
			       "better",
			       pub->scheme_hash);
	return 0;
}

int tpm_public_name(const struct tpm_public *pub, uint8_t name[TPM_NAME_MAX], size_t *len,
		    struct err *e)
{
	enum digest_kind kind;

	if (!tpm_alg_digest(pub->name_alg, &kind))
		return err_set(e, ERR_INVALID, "TPMT_PUBLIC: name algorithm 0x%04x", pub->name_alg);
	name[0] = (uint8_t)(pub->name_alg >> 8);
	name[1] = (uint8_t)pub->name_alg;
	if (digest(kind, pub->bytes.bytes, pub->bytes.len, name + 2, e) < 0)
		return err_code(e);
	*len = 2 + digest_len(kind);
	return 0;
}
