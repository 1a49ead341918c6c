/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/metadata.h"
#include "common/rpc/metadata_wire.h"
#include "tests/unit.h"

static struct rpc_metadata m;
static struct err e;

static int empty(void **state)
{
	rpc_metadata_done(&m);
	return 0;
}

static int receive(const char *key, const char *value)
{
	return rpc_metadata_receive(&m, key, strlen(key), value, strlen(value), &e);
}

static void values_keep_their_order(void **state)
{
	assert_ok(rpc_metadata_add(&m, "algo_args", "one", &e), e);
	assert_ok(rpc_metadata_add(&m, "user-id", "consumer", &e), e);
	assert_ok(rpc_metadata_add(&m, "algo_args", "two", &e), e);
	assert_string_equal(rpc_metadata_text(&m, "algo_args", 0), "one");
	assert_string_equal(rpc_metadata_text(&m, "algo_args", 1), "two");
	assert_null(rpc_metadata_text(&m, "algo_args", 2));
	assert_null(rpc_metadata_text(&m, "none", 0));
	assert_int_equal(rpc_metadata_count(&m, "algo_args"), 2);
	assert_int_equal(rpc_metadata_count(&m, "none"), 0);
}

static void binary_values_are_decoded(void **state)
{
	const struct rpc_metadatum *entry;

	assert_ok(receive("x-bin", "AAEC"), e);
	assert_ok(receive("x-bin", "/w"), e);
	assert_ok(receive("x-bin", "/w=="), e);
	assert_ok(receive("x-bin", ""), e);
	entry = rpc_metadata_get(&m, "x-bin", 0);
	assert_int_equal(entry->len, 3);
	assert_memory_equal(entry->value, "\0\1\2\0", 4);
	assert_memory_equal(rpc_metadata_get(&m, "x-bin", 1)->value, "\xff", 2);
	assert_memory_equal(rpc_metadata_get(&m, "x-bin", 2)->value, "\xff", 2);
	assert_int_equal(rpc_metadata_get(&m, "x-bin", 3)->len, 0);
}

static void binary_values_are_split_at_commas(void **state)
{
	assert_ok(receive("x-bin", "AA,/w==,"), e);
	assert_int_equal(rpc_metadata_count(&m, "x-bin"), 3);
	assert_memory_equal(rpc_metadata_get(&m, "x-bin", 1)->value, "\xff", 1);
	assert_int_equal(rpc_metadata_get(&m, "x-bin", 2)->len, 0);
	assert_ok(receive("x", "a,b"), e);
	assert_string_equal(rpc_metadata_text(&m, "x", 0), "a,b");
}

static void bad_base64_is_refused(void **state)
{
	assert_refused(receive("x-bin", "A"), e, ERR_INVALID, "base64");
	assert_refused(receive("x-bin", "A!=="), e, ERR_INVALID, "base64");
	assert_refused(receive("x-bin", "/x=="), e, ERR_INVALID, "base64");
	assert_refused(receive("x-bin", "AA,*"), e, ERR_INVALID, "base64");
}

static void values_are_printable(void **state)
{
	assert_refused(receive("x", "a\nb"), e, ERR_INVALID, "printable");
	assert_refused(receive("x", "\xc3\xa4"), e, ERR_INVALID, "printable");
	assert_refused(rpc_metadata_add(&m, "x", "a\x7f", &e), e, ERR_INVALID, "printable");
	assert_int_equal(rpc_metadata_receive(&m, "x", 1, "a\0b", 3, &e), -ERR_INVALID);
	assert_ok(rpc_metadata_add_bytes(&m, "x-bin", "a\0b", 3, &e), e);
	assert_ok(receive("x", " ~"), e);
}

static void reserved_names_are_not_metadata(void **state)
{
	static const char *const names[] = { "grpc-status", ":path", "te", "content-type",
					     "user-agent" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_ok(receive(names[i], "x"), e);
		assert_refused(rpc_metadata_add(&m, names[i], "x", &e), e, ERR_INVALID, "key");
	}
	assert_int_equal(m.count, 0);
}

static void keys_are_what_they_may_be(void **state)
{
	char key[RPC_METADATA_KEY_MAX + 2];

	assert_refused(rpc_metadata_add(&m, "", "x", &e), e, ERR_INVALID, "key");
	assert_refused(rpc_metadata_add(&m, "Upper", "x", &e), e, ERR_INVALID, "key");
	assert_refused(rpc_metadata_add(&m, "a b", "x", &e), e, ERR_INVALID, "key");
	memset(key, 'k', sizeof(key));
	key[RPC_METADATA_KEY_MAX + 1] = 0;
	assert_refused(rpc_metadata_add(&m, key, "x", &e), e, ERR_INVALID, "key");
	key[RPC_METADATA_KEY_MAX] = 0;
	assert_ok(rpc_metadata_add(&m, key, "x", &e), e);
	assert_ok(receive("x!y", "a valid HTTP name, no key of gRPC"), e);
	assert_int_equal(m.count, 1);
}

static void entries_are_limited(void **state)
{
	for (int i = 0; i < RPC_METADATA_MAX; i++)
		assert_ok(receive("k", "v"), e);
	assert_refused(receive("k", "v"), e, ERR_EXHAUSTED, "entries");
}

static void bytes_are_limited(void **state)
{
	static char value[RPC_METADATA_BYTES_MAX + 1];

	memset(value, 'v', sizeof(value) - 1);
	assert_refused(receive("k", value), e, ERR_EXHAUSTED, "bytes");
	value[RPC_METADATA_BYTES_MAX - 1] = 0;
	assert_ok(receive("k", value), e);
	assert_refused(receive("k", ""), e, ERR_EXHAUSTED, "bytes");
}

static void a_copy_is_whole(void **state)
{
	struct rpc_metadata copy = { 0 };

	assert_ok(receive("x-bin", "AAEC"), e);
	assert_ok(receive("y", "z"), e);
	assert_ok(rpc_metadata_copy(&copy, &m, &e), e);
	assert_int_equal(copy.count, 2);
	assert_memory_equal(rpc_metadata_get(&copy, "x-bin", 0)->value, "\0\1\2", 3);
	rpc_metadata_done(&copy);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, empty, empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_keep_their_order),
		TEST(binary_values_are_decoded),
		TEST(binary_values_are_split_at_commas),
		TEST(bad_base64_is_refused),
		TEST(values_are_printable),
		TEST(reserved_names_are_not_metadata),
		TEST(keys_are_what_they_may_be),
		TEST(entries_are_limited),
		TEST(bytes_are_limited),
		TEST(a_copy_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
