/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/writer.h"
#include "common/protobuf/protobuf.h"
#include "cvms.pb-c.h"
#include "tests/unit.h"

static const ProtobufCMessageDescriptor *const type = &cvms__computation_run_req__descriptor;

static void good_message(struct writer *w)
{
	static const uint8_t bytes[] = {
		0x0a, 1,  'i',                       /* id */
		0x22, 10, 0x0a, 2,    1,    2,       /* datasets[0].hash */
		0x1a, 2,  0xc3, 0xa9, 0x28, 0x01,    /* filename "é", decompress */
		0x2a, 5,  0x2a, 1,    'a',  0x2a, 0, /* algorithm.algo_args */
	};

	writer_bytes(w, bytes, sizeof(bytes));
}

static void a_good_message_is_unpacked_and_packed_again(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4096);
	CLEANUP(free) uint8_t *again = NULL;
	ProtobufCMessage *m;
	size_t len;
	struct err e;

	good_message(&w);
	assert_ok(protobuf_unpack(type, w.bytes, w.len, &m, &e), e);
	assert_string_equal(((Cvms__ComputationRunReq *)m)->datasets[0]->filename, "é");
	assert_ok(protobuf_pack(m, &again, &len, &e), e);
	assert_int_equal(len, w.len);
	assert_memory_equal(again, w.bytes, len);
	protobuf_c_message_free_unpacked(m, NULL);
}

/* Cut anywhere, it is refused, or ends between two fields and is a shorter message. */
static void no_truncation_reads_past_the_end(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4096);
	size_t refused = 0;
	struct err e;

	good_message(&w);
	for (size_t len = 0; len < w.len; len++) {
		CLEANUP(free) uint8_t *copy = malloc(len ? len : 1);

		memcpy(copy, w.bytes, len);
		if (protobuf_check(type, copy, len, &e) < 0)
			refused++;
	}
	assert_int_equal(refused, w.len - 3); /* 0, 3 and 15 bytes are whole messages */
}

static void strange_bytes_are_refused_by_name(void **state)
{
	static const struct {
		uint8_t bytes[16];
		size_t len;
		const char *words;
	} cases[] = {
		{ { 0x0a, 3, 'a', 0, 'b' }, 5, "ComputationRunReq.id: a zero byte" },
		{ { 0x0a, 2, 0xc3, 0x28 }, 4, "ComputationRunReq.id: not valid UTF-8" },
		{ { 0x08, 1 }, 2, "id: wire type 0" },
		{ { 0x42, 0 }, 2, "field 8 is unknown" },
		{ { 0x02, 0 }, 2, "impossible field number" },
		{ { 0x0b, 0x0c }, 2, "wire type 3" },
		{ { 0x0f }, 1, "wire type 7" },
		{ { 0x0a, 5, 'a' }, 3, "truncated" },
		{ { 0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 },
		  11,
		  "truncated" },
		{ { 0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02 },
		  11,
		  "truncated" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_refused(protobuf_check(type, cases[i].bytes, cases[i].len, &e), e,
			       ERR_INVALID, cases[i].words);
}

static void fields_are_counted(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4 * PROTOBUF_FIELDS_MAX);
	struct err e;

	for (size_t i = 0; i < PROTOBUF_FIELDS_MAX; i++)
		writer_be16(&w, 0x2200); /* an empty dataset */
	assert_ok(protobuf_check(type, w.bytes, w.len, &e), e);
	writer_be16(&w, 0x2200);
	assert_refused(protobuf_check(type, w.bytes, w.len, &e), e, ERR_INVALID,
		       "more than 65536 fields");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_message_is_unpacked_and_packed_again),
		cmocka_unit_test(no_truncation_reads_past_the_end),
		cmocka_unit_test(strange_bytes_are_refused_by_name),
		cmocka_unit_test(fields_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
