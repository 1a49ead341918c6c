/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/file_view.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* A pipe can be opened only once, so this comes first. */
static bool is_regular(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

/* True if the file is mapped; then `view` is filled. */
static bool map(const char *path, size_t max, struct file_view *view)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	void *bytes;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    (uint64_t)st.st_size > max)
		return false;
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return false;
	*view = (struct file_view){ bytes, (size_t)st.st_size, true };
	return true;
}

int file_view_open(const char *path, size_t max, struct file_view *view, struct err *e)
{
	uint8_t *bytes;
	size_t len;

	if (is_regular(path) && map(path, max, view))
		return 0;
	if (file_read(path, max, &bytes, &len, e) < 0) /* which says why */
		return err_code(e);
	*view = (struct file_view){ bytes, len, false };
	return 0;
}

void file_view_done(struct file_view *view)
{
	if (view->mapped)
		munmap((void *)(uintptr_t)view->bytes, view->len);
	else
		free((void *)(uintptr_t)view->bytes);
	*view = (struct file_view){ 0 };
}
