/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/upload/upload.h"
#include "common/base/file.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

static char folder[] = "/tmp/cocos-upload-XXXXXX";
static char path[64];
static uv_loop_t loop;

struct seen {
	unsigned room, ended;
};

static void on_room(void *data)
{
	((struct seen *)data)->room++;
}

static void on_ended(void *data)
{
	((struct seen *)data)->ended++;
	uv_stop(&loop);
}

static const struct upload_callbacks callbacks = { on_room, on_ended };

static int make_folder(void **state)
{
	signal(SIGXFSZ, SIG_IGN);
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return uv_loop_init(&loop);
}

static int remove_folder(void **state)
{
	struct err e;

	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	return dir_remove(folder, &e);
}

static void feed(struct upload *u, size_t len, uint8_t fill)
{
	uint8_t *buffer = malloc(len + 3);

	memset(buffer, fill, len + 3);
	upload_feed(u, buffer, buffer + 2, len);
}

/* Feeds pieces, waiting whenever it is full, and ends. */
static void feed_all(struct upload *u, const size_t *sizes, size_t count, struct seen *seen)
{
	for (size_t i = 0; i < count; i++) {
		while (upload_is_full(u))
			uv_run(&loop, UV_RUN_ONCE);
		feed(u, sizes[i], (uint8_t)i);
	}
	seen->ended = 0;
	upload_end(u);
	while (!seen->ended)
		uv_run(&loop, UV_RUN_ONCE);
}

