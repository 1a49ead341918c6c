/* SPDX-License-Identifier: Apache-2.0 */
/* A lock, and files that want to be its wheels: the lock's text, and then a name and a content for each
 * of them, with a zero byte after each. */
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/python/wheel.h"
#include "common/python/wheel_lock.h"
#include "tests/fuzz/pieces.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct python_target target = { 11, 36, "x86_64" };

/* As a folder could hold it. */
static bool put(int dir, const char *name, const char *content)
{
	CLEANUP(close) int fd = -1;
	struct err e;

	if (!*name || strchr(name, '/'))
		return false;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd >= 0 && fd_write_all(fd, content, strlen(content), &e) == 0;
}

/* A wheel that is taken has a row of the lock for itself, and is not taken again. */
static bool take(struct wheel_lock *lock, int dir, const char *name)
{
	struct wheel_name wheel;
	uint8_t sha256[SHA256_LEN];
	size_t before = 0, after = 0;
	struct err e = { 0 };

	for (size_t i = 0; i < lock->rows.count; i++)
		before += lock->met[i];
	if (wheel_lock_check(lock, dir, name, &target, sha256, &e) < 0) {
		assert(e.text[0]);
		return false;
	}
	for (size_t i = 0; i < lock->rows.count; i++)
		after += lock->met[i];
	assert(after == before + 1 && wheel_name_parse(name, &target, &wheel, &e) == 0);
	assert(strncmp(name, wheel.stem, strlen(wheel.stem)) == 0);
	assert(wheel_lock_check(lock, dir, name, &target, NULL, &e) < 0);
	return true;
}

static void take_all(struct wheel_lock *lock, int dir, struct span rest)
{
	struct err e = { 0 };
	size_t taken = 0;
	bool right = true;

	while (right) {
		CLEANUP(free) char *name = NULL;
		CLEANUP(free) char *content = NULL;

		if (!piece_next(&rest, &name) || !piece_next(&rest, &content))
			break;
		if (put(dir, name, content)) {
			right = take(lock, dir, name);
			taken += right;
		}
	}
	if (right)
		assert((wheel_lock_check_all(lock, &e) == 0) == (taken == lock->rows.count));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char top[] = "/dev/shm/fuzz-lock-XXXXXX";
	struct span rest = { bytes, len };
	CLEANUP(free) char *text = NULL;
	struct wheel_lock lock;
	struct err e = { 0 };

	if (!piece_next(&rest, &text) ||
	    wheel_lock_parse(text, strlen(text), &target, &lock, &e) < 0)
		return 0;
	assert(mkdtemp(top));
	int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(dir >= 0);
	take_all(&lock, dir, rest);
	close(dir);
	assert(dir_remove(top, &e) == 0);
	wheel_lock_done(&lock);
	return 0;
}
