/* SPDX-License-Identifier: Apache-2.0 */
/* bootconfig_name.c — the names alone, for init, which has no library of digests. */
#include "common/manifest/bootconfig.h"

static const char *const names[BOOTCONFIG_FILES] = {
	[BOOTCONFIG_ENVIRONMENT] = "environment",
	[BOOTCONFIG_CERT] = "cert.pem",
	[BOOTCONFIG_KEY] = "key.pem",
	[BOOTCONFIG_CA] = "ca.pem",
};

const char *bootconfig_name(enum bootconfig_file file)
{
	return names[file];
}
