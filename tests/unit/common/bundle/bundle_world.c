/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/common/bundle/bundle_world.h"

#include "common/base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int bundle_world_enter(void **state)
{
	struct bundle_world *w = calloc(1, sizeof(*w));

	snprintf(w->top, sizeof(w->top), "/tmp/test-bundle-XXXXXX");
	if (!mkdtemp(w->top))
		return -1;
	snprintf(w->in, sizeof(w->in), "%s/in", w->top);
	snprintf(w->out, sizeof(w->out), "%s/out", w->top);
	snprintf(w->zip, sizeof(w->zip), "%s/x.zip", w->top);
	mkdir(w->in, 0700);
	mkdir(w->out, 0700);
	w->in_fd = open(w->in, O_RDONLY | O_DIRECTORY);
	w->out_fd = open(w->out, O_RDONLY | O_DIRECTORY);
	*state = w;
	return w->in_fd < 0 || w->out_fd < 0 ? -1 : 0;
}

int bundle_world_leave(void **state)
{
	struct bundle_world *w = *state;
	struct err e;

	close(w->in_fd);
	close(w->out_fd);
	int result = dir_remove(w->top, &e);
	free(w);
	return result;
}

void bundle_world_put(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL, 0640);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

void bundle_world_holds(int dir, const char *path, const char *text)
{
	char got[4096] = { 0 };
	int fd = openat(dir, path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, got, sizeof(got) - 1), strlen(text));
	assert_string_equal(got, text);
	close(fd);
}

void bundle_world_is_empty(const struct bundle_world *w)
{
	assert_int_equal(rmdir(w->out), 0); /* says whether it was */
	assert_int_equal(mkdir(w->out, 0700), 0);
	int fresh = open(w->out, O_RDONLY | O_DIRECTORY);
	assert_int_equal(dup2(fresh, w->out_fd), w->out_fd);
	close(fresh);
}

void bundle_world_pack(const struct bundle_world *w)
{
	struct err e;
	int fd = open(w->zip, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_ok(bundle_make(w->in_fd, fd, NULL, NULL, NULL, &e), e);
	close(fd);
}
