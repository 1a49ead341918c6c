/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/keeper/keeper_devices.h"

#include "attestation/provider/provider.h"
#include "attestation/provider/provider_tsm.h"
#include "common/base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

DEFINE_CLEANUP(DIR *, closedir)

/* One, or each that a folder has. */
static int give(const char *path, uint32_t user, struct err *e)
{
	if (chown(path, user, user) == 0)
		return 0;
	return errno == ENOENT || errno == ENOTDIR ? 0
						   : err_errno(e, "give '%s' to the keeper", path);
}

static int give_files(const char *folder, uint32_t user, struct err *e)
{
	CLEANUP(closedir) DIR *dir = opendir(folder);
	const struct dirent *item;
	char path[512];

	if (!dir)
		return errno == ENOENT ? 0 : err_errno(e, "open '%s'", folder);
	for (errno = 0; (item = readdir(dir)); errno = 0) {
		if (item->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, item->d_name);
		if (give(path, user, e) < 0)
			return err_code(e);
	}
	return errno ? err_errno(e, "list '%s'", folder) : 0;
}

/* configfs says ENXIO where no TEE has registered, and the folder is missing without the module. */
static int give_entry(const char *name, uint32_t user, struct err *e)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", provider_kernel_paths.tsm, name);
	if (mkdir(path, 0700) < 0)
		return errno == ENXIO || errno == ENOENT ? 0 : err_errno(e, "make '%s'", path);
	if (give_files(path, user, e) < 0)
		return err_code(e);
	return give(path, user, e);
}

int keeper_devices_give(uint32_t user, struct err *e)
{
	static const char *const single[] = {
		"/dev/tpmrm0",
		"/dev/sev-guest",
		"/sys/kernel/security/tpm0/binary_bios_measurements",
		"/sys/kernel/security/ima/binary_runtime_measurements",
		"/sys/firmware/acpi/tables/data/CCEL",
	};

	for (size_t i = 0; i < ARRAY_LEN(single); i++)
		if (give(single[i], user, e) < 0)
			return err_code(e);
	/* Of the folder itself, so that the kernel's answer to a new entry is that there is no TEE, and
	 * never that the keeper may not ask. */
	if (give(provider_kernel_paths.tsm, user, e) < 0)
		return err_code(e);
	if (give_files(provider_kernel_paths.measurements, user, e) < 0 ||
	    give_entry(TSM_READY, user, e) < 0)
		return err_code(e);
	return give_entry(TSM_READY_SERVICE, user, e);
}
