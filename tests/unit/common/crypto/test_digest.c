/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/encode.h"
#include "common/crypto/digest.h"
#include "tests/unit.h"

/* FIPS 180-4 and FIPS 202 example values for "abc". */
static const struct {
	enum digest_kind kind;
	const char *hex;
} abc[] = {
	{ DIGEST_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ DIGEST_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ DIGEST_SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
			 "8086072ba1e7cc2358baeca134c825a7" },
	{ DIGEST_SHA3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532" },
	{ DIGEST_SHA3_384, "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2"
			   "98d88cea927ac7f539f1edf228376d25" },
};

static void published_values_come_out(void **state)
{
	uint8_t out[DIGEST_MAX];
	char hex[2 * DIGEST_MAX + 1];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(abc); i++) {
		assert_ok(digest(abc[i].kind, "abc", 3, out, &e), e);
		hex_encode(out, digest_len(abc[i].kind), hex);
		assert_string_equal(hex, abc[i].hex);
	}
}

static void pieces_make_the_same_digest(void **state)
{
	const struct digest_part parts[] = { { "a", 1 }, { "", 0 }, { "bc", 2 } };
	uint8_t one[DIGEST_MAX], other[DIGEST_MAX];
	struct err e;

	assert_ok(digest(DIGEST_SHA3_256, "abc", 3, one, &e), e);
	assert_ok(digest_parts(DIGEST_SHA3_256, parts, 3, other, &e), e);
	assert_memory_equal(one, other, 32);
}

static void a_finished_digest_stays_finished(void **state)
{
	struct err e;
	CLEANUP(digest_free) struct digest_stream *d = digest_new(DIGEST_SHA256, &e);
	uint8_t out[DIGEST_MAX];

	digest_add(d, "abc", 3);
	assert_ok(digest_finish(d, out, &e), e);
	assert_true(digest_finish(d, out, &e) < 0);
}

static void a_digest_begins_anew_as_often_as_asked(void **state)
{
	struct err e;
	CLEANUP(digest_free) struct digest_stream *d = digest_new(DIGEST_SHA384, &e);
	uint8_t wanted[DIGEST_MAX], out[DIGEST_MAX];

	assert_non_null(d);
	assert_ok(digest(DIGEST_SHA384, "abc", 3, wanted, &e), e);
	digest_add(d, "what is forgotten", 17);
	for (int i = 0; i < 3; i++) {
		memset(out, 0, sizeof(out));
		digest_restart(d);
		digest_add(d, "ab", 2);
		digest_add(d, "c", 1);
		assert_ok(digest_finish(d, out, &e), e);
		assert_memory_equal(out, wanted, SHA384_LEN);
		assert_true(digest_finish(d, out, &e) < 0);
	}
}

static void hmac_is_rfc_4231_s(void **state)
{
	uint8_t out[DIGEST_MAX];
	char hex[2 * DIGEST_MAX + 1];
	struct err e;

	assert_ok(hmac(DIGEST_SHA256, "Jefe", 4, "what do ya want for nothing?", 28, out, &e), e);
	hex_encode(out, 32, hex);
	assert_string_equal(hex,
			    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_values_come_out),
		cmocka_unit_test(pieces_make_the_same_digest),
		cmocka_unit_test(a_finished_digest_stays_finished),
		cmocka_unit_test(a_digest_begins_anew_as_often_as_asked),
		cmocka_unit_test(hmac_is_rfc_4231_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
