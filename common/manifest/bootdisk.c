/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/bootdisk.h"

#include "common/base/writer.h"

#include <string.h>

static uint32_t put_entries(const struct bootconfig *boot, struct writer *w)
{
	uint32_t count = 0;

	for (enum bootconfig_file file = 0; file < BOOTCONFIG_FILES; file++) {
		if (!boot->files[file].bytes)
			continue;
		writer_u8(w, (uint8_t)strlen(bootconfig_name(file)));
		writer_text(w, bootconfig_name(file));
		writer_be32(w, (uint32_t)boot->files[file].len);
		writer_bytes(w, boot->files[file].bytes, boot->files[file].len);
		count++;
	}
	return count;
}

static int check_sizes(const struct bootconfig *boot, struct err *e)
{
	for (enum bootconfig_file file = 0; file < BOOTCONFIG_FILES; file++)
		if (boot->files[file].len > BOOTCONFIG_FILE_MAX)
			return err_set(e, ERR_EXHAUSTED,
				       "boot configuration: '%s' is larger than %d bytes",
				       bootconfig_name(file), BOOTCONFIG_FILE_MAX);
	return 0;
}

int bootdisk_form(const struct bootconfig *boot, uint8_t **bytes, struct err *e)
{
	CLEANUP_WRITER struct writer entries = writer_up_to(BOOTDISK_SIZE - BOOTDISK_HEAD);
	CLEANUP_WRITER struct writer w = writer_up_to(BOOTDISK_SIZE);
	uint8_t sum[SHA256_LEN];
	uint32_t count;
	size_t len;

	if (check_sizes(boot, e) < 0)
		return err_code(e);
	count = put_entries(boot, &entries);
	if (writer_check(&entries, "boot disk", e) < 0)
		return err_code(e);
	writer_bytes(&w, BOOTDISK_MAGIC, sizeof(BOOTDISK_MAGIC));
	writer_be32(&w, BOOTDISK_VERSION);
	writer_be32(&w, (uint32_t)entries.len);
	writer_be32(&w, count);
	if (writer_check(&w, "boot disk", e) < 0)
		return err_code(e);

	const struct digest_part parts[] = { { w.bytes, w.len }, { entries.bytes, entries.len } };

	if (digest_parts(DIGEST_SHA256, parts, ARRAY_LEN(parts), sum, e) < 0)
		return err_code(e);
	writer_bytes(&w, sum, sizeof(sum));
	writer_bytes(&w, entries.bytes, entries.len);
	writer_zeros(&w, BOOTDISK_SIZE - w.len);
	if (writer_check(&w, "boot disk", e) < 0)
		return err_code(e);
	*bytes = writer_take(&w, &len);
	return 0;
}
