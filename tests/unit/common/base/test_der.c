/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/der.h"
#include "tests/unit.h"

#define BYTES(...) ((const uint8_t[]){ __VA_ARGS__ }), sizeof((const uint8_t[]){ __VA_ARGS__ })

static bool checks(const uint8_t *bytes, size_t len)
{
	struct err e;

	return der_check(bytes, len, &e) == 0;
}

static void only_one_form_of_each_value_is_der(void **state)
{
	assert_true(checks(BYTES(0x05, 0x00)));
	assert_true(checks(BYTES(0x30, 0x03, 0x02, 0x01, 0x7f)));
	assert_false(checks(BYTES(0x30, 0x03, 0x02, 0x01)));
	assert_false(checks(BYTES(0x05, 0x00, 0x00))); /* something after it */
	assert_false(checks(BYTES(0x05, 0x81, 0x00))); /* a longer length than needed */
	assert_false(checks(BYTES(0x04, 0x82, 0x00, 0x01, 0xaa)));
	assert_false(checks(BYTES(0x30, 0x80, 0x05, 0x00, 0x00, 0x00))); /* indefinite */
	assert_false(checks(BYTES(0x04, 0x85, 0, 0, 0, 0, 1, 0xaa)));
	assert_false(checks(BYTES(0x1f, 0x01, 0x00))); /* a tag of two bytes */
	assert_true(checks(BYTES(0x01, 0x01, 0xff)));
	assert_false(checks(BYTES(0x01, 0x01, 0x01))); /* TRUE is ff */
	assert_false(checks(BYTES(0x01, 0x02, 0x00, 0x00)));
	assert_false(checks(BYTES(0x02, 0x00)));
	assert_false(checks(BYTES(0x02, 0x02, 0x00, 0x7f)));
	assert_true(checks(BYTES(0x02, 0x02, 0x00, 0x80)));
	assert_false(checks(BYTES(0x02, 0x02, 0xff, 0x80)));
	assert_true(checks(BYTES(0x02, 0x02, 0xff, 0x7f)));
	assert_false(checks(BYTES(0x05, 0x01, 0x00)));
	assert_false(checks(BYTES(0x03, 0x00)));
	assert_false(checks(BYTES(0x03, 0x01, 0x01)));
	assert_false(checks(BYTES(0x03, 0x02, 0x08, 0x00)));
	assert_false(checks(BYTES(0x03, 0x02, 0x01, 0x01))); /* an unused bit is one */
	assert_true(checks(BYTES(0x03, 0x02, 0x01, 0x02)));
	assert_false(checks(BYTES(0x06, 0x00)));
	assert_false(checks(BYTES(0x06, 0x02, 0x80, 0x01)));
	assert_false(checks(BYTES(0x06, 0x01, 0x81)));
	assert_false(checks(BYTES(0x24, 0x02, 0x05, 0x00))); /* a constructed OCTET STRING */
	assert_false(checks(BYTES(0x10, 0x00)));             /* a primitive SEQUENCE */
	assert_false(checks(BYTES(0x00, 0x00)));
	assert_false(checks(NULL, 0));
}

static void depth_is_bounded(void **state)
{
	uint8_t nested[2 * (DER_DEPTH_MAX + 2)];

	for (size_t levels = DER_DEPTH_MAX - 1; levels <= DER_DEPTH_MAX + 1; levels++) {
		for (size_t i = 0; i < levels; i++) {
			nested[2 * i] = 0x30;
			nested[2 * i + 1] = (uint8_t)(2 * (levels - i - 1));
		}
		assert_int_equal(checks(nested, 2 * levels), levels <= DER_DEPTH_MAX);
	}
}

static uint64_t number(const uint8_t *bytes, size_t len, bool *ok)
{
	struct reader r = reader_over(bytes, len);
	uint64_t value = der_u64(&r);

	*ok = reader_done(&r);
	return value;
}

static void integers_reach_from_0_to_the_largest_of_64_bits(void **state)
{
	bool ok;

	assert_true(number(BYTES(2, 1, 0), &ok) == 0 && ok);
	assert_true(number(BYTES(2, 9, 0, 255, 255, 255, 255, 255, 255, 255, 255), &ok) ==
			    UINT64_MAX &&
		    ok);
	number(BYTES(2, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0), &ok);
	assert_false(ok);
	number(BYTES(2, 1, 0x80), &ok); /* negative */
	assert_false(ok);
	number(BYTES(4, 1, 1), &ok);
	assert_false(ok);
}

static int64_t when(uint8_t tag, const char *text, bool *ok)
{
	uint8_t bytes[40] = { tag, (uint8_t)strlen(text) };
	struct reader r = reader_over(bytes, strlen(text) + 2);
	int64_t at;

	memcpy(bytes + 2, text, strlen(text));
	at = der_time(&r);
	*ok = reader_done(&r);
	return at;
}

static void times_are_seconds_since_1970(void **state)
{
	static const char *const bad[] = { "700101000000",   "7001010000Z",   "700101000000+",
					   "701301000000Z",  "700001000000Z", "700100000000Z",
					   "700132000000Z",  "230229000000Z", "700101240000Z",
					   "700101006000Z",  "700101000060Z", "70010100000xZ",
					   "700101000000ZZ", " 00101000000Z" };
	bool ok;

	assert_true(when(0x17, "700101000000Z", &ok) == 0 && ok);
	assert_true(when(0x17, "491231235959Z", &ok) == 2524607999 && ok);
	assert_true(when(0x17, "500101000000Z", &ok) == -631152000 && ok);
	assert_true(when(0x18, "20510101000000Z", &ok) == 2556144000 && ok);
	assert_true(when(0x17, "240229120000Z", &ok) == 1709208000 && ok);
	assert_true(when(0x18, "99991231235959Z", &ok) == INT64_C(253402300799) && ok);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		when(0x17, bad[i], &ok);
		if (ok)
			fail_msg("%s is taken", bad[i]);
	}
	when(0x18, "19000229000000Z", &ok);
	assert_false(ok);
	when(0x18, "00000101000000Z", &ok);
	assert_false(ok);
	when(0x16, "700101000000Z", &ok);
	assert_false(ok);
}

static void oids_are_compared_by_their_bytes(void **state)
{
	static const uint8_t amd[] = { 0x2b, 6, 1, 4, 1, 0x9c, 0x78, 1, 3, 8 };
	static const char *const bad[] = { "",     "1",    "1.",
					   "1..2", "3.1",  "1.40",
					   "x",    "1.2.", "1.2.99999999999999999999",
					   ".1.2", "1.2 " };
	uint8_t out[DER_OID_MAX];

	assert_true(der_oid_is((struct span){ amd, sizeof(amd) }, "1.3.6.1.4.1.3704.1.3.8"));
	assert_false(der_oid_is((struct span){ amd, sizeof(amd) }, "1.3.6.1.4.1.3704.1.3.9"));
	assert_false(der_oid_is((struct span){ amd, sizeof(amd) - 1 }, "1.3.6.1.4.1.3704.1.3.8"));
	assert_int_equal(der_oid("2.999", out), 2);
	assert_int_equal(out[0], 0x88);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (der_oid(bad[i], out) != 0)
			fail_msg("'%s' is taken", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_one_form_of_each_value_is_der),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(integers_reach_from_0_to_the_largest_of_64_bits),
		cmocka_unit_test(times_are_seconds_since_1970),
		cmocka_unit_test(oids_are_compared_by_their_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
