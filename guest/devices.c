/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/devices.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "guest/console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(DIR *, closedir)

enum {
	NUMBER_MAX = 8, /* "0x020000", the longest of these files but for the line's end */
};

struct device {
	uint32_t vendor, device, class;
};

struct row {
	struct device device;
	bool shares; /* only where the boot configuration comes by 9p */
};

/* QEMU's q35, and what images are launched with; libvirt may put root ports in between, and what is behind these
 * is looked at, too. virtio's have a number of old (transitional) and one of today. */
/* clang-format off */
static const struct row rows[] = {
	{ { 0x8086, 0x29c0, 0x060000 }, false }, /* host bridge */
	{ { 0x8086, 0x2918, 0x060100 }, false }, /* ISA bridge: serial port, power management */
	{ { 0x8086, 0x2922, 0x010601 }, false }, /* SATA, which q35 always has: no disk is taken from it */
	{ { 0x8086, 0x2930, 0x0c0500 }, false }, /* SMBus, the same */
	{ { 0x1b36, 0x000c, 0x060400 }, false }, /* root port */
	{ { 0x1af4, 0x1000, 0x020000 }, false }, /* network card */
	{ { 0x1af4, 0x1041, 0x020000 }, false },
	{ { 0x1af4, 0x1001, 0x010000 }, false }, /* disk */
	{ { 0x1af4, 0x1042, 0x010000 }, false },
	{ { 0x1af4, 0x1009, 0x000200 }, true }, /* 9p */
	{ { 0x1af4, 0x1049, 0x000200 }, true },
};
/* clang-format on */

/* The kernel's form of it: "0x8086" and the line's end. */
static int number(int folder, const char *device, const char *file, uint32_t *value, struct err *e)
{
	CLEANUP(close) int fd = -1;
	char path[NAME_MAX + 16], text[NUMBER_MAX + 3];
	ssize_t len;
	char *end;

	snprintf(path, sizeof(path), "%s/%s", device, file);
	fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len < 0)
		return err_errno(e, "read the %s of PCI device %s", file, log_quote(device).text);
	text[len] = '\0';
	*value = (uint32_t)strtoul(text, &end, 16);
	if (len > NUMBER_MAX + 1 || strncmp(text, "0x", 2) != 0 || end == text + 2 ||
	    strcmp(end, "\n") != 0)
		return err_set(e, ERR_INVALID, "the %s of PCI device %s is no number", file,
			       log_quote(device).text);
	return 0;
}

static bool of_a_launch(const struct device *device, bool shares)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].device.vendor == device->vendor &&
		    rows[i].device.device == device->device &&
		    rows[i].device.class == device->class && (shares || !rows[i].shares))
			return true;
	return false;
}

/* 1: it is one of a launch's; 0: it is not, and a line says so. */
static int check(int folder, const char *name, bool shares, struct err *e)
{
	struct device device;

	if (number(folder, name, "vendor", &device.vendor, e) < 0 ||
	    number(folder, name, "device", &device.device, e) < 0 ||
	    number(folder, name, "class", &device.class, e) < 0)
		return err_code(e);
	if (of_a_launch(&device, shares))
		return 1;
	console_line("PCI device %s (%04x:%04x, class %06x) is of no launch", log_quote(name).text,
		     device.vendor, device.device, device.class);
	return 0;
}

static int check_each(DIR *dir, bool shares, int *others, struct err *e)
{
	const struct dirent *item;
	int more, count = 0;

	while ((more = dir_next(dir, &item, e)) > 0) {
		int is_ours;

		if (++count > DEVICES_MAX)
			return err_set(e, ERR_EXHAUSTED,
				       "more than %d PCI devices: launch with fewer", DEVICES_MAX);
		is_ours = check(dirfd(dir), item->d_name, shares, e);
		if (is_ours < 0)
			return err_code(e);
		*others += !is_ours;
	}
	return more;
}

int devices_check(const char *bus, bool shares, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(closedir) DIR *dir = NULL;
	int others = 0;

	if (text_format(&path, e, "%s/devices", bus) < 0)
		return err_code(e);
	dir = dir_entries(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (!dir)
		return err_errno(e, "open '%s'", path);
	if (check_each(dir, shares, &others, e) < 0)
		return err_code(e);
	if (others)
		return err_set(e, ERR_INVALID,
			       "PCI devices that no launch of this image has: %d, named above; "
			       "launch without them",
			       others);
	return 0;
}

int devices_close(const char *bus, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(close) int fd = -1;

	if (text_format(&path, e, "%s/drivers_autoprobe", bus) < 0)
		return err_code(e);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "open '%s'", path);
	return fd_write_all(fd, "0", 1, e);
}
