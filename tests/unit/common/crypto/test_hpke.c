/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/encode.h"
#include "common/crypto/hpke.h"
#include "tests/unit.h"

#define INFO "Ode on a Grecian Urn"
#define TEXT "Beauty is truth, truth beauty"

enum {
	TEXT_LEN = sizeof(TEXT) - 1,
	OVERHEAD = HPKE_KEY_LEN + HPKE_TAG_LEN,
	SEALED_LEN = TEXT_LEN + OVERHEAD
};

/* RFC 9180, appendix A.2.1, sequence number 0. */
static const char sk_r[] = "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb";
static const char pk_r[] = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
static const char sk_e[] = "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600";
static const char enc[] = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
static const char ct[] = "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db"
			 "21993c62ce81883d2dd1b51a28";

static const struct hpke_about about = {
	.info = INFO, .info_len = 20, .aad = "Count-0", .aad_len = 7
};

/* Both with `enc` in front, as section 6.1 has it. */
static int seal_(const struct hpke_key *from, const uint8_t to[HPKE_KEY_LEN],
		 const struct hpke_about *of, const void *bytes, size_t len, uint8_t *sealed,
		 struct err *e)
{
	return hpke_seal(to, from, of, bytes, len, sealed, sealed + HPKE_KEY_LEN, e);
}

static int open_(const struct hpke_key *to, const uint8_t *from, const struct hpke_about *of,
		 const uint8_t *sealed, size_t len, uint8_t *plain, struct err *e)
{
	return hpke_open(to, from, of, sealed, sealed + HPKE_KEY_LEN, len - HPKE_KEY_LEN, plain, e);
}

static void unhex(const char *text, uint8_t *out, size_t len)
{
	struct err e;

	assert_ok(hex_decode(text, out, len, &e), e);
}

static void take(const char *secret, struct hpke_key *key)
{
	uint8_t bytes[HPKE_KEY_LEN];
	struct err e;

	unhex(secret, bytes, sizeof(bytes));
	assert_ok(hpke_key_of(bytes, key, &e), e);
}

static void vector(struct hpke_key *own, uint8_t sealed[SEALED_LEN])
{
	take(sk_r, own);
	unhex(enc, sealed, HPKE_KEY_LEN);
	unhex(ct, sealed + HPKE_KEY_LEN, SEALED_LEN - HPKE_KEY_LEN);
}

static void a_secret_has_the_rfcs_public_half(void **state)
{
	static const char *const rows[][2] = { { sk_r, pk_r }, { sk_e, enc } };
	struct hpke_key key;
	uint8_t expected[HPKE_KEY_LEN];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		take(rows[i][0], &key);
		unhex(rows[i][0], expected, sizeof(expected));
		assert_memory_equal(key.secret, expected, sizeof(expected));
		unhex(rows[i][1], expected, sizeof(expected));
		assert_memory_equal(key.public, expected, sizeof(expected));
	}
}

static void the_rfcs_message_opens(void **state)
{
	uint8_t sealed[SEALED_LEN], plain[TEXT_LEN];
	struct hpke_key own;
	struct err e;

	vector(&own, sealed);
	assert_ok(open_(&own, NULL, &about, sealed, sizeof(sealed), plain, &e), e);
	assert_memory_equal(plain, TEXT, TEXT_LEN);
}

static void every_changed_bit_is_refused(void **state)
{
	uint8_t sealed[SEALED_LEN], plain[TEXT_LEN];
	static const uint8_t zeros[TEXT_LEN];
	struct hpke_key own;
	struct err e;

	vector(&own, sealed);
	for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
		/* The highest bit of a point's coordinate is ignored in the exchange (RFC 7748), and counts in what the
		 * keys are derived from. */
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_refused(open_(&own, NULL, &about, sealed, sizeof(sealed), plain, &e), e,
			       ERR_DENIED, "sealed");
		assert_memory_equal(plain, zeros, sizeof(plain));
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_ok(open_(&own, NULL, &about, sealed, sizeof(sealed), plain, &e), e);
}

