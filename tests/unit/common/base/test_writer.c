/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/writer.h"
#include "tests/unit.h"

static void lengths_are_filled_in_afterwards(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(64);
	const uint8_t wanted[] = { 7, 0, 0, 3, 'a', 'b', 'c' };
	size_t len;

	writer_u8(&w, 7);
	size_t at = writer_reserve(&w, 3);
	writer_text(&w, "abc");
	writer_patch(&w, at, 3);
	CLEANUP(free) uint8_t *bytes = writer_take(&w, &len);
	assert_int_equal(len, sizeof(wanted));
	assert_memory_equal(bytes, wanted, len);
	assert_int_equal(bytes[len], 0);
}

static void the_maximum_holds_to_the_byte(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4);
	struct err e;

	writer_be32(&w, 1);
	assert_ok(writer_check(&w, "four", &e), e);
	writer_u8(&w, 1);
	assert_refused(writer_check(&w, "five", &e), e, ERR_EXHAUSTED, "five");
	size_t len;
	assert_null(writer_take(&w, &len));
}

static void a_length_that_does_not_fit_is_an_error(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1000);

	size_t at = writer_reserve(&w, 1);
	writer_zeros(&w, 255);
	writer_patch(&w, at, 1);
	assert_false(w.bad);
	at = writer_reserve(&w, 1);
	writer_zeros(&w, 256);
	writer_patch(&w, at, 1);
	assert_true(w.bad);
}

static void text_is_formatted_in_place(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(600);
	size_t len;

	for (int i = 0; i < 100; i++)
		writer_printf(&w, "%05d,", i);
	CLEANUP(free) char *text = (char *)writer_take(&w, &len);
	assert_int_equal(len, 600);
	assert_string_equal(text + 594, "00099,");
}

/* Wherever the room ends: 256 bytes at first, then twice as many. */
static void text_is_whole_where_the_room_ends(void **state)
{
	for (size_t before = 240; before < 260; before++) {
		CLEANUP_WRITER struct writer w = writer_up_to(before + 10),
					     too_small = writer_up_to(before + 9);
		size_t len;

		writer_zeros(&w, before);
		writer_printf(&w, "%010zu", before);
		CLEANUP(free) char *text = (char *)writer_take(&w, &len);
		assert_int_equal(len, before + 10);
		assert_int_equal(strtoul(text + before, NULL, 10), before);
		writer_zeros(&too_small, before);
		writer_printf(&too_small, "%010zu", before);
		assert_true(too_small.bad);
		assert_int_equal(too_small.len, before);
	}
}

static void digits_are_written_whatever_their_count(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1000);
	uint8_t bytes[200];
	size_t len;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	writer_hex(&w, bytes, 0);
	writer_hex(&w, bytes, 64);
	writer_hex(&w, bytes + 64, 136);
	CLEANUP(free) char *text = (char *)writer_take(&w, &len);
	assert_int_equal(len, 400);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		char digits[3] = { text[2 * i], text[2 * i + 1] };

		assert_int_equal(strtoul(digits, NULL, 16), i);
	}
	assert_string_equal(text + 2 * 198, "c6c7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_are_filled_in_afterwards),
		cmocka_unit_test(the_maximum_holds_to_the_byte),
		cmocka_unit_test(a_length_that_does_not_fit_is_an_error),
		cmocka_unit_test(text_is_formatted_in_place),
		cmocka_unit_test(text_is_whole_where_the_room_ends),
		cmocka_unit_test(digits_are_written_whatever_their_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
