/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/message.h"
#include "common/rpc/method.h"
#include "common/rpc/wire.h"
#include "cvms.pb-c.h"
#include "testing.pb-c.h"
#include "tests/unit.h"

static struct err e;

static int decode(const ProtobufCMessageDescriptor *type, const void *bytes, size_t len)
{
	ProtobufCMessage *message = NULL;
	int r = rpc_message_decode(type, bytes, len, &message, &e);

	rpc_message_free(message);
	return r;
}

#define ECHO   (&grpc__testing__echo_status__descriptor)
#define SIMPLE (&grpc__testing__simple_request__descriptor)

static void strings_are_utf8_without_zeros(void **state)
{
	assert_ok(decode(ECHO, "\x12\3\xe2\x98\xba", 5), e);
	assert_ok(decode(ECHO, "\x12\0", 2), e);
	assert_refused(decode(ECHO, "\x12\2\xe2\x98", 4), e, ERR_INTERNAL, "message: not UTF-8");
	assert_refused(decode(ECHO, "\x12\2\xc0\x80", 4), e, ERR_INTERNAL, "not UTF-8");
	assert_refused(decode(ECHO, "\x12\3\xed\xa0\x80", 5), e, ERR_INTERNAL, "not UTF-8");
	assert_refused(decode(ECHO, "\x12\3a\0b", 5), e, ERR_INTERNAL, "zero byte");
}

static void every_occurrence_and_depth_is_looked_at(void **state)
{
	/* response_status (7) within a request; the bad one is not the last. */
	assert_refused(decode(SIMPLE, "\x3a\3\x12\1\xff", 5), e, ERR_INTERNAL, "not UTF-8");
	assert_refused(decode(ECHO, "\x12\1\xff\x12\1x", 6), e, ERR_INTERNAL, "not UTF-8");
	/* bytes may be anything */
	assert_ok(decode(SIMPLE, "\x1a\4\x12\2\xff\0", 6), e);
}

static void repeated_strings_are_looked_at(void **state)
{
	/* Algorithm.algo_args = 5 */
	assert_ok(decode(&cvms__algorithm__descriptor, "\x2a\1x\x2a\1y", 6), e);
	assert_refused(decode(&cvms__algorithm__descriptor, "\x2a\1x\x2a\1\xff", 6), e,
		       ERR_INTERNAL, "algo_args: not UTF-8");
}

static void what_is_no_message_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = { { "\xff", 1 },     { "\x12", 1 },
		    { "\x12\5ab", 4 }, { "\x0b\x0c", 2 },
		    { "\0\0", 2 },     { "\x0d\0\0", 3 },
		    { "\x09\0", 2 },   { "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11 },
		    { "\x0e\0", 2 },   { "\x0f\0", 2 } };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(decode(ECHO, bad[i].bytes, bad[i].len), e, ERR_INTERNAL, "");
	/* A field of the wrong type: protobuf-c refuses it. */
	assert_int_equal(decode(ECHO, "\x10\1", 2), -ERR_INTERNAL);
}

static void unknown_fields_pass(void **state)
{
	assert_ok(decode(ECHO, "\xf8\x07\1\x12\1x\xfa\x07\1\xff", 10), e);
}

static void memory_is_limited(void **state)
{
	/* 2 bytes each, and a struct of many times that: empty ResponseParameters. */
	enum { MANY = 400000 };
	uint8_t *row = malloc(2 * MANY);

	for (size_t i = 0; i < MANY; i++)
		memcpy(row + 2 * i, "\x12\0", 2);
	assert_refused(
		decode(&grpc__testing__streaming_output_call_request__descriptor, row, 2 * MANY), e,
		ERR_INTERNAL, "more than is allowed");
	assert_ok(decode(&grpc__testing__streaming_output_call_request__descriptor, row, 2 * 500),
		  e);
	free(row);
}

static void fields_are_found_where_they_lie(void **state)
{
	static const uint8_t row[] = "\x08\x96\x01\x12\2hi\x19\1\0\0\0\0\0\0\0\x25\2\0\0\0";
	struct reader r = reader_over(row, sizeof(row) - 1);
	struct rpc_wire_field f;

	assert_true(rpc_wire_next(&r, &f));
	assert_int_equal(f.number, 1);
	assert_int_equal(f.value, 150);
	assert_true(rpc_wire_next(&r, &f));
	assert_int_equal(f.type, RPC_WIRE_BYTES);
	assert_memory_equal(f.bytes, "hi", 2);
	assert_true(rpc_wire_next(&r, &f));
	assert_int_equal(f.value, 1);
	assert_true(rpc_wire_next(&r, &f));
	assert_int_equal(f.value, 2);
	assert_false(rpc_wire_next(&r, &f));
	assert_true(reader_done(&r));
}

static void every_truncation_is_seen(void **state)
{
	static const uint8_t row[] = "\x12\x03"
				     "abc";

	for (size_t len = 1; len < sizeof(row) - 1; len++) {
		struct reader r = reader_over(row, len);
		struct rpc_wire_field f;

		assert_false(rpc_wire_next(&r, &f));
		assert_false(reader_done(&r));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_utf8_without_zeros),
		cmocka_unit_test(every_occurrence_and_depth_is_looked_at),
		cmocka_unit_test(repeated_strings_are_looked_at),
		cmocka_unit_test(what_is_no_message_is_refused),
		cmocka_unit_test(unknown_fields_pass),
		cmocka_unit_test(memory_is_limited),
		cmocka_unit_test(fields_are_found_where_they_lie),
		cmocka_unit_test(every_truncation_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
