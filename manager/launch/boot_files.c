/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/boot_files.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/manifest/bootdisk.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int own(const char *path, const struct virt_host *host, struct err *e)
{
	if (host->has_owner && chown(path, host->uid, host->gid) < 0)
		return err_errno(e, "give '%s' to QEMU's user", path);
	return 0;
}

static int make_dir(const char *path, struct err *e)
{
	return mkdir(path, 0700) < 0 ? err_errno(e, "make '%s'", path) : 0;
}

static int make_disk(const char *path, const struct bootconfig *boot, const struct virt_host *host,
		     struct err *e)
{
	uint8_t *bytes;
	int failed;

	if (bootdisk_form(boot, &bytes, e) < 0)
		return err_code(e);
	failed = file_write_new(path, bytes, BOOTDISK_SIZE, 0600, e);
	explicit_bzero(bytes, BOOTDISK_SIZE);
	free(bytes);
	return failed ? failed : own(path, host, e);
}

static int write_file(const struct bootconfig *boot, enum bootconfig_file file, const char *dir,
		      const struct virt_host *host, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (!boot->files[file].bytes)
		return 0;
	if (text_format(&path, e, "%s/%s", dir, bootconfig_name(file)) < 0 ||
	    file_write_new(path, boot->files[file].bytes, boot->files[file].len, 0600, e) < 0)
		return err_code(e);
	return own(path, host, e);
}

static int make_shares(const struct boot_paths *paths, const struct bootconfig *boot,
		       const struct virt_host *host, struct err *e)
{
	if (make_dir(paths->env, e) < 0 || make_dir(paths->certs, e) < 0)
		return err_code(e);
	for (enum bootconfig_file file = 0; file < BOOTCONFIG_FILES; file++)
		if (write_file(boot, file,
			       file == BOOTCONFIG_ENVIRONMENT ? paths->env : paths->certs, host,
			       e) < 0)
			return err_code(e);
	return own(paths->env, host, e) < 0 ? err_code(e) : own(paths->certs, host, e);
}

/* Only root can enter the folder until everything is in it. */
int boot_files_make(const struct boot_paths *paths, const struct bootconfig *boot,
		    const struct virt_host *host, struct err *e)
{
	int failed;

	if (make_dir(paths->folder, e) < 0)
		return err_code(e);
	failed = paths->disk ? make_disk(paths->disk, boot, host, e)
			     : make_shares(paths, boot, host, e);
	return failed ? failed : own(paths->folder, host, e);
}

enum { VOLUME_NAME_MAX = 64 };

static void volume_name(const char *id, char name[VOLUME_NAME_MAX])
{
	snprintf(name, VOLUME_NAME_MAX, "cocos-%s.img", id);
}

int boot_files_send(const struct vm_host *to, const char *id, const struct bootconfig *boot,
		    char path[VIRT_PATH_MAX], struct err *e)
{
	char name[VOLUME_NAME_MAX];
	uint8_t *bytes;
	int failed;

	volume_name(id, name);
	if (bootdisk_form(boot, &bytes, e) < 0)
		return err_code(e);
	failed = virt_volume_make(
		to->virt,
		&(struct virt_volume){
			.pool = to->row.pool, .name = name, .bytes = bytes, .len = BOOTDISK_SIZE },
		path, e);
	explicit_bzero(bytes, BOOTDISK_SIZE);
	free(bytes);
	return failed;
}

int boot_files_take_back(const struct vm_host *from, const char *id, struct err *e)
{
	char name[VOLUME_NAME_MAX];

	volume_name(id, name);
	return virt_volume_remove(from->virt, from->row.pool, name, e);
}
