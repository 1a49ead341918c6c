/* SPDX-License-Identifier: Apache-2.0 */
/* An upload where no memory is left for a job: this program's own rpc_job_start() keeps a job for the
 * test to run, or refuses it. */
#include "agent/upload/upload.h"
#include "common/base/file.h"
#include "common/rpc/job.h"
#include "tests/unit.h"

#include <stdio.h>

enum { LANES = 2, CHUNKS = 100 }; /* several times what a lane does in one go */

static struct kept {
	void (*work)(void *data);
	void (*done)(void *data);
	void *data;
} kept[LANES];
static size_t kept_count;
static bool no_memory;

int rpc_job_start(uv_loop_t *loop, void (*work)(void *data), void (*done)(void *data), void *data,
		  struct err *e)
{
	if (no_memory)
		return err_nomem(e);
	assert_true(kept_count < LANES);
	kept[kept_count++] = (struct kept){ work, done, data };
	return 0;
}

static void on_room(void *data)
{
}

static void on_ended(void *data)
{
	*(bool *)data = true;
}

static void all_is_done_where_no_job_can_be_started(void **state)
{
	static const struct upload_callbacks callbacks = { on_room, on_ended };
	char folder[] = "/tmp/cocos-upload-XXXXXX", path[64];
	uint8_t d[SHA3_256_LEN], on_disk[SHA3_256_LEN];
	struct upload *u;
	bool ended = false;
	uv_loop_t loop;
	struct err e;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_ok(upload_new(&loop, path, 1 << 20, &u, &e), e);
	upload_attach(u, &callbacks, &ended);
	for (size_t i = 0; i < CHUNKS; i++) {
		uint8_t *byte = malloc(1);

		*byte = (uint8_t)i;
		upload_feed(u, byte, byte, 1);
	}
	assert_int_equal(kept_count, LANES);
	upload_end(u);
	no_memory = true;
	for (size_t i = 0; i < LANES; i++) {
		kept[i].work(kept[i].data);
		kept[i].done(kept[i].data);
	}
	for (int i = 0; i < 1000 && !ended; i++) /* its wake-up has been sent already */
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_true(ended);
	assert_int_equal(upload_size(u), CHUNKS);
	assert_ok(upload_digest(u, d, &e), e);
	assert_ok(digest_file(DIGEST_SHA3_256, path, on_disk, &e), e);
	assert_memory_equal(d, on_disk, sizeof(d));
	upload_free(u);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_ok(dir_remove(folder, &e), e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_done_where_no_job_can_be_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
