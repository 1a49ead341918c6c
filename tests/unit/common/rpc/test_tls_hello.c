/* SPDX-License-Identifier: Apache-2.0 */
/* How long a ClientHello says it is: at each limit, in pieces, in records, behind other records. */
#include "common/rpc/tls_hello.h"
#include "tests/unit.h"

#include <string.h>

enum { ALERT = 21, HANDSHAKE = 22, DATA = 23, HELLO = 1, CERTIFICATE = 11, ROOM = 64 };

struct bytes {
	uint8_t at[ROOM];
	size_t len;
};

static void put(struct bytes *b, const void *bytes, size_t len)
{
	assert_true(len <= ROOM - b->len);
	memcpy(b->at + b->len, bytes, len);
	b->len += len;
}

static void put_record(struct bytes *b, uint8_t type, const void *payload, size_t len)
{
	const uint8_t head[] = { type, 3, 1, (uint8_t)(len >> 8), (uint8_t)len };

	put(b, head, sizeof(head));
	put(b, payload, len);
}

static void put_message(struct bytes *b, uint8_t type, size_t len)
{
	const uint8_t head[] = { type, (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len };

	put_record(b, HANDSHAKE, head, sizeof(head));
}

/* In one piece, byte by byte, and cut at every place: all the same. */
static bool is_refused(const struct bytes *b)
{
	struct tls_hello whole = { 0 }, single = { 0 };
	struct err e;
	bool refused = tls_hello_add(&whole, b->at, b->len, &e) < 0, other = false;

	if (refused)
		assert_int_equal(e.code, ERR_EXHAUSTED);
	for (size_t i = 0; i < b->len && !other; i++)
		other = tls_hello_add(&single, b->at + i, 1, &e) < 0;
	assert_int_equal(refused, other);
	for (size_t cut = 0; cut <= b->len; cut++) {
		struct tls_hello h = { 0 };

		other = tls_hello_add(&h, b->at, cut, &e) < 0 ||
			tls_hello_add(&h, b->at + cut, b->len - cut, &e) < 0;
		assert_int_equal(refused, other);
	}
	return refused;
}

static void a_hello_has_a_limit(void **state)
{
	static const struct {
		size_t len;
		bool refused;
	} rows[] = { { 0, false },
		     { 512, false },
		     { TLS_HELLO_MAX, false },
		     { TLS_HELLO_MAX + 1, true },
		     { 131396, true },
		     { 0xffffff, true } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes b = { .len = 0 };

		put_message(&b, HELLO, rows[i].len);
		assert_int_equal(is_refused(&b), rows[i].refused);
	}
}

static void its_head_may_come_in_several_records(void **state)
{
	struct bytes b = { .len = 0 };

	put_record(&b, HANDSHAKE, "\1\2", 2);
	put_record(&b, ALERT, "\1\0", 2);
	put_record(&b, HANDSHAKE, "", 0);
	put_record(&b, HANDSHAKE, "\0", 1);
	assert_false(is_refused(&b));
	put_record(&b, HANDSHAKE, "\0", 1);
	assert_true(is_refused(&b));
}

/* After HelloRetryRequest, with the change of ciphers that changes nothing, or refused early data. */
static void the_second_has_the_same(void **state)
{
	struct bytes b = { .len = 0 };

	put_record(&b, HANDSHAKE, "\1\0\0\3abc", 7);
	put_record(&b, 20, "\1", 1);
	put_record(&b, DATA, "\1\3\3\3\3", 5);
	put_message(&b, HELLO, TLS_HELLO_MAX);
	assert_false(is_refused(&b));
	b.len -= 9;
	put_message(&b, HELLO, TLS_HELLO_MAX + 1);
	assert_true(is_refused(&b));
}

static void what_is_no_hello_is_not_looked_at(void **state)
{
	struct bytes b = { .len = 0 };

	/* OpenSSL has limits for these. From here on records may be encrypted. */
	put_message(&b, CERTIFICATE, 0xffffff);
	put_message(&b, HELLO, 0xffffff);
	assert_false(is_refused(&b));
	b.len = 0;
	put(&b, "GET / HTTP/1.1\r\n\r\n", 18);
	assert_false(is_refused(&b));
	b.len = 0;
	put(&b, "\x80\x2e\1\0\2\0\0\0\x16\3\1\0\4\1\xff\xff\xff", 17);
	assert_false(is_refused(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hello_has_a_limit),
		cmocka_unit_test(its_head_may_come_in_several_records),
		cmocka_unit_test(the_second_has_the_same),
		cmocka_unit_test(what_is_no_hello_is_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
