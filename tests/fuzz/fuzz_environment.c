/* SPDX-License-Identifier: Apache-2.0 */
/* The boot configuration: whatever the host puts into `environment`, and beside it into its share, it
 * is read or refused. A byte 0x1e ends a file; those that are missing are not there. */
#include "agent/core/config.h"
#include "common/base/cleanup.h"
#include "common/manifest/bootconfig.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SEPARATOR = 0x1e };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* With a zero behind, as file_read() puts one. */
static void split(struct bootconfig *boot, const uint8_t *bytes, size_t len)
{
	const uint8_t *end = bytes + len;

	for (int i = 0; i < BOOTCONFIG_FILES && bytes; i++) {
		const uint8_t *stop = len ? memchr(bytes, SEPARATOR, (size_t)(end - bytes)) : NULL;
		size_t size = (size_t)((stop ? stop : end) - bytes);

		boot->files[i].bytes = calloc(1, size + 1);
		assert(boot->files[i].bytes);
		if (size)
			memcpy(boot->files[i].bytes, bytes, size);
		boot->files[i].len = size;
		bytes = stop ? stop + 1 : NULL;
	}
}

/* A word of the command line is found whole, and only so. */
static void check_words(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) char *line = strndup(len ? (const char *)bytes : "", len);

	assert(line);
	if (config_has_word(line, CONFIG_ROLE_SIGNATURE_WORD))
		assert(strstr(line, CONFIG_ROLE_SIGNATURE_WORD));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct config c = { .options = { .certs_dir = "/run/share/" } };
	CLEANUP(free) uint8_t *canonical = NULL;
	struct bootconfig_digests digests;
	size_t out;
	struct err e;

	if (len > BOOTCONFIG_FILE_MAX)
		return 0;
	split(&c.boot, bytes, len);
	check_words(bytes, len);
	/* What is named is what was measured. */
	if (config_read(&c, &e) == 0)
		assert(c.cvm_url && c.asset_max > 0 && !c.cvm_cert == !c.cvm_key &&
		       !c.cvm_ca == !config_pem(&c, c.cvm_ca) &&
		       !c.cvm_key == !config_pem(&c, c.cvm_key));
	assert(bootconfig_canonical(&c.boot, &canonical, &out, &e) == 0);
	assert(bootconfig_digest(&c.boot, &digests, &e) == 0);
	config_done(&c);
	return 0;
}
