/* SPDX-License-Identifier: Apache-2.0 */
/* The boot configuration: whatever the host puts into `environment`, it is read or refused. */
#include "agent/core/config.h"
#include "common/base/cleanup.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct config c = { .options = { .certs_dir = "/etc/certs" } };
	CLEANUP(free) uint8_t *canonical = NULL;
	size_t out;
	struct err e;

	if (len > BOOTCONFIG_FILE_MAX)
		return 0;
	for (int i = 0; i < BOOTCONFIG_FILES; i++) {
		c.boot.files[i].bytes = calloc(1, len + 1);
		c.boot.files[i].len = i == BOOTCONFIG_ENVIRONMENT ? len : 0;
	}
	if (len > 0)
		memcpy(c.boot.files[BOOTCONFIG_ENVIRONMENT].bytes, bytes, len);
	if (config_read(&c, &e) == 0)
		assert(c.cvm_url && c.asset_max > 0 && !c.cvm_cert == !c.cvm_key);
	assert(bootconfig_canonical(&c.boot, &canonical, &out, &e) == 0);
	config_done(&c);
	return 0;
}
