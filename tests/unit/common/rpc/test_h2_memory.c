/* SPDX-License-Identifier: Apache-2.0 */
/* Where nghttp2 keeps a session: pages of its own while it is made, the heap afterwards. */
#include "common/rpc/h2_memory.h"
#include "tests/unit.h"

#include <stdalign.h>
#include <string.h>

static bool is_inside(const struct h2_memory *m, const void *pointer)
{
	uintptr_t at = (uintptr_t)pointer, area = (uintptr_t)m->area;

	return at >= area && at < area + H2_MEMORY_AREA;
}

static void pieces_lie_side_by_side(void **state)
{
	struct h2_memory m = { 0 };
	nghttp2_mem hooks;
	uint8_t *piece[3];
	const size_t size = H2_MEMORY_PIECE + 1; /* 17 times 241 */

	h2_memory_begin(&m, &hooks);
	assert_non_null(m.area);
	for (size_t i = 0; i < ARRAY_LEN(piece); i++) {
		piece[i] = i == 1 ? hooks.calloc(17, 241, &m) : hooks.malloc(size, &m);
		assert_true(is_inside(&m, piece[i]));
		assert_int_equal((uintptr_t)piece[i] % alignof(max_align_t), 0);
		for (size_t k = 0; k < size; k++)
			assert_int_equal(piece[i][k], 0);
		memset(piece[i], (int)i + 1, size);
	}
	for (size_t i = 0; i < ARRAY_LEN(piece); i++)
		for (size_t k = 0; k < size; k++)
			assert_int_equal(piece[i][k], i + 1);
	hooks.free(piece[0], &m);
	hooks.free(NULL, &m);
	h2_memory_done(&m);
	assert_null(m.area);
}

static void what_is_small_is_the_heaps(void **state)
{
	struct h2_memory m = { 0 };
	nghttp2_mem hooks;
	uint8_t *small, *large;

	h2_memory_begin(&m, &hooks);
	small = hooks.malloc(H2_MEMORY_PIECE - 1, &m);
	large = hooks.malloc(H2_MEMORY_PIECE, &m);
	assert_non_null(small);
	assert_false(is_inside(&m, small));
	assert_true(is_inside(&m, large));
	hooks.free(small, &m);
	hooks.free(large, &m);
	h2_memory_done(&m);
}

static void what_does_not_fit_is_the_heaps(void **state)
{
	struct h2_memory m = { 0 };
	nghttp2_mem hooks;
	uint8_t *whole, *more;

	h2_memory_begin(&m, &hooks);
	assert_null(hooks.calloc(SIZE_MAX / 2, 3, &m));
	more = hooks.malloc(H2_MEMORY_AREA, &m);
	assert_non_null(more);
	assert_false(is_inside(&m, more));
	hooks.free(more, &m);
	whole = hooks.realloc(NULL, H2_MEMORY_AREA - H2_MEMORY_BEGIN - 1, &m);
	assert_true(is_inside(&m, whole));
	whole[H2_MEMORY_AREA - H2_MEMORY_BEGIN - 2] = 1;
	more = hooks.calloc(1, H2_MEMORY_PIECE, &m);
	assert_non_null(more);
	assert_false(is_inside(&m, more));
	hooks.free(more, &m);
	h2_memory_done(&m);
}

static void a_piece_that_grows_moves_out(void **state)
{
	struct h2_memory m = { 0 };
	nghttp2_mem hooks;
	char *piece;

	h2_memory_begin(&m, &hooks);
	piece = hooks.malloc(H2_MEMORY_PIECE, &m);
	assert_true(is_inside(&m, piece));
	memcpy(piece, "bytes", 6);
	piece = hooks.realloc(piece, H2_MEMORY_AREA * 2, &m);
	assert_non_null(piece);
	assert_false(is_inside(&m, piece));
	assert_string_equal(piece, "bytes");
	piece = hooks.realloc(piece, 3, &m);
	assert_memory_equal(piece, "byt", 3);
	hooks.free(piece, &m);
	h2_memory_done(&m);
}

static size_t pages_written(const struct h2_memory *m)
{
	static const uint8_t zeros[H2_MEMORY_PIECE];
	size_t count = 0;

	for (size_t at = 0; at < H2_MEMORY_AREA; at += sizeof(zeros))
		count += memcmp(m->area + at, zeros, sizeof(zeros)) != 0;
	return count;
}

/* What a client sends first; a request with it. */
static const uint8_t greeting[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				  "\0\0\0\4\0\0\0\0\0"
				  "\0\0\3\1\5\0\0\0\1\x82\x87\x84";

/* If a later nghttp2 asks for more, or in another way, the area no longer does what it is for. */
static void a_session_fits(void **state)
{
	struct h2_memory m = { 0 };
	nghttp2_session_callbacks *callbacks;
	nghttp2_session *session;
	nghttp2_mem hooks;
	const uint8_t *bytes;
	uint8_t *later;

	assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
	h2_memory_begin(&m, &hooks);
	assert_int_equal(nghttp2_session_server_new3(&session, callbacks, NULL, NULL, &hooks), 0);
	assert_false(is_inside(&m, session));
	assert_in_range(m.used, H2_MEMORY_BEGIN + (16 << 10), H2_MEMORY_AREA);
	h2_memory_made(&m);
	later = hooks.malloc(1, &m);
	assert_false(is_inside(&m, later));
	hooks.free(later, &m);
	assert_int_equal(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0), 0);
	assert_int_equal(nghttp2_session_mem_send(session, &bytes), 9);
	assert_true(is_inside(&m, bytes));
	assert_int_equal(nghttp2_session_mem_recv(session, greeting, sizeof(greeting) - 1),
			 sizeof(greeting) - 1);
	assert_non_null(nghttp2_session_find_stream(session, 1));
	assert_int_equal(pages_written(&m), 1);
	nghttp2_session_del(session);
	h2_memory_done(&m);
	nghttp2_session_callbacks_del(callbacks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_lie_side_by_side),
		cmocka_unit_test(what_is_small_is_the_heaps),
		cmocka_unit_test(what_does_not_fit_is_the_heaps),
		cmocka_unit_test(a_piece_that_grows_moves_out),
		cmocka_unit_test(a_session_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
