/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/bootdisk.h"

#include "common/base/bytes.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "guest/sha256.h"

#include <string.h>

struct head {
	const uint8_t *magic, *sum;
	uint32_t version, len, count;
};

static int check_head(const struct head *head, struct err *e)
{
	if (memcmp(head->magic, BOOTDISK_MAGIC, sizeof(BOOTDISK_MAGIC)) != 0)
		return err_set(e, ERR_INVALID, "it does not start with '%s'", BOOTDISK_MAGIC);
	if (head->version != BOOTDISK_VERSION)
		return err_set(e, ERR_INVALID, "version %u is not %d", head->version,
			       BOOTDISK_VERSION);
	if (head->len > BOOTDISK_SIZE - BOOTDISK_HEAD)
		return err_set(e, ERR_EXHAUSTED,
			       "%u bytes of entries are more than it has room for", head->len);
	if (head->count > BOOTCONFIG_FILES)
		return err_set(e, ERR_EXHAUSTED, "%u files are more than %d", head->count,
			       BOOTCONFIG_FILES);
	return 0;
}

/* The file of that name; BOOTCONFIG_FILES for none. */
static enum bootconfig_file file_named(const uint8_t *name, size_t len)
{
	enum bootconfig_file file = 0;

	while (file < BOOTCONFIG_FILES && (strlen(bootconfig_name(file)) != len ||
					   memcmp(bootconfig_name(file), name, len) != 0))
		file++;
	return file;
}

/* `from` is the first file that may come now. */
static int take_entry(struct reader *r, enum bootconfig_file *from, struct bootdisk *disk,
		      struct err *e)
{
	size_t name_len = reader_u8(r);
	const uint8_t *name = reader_take(r, name_len);
	size_t len = reader_be32(r);
	enum bootconfig_file file;

	if (!reader_ok(r))
		return err_set(e, ERR_INVALID, "its entries end too early");
	file = file_named(name, name_len);
	if (file == BOOTCONFIG_FILES)
		return err_set(e, ERR_INVALID, "there is no file of the name %s",
			       log_quote_bytes(name, name_len).text);
	if (file < *from)
		return err_set(e, ERR_INVALID, "'%s' is there twice or too late",
			       bootconfig_name(file));
	if (len > BOOTCONFIG_FILE_MAX)
		return err_set(e, ERR_EXHAUSTED, "'%s' is larger than %d bytes",
			       bootconfig_name(file), BOOTCONFIG_FILE_MAX);
	disk->files[file].bytes = reader_take(r, len);
	disk->files[file].len = len;
	if (!reader_ok(r))
		return err_set(e, ERR_INVALID, "'%s' ends too early", bootconfig_name(file));
	*from = file + 1;
	return 0;
}

static int take_entries(struct reader *r, uint32_t count, struct bootdisk *disk, struct err *e)
{
	enum bootconfig_file from = 0;

	for (uint32_t i = 0; i < count; i++)
		if (take_entry(r, &from, disk, e) < 0)
			return err_code(e);
	if (!reader_done(r))
		return err_set(e, ERR_INVALID, "there are %zu bytes behind its last file",
			       reader_left(r));
	return 0;
}

static int check_sum(const struct head *head, const uint8_t *bytes, struct err *e)
{
	uint8_t sum[SHA256_SUM];

	sha256_two(bytes, BOOTDISK_SUM_AT, bytes + BOOTDISK_HEAD, head->len, sum);
	if (memcmp(sum, head->sum, sizeof(sum)) != 0)
		return err_set(e, ERR_INVALID, "its content has not the digest that it names");
	return 0;
}

static int parse(const uint8_t *bytes, size_t len, struct bootdisk *disk, struct err *e)
{
	struct reader r = reader_over(bytes, len), entries;
	struct head head = { .magic = reader_take(&r, sizeof(BOOTDISK_MAGIC)) };

	if (len != BOOTDISK_SIZE)
		return err_set(e, ERR_INVALID, "it has %zu bytes, not %d", len, BOOTDISK_SIZE);
	head.version = reader_be32(&r);
	head.len = reader_be32(&r);
	head.count = reader_be32(&r);
	head.sum = reader_take(&r, SHA256_SUM);
	if (check_head(&head, e) < 0 || check_sum(&head, bytes, e) < 0)
		return err_code(e);
	entries = reader_sub(&r, head.len);
	if (take_entries(&entries, head.count, disk, e) < 0)
		return err_code(e);
	if (!bytes_are(r.pos, reader_left(&r), 0))
		return err_set(e, ERR_INVALID, "what follows its content is not all zeros");
	return 0;
}

int bootdisk_parse(const uint8_t *bytes, size_t len, struct bootdisk *disk, struct err *e)
{
	struct bootdisk found = { 0 };

	if (parse(bytes, len, &found, e) < 0)
		return err_wrap(e, "boot disk");
	*disk = found;
	return 0;
}
