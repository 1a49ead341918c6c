/* SPDX-License-Identifier: Apache-2.0 */
/* Zip archives, unpacked. */
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/bundle/bundle.h"

#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What unpacks stays inside and within its limits; what fails leaves nothing. */
static void extract(const char *zip, const char *strip)
{
	static const char *const reserved[] = { "reserved", NULL };
	const struct bundle_limits limits = {
		.entries = 64, .bytes = 4 << 20, .ratio = 50, .reserved = reserved, .strip = strip
	};
	char top[] = "/dev/shm/fuzz-bundle-XXXXXX", inside[64];
	struct err e = { 0 };

	assert(mkdtemp(top));
	snprintf(inside, sizeof(inside), "%s/in", top);
	assert(mkdir(inside, 0700) == 0);
	int dir = open(inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(dir >= 0);
	if (bundle_extract(zip, dir, &limits, &e) < 0)
		assert(rmdir(inside) == 0); /* empty */
	else
		assert(dir_remove(inside, &e) == 0);
	close(dir);
	assert(rmdir(top) == 0); /* nothing next to it */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char path[64];
	struct err e = { 0 };
	int zip = memfd_create("zip", MFD_CLOEXEC);

	assert(zip >= 0 && fd_write_all(zip, bytes, len, &e) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", zip);
	extract(path, NULL);
	extract(path, "d");
	close(zip);
	return 0;
}