static void every_truncation_is_refused(void **state)
{
	uint8_t sealed[SEALED_LEN + 1], plain[TEXT_LEN + 1];
	struct hpke_key own;
	struct err e;

	vector(&own, sealed);
	for (size_t len = HPKE_KEY_LEN; len < OVERHEAD; len++)
		assert_refused(open_(&own, NULL, &about, sealed, len, plain, &e), e, ERR_INVALID,
			       "no sealed message");
	for (size_t len = OVERHEAD; len < SEALED_LEN; len++)
		assert_refused(open_(&own, NULL, &about, sealed, len, plain, &e), e, ERR_DENIED,
			       "sealed");
	sealed[SEALED_LEN] = 0;
	assert_refused(open_(&own, NULL, &about, sealed, sizeof(sealed), plain, &e), e, ERR_DENIED,
		       "sealed");
}

static void another_key_or_binding_is_refused(void **state)
{
	static const struct hpke_about rows[] = {
		{ .info = INFO, .info_len = 19, .aad = "Count-0", .aad_len = 7 },
		{ .info = INFO "!", .info_len = 21, .aad = "Count-0", .aad_len = 7 },
		{ .info = NULL, .info_len = 0, .aad = "Count-0", .aad_len = 7 },
		{ .info = INFO, .info_len = 20, .aad = "Count-1", .aad_len = 7 },
		{ .info = INFO, .info_len = 20, .aad = "Count-0", .aad_len = 6 },
		{ .info = INFO, .info_len = 20, .aad = NULL, .aad_len = 0 },
	};
	uint8_t sealed[SEALED_LEN], plain[TEXT_LEN];
	struct hpke_key own, other;
	struct err e;

	vector(&own, sealed);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(open_(&own, NULL, &rows[i], sealed, sizeof(sealed), plain, &e), e,
			       ERR_DENIED, "sealed");
	assert_ok(hpke_key_generate(&other, &e), e);
	assert_refused(open_(&other, NULL, &about, sealed, sizeof(sealed), plain, &e), e,
		       ERR_DENIED, "sealed");
	hpke_key_done(&other);
	for (size_t i = 0; i < sizeof(other); i++)
		assert_int_equal(((uint8_t *)&other)[i], 0);
}

static void what_is_sealed_opens_and_never_looks_the_same(void **state)
{
	uint8_t one[SEALED_LEN], two[SEALED_LEN], plain[TEXT_LEN];
	struct hpke_key own;
	struct err e;

	assert_ok(hpke_key_generate(&own, &e), e);
	for (size_t len = 0; len <= TEXT_LEN; len++) {
		assert_ok(seal_(NULL, own.public, &about, TEXT, len, one, &e), e);
		assert_ok(open_(&own, NULL, &about, one, len + OVERHEAD, plain, &e), e);
		assert_memory_equal(plain, TEXT, len);
	}
	assert_ok(seal_(NULL, own.public, &about, TEXT, TEXT_LEN, two, &e), e);
	assert_memory_not_equal(one, two, HPKE_KEY_LEN);
	assert_memory_not_equal(one + HPKE_KEY_LEN, two + HPKE_KEY_LEN, TEXT_LEN);
}

/* RFC 7748, section 6.1: a secret of zeros, which everybody knows. */
static void points_of_small_order_are_refused(void **state)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	uint8_t sealed[SEALED_LEN], plain[TEXT_LEN], point[HPKE_KEY_LEN];
	struct hpke_key own;
	struct err e;

	vector(&own, sealed);
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		unhex(points[i], point, sizeof(point));
		assert_refused(seal_(NULL, point, &about, TEXT, TEXT_LEN, sealed, &e), e,
			       ERR_INVALID, "that X25519 key is none");
		memcpy(sealed, point, sizeof(point));
		assert_refused(open_(&own, NULL, &about, sealed, sizeof(sealed), plain, &e), e,
			       ERR_INVALID, "that X25519 key is none");
	}
}

