/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/inbox.h"
#include "tests/unit.h"

static struct inbox in;
static struct err e;

static int empty(void **state)
{
	inbox_done(&in);
	in.message_max = 100;
	in.is_bulk = in.is_raw = false;
	assert_int_equal(in.held, 0);
	return 0;
}

static void put(const char *bytes, size_t len)
{
	assert_ok(inbox_add(&in, (const uint8_t *)bytes, len, &e), e);
}

static void want(const char *bytes, size_t len)
{
	struct inbox_message message;

	assert_int_equal(inbox_take(&in, &message, &e), 1);
	assert_int_equal(message.len, len);
	assert_memory_equal(message.bytes, bytes, len);
	free(message.bytes);
}

static void want_nothing(void)
{
	struct inbox_message message;

	assert_int_equal(inbox_take(&in, &message, &e), 0);
}

static void a_raw_one_is_one_message_up_to_its_limit(void **state)
{
	in.is_raw = true;
	in.message_max = 10;
	put("01234", 5);
	want_nothing();
	put("56789", 5);
	assert_int_equal(inbox_waiting(&in), 10);
	assert_false(inbox_is_partial(&in));
	assert_int_equal(inbox_add(&in, (const uint8_t *)"x", 1, &e), -ERR_OUT_OF_RANGE);
	assert_ok(inbox_end(&in, &e), e);
	assert_ok(inbox_end(&in, &e), e);
	want("0123456789", 10);
	want_nothing();
	assert_int_equal(in.held, 0);
	inbox_done(&in);
	assert_true(in.is_raw);
}

static void a_raw_one_may_be_empty(void **state)
{
	in.is_raw = true;
	in.message_max = 0;
	assert_int_equal(inbox_add(&in, (const uint8_t *)"x", 1, &e), -ERR_OUT_OF_RANGE);
	assert_ok(inbox_end(&in, &e), e);
	want("", 0);
	want_nothing();
}

static void messages_come_out_however_they_are_cut(void **state)
{
	static const char row[] = "\0\0\0\0\3abc\0\0\0\0\0\0\0\0\0\1x";

	for (size_t first = 0; first <= sizeof(row) - 1; first++) {
		for (size_t second = first; second <= sizeof(row) - 1; second++) {
			put(row, first);
			put(row + first, second - first);
			put(row + second, sizeof(row) - 1 - second);
			want("abc", 3);
			want("", 0);
			want("x", 1);
			want_nothing();
			assert_false(inbox_is_partial(&in));
			assert_int_equal(in.held, 0);
		}
	}
}

static void a_part_is_no_message(void **state)
{
	static const char row[] = "\0\0\0\0\3abc";

	for (size_t len = 1; len < sizeof(row) - 1; len++) {
		put(row, len);
		want_nothing();
		assert_true(inbox_is_partial(&in));
		empty(state);
	}
}

static void the_limit_is_exact(void **state)
{
	char row[5 + 100] = "\0\0\0\0\144";

	put(row, sizeof(row));
	want(row + 5, 100);
	assert_refused(inbox_add(&in, (const uint8_t *)"\0\0\0\0\145", 5, &e), e, ERR_EXHAUSTED,
		       "101 bytes; 100 are allowed");
	empty(state);
	assert_refused(inbox_add(&in, (const uint8_t *)"\0\xff\xff\xff\xff", 5, &e), e,
		       ERR_EXHAUSTED, "allowed");
}

static void flags_are_refused(void **state)
{
	assert_refused(inbox_add(&in, (const uint8_t *)"\1\0\0\0\0", 5, &e), e, ERR_INTERNAL,
		       "compressed");
	for (int flag = 2; flag < 256; flag++) {
		const uint8_t prefix[5] = { (uint8_t)flag };

		empty(state);
		assert_refused(inbox_add(&in, prefix, 5, &e), e, ERR_INTERNAL, "flag");
	}
}

static void room_grows_with_what_came(void **state)
{
	in.message_max = 4 << 20;
	put("\0\0\x40\0\0x", 6);
	assert_in_range(in.held, 1, INBOX_FIRST_ROOM);
}

static void room_for_bulk_is_made_once(void **state)
{
	enum { LEN = 0x4000 * 5 };

	in.message_max = 4 << 20;
	in.is_bulk = true;
	put("\0\0\1\x40\0x", 6);
	assert_int_equal(in.held, LEN);
	assert_int_equal(inbox_waiting(&in), 6);
}

static void what_waits_is_what_came_and_was_not_taken(void **state)
{
	enum { MANY = 40 };

	for (size_t i = 1; i <= MANY; i++) {
		put("\0\0\0\0\1x", 6);
		assert_int_equal(inbox_waiting(&in), 6 * i);
	}
	put("\0\0\0\0\2x", 6);
	for (size_t i = MANY; i > 0; i--) {
		assert_int_equal(inbox_waiting(&in), 6 * i + 6);
		want("x", 1);
	}
	want_nothing();
	assert_int_equal(inbox_waiting(&in), 6);
	put("y", 1);
	want("xy", 2);
	assert_int_equal(inbox_waiting(&in), 0);
}

static void a_long_queue_costs_its_bytes(void **state)
{
	enum { MANY = 20000 };
	static const char one[] = "\0\0\0\0\1";
	char message[6];

	memcpy(message, one, 5);
	for (int i = 0; i < MANY; i++) {
		message[5] = (char)i;
		put(message, 6);
	}
	assert_in_range(in.held, 6 * (MANY - INBOX_WAITING_MAX), 4 * 6 * MANY);
	for (int i = 0; i < MANY; i++) {
		message[5] = (char)i;
		want(message + 5, 1);
	}
	want_nothing();
	assert_int_equal(in.held, 0);
}

static void a_queue_that_never_empties_stays_small(void **state)
{
	enum { MANY = 5000, WAITING = 200 };

	for (int i = 0; i < WAITING; i++)
		put("\0\0\0\0\1x", 6);
	for (int i = 0; i < MANY; i++) {
		put("\0\0\0\0\1x", 6);
		want("x", 1);
	}
	assert_in_range(in.held, 0, 2 * INBOX_FIRST_ROOM);
	for (int i = 0; i < WAITING; i++)
		want("x", 1);
	want_nothing();
}

static void what_is_wrong_behind_a_full_queue_is_found(void **state)
{
	struct inbox_message message;
	int r = 1;

	for (int i = 0; i < INBOX_WAITING_MAX; i++)
		put("\0\0\0\0\1x", 6);
	put("\1\0\0\0\1x", 6);
	for (int i = 0; i < INBOX_WAITING_MAX; i++)
		want("x", 1);
	r = inbox_take(&in, &message, &e);
	assert_int_equal(r, -ERR_INTERNAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, empty, empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_raw_one_is_one_message_up_to_its_limit),
		TEST(a_raw_one_may_be_empty),
		TEST(messages_come_out_however_they_are_cut),
		TEST(a_part_is_no_message),
		TEST(the_limit_is_exact),
		TEST(flags_are_refused),
		TEST(room_grows_with_what_came),
		TEST(room_for_bulk_is_made_once),
		TEST(what_waits_is_what_came_and_was_not_taken),
		TEST(a_long_queue_costs_its_bytes),
		TEST(a_queue_that_never_empties_stays_small),
		TEST(what_is_wrong_behind_a_full_queue_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
