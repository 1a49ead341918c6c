/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/contact.h"
#include "tests/unit.h"

static enum rpc_contact of(const char *bytes, size_t len)
{
	return rpc_contact_of((const uint8_t *)bytes, len);
}

#define OF(literal) of(literal, sizeof(literal) - 1)

static void servers_are_known_by_how_they_begin(void **state)
{
	assert_int_equal(OF(""), RPC_CONTACT_SILENT);
	assert_int_equal(OF("HTTP/1.1 400 Bad Request\r\n"), RPC_CONTACT_HTTP1);
	assert_int_equal(OF("HTTP/1.0 501"), RPC_CONTACT_HTTP1);
	assert_int_equal(OF("<!DOCTYPE HTML"), RPC_CONTACT_HTTP1);
	assert_int_equal(OF("SSH-2.0-OpenSSH_9.2"), RPC_CONTACT_SSH);
	assert_int_equal(OF("\x15\x03\x01\0\x02\x02\x46"), RPC_CONTACT_TLS);
	assert_int_equal(OF("\x16\x03\x03"), RPC_CONTACT_TLS);
	assert_int_equal(OF("\x16\x03\x03\0\x7a\x02"), RPC_CONTACT_TLS);
	assert_int_equal(OF("\x16\x03\x01\0\xf0\x01"), RPC_CONTACT_ECHO);
	assert_int_equal(OF("PRI * HTTP/2.0\r\n"), RPC_CONTACT_ECHO);
	assert_int_equal(OF("\0\0\x12\x04\0\0\0\0\0"), RPC_CONTACT_HTTP2);
	assert_int_equal(OF("\0\0\x08\x07\0\0\0\0\0more"), RPC_CONTACT_HTTP2);
}

static void others_are_others(void **state)
{
	assert_int_equal(OF("HTTP/2"), RPC_CONTACT_OTHER);
	assert_int_equal(OF("SSH"), RPC_CONTACT_OTHER);
	assert_int_equal(OF("\x13\x03\x01"), RPC_CONTACT_OTHER);
	assert_int_equal(OF("\x19\x03\x01"), RPC_CONTACT_OTHER);
	assert_int_equal(OF("\x15\x02\x01"), RPC_CONTACT_OTHER);
	assert_int_equal(OF("\x15\x03\x05"), RPC_CONTACT_OTHER);
	assert_int_equal(OF("\0\0\x12\x04\0\0\0\0\1"), RPC_CONTACT_OTHER); /* stream 1 */
	assert_int_equal(OF("\0\0\x12\x05\0\0\0\0\0"), RPC_CONTACT_OTHER); /* PUSH_PROMISE */
	assert_int_equal(OF("\1\0\x12\x04\0\0\0\0\0"), RPC_CONTACT_OTHER); /* 64 KiB of settings */
	assert_int_equal(OF("220 mail ESMTP"), RPC_CONTACT_OTHER);
}

static void what_is_cut_is_no_more_than_it_says(void **state)
{
	static const char *const whole[] = { "HTTP/1.", "SSH-", "\x15\x03\x01", "<!DOCTYPE" };
	static const size_t lens[] = { 7, 4, 3, 9 };

	for (size_t i = 0; i < 4; i++)
		for (size_t len = 0; len <= lens[i]; len++) {
			enum rpc_contact c = of(whole[i], len);

			assert_int_equal(c == RPC_CONTACT_SILENT, len == 0);
			assert_int_equal(c != RPC_CONTACT_OTHER, len == 0 || len == lens[i]);
		}
	for (size_t len = 1; len < 9; len++)
		assert_int_equal(of("\0\0\x12\x04\0\0\0\0", len), RPC_CONTACT_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_are_known_by_how_they_begin),
		cmocka_unit_test(others_are_others),
		cmocka_unit_test(what_is_cut_is_no_more_than_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
