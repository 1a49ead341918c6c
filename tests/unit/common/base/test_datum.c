/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/datum.h"
#include "common/base/encode.h"
#include "common/base/writer.h"
#include "tests/unit.h"

static int parse_hex(const char *hex, uint8_t *bytes, struct datum **root, struct err *e)
{
	size_t len;

	assert_ok(hex_decode_up_to(hex, bytes, 4096, &len, e), *e);
	return datum_parse(bytes, len, root, e);
}

static void items_are_found_by_key(void **state)
{
	/* {1: -7, "a": h'0102', 3: [true, null, 1.5], 4: 18({})} */
	uint8_t bytes[4096];
	struct datum *root;
	struct err e;
	int64_t v;

	assert_ok(parse_hex("a401266161420102"
			    "0383f5f6f93e0004d2a0",
			    bytes, &root, &e),
		  e);
	assert_true(datum_int(datum_get(root, 1), &v) && v == -7);
	assert_int_equal(datum_get_text(root, "a")->len, 2);
	assert_int_equal(datum_get(root, 3)->count, 3);
	assert_non_null(datum_tagged(datum_get(root, 4), 18));
	assert_null(datum_tagged(datum_get(root, 4), 98));
	assert_null(datum_get(root, 5));
	datum_free(root);
}

static void one_value_has_one_form(void **state)
{
	/* clang-format off */
	static const char *const bad[] = {
		/* heads that are longer than they need to be */
		"1800", "1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "5801ff", "780161",
		"9800", "b800", "d812a0",
		/* indefinite lengths */
		"5f4100ff", "7f6161ff", "9f00ff", "bf0000ff", "ff",
		/* maps: a key twice, keys of other types */
		"a200000001", "a2616100616101", "a1f500", "a1410000",
		/* not UTF-8; something after the end */
		"61ff", "0000",
		/* counts without as many bytes, and what is cut short */
		"", "9bffffffffffffffff", "5bffffffffffffffff", "bbffffffffffffffff", "82", "8201",
		"a1", "a100", "d2",
		/* simple values and reserved heads */
		"f8", "f800", "1c", "fc",
	};
	/* clang-format on */
	uint8_t bytes[4096];
	struct datum *root;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (parse_hex(bad[i], bytes, &root, &e) == 0)
			fail_msg("%s was taken", bad[i]);
}

static void depth_has_a_limit(void **state)
{
	uint8_t bytes[DATUM_DEPTH_MAX + 2];
	struct datum *root;
	struct err e;

	memset(bytes, 0x81, sizeof(bytes));
	bytes[DATUM_DEPTH_MAX] = 0;
	assert_ok(datum_parse(bytes, DATUM_DEPTH_MAX + 1, &root, &e), e);
	datum_free(root);
	bytes[DATUM_DEPTH_MAX] = 0x81;
	bytes[DATUM_DEPTH_MAX + 1] = 0;
	assert_refused(datum_parse(bytes, DATUM_DEPTH_MAX + 2, &root, &e), e, ERR_INVALID,
		       "too deep");
}

static void items_and_keys_have_limits(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	struct datum *root;
	struct err e;

	for (size_t extra = 0; extra < 2; extra++) {
		w.len = 0;
		datum_put_map(&w, DATUM_PAIRS_MAX + extra);
		for (size_t i = 0; i < DATUM_PAIRS_MAX + extra; i++) {
			datum_put_uint(&w, i);
			datum_put_null(&w);
		}
		int result = datum_parse(w.bytes, w.len, &root, &e);
		assert_int_equal(result, extra ? -ERR_INVALID : 0);
		if (!result)
			datum_free(root);
	}
	for (size_t extra = 0; extra < 2; extra++) {
		w.len = 0;
		datum_put_array(&w, DATUM_NODES_MAX - 1 + extra);
		writer_zeros(&w, DATUM_NODES_MAX - 1 + extra);
		int result = datum_parse(w.bytes, w.len, &root, &e);
		assert_int_equal(result, extra ? -ERR_INVALID : 0);
		if (!result)
			datum_free(root);
	}
}

static void what_is_written_reads_back(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4096);
	static const int64_t numbers[] = { 0,     23,    24,         255,       256,
					   65535, 65536, UINT32_MAX, -1,        -24,
					   -25,   -256,  -257,       INT64_MAX, INT64_MIN };
	struct datum *root;
	struct err e;
	int64_t v;

	datum_put_tag(&w, 55799);
	datum_put_array(&w, ARRAY_LEN(numbers) + 3);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		datum_put_int(&w, numbers[i]);
	datum_put_text(&w, "text");
	datum_put_bytes(&w, "\0\1", 2);
	datum_put_bool(&w, true);
	assert_ok(datum_parse(w.bytes, w.len, &root, &e), e);
	const struct datum *array = datum_tagged(root, 55799);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		assert_true(datum_int(&array->items[i], &v) && v == numbers[i]);
	assert_true(datum_is_text(&array->items[ARRAY_LEN(numbers)], "text"));
	for (size_t len = 0; len < w.len; len++) {
		struct datum *cut;
		assert_int_equal(datum_parse(w.bytes, len, &cut, &e), -ERR_INVALID);
	}
	datum_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_are_found_by_key),
		cmocka_unit_test(one_value_has_one_form),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(items_and_keys_have_limits),
		cmocka_unit_test(what_is_written_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
