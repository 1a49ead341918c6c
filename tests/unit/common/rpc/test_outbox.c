/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/method.h"
#include "common/rpc/outbox.h"
#include "testing.pb-c.h"
#include "tests/unit.h"

static struct outbox out;
static struct err e;

static int empty(void **state)
{
	outbox_done(&out);
	return 0;
}

static int add(size_t size, size_t max)
{
	Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
	int r;

	payload.body.data = calloc(1, size + 1);
	payload.body.len = size;
	r = outbox_add(&out, &payload.base, max, &e);
	free(payload.body.data);
	return r;
}

static void a_message_has_its_prefix(void **state)
{
	uint8_t row[10];

	assert_ok(add(3, 100), e);
	assert_int_equal(out.queued, 10);
	outbox_take(&out, row, 10);
	assert_memory_equal(row, "\0\0\0\0\5\x12\3\0\0\0", 10);
	assert_int_equal(out.queued, 0);
}

static void raw_bytes_are_sent_as_they_are(void **state)
{
	uint8_t row[3];

	assert_ok(outbox_add_raw(&out, (uint8_t *)strdup("abc"), 3, 3, &e), e);
	assert_ok(outbox_add_raw(&out, NULL, 0, 3, &e), e);
	assert_int_equal(outbox_add_raw(&out, (uint8_t *)strdup("d"), 1, 3, &e), -ERR_EXHAUSTED);
	assert_int_equal(out.queued, 3);
	outbox_take(&out, row, 3);
	assert_memory_equal(row, "abc", 3);
}

static void a_field_is_appended_without_copy(void **state)
{
	Grpc__Testing__EchoStatus rest = GRPC__TESTING__ECHO_STATUS__INIT;
	struct outbox_bytes message = { &rest.base, 9, NULL, 300 };
	Grpc__Testing__EchoStatus *decoded;
	uint8_t *row;
	size_t len;

	rest.message = (char *)(uintptr_t)"name";
	message.bytes = malloc(300);
	memset(message.bytes, 'x', 300);
	assert_ok(outbox_add_bytes(&out, &message, 1000, &e), e);
	len = out.queued;
	row = malloc(len);
	for (size_t i = 0; i < len; i++) /* byte by byte: nothing depends on the cuts */
		outbox_take(&out, row + i, 1);
	assert_int_equal(row[3] << 8 | row[4], len - 5);
	decoded = grpc__testing__echo_status__unpack(NULL, len - 5, row + 5);
	assert_non_null(decoded);
	assert_string_equal(decoded->message, "name");
	assert_int_equal(decoded->base.n_unknown_fields, 1);
	assert_int_equal(decoded->base.unknown_fields[0].tag, 9);
	assert_int_equal(decoded->base.unknown_fields[0].len, 300 + 2);
	grpc__testing__echo_status__free_unpacked(decoded, NULL);
	free(row);
}

static void an_empty_field_is_not_written(void **state)
{
	struct outbox_bytes message = { NULL, 1, malloc(1), 0 };
	uint8_t row[5];

	assert_ok(outbox_add_bytes(&out, &message, 100, &e), e);
	assert_int_equal(out.queued, 5);
	outbox_take(&out, row, 5);
	assert_memory_equal(row, "\0\0\0\0\0", 5);
}

static void the_queue_is_limited(void **state)
{
	struct outbox_bytes message = { NULL, 1, NULL, 200 };

	assert_ok(add(90, 100), e);
	assert_refused(add(90, 100), e, ERR_EXHAUSTED, "wait");
	message.bytes = malloc(200);
	assert_refused(outbox_add_bytes(&out, &message, 100, &e), e, ERR_EXHAUSTED, "fit");
	message.bytes = malloc(1);
	message.len = SIZE_MAX;
	assert_refused(outbox_add_bytes(&out, &message, 100, &e), e, ERR_EXHAUSTED, "fit");
}

static void a_fall_below_low_water_is_told_once(void **state)
{
	static uint8_t row[2 * RPC_HIGH_WATER];

	assert_ok(add(RPC_HIGH_WATER + 1, SIZE_MAX / 2), e);
	assert_false(outbox_fell(&out));
	outbox_take(&out, row, RPC_HIGH_WATER / 2);
	assert_false(outbox_fell(&out));
	outbox_take(&out, row, out.queued - RPC_LOW_WATER);
	assert_false(outbox_fell(&out));
	outbox_take(&out, row, 1);
	assert_true(outbox_fell(&out));
	assert_false(outbox_fell(&out));
}

/* Whoever stops between the two marks waits for it as much as whoever stops above both. */
static void a_fall_from_between_the_marks_is_told_too(void **state)
{
	static uint8_t row[RPC_HIGH_WATER];

	while (out.queued < RPC_LOW_WATER)
		assert_ok(add(1000, SIZE_MAX / 2), e);
	assert_true(out.queued < RPC_HIGH_WATER);
	assert_false(outbox_fell(&out));
	outbox_take(&out, row, out.queued - RPC_LOW_WATER + 1);
	assert_true(outbox_fell(&out));
	assert_false(outbox_fell(&out));

	assert_ok(add(1000, SIZE_MAX / 2), e);
	while (out.queued >= RPC_LOW_WATER)
		outbox_take(&out, row, 1);
	outbox_fell(&out);
	outbox_take(&out, row, 1);
	assert_false(outbox_fell(&out));
}

static void a_cut_keeps_the_front(void **state)
{
	for (size_t keep = 0; keep <= 30; keep++) {
		uint8_t row[40] = { 0 };

		for (int i = 0; i < 3; i++)
			assert_ok(add(3, 100), e);
		outbox_cut(&out, keep);
		assert_int_equal(out.queued, keep);
		assert_ok(add(1, 100), e); /* what follows stands behind it */
		outbox_take(&out, row, keep + 8);
		assert_memory_equal(row + keep, "\0\0\0\0\3\x12\1\0", 8);
		assert_int_equal(out.queued, 0);
	}
}

static void a_cut_after_a_part_was_taken(void **state)
{
	uint8_t row[40];

	assert_ok(add(3, 100), e);
	assert_ok(add(3, 100), e);
	outbox_take(&out, row, 7);
	outbox_cut(&out, 5);
	outbox_take(&out, row, 5);
	assert_memory_equal(row, "\0\0\0\0\0", 5);
	assert_int_equal(out.queued, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, empty, empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_has_its_prefix),
		TEST(raw_bytes_are_sent_as_they_are),
		TEST(a_field_is_appended_without_copy),
		TEST(an_empty_field_is_not_written),
		TEST(the_queue_is_limited),
		TEST(a_fall_below_low_water_is_told_once),
		TEST(a_fall_from_between_the_marks_is_told_too),
		TEST(a_cut_keeps_the_front),
		TEST(a_cut_after_a_part_was_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
