/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init.c — the first process of the guest image: boots, starts the agent, powers off.
 *
 * What it does is the table below, in that order. Any step that fails stops the boot with one line
 * and powers off; there is no shell to fall into.
 */
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "guest/bootdisk.h"
#include "guest/cmdline.h"
#include "guest/console.h"
#include "guest/devices.h"
#include "guest/disks.h"
#include "guest/groups.h"
#include "guest/ima.h"
#include "guest/modules.h"
#include "guest/mounts.h"
#include "guest/reaper.h"
#include "guest/shares.h"
#include "guest/verity.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define VERITY_FILE "/root.verity" /* in the initrd of an image whose root is a disk */
#define SHARES_FILE "/from-shares" /* in that of an image that takes 9p shares and no boot disk */

static int check_cmdline(struct err *e)
{
	CLEANUP(free) char *line = NULL;

	if (file_read_text("/proc/cmdline", CMDLINE_MAX + 1, &line, e) < 0)
		return err_code(e);
	return cmdline_check(line, strlen(line), e);
}

/* The kernel opened its console for us if it has one. Without one, lines go to /dev/null, and
 * never to a file that happens to get one of the standard descriptors. */
static int fill_descriptors(struct err *e)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
		;
	if (fd < 0)
		return err_errno(e, "open /dev/null");
	close(fd);
	return 0;
}

/* Which form of what the host gives to the agent this image takes: its own choice, and never the host's. */
static int from_shares(bool *shares, struct err *e)
{
	*shares = access(SHARES_FILE, F_OK) == 0;
	return *shares || errno == ENOENT ? 0 : err_errno(e, "look for '%s'", SHARES_FILE);
}

static int check_devices(struct err *e)
{
	bool shares;

	return from_shares(&shares, e) < 0 ? err_code(e) : devices_check(DEVICES_BUS, shares, e);
}

/* A kernel that can load none has all that the image needs built in. */
static int load_modules(struct err *e)
{
	if (access("/proc/sys/kernel/modules_disabled", F_OK) == 0 || errno != ENOENT)
		if (modules_load("/modules", e) < 0)
			return err_code(e);
	return devices_close(DEVICES_BUS, e);
}

/* A root on a disk is mounted. A root in the initrd becomes its own mount, which pivot_root()
 * and user namespaces need later. */
static int prepare_root(struct err *e)
{
	CLEANUP(free) char *text = NULL;
	struct verity verity;
	char disk[DISKS_PATH_MAX];

	if (access(VERITY_FILE, F_OK) < 0) {
		if (errno != ENOENT)
			return err_errno(e, "look for '%s'", VERITY_FILE);
		if (mount(MOUNTS_ROOT, MOUNTS_ROOT, NULL, MS_BIND, NULL) < 0)
			return err_errno(e, "mount the root");
		return 0;
	}
	if (file_read_text(VERITY_FILE, VERITY_TEXT_MAX, &text, e) < 0 ||
	    verity_parse(text, &verity, e) < 0 ||
	    disks_await(disks_first_but, BOOTDISK_SERIAL,
			"the root disk is missing: launch with it", disk, e) < 0)
		return err_code(e);
	if (mkdir(MOUNTS_ROOT, 0755) < 0 && errno != EEXIST)
		return err_errno(e, "make '%s'", MOUNTS_ROOT);
	return verity_mount(&verity, disk, MOUNTS_ROOT, e);
}

static int take_given(struct err *e)
{
	bool shares;

	if (from_shares(&shares, e) < 0)
		return err_code(e);
	return shares ? shares_take(e) : bootdisk_take(e);
}

/* Devices are checked before a module is loaded for them, and once more when no driver takes any that comes: one that
 * was plugged in between may have found its driver. */
static int (*const steps[])(struct err *e) = {
	mounts_early, fill_descriptors, ima_load,           check_cmdline, check_devices,
	load_modules, check_devices,    prepare_root,       mounts_late,   groups_delegate,
	take_given,   mounts_harden,    mounts_switch_root,
};

int main(void)
{
	struct err e = { .code = ERR_OK };
	struct net net;
	char line[128];

	if (getpid() != 1) {
		fputs("cocos-init: the first process of the guest image, and nothing else\n",
		      stderr);
		return 2;
	}
	umask(022);
	if (console_deafen(&e) < 0)
		console_stop_boot(&e);
	console_line("started");
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (steps[i](&e) < 0)
			console_stop_boot(&e);
	console_line("root is up");
	if (net_start(&net, &e) < 0 || reaper_run(&net, line, sizeof(line), &e) < 0)
		console_stop_boot(&e);
	console_line("%s: powering off", line);
	console_power_off();
}
