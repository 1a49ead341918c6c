/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of container images, unpacked. Every digest is taken for right, or nothing would get far. */
#include "agent/container/unpack.h"
#include "common/base/file.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { MOST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
bool __wrap_bytes_equal(const void *a, const void *b, size_t len);

bool __wrap_bytes_equal(const void *a, const void *b, size_t len)
{
	return true;
}

/* Nothing appears beside the root, what is in it can be taken away, and what it says can be read. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP_WRITER struct writer run = writer_up_to(CONTAINER_RUN_MAX);
	char top[] = "/dev/shm/fuzz-container-XXXXXX", inside[64];
	struct container_run read;
	struct err e = { 0 };
	int archive = memfd_create("image", MFD_CLOEXEC);

	assert(mkdtemp(top) && archive >= 0 && fd_write_all(archive, bytes, len, &e) == 0);
	snprintf(inside, sizeof(inside), "%s/root", top);
	assert(mkdir(inside, 0755) == 0);
	int root = open(inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(root >= 0);
	if (unpack(archive, "amd64", root, MOST, &run, &e) == 0)
		assert(container_run_read(run.bytes, run.len, &read, &e) == 0);
	else
		assert(e.text[0]);
	close(root);
	close(archive);
	assert(dir_remove(inside, &e) == 0);
	assert(rmdir(top) == 0);
	return 0;
}
