/* SPDX-License-Identifier: Apache-2.0 */
/* wheel_kit.h — bundles of requirements for tests: one wheel, x 1.0 for any machine, and its lock. */
#pragma once

#include "agent/python/python_env.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "common/bundle/bundle.h"
#include "common/crypto/digest.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHEEL_KIT_FILE "x-1.0-py3-none-any.whl"
#define WHEEL_KIT_SITE "lib/python3.11/site-packages"
/* clang-format off */
#define WHEEL_KIT_ROW(test) cmocka_unit_test_setup_teardown(test, wheel_kit_enter, wheel_kit_leave)
/* clang-format on */

static const struct python_env wheel_kit_env = {
	.target = { .minor = 11, .glibc = 36, .machine = "x86_64" },
	.interpreter = "/usr/bin/python3.11",
	.site = WHEEL_KIT_SITE,
	.system = "/nonexistent",
};

struct wheel_kit {
	char top[32], zip[64], out_path[64], image[64];
	int out, wheels; /* what is unpacked into; the wheels, before they are bundled */
};

static inline int wheel_kit_open(const char *path)
{
	struct err e;

	assert_ok(dir_make(path, 0755, &e), e);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static inline int wheel_kit_enter(void **state)
{
	struct wheel_kit *k = calloc(1, sizeof(*k));

	snprintf(k->top, sizeof(k->top), "/tmp/test-wheels-XXXXXX");
	if (!mkdtemp(k->top))
		return -1;
	snprintf(k->zip, sizeof(k->zip), "%s/x.zip", k->top);
	snprintf(k->out_path, sizeof(k->out_path), "%s/out", k->top);
	snprintf(k->image, sizeof(k->image), "%s/image", k->top);
	k->out = wheel_kit_open(k->out_path);
	k->wheels = -1;
	*state = k;
	return 0;
}

static inline int wheel_kit_leave(void **state)
{
	struct wheel_kit *k = *state;
	struct err e;
	int failed = dir_remove(k->top, &e);

	close(k->out);
	if (k->wheels >= 0)
		close(k->wheels);
	free(k);
	return failed;
}

/* Empty again; its descriptor stays the same number. */
static inline void wheel_kit_empty(struct wheel_kit *k)
{
	struct err e;

	assert_ok(dir_remove(k->out_path, &e), e);
	int fresh = wheel_kit_open(k->out_path);
	assert_int_equal(dup2(fresh, k->out), k->out);
	close(fresh);
}

static inline void wheel_kit_put(const char *folder, const char *name, const char *text)
{
	char path[256];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	*strrchr(path, '/') = '\0';
	assert_ok(dir_make(path, 0755, &e), e);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_ok(file_write(path, text, strlen(text), 0644, &e), e);
}

/* As an installer leaves it: the package x 1.0. */
static inline void wheel_kit_package(const char *top, const char *place, const char *metadata)
{
	char name[128];

	snprintf(name, sizeof(name), "%s/x-1.0.dist-info/METADATA", place);
	wheel_kit_put(top, name, metadata);
}

static inline void wheel_kit_pack(const char *folder, const char *zip)
{
	int dir = wheel_kit_open(folder), fd = open(zip, O_WRONLY | O_CREAT | O_EXCL, 0600);
	uint8_t sum[BUNDLE_DIGEST_LEN];
	uint64_t size;
	struct err e;

	assert_ok(bundle_make(dir, fd, NULL, &size, sum, &e), e);
	close(fd);
	close(dir);
}

/* A wheel with that one file, and in the bundle that lock; NULL for the right one. */
static inline void wheel_kit_bundle(struct wheel_kit *k, const char *file, const char *lock)
{
	char in[64], content[64], wheel[128], hex[2 * SHA256_LEN + 1], line[256];
	uint8_t sum[SHA256_LEN];
	struct err e;

	snprintf(in, sizeof(in), "%s/in", k->top);
	snprintf(content, sizeof(content), "%s/content", k->top);
	snprintf(wheel, sizeof(wheel), "%s/wheels", in);
	wheel_kit_put(content, file, "x = 1\n");
	k->wheels = wheel_kit_open(wheel);
	snprintf(wheel, sizeof(wheel), "%s/wheels/" WHEEL_KIT_FILE, in);
	wheel_kit_pack(content, wheel);
	assert_ok(digest_file(DIGEST_SHA256, wheel, sum, &e), e);
	hex_encode(sum, sizeof(sum), hex);
	snprintf(line, sizeof(line), "x==1.0 --hash=sha256:%s\n", hex);
	wheel_kit_put(in, "requirements.txt", "x\n");
	wheel_kit_put(in, "requirements.lock", lock ? lock : line);
	wheel_kit_pack(in, k->zip);
}