static void what_was_fed_is_on_disk_and_hashed(void **state)
{
	static const size_t sizes[] = { 1, 1 << 20, 0, 3 << 20, 77, 1 << 20, 1 << 20, 1 << 20 };
	struct seen seen = { 0 };
	struct upload *u;
	uint8_t d[SHA3_256_LEN], on_disk[SHA3_256_LEN];
	uint64_t sum = 0;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		sum += sizes[i];
	assert_ok(upload_new(&loop, path, 1 << 30, &u, &e), e);
	upload_attach(u, &callbacks, &seen);
	feed_all(u, sizes, ARRAY_LEN(sizes), &seen);
	assert_int_equal(seen.ended, 1);
	assert_int_equal(upload_size(u), sum);
	assert_ok(upload_digest(u, d, &e), e);
	assert_ok(digest_file(DIGEST_SHA3_256, path, on_disk, &e), e);
	assert_memory_equal(d, on_disk, sizeof(d));
	upload_free(u);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_full_upload_says_when_there_is_room(void **state)
{
	struct seen seen = { 0 };
	struct upload *u;
	struct err e;

	assert_ok(upload_new(&loop, path, 1 << 30, &u, &e), e);
	upload_attach(u, &callbacks, &seen);
	feed(u, UPLOAD_FULL - 1, 1);
	feed(u, 1, 1);
	if (upload_is_full(u)) { /* unless the lanes were quicker */
		while (!seen.room)
			uv_run(&loop, UV_RUN_ONCE);
		assert_int_equal(seen.room, 1);
	}
	assert_false(upload_is_full(u));
	upload_free(u);
}

static void an_interrupted_upload_goes_on(void **state)
{
	static const size_t first[] = { 1000, 1 << 20 }, second[] = { 5, 2 << 20 };
	struct seen seen = { 0 };
	struct upload *u;
	uint8_t d[SHA3_256_LEN], on_disk[SHA3_256_LEN];
	struct err e;

	assert_ok(upload_new(&loop, path, 1 << 30, &u, &e), e);
	upload_attach(u, &callbacks, &seen);
	feed_all(u, first, ARRAY_LEN(first), &seen);
	assert_int_equal(upload_size(u), 1000 + (1 << 20));
	feed_all(u, second, ARRAY_LEN(second), &seen);
	assert_ok(upload_digest(u, d, &e), e);
	assert_ok(digest_file(DIGEST_SHA3_256, path, on_disk, &e), e);
	assert_memory_equal(d, on_disk, sizeof(d));
	upload_free(u);
}

static void too_many_bytes_fail(void **state)
{
	static const size_t fits[] = { 10 }, one_more[] = { 1 };
	struct seen seen = { 0 };
	struct upload *u;
	struct err e;

	assert_ok(upload_new(&loop, path, 10, &u, &e), e);
	upload_attach(u, &callbacks, &seen);
	feed_all(u, fits, 1, &seen);
	assert_ok(upload_failure(u, &e), e);
	feed_all(u, one_more, 1, &seen);
	assert_refused(upload_failure(u, &e), e, ERR_EXHAUSTED, "more than 10 bytes");
	upload_free(u);
}

static void a_disk_that_takes_no_more_fails_it(void **state)
{
	static const size_t sizes[] = { 4096, 1 << 20, 1 << 20 };
	struct rlimit old, small;
	struct seen seen = { 0 };
	struct upload *u;
	uint8_t d[SHA3_256_LEN];
	struct err e;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ .rlim_cur = 8192, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_ok(upload_new(&loop, path, 1 << 30, &u, &e), e);
	upload_attach(u, &callbacks, &seen);
	feed_all(u, sizes, ARRAY_LEN(sizes), &seen);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(upload_failure(u, &e) < 0);
	assert_true(upload_digest(u, d, &e) < 0);
	upload_free(u);
	assert_int_equal(access(path, F_OK), -1);
}

static void freed_in_the_middle_nothing_is_left(void **state)
{
	struct seen seen = { 0 };
	struct upload *u;
	struct err e;

	assert_ok(upload_new(&loop, path, 1 << 30, &u, &e), e);
	upload_attach(u, &callbacks, &seen);
	for (int i = 0; i < 8; i++)
		feed(u, 1 << 20, 1);
	upload_end(u);
	upload_free(u);
	assert_int_equal(access(path, F_OK), -1);
	uv_run(&loop, UV_RUN_DEFAULT); /* nothing holds the loop */
	assert_int_equal(seen.ended, 0);
}

static void an_existing_file_is_never_taken(void **state)
{
	struct upload *u, *second;
	struct err e;

	assert_ok(upload_new(&loop, path, 1, &u, &e), e);
	assert_int_equal(upload_new(&loop, path, 1, &second, &e), -ERR_EXISTS);
	upload_free(u);
}

static void many_uploads_at_once_all_end(void **state)
{
	enum { MANY = 32 };
	struct upload *u[MANY];
	struct seen seen[MANY] = { 0 };
	uint8_t d[2][SHA3_256_LEN];
	bool waiting = true;
	struct err e;

	for (int i = 0; i < MANY; i++) {
		char own[96];

		snprintf(own, sizeof(own), "%s/%d", folder, i);
		assert_ok(upload_new(&loop, own, 1 << 30, &u[i], &e), e);
		upload_attach(u[i], &callbacks, &seen[i]);
		for (int n = 0; n < 20; n++)
			feed(u[i], 50000, 7);
		upload_end(u[i]);
	}
	while (waiting) {
		waiting = false;
		for (int i = 0; i < MANY; i++)
			waiting |= !seen[i].ended;
		if (waiting)
			uv_run(&loop, UV_RUN_ONCE);
	}
	for (int i = 0; i < MANY; i++) {
		assert_ok(upload_digest(u[i], d[i > 0], &e), e);
		assert_memory_equal(d[0], d[i > 0], SHA3_256_LEN);
		upload_free(u[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_fed_is_on_disk_and_hashed),
		cmocka_unit_test(a_full_upload_says_when_there_is_room),
		cmocka_unit_test(an_interrupted_upload_goes_on),
		cmocka_unit_test(too_many_bytes_fail),
		cmocka_unit_test(a_disk_that_takes_no_more_fails_it),
		cmocka_unit_test(freed_in_the_middle_nothing_is_left),
		cmocka_unit_test(an_existing_file_is_never_taken),
		cmocka_unit_test(many_uploads_at_once_all_end),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
