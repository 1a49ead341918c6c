/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/verity.h"

#include "common/base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dm-ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#define VERITY_NAME   "root"
#define VERITY_DEVICE "/dev/dm-0" /* the only device-mapper device of the image */

int verity_parse(const char *text, struct verity *verity, struct err *e)
{
	static const char first[] = "data_blocks ", second[] = "\nroot_hash ";
	struct verity v = { .data_blocks = 0 };
	const char *at = text;

	if (strncmp(at, first, strlen(first)) != 0)
		return err_set(e, ERR_INVALID, "root description: no data_blocks");
	at += strlen(first);
	if (*at == '0')
		return err_set(e, ERR_INVALID, "root description: data_blocks out of range");
	for (; *at >= '0' && *at <= '9'; at++) {
		v.data_blocks = v.data_blocks * 10 + (uint32_t)(*at - '0');
		if (v.data_blocks > VERITY_BLOCKS_MAX)
			return err_set(e, ERR_INVALID,
				       "root description: data_blocks out of range");
	}
	if (v.data_blocks == 0 || strncmp(at, second, strlen(second)) != 0)
		return err_set(e, ERR_INVALID, "root description: no root_hash");
	at += strlen(second);
	if (strspn(at, "0123456789abcdef") != sizeof(v.root_hash) - 1 ||
	    strcmp(at + sizeof(v.root_hash) - 1, "\n") != 0)
		return err_set(e, ERR_INVALID, "root description: root_hash is not SHA-256");
	memcpy(v.root_hash, at, sizeof(v.root_hash) - 1);
	*verity = v;
	return 0;
}

/* The kernel's form: this header, then for a table one target and its parameters. */
struct verity_call {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char params[512];
};

static struct verity_call call_for(uint32_t flags)
{
	struct verity_call call = { .head = { .version = { DM_VERSION_MAJOR, 0, 0 },
					      .data_size = sizeof(struct verity_call),
					      .data_start = offsetof(struct verity_call, target),
					      .flags = flags } };

	memcpy(call.head.name, VERITY_NAME, sizeof(VERITY_NAME));
	return call;
}

static int verity_map(const struct verity *verity, const char *disk, struct err *e)
{
	CLEANUP(close) int control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	struct verity_call create = call_for(DM_READONLY_FLAG);
	struct verity_call load = call_for(DM_READONLY_FLAG);
	struct verity_call resume = call_for(0);
	int len;

	if (control < 0)
		return err_errno(e, "open device mapper");
	load.head.target_count = 1;
	load.target.length = (uint64_t)verity->data_blocks * (VERITY_BLOCK / 512);
	memcpy(load.target.target_type, "verity", sizeof("verity"));
	/* Version 1, data and hashes on one disk, the tree right after the data, no salt. */
	len = snprintf(load.params, sizeof(load.params),
		       "1 %s %s %d %d %" PRIu32 " %" PRIu32
		       " sha256 %s - 2 panic_on_corruption panic_on_error",
		       disk, disk, VERITY_BLOCK, VERITY_BLOCK, verity->data_blocks,
		       verity->data_blocks, verity->root_hash);
	if (len < 0 || (size_t)len >= sizeof(load.params))
		return err_set(e, ERR_INVALID, "verity table is too long");
	if (ioctl(control, DM_DEV_CREATE, &create) < 0)
		return err_errno(e, "make the verity device");
	if (ioctl(control, DM_TABLE_LOAD, &load) < 0)
		return err_errno(e, "load the verity table for '%s'", disk);
	if (ioctl(control, DM_DEV_SUSPEND, &resume) < 0)
		return err_errno(e, "start the verity device");
	return 0;
}

int verity_mount(const struct verity *verity, const char *disk, const char *target, struct err *e)
{
	if (verity_map(verity, disk, e) < 0)
		return err_code(e);
	if (mount(VERITY_DEVICE, target, "erofs", MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0)
		return err_errno(e, "mount the root");
	return 0;
}
