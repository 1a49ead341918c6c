/* SPDX-License-Identifier: Apache-2.0 */
/* What init sets in the kernel, seen from outside: mount() and mkdir() do nothing, and what is opened is
 * remembered beside what is written to it. */
#include "common/base/cleanup.h"
#include "guest/mounts.h"
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { SETTINGS_MAX = 32 };

static struct {
	const char *path;
	int fd; /* another one of the file, for reading */
} opened[SETTINGS_MAX];
static size_t count;
static const char *refused; /* a path that can't be opened */
static const char *absent;  /* and one that is not there */

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *data);

int __wrap_open64(const char *path, int flags, ...)
{
	int fd;

	if (strncmp(path, "/proc/sys/", strlen("/proc/sys/")) != 0)
		return __real_open64(path, flags, 0);
	if (refused && strcmp(path, refused) == 0) {
		errno = EACCES;
		return -1;
	}
	if (absent && strcmp(path, absent) == 0) {
		errno = ENOENT;
		return -1;
	}
	assert_int_equal(flags & O_ACCMODE, O_WRONLY);
	assert_true(count < SETTINGS_MAX);
	fd = memfd_create(path, 0);
	assert_true(fd >= 0);
	opened[count].path = path;
	opened[count].fd = dup(fd);
	assert_true(opened[count++].fd >= 0);
	return fd;
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return 0;
}

int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *data)
{
	return 0;
}

static void forget(void)
{
	for (size_t i = 0; i < count; i++)
		close(opened[i].fd);
	count = 0;
}

static void assert_set(const char *path, const char *value)
{
	char text[16] = "";

	for (size_t i = 0; i < count; i++)
		if (strcmp(opened[i].path, path) == 0) {
			assert_int_equal(pread(opened[i].fd, text, sizeof(text) - 1, 0),
					 strlen(value));
			assert_string_equal(text, value);
			return;
		}
	fail_msg("%s is not set", path);
}

static void sysrq_is_off_from_the_first_moment(void **state)
{
	struct err e;

	assert_ok(mounts_early(&e), e);
	assert_int_equal(count, 1);
	assert_set("/proc/sys/kernel/sysrq", "0");
	forget();
	refused = "/proc/sys/kernel/sysrq";
	assert_refused(mounts_early(&e), e, ERR_DENIED, "/proc/sys/kernel/sysrq");
	refused = NULL;
	forget();
}

static void what_an_owner_of_the_machine_could_use_is_off(void **state)
{
	struct err e;

	assert_ok(mounts_harden(&e), e);
	assert_set("/proc/sys/kernel/modules_disabled", "1");
	assert_set("/proc/sys/kernel/kexec_load_disabled", "1");
	assert_set("/proc/sys/kernel/dmesg_restrict", "1");
	assert_set("/proc/sys/kernel/kptr_restrict", "2");
	forget();
	refused = "/proc/sys/kernel/kptr_restrict";
	assert_refused(mounts_harden(&e), e, ERR_DENIED, refused);
	refused = NULL;
	forget();
}

/* A kernel without modules has no switch for them. What every kernel has must be there. */
static void a_kernel_without_what_is_switched_off_is_taken(void **state)
{
	static const char *const features[] = { "/proc/sys/kernel/modules_disabled",
						"/proc/sys/kernel/kexec_load_disabled" };
	static const char *const needed[] = { "/proc/sys/kernel/dmesg_restrict",
					      "/proc/sys/kernel/hostname" };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		absent = features[i];
		assert_ok(mounts_harden(&e), e);
		assert_set("/proc/sys/kernel/kptr_restrict", "2");
		forget();
	}
	absent = "/proc/sys/kernel/sysrq";
	assert_ok(mounts_early(&e), e);
	assert_int_equal(count, 0);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		absent = needed[i];
		assert_refused(mounts_harden(&e), e, ERR_NOT_FOUND, absent);
		forget();
	}
	absent = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sysrq_is_off_from_the_first_moment),
		cmocka_unit_test(what_an_owner_of_the_machine_could_use_is_off),
		cmocka_unit_test(a_kernel_without_what_is_switched_off_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
