/* SPDX-License-Identifier: Apache-2.0 */
/* Public areas: keys that are too short, too long or of another kind than they say. */
#include "attestation/tpm/tpm_public.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "tests/unit.h"

enum { P256 = 3, P384 = 4, P521 = 5, POINT_LEN = 32, AREA_MAX = 1024 };

/* TPM2B's: their size, then themselves. */
static void put_sized(struct writer *w, const uint8_t *bytes, size_t len)
{
	writer_be16(w, (uint16_t)len);
	writer_bytes(w, bytes, len);
}

/* An area as an AK has it; what comes behind the scheme is the caller's. */
static void put_head(struct writer *w, uint16_t type, uint16_t name_hash, uint16_t symmetric,
		     uint16_t scheme)
{
	writer_be16(w, type);
	writer_be16(w, name_hash);
	writer_be32(w, TPM_ATTR_FIXED_TPM | TPM_ATTR_FIXED_PARENT | TPM_ATTR_SENSITIVE_DATA_ORIGIN |
			       TPM_ATTR_RESTRICTED | TPM_ATTR_SIGN);
	writer_be16(w, 0); /* no policy */
	writer_be16(w, symmetric);
	if (symmetric != TPM_ALG_NULL)
		writer_be32(w, 0x00800043); /* key bits, mode */
	writer_be16(w, scheme);
	writer_be16(w, TPM_ALG_SHA256);
}

struct area {
	struct writer w;
	struct tpm_public pub;
};

static void area_done(struct area *a)
{
	writer_done(&a->w);
}
#define CLEANUP_AREA __attribute__((cleanup(area_done)))

static void area_read(struct area *a)
{
	struct err e;

	assert_ok(tpm_public_parse((struct span){ a->w.bytes, a->w.len }, &a->pub, &e), e);
}

/* An ECC area of that curve, whose x has `more` zeros in front, or is not there at all if -1. */
static void area_ecc(struct area *a, const uint8_t point[2 * POINT_LEN], uint16_t curve, int more)
{
	uint8_t x[4 * POINT_LEN] = { 0 };

	a->w = writer_up_to(AREA_MAX);
	put_head(&a->w, TPM_ALG_ECC, TPM_ALG_SHA256, TPM_ALG_NULL, TPM_ALG_ECDSA);
	writer_be16(&a->w, curve);
	writer_be16(&a->w, TPM_ALG_NULL);
	if (more >= 0)
		memcpy(x + more, point, POINT_LEN);
	put_sized(&a->w, x, more < 0 ? 0 : POINT_LEN + (size_t)more);
	put_sized(&a->w, point + POINT_LEN, POINT_LEN);
	area_read(a);
}

static void a_point_has_the_length_of_its_curve(void **state)
{
	static const struct {
		uint16_t curve;
		int more;
		const char *fault; /* NULL: taken */
	} rows[] = {
		{ P256, 0, NULL },
		{ P256, 1, "a coordinate of 33 bytes" },
		{ P256, 2 * POINT_LEN, "a coordinate of 96 bytes" },
		{ P256, -1, "a coordinate of 0 bytes" },
		{ P384, 0, "not a point of P-384" },
		{ P521, 0, "curve 0x0005" },
		{ 0x0010, 0, "curve 0x0010" },
	};
	CLEANUP(EVP_PKEY_free) EVP_PKEY *good = EVP_EC_gen("P-256");
	uint8_t octets[1 + 2 * POINT_LEN];
	size_t len;
	struct err e;

	assert_int_equal(EVP_PKEY_get_octet_string_param(good, "pub", octets, sizeof(octets), &len),
			 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
		CLEANUP_AREA struct area a;

		area_ecc(&a, octets + 1, rows[i].curve, rows[i].more);
		int failed = tpm_public_key(&a.pub, &key, &e);

		if (!rows[i].fault) {
			assert_ok(failed, e);
			assert_int_equal(EVP_PKEY_eq(key, good), 1);
			continue;
		}
		assert_int_not_equal(failed, 0);
		assert_non_null(strstr(e.text, rows[i].fault));
	}
}

static void an_ak_signs_and_does_nothing_else(void **state)
{
	enum { AES = 0x0006, SM3 = 0x0012 };
	static const struct {
		uint16_t type, symmetric, scheme;
		const char *fault;  /* NULL: taken */
		uint16_t name_hash; /* 0: SHA-256 */
	} rows[] = {
		{ TPM_ALG_ECC, TPM_ALG_NULL, TPM_ALG_ECDSA, NULL, 0 },
		{ TPM_ALG_ECC, TPM_ALG_NULL, TPM_ALG_ECDSA, "name is made with hash 0x0012", SM3 },
		{ TPM_ALG_ECC, AES, TPM_ALG_ECDSA, "has a symmetric algorithm", 0 },
		{ TPM_ALG_ECC, TPM_ALG_NULL, TPM_ALG_RSASSA, "scheme is 0x0014", 0 },
		{ TPM_ALG_RSA, TPM_ALG_NULL, TPM_ALG_RSASSA, NULL, 0 },
		{ TPM_ALG_RSA, TPM_ALG_NULL, TPM_ALG_RSAPSS, NULL, 0 },
		{ TPM_ALG_RSA, AES, TPM_ALG_RSASSA, "has a symmetric algorithm", 0 },
		{ TPM_ALG_RSA, TPM_ALG_NULL, TPM_ALG_ECDSA, "scheme is 0x0018", 0 },
	};
	static const uint8_t number[256] = { 0x80 };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_AREA struct area a = { .w = writer_up_to(AREA_MAX) };

		put_head(&a.w, rows[i].type, rows[i].name_hash ? rows[i].name_hash : TPM_ALG_SHA256,
			 rows[i].symmetric, rows[i].scheme);
		if (rows[i].type == TPM_ALG_RSA) {
			writer_be16(&a.w, 2048);
			writer_be32(&a.w, 0);
			put_sized(&a.w, number, sizeof(number));
		} else {
			writer_be16(&a.w, P256);
			writer_be16(&a.w, TPM_ALG_NULL);
			put_sized(&a.w, number, POINT_LEN);
			put_sized(&a.w, number, POINT_LEN);
		}
		area_read(&a);
		if (rows[i].fault)
			assert_refused(tpm_public_check_ak(&a.pub, &e), e, ERR_DENIED,
				       rows[i].fault);
		else
			assert_ok(tpm_public_check_ak(&a.pub, &e), e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_point_has_the_length_of_its_curve),
		cmocka_unit_test(an_ak_signs_and_does_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
