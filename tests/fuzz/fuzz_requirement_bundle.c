/* SPDX-License-Identifier: Apache-2.0 */
/* Requirements with their wheels, opened and installed. Every digest is taken for right, or no changed
 * wheel would get far. */
#include "agent/python/python_env.h"
#include "agent/python/requirement_bundle.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGITS_MIN = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int __real_strncasecmp(const char *a, const char *b, size_t n);
int __wrap_strncasecmp(const char *a, const char *b, size_t n);

static const struct python_env env = {
	.target = { 11, 36, "x86_64" },
	.interpreter = "/usr/bin/python3.11",
	.site = "lib/python3.11/site-packages",
	.system = "/nonexistent",
};

int __wrap_strncasecmp(const char *a, const char *b, size_t n)
{
	return n >= DIGITS_MIN ? 0 : __real_strncasecmp(a, b, n);
}

static int open_folder(const char *top, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	assert(mkdir(path, 0755) == 0);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(fd >= 0);
	return fd;
}

static void install(const char *top, int in)
{
	CLEANUP(close) int wheels = openat(in, "wheels", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(close) int into = open_folder(top, "env");
	struct err e = { 0 };

	assert(faccessat(in, "requirements.lock", R_OK, 0) == 0);
	assert(python_env_make(&env, into, &e) == 0);
	if (wheels >= 0 && python_env_install(&env, into, wheels, NULL, &e) < 0)
		assert(e.text[0]);
}

/* Nothing appears beside the folders, and what is in them can be taken away. */
/* Each is there, under its own name and once. */
static void check_wheels(const struct requirement_wheels *wheels, int in)
{
	char path[320];

	assert(wheels->count <= REQUIREMENT_BUNDLE_WHEELS_MAX);
	for (size_t i = 0; i < wheels->count; i++) {
		snprintf(path, sizeof(path), "wheels/%s", wheels->items[i].name);
		assert(faccessat(in, path, R_OK, 0) == 0);
		assert(!i || strcmp(wheels->items[i - 1].name, wheels->items[i].name) < 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char top[] = "/dev/shm/fuzz-wheels-XXXXXX", path[64];
	struct err e = { 0 };
	struct requirement_wheels wheels = { .count = 0 };
	int zip = memfd_create("zip", MFD_CLOEXEC);

	assert(zip >= 0 && fd_write_all(zip, bytes, len, &e) == 0 && mkdtemp(top));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", zip);
	int in = open_folder(top, "in");
	if (requirement_bundle_open(path, in, &env.target, NULL, &wheels, &e) == 0) {
		assert(requirement_bundle_is(bytes, len));
		check_wheels(&wheels, in);
		requirement_wheels_done(&wheels);
		install(top, in);
		snprintf(path, sizeof(path), "%s/env", top);
		assert(dir_remove(path, &e) == 0);
	} else {
		assert(e.text[0]);
	}
	close(in);
	close(zip);
	snprintf(path, sizeof(path), "%s/in", top);
	assert(dir_remove(path, &e) == 0);
	assert(rmdir(top) == 0);
	return 0;
}