/* Appendix A.2.3, sequence number 0. */
static void mode_auth_is_the_rfcs_and_names_the_sender(void **state)
{
	static const char text[] =
		"ab1a13c9d4f01a87ec3440dbd756e2677bd2ecf9df0ce7ed73869b98e00c09be"
		"111cb9fdf077347aeb88e61bdf";
	struct hpke_key own, from, other;
	uint8_t sealed[SEALED_LEN], plain[TEXT_LEN];
	struct err e;

	take("3ca22a6d1cda1bb9480949ec5329d3bf0b080ca4c45879c95eddb55c70b80b82", &own);
	take("2def0cb58ffcf83d1062dd085c8aceca7f4c0c3fd05912d847b61f3e54121f05", &from);
	unhex("f7674cc8cd7baa5872d1f33dbaffe3314239f6197ddf5ded1746760bfc847e0e", sealed,
	      HPKE_KEY_LEN);
	unhex(text, sealed + HPKE_KEY_LEN, SEALED_LEN - HPKE_KEY_LEN);
	assert_ok(open_(&own, from.public, &about, sealed, sizeof(sealed), plain, &e), e);
	assert_memory_equal(plain, TEXT, TEXT_LEN);

	assert_ok(hpke_key_generate(&other, &e), e);
	assert_ok(seal_(&from, own.public, &about, TEXT, TEXT_LEN, sealed, &e), e);
	assert_ok(open_(&own, from.public, &about, sealed, sizeof(sealed), plain, &e), e);
	assert_refused(open_(&own, other.public, &about, sealed, sizeof(sealed), plain, &e), e,
		       ERR_DENIED, "sealed");
	assert_refused(open_(&own, NULL, &about, sealed, sizeof(sealed), plain, &e), e, ERR_DENIED,
		       "sealed");
	assert_ok(seal_(NULL, own.public, &about, TEXT, TEXT_LEN, sealed, &e), e);
	assert_refused(open_(&own, from.public, &about, sealed, sizeof(sealed), plain, &e), e,
		       ERR_DENIED, "sealed");
	memset(other.public, 0, sizeof(other.public));
	assert_refused(open_(&own, other.public, &about, sealed, sizeof(sealed), plain, &e), e,
		       ERR_INVALID, "that X25519 key is none");
}

static void limits_are_exact(void **state)
{
	static uint8_t long_info[HPKE_MESSAGE_MAX / 2 + 1];
	struct hpke_about large = { .info = long_info, .info_len = HPKE_MESSAGE_MAX / 2 };
	uint8_t sealed[OVERHEAD], plain[1];
	struct hpke_key own;
	struct err e;

	assert_ok(hpke_key_generate(&own, &e), e);
	assert_ok(seal_(NULL, own.public, &large, NULL, 0, sealed, &e), e);
	assert_ok(open_(&own, NULL, &large, sealed, sizeof(sealed), plain, &e), e);
	large.info_len++;
	assert_refused(seal_(NULL, own.public, &large, NULL, 0, sealed, &e), e, ERR_INVALID,
		       "HPKE: ");
	assert_refused(open_(&own, NULL, &large, sealed, sizeof(sealed), plain, &e), e, ERR_INVALID,
		       "HPKE: ");
	/* Nothing is read of what is too long. */
	assert_refused(seal_(NULL, own.public, &about, long_info, (size_t)HPKE_MESSAGE_MAX + 1,
			     sealed, &e),
		       e, ERR_INVALID, "HPKE: ");
	assert_refused(open_(&own, NULL, &about, sealed, (size_t)HPKE_MESSAGE_MAX + OVERHEAD + 1,
			     plain, &e),
		       e, ERR_INVALID, "HPKE: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_has_the_rfcs_public_half),
		cmocka_unit_test(the_rfcs_message_opens),
		cmocka_unit_test(every_changed_bit_is_refused),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(another_key_or_binding_is_refused),
		cmocka_unit_test(what_is_sealed_opens_and_never_looks_the_same),
		cmocka_unit_test(points_of_small_order_are_refused),
		cmocka_unit_test(mode_auth_is_the_rfcs_and_names_the_sender),
		cmocka_unit_test(limits_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
