/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles made of directories, and back. */
#include "common/base/file.h"
#include "common/crypto/digest.h"
#include "tests/unit/common/bundle/bundle_world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_directory_comes_back_as_it_was(void **state)
{
	struct bundle_world *w = *state;
	struct err e;
	struct stat st;

	mkdirat(w->in_fd, "d", 0700);
	bundle_world_put(w->in_fd, "d/b", "inner");
	bundle_world_put(w->in_fd, "a.txt", "hello");
	bundle_world_put(w->in_fd, "ü ", "");
	bundle_world_pack(w);
	assert_ok(bundle_extract(w->zip, w->out_fd, NULL, &e), e);
	bundle_world_holds(w->out_fd, "a.txt", "hello");
	bundle_world_holds(w->out_fd, "d/b", "inner");
	bundle_world_holds(w->out_fd, "ü ", "");
	assert_int_equal(fstatat(w->out_fd, "d", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(fstatat(w->out_fd, "d/b", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
}

static void the_digest_is_that_of_the_file(void **state)
{
	struct bundle_world *w = *state;
	uint8_t digest_[BUNDLE_DIGEST_LEN], of_file[BUNDLE_DIGEST_LEN],
		on_the_way[BUNDLE_DIGEST_LEN];
	uint64_t size = 0;
	struct err e;

	bundle_world_put(w->in_fd, "b.csv", "1,2\n");
	mkdirat(w->in_fd, "b", 0755);
	bundle_world_put(w->in_fd, "b/z", "zz");
	bundle_world_put(w->in_fd, "a", "");
	assert_ok(bundle_digest(w->in_fd, NULL, digest_, &e), e);
	int fd = open(w->zip, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_ok(bundle_make(w->in_fd, fd, NULL, &size, on_the_way, &e), e);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), size);
	close(fd);
	assert_ok(digest_file(DIGEST_SHA3_256, w->zip, of_file, &e), e);
	assert_memory_equal(digest_, of_file, sizeof(of_file));
	assert_memory_equal(on_the_way, of_file, sizeof(of_file));
}

/* One more file, that lies nowhere: in its place, and never in that of another. */
static void a_file_of_memory_goes_along(void **state)
{
	struct bundle_world *w = *state;
	struct bundle_extra extra = { "log.txt", "said\n", 5 };
	uint64_t size = 0;
	struct err e;
	int fd;

	bundle_world_put(w->in_fd, "a", "aa");
	bundle_world_put(w->in_fd, "z", "zz");
	fd = open(w->zip, O_RDWR | O_CREAT | O_EXCL, 0600);
	assert_ok(bundle_make_with(w->in_fd, &extra, fd, &size, &e), e);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), size);
	close(fd);
	assert_ok(bundle_extract(w->zip, w->out_fd, &(struct bundle_limits){ .entries = 3 }, &e),
		  e);
	bundle_world_holds(w->out_fd, "a", "aa");
	bundle_world_holds(w->out_fd, "log.txt", "said\n");
	bundle_world_holds(w->out_fd, "z", "zz");

	bundle_world_put(w->in_fd, "log.txt", "another's");
	assert_refused(bundle_make_with(w->in_fd, &extra, -1, NULL, &e), e, ERR_EXISTS,
		       "'log.txt' is there already");
	unlinkat(w->in_fd, "log.txt", 0);
	mkdirat(w->in_fd, "log.txt", 0755);
	assert_refused(bundle_make_with(w->in_fd, &extra, -1, NULL, &e), e, ERR_EXISTS,
		       "'log.txt' is there already");
	unlinkat(w->in_fd, "log.txt", AT_REMOVEDIR);
	extra = (struct bundle_extra){ "log.txt", NULL, 0 };
	assert_ok(bundle_make_with(w->in_fd, &extra, -1, NULL, &e), e);
	extra.path = "d/log.txt";
	assert_refused(bundle_make_with(w->in_fd, &extra, -1, NULL, &e), e, ERR_EXISTS,
		       "d/log.txt");
	extra.path = "..";
	assert_refused(bundle_make_with(w->in_fd, &extra, -1, NULL, &e), e, ERR_INVALID, "..");
}

static void neither_times_nor_order_nor_empty_folders_matter(void **state)
{
	struct bundle_world *w = *state;
	uint8_t first[BUNDLE_DIGEST_LEN], second[BUNDLE_DIGEST_LEN];
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct err e;

	bundle_world_put(w->in_fd, "1", "one");
	bundle_world_put(w->in_fd, "2", "two");
	assert_ok(bundle_digest(w->in_fd, NULL, first, &e), e);
	unlinkat(w->in_fd, "1", 0);
	bundle_world_put(w->in_fd, "1", "one");
	utimensat(w->in_fd, "2", times, 0);
	mkdirat(w->in_fd, "empty", 0700);
	assert_ok(bundle_digest(w->in_fd, NULL, second, &e), e);
	assert_memory_equal(first, second, sizeof(first));
	bundle_world_put(w->in_fd, "3", "");
	assert_ok(bundle_digest(w->in_fd, NULL, second, &e), e);
	assert_memory_not_equal(first, second, sizeof(first));
}

static void modes_of_files_matter_and_those_of_folders_do_not(void **state)
{
	struct bundle_world *w = *state;
	uint8_t first[BUNDLE_DIGEST_LEN], second[BUNDLE_DIGEST_LEN];
	struct err e;

	mkdirat(w->in_fd, "d", 0700);
	bundle_world_put(w->in_fd, "d/1", "one");
	assert_ok(bundle_digest(w->in_fd, NULL, first, &e), e);
	assert_int_equal(fchmodat(w->in_fd, "d", 0755, 0), 0);
	assert_ok(bundle_digest(w->in_fd, NULL, second, &e), e);
	assert_memory_equal(first, second, sizeof(first));
	assert_int_equal(fchmodat(w->in_fd, "d/1", 0755, 0), 0);
	assert_ok(bundle_digest(w->in_fd, NULL, second, &e), e);
	assert_memory_not_equal(first, second, sizeof(first));
}

static void an_empty_directory_is_a_bundle(void **state)
{
	struct bundle_world *w = *state;
	struct err e;

	bundle_world_pack(w);
	assert_ok(bundle_extract(w->zip, w->out_fd, NULL, &e), e);
	bundle_world_is_empty(w);
}

static void only_files_and_directories_are_bundled(void **state)
{
	struct bundle_world *w = *state;
	uint8_t out[BUNDLE_DIGEST_LEN];
	struct err e;

	assert_int_equal(symlinkat("/etc/passwd", w->in_fd, "l"), 0);
	assert_refused(bundle_digest(w->in_fd, NULL, out, &e), e, ERR_INVALID, "'l'");
	unlinkat(w->in_fd, "l", 0);
	mkdirat(w->in_fd, "d", 0755);
	assert_int_equal(mkfifoat(w->in_fd, "d/pipe", 0600), 0);
	assert_refused(bundle_digest(w->in_fd, NULL, out, &e), e, ERR_INVALID, "'pipe'");
	unlinkat(w->in_fd, "d/pipe", 0);
	bundle_world_put(w->in_fd, "d/\xff", "");
	assert_refused(bundle_digest(w->in_fd, NULL, out, &e), e, ERR_INVALID, "UTF-8");
}

static void depth_at_its_limit(void **state)
{
	struct bundle_world *w = *state;
	uint8_t out[BUNDLE_DIGEST_LEN];
	char path[2 * BUNDLE_DEPTH_MAX + 8] = "";
	struct err e;

	for (int i = 0; i < BUNDLE_DEPTH_MAX; i++) {
		strcat(path, i ? "/d" : "d");
		mkdirat(w->in_fd, path, 0755);
	}
	assert_ok(bundle_digest(w->in_fd, NULL, out, &e), e);
	bundle_world_pack(w);
	assert_ok(bundle_extract(w->zip, w->out_fd, NULL, &e), e);
	strcat(path, "/f");
	bundle_world_put(w->in_fd, path, "");
	assert_refused(bundle_digest(w->in_fd, NULL, out, &e), e, ERR_INVALID, "32 names deep");
}

static void a_reader_that_went_away_is_an_error(void **state)
{
	struct bundle_world *w = *state;
	int full = open("/dev/full", O_WRONLY);
	struct err e;

	bundle_world_put(w->in_fd, "a", "x");
	assert_int_equal(bundle_make(w->in_fd, full, NULL, NULL, NULL, &e), -ERR_EXHAUSTED);
	close(full);
}

static void note(uint64_t done, uint64_t total, void *data)
{
	uint64_t *seen = data;

	assert_true(done > seen[0]);
	seen[0] = done;
	seen[1] = total;
}

static void progress_reaches_the_total(void **state)
{
	struct bundle_world *w = *state;
	uint64_t seen[2] = { 0 };
	uint8_t out[BUNDLE_DIGEST_LEN];
	struct err e;

	bundle_world_put(w->in_fd, "a", "12345");
	bundle_world_put(w->in_fd, "b", "678");
	assert_ok(bundle_digest(w->in_fd, &(struct bundle_progress){ note, seen }, out, &e), e);
	assert_int_equal(seen[0], 8);
	assert_int_equal(seen[1], 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BUNDLE_WORLD_ROW(a_directory_comes_back_as_it_was),
		BUNDLE_WORLD_ROW(the_digest_is_that_of_the_file),
		BUNDLE_WORLD_ROW(a_file_of_memory_goes_along),
		BUNDLE_WORLD_ROW(neither_times_nor_order_nor_empty_folders_matter),
		BUNDLE_WORLD_ROW(modes_of_files_matter_and_those_of_folders_do_not),
		BUNDLE_WORLD_ROW(an_empty_directory_is_a_bundle),
		BUNDLE_WORLD_ROW(only_files_and_directories_are_bundled),
		BUNDLE_WORLD_ROW(depth_at_its_limit),
		BUNDLE_WORLD_ROW(a_reader_that_went_away_is_an_error),
		BUNDLE_WORLD_ROW(progress_reaches_the_total),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
