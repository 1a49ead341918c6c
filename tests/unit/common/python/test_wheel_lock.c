/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "common/python/wheel_lock.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <stdio.h>

#define PURE "x-1.0-py3-none-any.whl"
/* Of "x", of which the wheel consists. */
#define SHA256 "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
#define SHA384                                                            \
	"sha384:d752c2c51fba0e29aa190570a9d4253e44077a058d3297fa3a5630d5" \
	"bd012622f97c28acaed313b5c83bb990caa7da85"
#define ZEROS "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static const struct python_target target = { .minor = 11, .glibc = 36, .machine = "x86_64" };
static char folder[] = "/tmp/test-lock-XXXXXX";
static int dir = -1;

static int enter(void **state)
{
	static const char *const files[] = { PURE, "x-1.0-py2.py3-none-any.whl",
					     "y-2-py3-none-any.whl" };
	char path[128];
	struct err e;

	if (!mkdtemp(folder))
		return -1;
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		assert_ok(file_write(path, "x", 1, 0600, &e), e);
	}
	return 0;
}

static int leave(void **state)
{
	struct err e;

	close(dir);
	return dir_remove(folder, &e);
}

static void what_is_no_lock_is_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "x --hash=" ZEROS, "no name==version" },
		{ "x>=1 --hash=" ZEROS, "no name==version" },
		{ "x==1.* --hash=" ZEROS, "no name==version" },
		{ "x==1,!=2 --hash=" ZEROS, "no name==version" },
		{ "x[a]==1 --hash=" ZEROS, "no name==version" },
		{ "x==1", "no --hash" },
		{ "x==1 --hash=" ZEROS "\nX==2 --hash=" ZEROS, "lock" },
		{ "-r other", "lock" },
	};
	struct wheel_lock lock;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(
			wheel_lock_parse(rows[i].text, strlen(rows[i].text), &target, &lock, &e), e,
			ERR_INVALID, rows[i].words);
}

static int check(const char *text, const char *const *files, struct err *e)
{
	__attribute__((cleanup(wheel_lock_done))) struct wheel_lock lock = { 0 };

	assert_ok(wheel_lock_parse(text, strlen(text), &target, &lock, e), *e);
	for (; *files; files++) {
		uint8_t sha256[SHA256_LEN];
		char hex[2 * SHA256_LEN + 1];

		if (wheel_lock_check(&lock, dir, *files, &target, sha256, e) < 0)
			return err_code(e);
		/* whatever the lock has */
		hex_encode(sha256, sizeof(sha256), hex);
		assert_string_equal(hex, strchr(SHA256, ':') + 1);
	}
	return wheel_lock_check_all(&lock, e);
}

static void each_wheel_is_one_line_and_each_line_one_wheel(void **state)
{
	static const struct {
		const char *text, *files[3], *words; /* NULL: fine */
	} rows[] = {
		{ "x==1.0 --hash=" SHA256, { PURE }, NULL },
		{ "X==1 --hash=" SHA384, { PURE }, NULL },
		{ "x==1.0 --hash=" ZEROS " --hash=" SHA256, { PURE }, NULL },
		{ "x==1.0 --hash=" SHA256 "\ny==2 --hash=" SHA256,
		  { PURE, "y-2-py3-none-any.whl" },
		  NULL },
		{ "# nothing", { NULL }, NULL },
		{ "x==1.0 --hash=" ZEROS, { PURE }, "another digest" },
		{ "x==1.1 --hash=" SHA256, { PURE }, "not in the lock" },
		{ "z==1.0 --hash=" SHA256, { PURE }, "not in the lock" },
		{ "x==1.0 --hash=" SHA256, { NULL }, "no wheel of it" },
		{ "x==1.0 --hash=" SHA256, { PURE, "x-1.0-py2.py3-none-any.whl" }, "second wheel" },
		{ "x==1.0 --hash=" SHA256, { "x-1.0-py3-none-any.zip" }, "not named as a wheel" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int failed = check(rows[i].text, rows[i].files, &e);

		if (rows[i].words)
			assert_refused(failed, e, ERR_INVALID, rows[i].words);
		else
			assert_ok(failed, e);
	}
}

/* A part of a line is none, or another lock: never one that the wheel meets. */
static void no_truncation_is_met(void **state)
{
	static const char text[] = "x==1.0 --hash=" SHA256;
	static const char *const files[] = { PURE, NULL };
	struct err e;

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		CLEANUP(free) char *part = strndup(text, len);
		struct wheel_lock lock;

		if (wheel_lock_parse(part, len, &target, &lock, &e) < 0)
			continue;
		wheel_lock_done(&lock);
		assert_true(check(part, files, &e) < 0);
	}
	assert_ok(check(text, files, &e), e);
}

static void a_lock_has_so_many_lines(void **state)
{
	struct err e;

	for (int lines = REQUIREMENTS_MAX; lines <= REQUIREMENTS_MAX + 1; lines++) {
		CLEANUP_WRITER struct writer text = writer_up_to(REQUIREMENTS_BYTES_MAX);
		struct wheel_lock lock;

		for (int i = 0; i < lines; i++)
			writer_printf(&text, "x%d==1 --hash=" ZEROS "\n", i);
		int failed = wheel_lock_parse(text.bytes, text.len, &target, &lock, &e);
		if (lines == REQUIREMENTS_MAX) {
			assert_ok(failed, e);
			wheel_lock_done(&lock);
		} else {
			assert_true(failed < 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_lock_is_refused),
		cmocka_unit_test(each_wheel_is_one_line_and_each_line_one_wheel),
		cmocka_unit_test(no_truncation_is_met),
		cmocka_unit_test(a_lock_has_so_many_lines),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
