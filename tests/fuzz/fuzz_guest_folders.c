/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What init finds in folders that say what the host gave: PCI devices and disks of the machine (sysfs), and a
 * share's files (9p). Input: a byte for which of them, then entries, each a kind (1), a name and its texts, each
 * length (1) content. Of a share's files the second text is a number to which the file is lengthened, in units of
 * 32 bytes.
 */
#include "common/base/bytes.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/reader.h"
#include "common/base/span.h"
#include "guest/console.h"
#include "guest/devices.h"
#include "guest/disks.h"
#include "guest/shares.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { FOLDER_DEVICES, FOLDER_DEVICES_SHARES, FOLDER_DISKS, FOLDER_SHARE, FOLDERS };
enum { ENTRY_WHOLE, ENTRY_LINK, ENTRY_FOLDER, ENTRY_PIPE, ENTRIES };
enum { NUMBERS = 3, LONGER = 32, PATH_ROOM = 640 };

static char folder[] = "/dev/shm/fuzz-folders-XXXXXX";
static bool is_ready;

/* What is said of a device is one line that a terminal may show. */
void __wrap_console_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void __wrap_console_line(const char *fmt, ...)
{
	char text[768];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	assert(len > 0 && (size_t)len < sizeof(text));
	for (const char *c = text; *c; c++)
		assert(isprint((unsigned char)*c));
}

static void path_of(char path[PATH_ROOM], const char *inside, const char *file)
{
	snprintf(path, PATH_ROOM, "%s/%s%s%s", folder, inside, *file ? "/" : "", file);
}

static void remove_folder(void)
{
	struct err ignored;

	(void)!dir_remove(folder, &ignored);
}

static void empty(void)
{
	static const char *const names[] = { "", "from", "to", "devices" };

	if (is_ready)
		remove_folder();
	else
		assert(mkdtemp(folder) && rmdir(folder) == 0 && atexit(remove_folder) == 0);
	is_ready = true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[PATH_ROOM];

		path_of(path, names[i], "");
		assert(mkdir(path, 0700) == 0);
	}
}

/* A name that a folder can have; others are left out. */
static bool take_name(struct reader *r, char name[256])
{
	size_t len = reader_u8(r);
	const uint8_t *bytes = reader_take(r, len);

	if (!bytes || !len || memchr(bytes, '\0', len) || memchr(bytes, '/', len))
		return false;
	memcpy(name, bytes, len);
	name[len] = '\0';
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static void put(const char *where, const char *file, struct span text)
{
	char path[PATH_ROOM];
	struct err e;

	path_of(path, where, file);
	(void)!file_write(path, text.bytes, text.len, 0600, &e); /* absent, if its folder is */
}

static struct span take_text(struct reader *r)
{
	size_t len = reader_u8(r);

	return (struct span){ reader_take(r, len), len };
}

static void put_sysfs(struct reader *r, const char *where, const char *name,
		      const char *const files[], size_t count)
{
	char inside[300], path[PATH_ROOM];

	snprintf(inside, sizeof(inside), "%s/%s", where, name);
	path_of(path, inside, "");
	(void)!mkdir(path, 0700);
	for (size_t i = 0; i < count; i++) {
		struct span text = take_text(r);

		if (text.bytes)
			put(inside, files[i], text);
	}
}

static void put_shared(struct reader *r, uint8_t kind, const char *name)
{
	struct span text = take_text(r), more = take_text(r);
	char path[PATH_ROOM];

	path_of(path, "from", name);
	if (kind % ENTRIES == ENTRY_LINK)
		(void)!symlink("/etc/passwd", path);
	else if (kind % ENTRIES == ENTRY_FOLDER)
		(void)!mkdir(path, 0700);
	else if (kind % ENTRIES == ENTRY_PIPE)
		(void)!mkfifo(path, 0600);
	else if (text.bytes)
		put("from", name, text);
	if (kind % ENTRIES == ENTRY_WHOLE && more.bytes && more.len == 2)
		(void)!truncate(path, (off_t)bytes_be(more.bytes, 2) * LONGER);
}

static void check_text(int failed, const struct err *e)
{
	assert(!failed || (*e->text && !strchr(e->text, '\n')));
}

/* Of what was copied: plain files within the limits, of those that were there, for the agent to read alone. */
static void check_copies(void)
{
	char path[PATH_ROOM];
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	path_of(path, "to", "");
	dir = opendir(path);
	assert(dir);
	while ((entry = readdir(dir))) {
		struct stat copy, given;

		if (entry->d_name[0] == '.')
			continue;
		path_of(path, "to", entry->d_name);
		assert(lstat(path, &copy) == 0 && S_ISREG(copy.st_mode));
		path_of(path, "from", entry->d_name);
		assert(lstat(path, &given) == 0 && S_ISREG(given.st_mode));
		assert((copy.st_mode & 07777) == 0400 && copy.st_size == given.st_size);
		assert(copy.st_size <= SHARES_FILE_MAX && ++count <= SHARES_FILES_MAX);
	}
	closedir(dir);
}

static void look(uint8_t which)
{
	char path[PATH_ROOM], to[PATH_ROOM], disk[DISKS_PATH_MAX];
	struct err e = { .text = "" };
	int failed;

	path_of(path, "from", "");
	path_of(to, "to", "");
	if (which == FOLDER_SHARE) {
		failed = shares_copy(path, to, (uid_t)-1, &e);
		if (!failed)
			check_copies();
	} else if (which == FOLDER_DISKS) {
		failed = disks_find(path, "cocos-boot", disk, &e);
		assert(failed || !*disk || strncmp(disk, "/dev/vd", 7) == 0);
		check_text(failed, &e);
		failed = disks_first_but(path, "cocos-boot", disk, &e);
		assert(failed || !*disk || strncmp(disk, "/dev/vd", 7) == 0);
	} else {
		failed = devices_check(folder, which == FOLDER_DEVICES_SHARES, &e);
		check_text(failed, &e);
		failed = devices_close(folder, &e);
	}
	check_text(failed, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const numbers[NUMBERS] = { "vendor", "device", "class" };
	static const char *const serial = "serial";
	struct reader r = reader_over(bytes, len);
	uint8_t which = reader_u8(&r) % FOLDERS;

	empty();
	while (reader_ok(&r) && reader_left(&r)) {
		uint8_t kind = reader_u8(&r);
		char name[256];

		if (!take_name(&r, name))
			break;
		if (which == FOLDER_SHARE)
			put_shared(&r, kind, name);
		else if (which == FOLDER_DISKS)
			put_sysfs(&r, "from", name, &serial, 1);
		else if (kind % ENTRIES == ENTRY_WHOLE)
			put_sysfs(&r, "devices", name, numbers, NUMBERS);
		else /* a file of the bus itself: drivers_autoprobe */
			put("", name, (struct span){ bytes, 0 });
	}
	look(which);
	return 0;
}
