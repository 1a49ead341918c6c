/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation on files fails once while bytes are on their way to disk, in the pool's threads. */
#include "agent/upload/upload.h"
#include "common/base/file.h"
#include "tests/unit/folder.h"
#include "tests/unit/nofile/nofile.h"

#include <stdio.h>

enum { PIECES = 5, PIECE = 100000 };

static char folder[64], path[80];
static uv_loop_t loop;

static void on_room(void *data)
{
}

static void on_ended(void *data)
{
	*(bool *)data = true;
}

static void feed_all(struct upload *u)
{
	for (int i = 0; i < PIECES; i++) {
		uint8_t *piece = malloc(PIECE);

		assert_non_null(piece);
		memset(piece, i, PIECE);
		upload_feed(u, piece, piece, PIECE);
	}
}

/* One that failed is freed, and its file is gone; of one that is through, all is on disk. */
static int store(void *data, struct err *e)
{
	static const struct upload_callbacks callbacks = { on_room, on_ended };
	uint8_t d[SHA3_256_LEN], on_disk[SHA3_256_LEN];
	struct upload *u;
	bool ended = false;

	if (upload_new(&loop, path, 1 << 20, &u, e) < 0)
		return err_code(e);
	upload_attach(u, &callbacks, &ended);
	feed_all(u);
	upload_end(u);
	while (!ended)
		uv_run(&loop, UV_RUN_ONCE);
	int failed = upload_failure(u, e);
	if (!failed)
		failed = upload_digest(u, d, e);
	nofile_pause();
	if (!failed) {
		assert_ok(digest_file(DIGEST_SHA3_256, path, on_disk, e), *e);
		assert_memory_equal(d, on_disk, sizeof(d));
	}
	upload_free(u);
	nofile_go_on();
	uv_run(&loop, UV_RUN_DEFAULT);
	return failed;
}

static void an_upload_is_on_disk_or_refused(void **state)
{
	nofile_each(&(struct nofile){ .name = "uploaded", .attempt = store, .folder = folder });
}

static int enter(void **state)
{
	if (folder_make(state) < 0)
		return -1;
	snprintf(folder, sizeof(folder), "%s/f", test_folder);
	snprintf(path, sizeof(path), "%s/upload", folder);
	return uv_loop_init(&loop);
}

static int leave(void **state)
{
	return uv_loop_close(&loop) < 0 ? -1 : folder_remove(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_upload_is_on_disk_or_refused),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
