/* SPDX-License-Identifier: Apache-2.0 */
/* Modules of WebAssembly by their bytes: cut anywhere, and what is in them as the runtime wants it. */
#include "agent/wasm/wasm_form.h"
#include "common/base/writer.h"
#include "tests/unit.h"

#define CORE "\0asm\1\0\0\0"
#define WASI "\x16wasi_snapshot_preview1"
#define WRITES                 \
	"\2\x23\1" WASI "\x08" \
	"fd_write\0\0"
#define EXPORTS "\7\x13\2\x06memory\2\0\x06_start\0\0"
/* Literals without the zero that C puts behind them. */
#define JUDGE(text, e) judge(text, sizeof(text) - 1, e)

/* From memory of its own size, so that a read beyond it is seen. */
static int judge(const char *bytes, size_t len, struct err *e)
{
	CLEANUP(free) uint8_t *copy = malloc(len + (len == 0));

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	return wasm_form_judge(copy, len, NULL, e);
}

static void modules_are_taken(void **state)
{
	struct err e;

	assert_ok(JUDGE(CORE WRITES EXPORTS, &e), e);
	/* as the runtime takes them: in another order, sections that it knows and others */
	assert_ok(JUDGE(CORE EXPORTS WRITES "\0\2\1x\x0d\1\0\x0d\1\0\0\0", &e), e);
	assert_ok(JUDGE(CORE EXPORTS, &e), e);
	/* a length in more bytes than it needs */
	assert_ok(JUDGE(CORE "\7\x93\x80\x80\x80\0\2\x06memory\2\0\x06_start\0\0", &e), e);
}

static void what_is_none_is_told_what_to_do(void **state)
{
	struct err e;

	assert_refused(judge("", 0, &e), e, ERR_INVALID, "no WebAssembly module");
	assert_refused(JUDGE("\0asm\1\0\0", &e), e, ERR_INVALID, "no WebAssembly module");
	assert_refused(JUDGE("\0asm\2\0\0\0" EXPORTS, &e), e, ERR_INVALID, "no WebAssembly module");
	assert_refused(JUDGE("\0asm\x0d\0\1\0", &e), e, ERR_INVALID, "compile for WASI preview 1");
	assert_refused(JUDGE("\n (module)", &e), e, ERR_INVALID, "assemble it first (wat2wasm)");
	assert_refused(JUDGE(";; a comment", &e), e, ERR_INVALID, "assemble it first");
	assert_refused(JUDGE("(", &e), e, ERR_INVALID, "no WebAssembly module");
}

static void it_is_a_program_for_wasi(void **state)
{
	static const char no_start[] = CORE "\7\x0a\1\x06memory\2\0",
			  no_memory[] = CORE "\7\x0a\1\x06_start\0\0",
			  other_kinds[] = CORE "\7\x13\2\x06memory\0\0\x06_start\2\0";
	struct err e;

	assert_refused(JUDGE(CORE, &e), e, ERR_INVALID, "is no program");
	assert_refused(judge(no_start, sizeof(no_start) - 1, &e), e, ERR_INVALID, "is no program");
	assert_refused(judge(no_memory, sizeof(no_memory) - 1, &e), e, ERR_INVALID,
		       "is no program");
	assert_refused(judge(other_kinds, sizeof(other_kinds) - 1, &e), e, ERR_INVALID,
		       "is no program");
	assert_refused(JUDGE(CORE "\2\x0b\1\3env\3now\0\0" EXPORTS, &e), e, ERR_INVALID,
		       "import 0, 'now' of 'env', is not WASI preview 1");
	assert_refused(JUDGE(CORE "\2\x24\1" WASI "\x09sock_open\0\0" EXPORTS, &e), e, ERR_INVALID,
		       "'sock_open'");
	/* a memory of that name; what describes it need not be understood */
	assert_refused(JUDGE(CORE "\2\x24\1" WASI "\x08"
				  "fd_write\2\0\1" EXPORTS,
			     &e),
		       e, ERR_INVALID, "'fd_write'");
}

static void cut_anywhere_it_is_refused(void **state)
{
	static const char whole[] = CORE WRITES EXPORTS;
	const size_t len = sizeof(whole) - 1;
	struct err e;

	for (size_t i = 0; i < len; i++)
		assert_int_equal(judge(whole, i, &e), -ERR_INVALID);
	assert_refused(judge(whole, len - 1, &e), e, ERR_INVALID, "a malformed");
}

static void sections_and_numbers_are_within_their_bounds(void **state)
{
	static const char *const bad[] = {
		CORE EXPORTS EXPORTS, /* twice */
		CORE EXPORTS "\x0c\1",
		CORE "\7\x12\2\x06memory\2\0\x06_start\0\0", /* one byte less than what is in it */
		CORE "\7\x14\2\x06memory\2\0\x06_start\0\0\0", /* one more */
		CORE "\7\x13\3\x06memory\2\0\x06_start\0\0",   /* an item more than there are */
		CORE "\2\1\1" EXPORTS,
		CORE "\2\3\0\0\0" EXPORTS,
		CORE "\7\x93\x80\x80\x80\x10\2\x06memory\2\0\x06_start\0\0", /* 33 bits */
		CORE "\7\x80\x80\x80\x80\x80\0",
	};
	static const size_t lens[] = { 8 + 42,     8 + 23,     8 + 21,     8 + 22, 8 + 21,
				       8 + 3 + 21, 8 + 5 + 21, 8 + 6 + 19, 8 + 7 };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(judge(bad[i], lens[i], &e), e, ERR_INVALID, "a malformed");
}

/* A file of the largest size, which is nearly all one custom section; and of one byte more. */
static void a_module_has_at_most_64_mib(void **state)
{
	char path[] = "/tmp/test-wasm-XXXXXX";
	CLEANUP(close) int file = mkstemp(path);
	static const char start[] = CORE EXPORTS "\0\xde\xff\xff\x1f";
	const size_t len = sizeof(start) - 1;
	struct err e;

	assert_true(file >= 0);
	assert_int_equal(len + 0x3ffffde, WASM_MODULE_MAX);
	assert_int_equal(pwrite(file, start, len, 0), (ssize_t)len);
	assert_int_equal(ftruncate(file, WASM_MODULE_MAX), 0);
	assert_ok(wasm_form_judge_file(path, NULL, &e), e);
	assert_int_equal(ftruncate(file, WASM_MODULE_MAX + 1), 0);
	assert_refused(wasm_form_judge_file(path, NULL, &e), e, ERR_INVALID, "one over 64 MiB");
	unlink(path);
	assert_refused(wasm_form_judge_file(path, NULL, &e), e, ERR_NOT_FOUND, "open");
}

static void it_stops_when_it_is_told(void **state)
{
	static const char whole[] = CORE EXPORTS;
	atomic_bool cancel = true;
	struct err e;

	assert_refused(wasm_form_judge((const uint8_t *)whole, sizeof(whole) - 1, &cancel, &e), e,
		       ERR_CANCELLED, "stopped");
	atomic_store(&cancel, false);
	assert_ok(wasm_form_judge((const uint8_t *)whole, sizeof(whole) - 1, &cancel, &e), e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modules_are_taken),
		cmocka_unit_test(what_is_none_is_told_what_to_do),
		cmocka_unit_test(it_is_a_program_for_wasi),
		cmocka_unit_test(cut_anywhere_it_is_refused),
		cmocka_unit_test(sections_and_numbers_are_within_their_bounds),
		cmocka_unit_test(a_module_has_at_most_64_mib),
		cmocka_unit_test(it_stops_when_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
