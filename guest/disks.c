/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/disks.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

DEFINE_CLEANUP(DIR *, closedir)

enum {
	SERIAL_MAX = 20, /* VIRTIO_BLK_ID_BYTES */
	WAIT_MS = 10000,
	STEP_MS = 10,
};

/* "vda" to "vdzz". */
static bool is_virtio(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	size_t len = strlen(name);

	return len >= 3 && len <= 4 && strncmp(name, "vd", 2) == 0 &&
	       strspn(name + 2, letters) == len - 2;
}

static int has_serial(int folder, const char *name, const char *serial, bool *has, struct err *e)
{
	CLEANUP(close) int fd = -1;
	char path[DISKS_PATH_MAX], text[SERIAL_MAX + 1];
	ssize_t len;

	snprintf(path, sizeof(path), "%s/serial", name);
	fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (len < 0)
		return err_errno(e, "read the serial number of disk '%s'", name);
	*has = (size_t)len == strlen(serial) && memcmp(text, serial, (size_t)len) == 0;
	return 0;
}

/* Devices get their names in the order of their places: "vdb" comes before "vdaa". */
static bool before(const char *a, const char *b)
{
	return strlen(a) != strlen(b) ? strlen(a) < strlen(b) : strcmp(a, b) < 0;
}

/* What is asked of a disk: that number, or another one. */
struct wish {
	const char *serial;
	bool other;
};

static int look(const struct wish *wish, DIR *dir, char best[NAME_MAX + 1], struct err *e)
{
	const struct dirent *item;
	int more, count = 0;

	while ((more = dir_next(dir, &item, e)) > 0) {
		bool has;

		if (!is_virtio(item->d_name))
			continue;
		if (++count > DISKS_MAX)
			return err_set(e, ERR_EXHAUSTED, "more than %d disks", DISKS_MAX);
		if (has_serial(dirfd(dir), item->d_name, wish->serial, &has, e) < 0)
			return err_code(e);
		if (has == wish->other)
			continue;
		if (has && *best)
			return err_set(e, ERR_INVALID, "two disks have the serial number '%s'",
				       wish->serial);
		if (!*best || before(item->d_name, best))
			snprintf(best, NAME_MAX + 1, "%s", item->d_name);
	}
	return more;
}

static int find(const char *folder, const struct wish *wish, char path[DISKS_PATH_MAX],
		struct err *e)
{
	CLEANUP(closedir) DIR *dir = dir_entries(open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	char best[NAME_MAX + 1] = "";

	if (!dir)
		return err_errno(e, "open '%s'", folder);
	if (look(wish, dir, best, e) < 0)
		return err_code(e);
	*path = '\0';
	if (*best)
		snprintf(path, DISKS_PATH_MAX, "/dev/%.4s", best);
	return 0;
}

int disks_find(const char *folder, const char *serial, char path[DISKS_PATH_MAX], struct err *e)
{
	return find(folder, &(struct wish){ .serial = serial }, path, e);
}

int disks_first_but(const char *folder, const char *serial, char path[DISKS_PATH_MAX],
		    struct err *e)
{
	return find(folder, &(struct wish){ .serial = serial, .other = true }, path, e);
}

int disks_await(disks_finder *find_it, const char *serial, const char *missing,
		char path[DISKS_PATH_MAX], struct err *e)
{
	for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
		const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

		if (find_it(DISKS_FOLDER, serial, path, e) < 0)
			return err_code(e);
		if (*path && access(path, F_OK) == 0)
			return 0;
		nanosleep(&step, NULL);
	}
	return err_set(e, ERR_NOT_FOUND, "%s", missing);
}
