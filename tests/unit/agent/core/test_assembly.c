/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/assembly.h"
#include "common/manifest/manifest.h"
#include "tests/unit.h"

#include <stdio.h>

static struct assembly a;
static uint8_t *manifest;
static size_t manifest_len;
static bool complete;

static int fresh(void **state)
{
	assembly_init(&a);
	return 0;
}

static int done(void **state)
{
	assembly_reset(&a);
	free(manifest);
	manifest = NULL;
	return 0;
}

static int add_bytes(const char *id, const void *data, size_t len, bool last, struct err *e)
{
	Cvms__RunReqChunks chunk = CVMS__RUN_REQ_CHUNKS__INIT;

	chunk.id = (char *)id;
	chunk.data.data = (uint8_t *)data;
	chunk.data.len = len;
	chunk.is_last = last;
	free(manifest);
	manifest = NULL;
	return assembly_add(&a, &chunk, &complete, &manifest, &manifest_len, e);
}

static int add(const char *id, const char *data, bool last, struct err *e)
{
	return add_bytes(id, data, strlen(data), last, e);
}

static void chunks_become_one_manifest(void **state)
{
	struct err e;

	assert_ok(add("x", "ab", false, &e), e);
	assert_false(complete);
	assert_ok(add("x", "c", false, &e), e);
	assert_ok(add("x", "", true, &e), e);
	assert_true(complete);
	assert_int_equal(manifest_len, 3);
	assert_memory_equal(manifest, "abc", 3);
	assert_ok(add("y", "whole", true, &e), e);
	assert_true(complete);
	assert_memory_equal(manifest, "whole", 5);
}

static void interleaved_ids_spoil_both(void **state)
{
	struct err e;

	assert_ok(add("x", "ab", false, &e), e);
	assert_refused(add("y", "cd", false, &e), e, ERR_INVALID,
		       "while another manifest is incomplete");
	assert_ok(add("x", "ef", false, &e), e);
	assert_ok(add("x", "", true, &e), e);
	assert_false(complete);
	assert_ok(add("y", "", true, &e), e);
	assert_false(complete);
	assert_ok(add("x", "again", false, &e), e); /* both are over: a fresh start */
	assert_ok(add("x", "", true, &e), e);
	assert_true(complete);
}

static void a_repeated_last_chunk_is_refused(void **state)
{
	struct err e;

	assert_ok(add("x", "ab", false, &e), e);
	assert_ok(add("x", "", true, &e), e);
	assert_true(complete);
	assert_refused(add("x", "", true, &e), e, ERR_INVALID, "had its last chunk already");
	assert_refused(add("x", "ab", true, &e), e, ERR_INVALID, "had its last chunk already");
	assembly_reset(&a);
	assert_ok(add("x", "ab", true, &e), e);
}

static void a_useless_manifest_may_come_again(void **state)
{
	struct err e;

	assert_ok(add("x", "ab", true, &e), e);
	assembly_forgive(&a);
	assert_ok(add("x", "cd", true, &e), e);
	assert_true(complete);
}

static void a_last_chunk_needs_others(void **state)
{
	struct err e;

	assert_refused(add("x", "", true, &e), e, ERR_INVALID, "no byte before");
}

static void sizes_have_limits(void **state)
{
	CLEANUP(free) uint8_t *big = calloc(1, ASSEMBLY_CHUNK_MAX + 1);
	CLEANUP(free) char *id = calloc(1, ASSEMBLY_ID_MAX + 2);
	struct err e;

	assert_ok(add_bytes("x", big, ASSEMBLY_CHUNK_MAX, true, &e), e);
	assert_refused(add_bytes("y", big, ASSEMBLY_CHUNK_MAX + 1, true, &e), e, ERR_INVALID,
		       "the limit is");
	for (size_t n = 0; n < MANIFEST_MAX / ASSEMBLY_CHUNK_MAX; n++)
		assert_ok(add_bytes("z", big, ASSEMBLY_CHUNK_MAX, false, &e), e);
	assert_refused(add_bytes("z", big, 1, false, &e), e, ERR_INVALID, "in all");
	assert_ok(add("z", "", true, &e), e);
	assert_false(complete);
	memset(id, 'i', ASSEMBLY_ID_MAX);
	assert_ok(add(id, "ab", true, &e), e);
	id[ASSEMBLY_ID_MAX] = 'i';
	assert_refused(add(id, "ab", true, &e), e, ERR_INVALID, "an id over");
}

static void many_spoiled_ids_are_forgotten_in_order(void **state)
{
	struct err e;

	for (int i = 0; i < 4 * ASSEMBLY_SPOILED_MAX; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%d", i);
		assert_ok(add("open", "a", false, &e), e);
		assert_int_equal(add(id, "b", false, &e), -ERR_INVALID);
		assert_ok(add("open", "", true, &e), e);
	}
	assert_true(a.spoiled_count <= ASSEMBLY_SPOILED_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(chunks_become_one_manifest, fresh, done),
		cmocka_unit_test_setup_teardown(interleaved_ids_spoil_both, fresh, done),
		cmocka_unit_test_setup_teardown(a_repeated_last_chunk_is_refused, fresh, done),
		cmocka_unit_test_setup_teardown(a_useless_manifest_may_come_again, fresh, done),
		cmocka_unit_test_setup_teardown(a_last_chunk_needs_others, fresh, done),
		cmocka_unit_test_setup_teardown(sizes_have_limits, fresh, done),
		cmocka_unit_test_setup_teardown(many_spoiled_ids_are_forgotten_in_order, fresh,
						done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
