/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/acpi_loader.h"

#include "common/base/bytes.h"

#include <string.h>

enum {
	COMMAND_LEN = 128,
	COMMAND_NONE = 0, /* fills up the script's last page */
	COMMAND_ALLOCATE = 1,
	COMMAND_LAST = 4, /* add a pointer, add a checksum, write a pointer back */
};

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._/", c));
}

/* A relative path of ordinary characters, in which no part begins with a dot. */
static bool is_name(struct span text)
{
	const char *at = (const char *)text.bytes;
	size_t len = strnlen(at, text.len);

	if (!len || len == text.len || !bytes_are(text.bytes + len, text.len - len, 0))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_name_char(at[i]) ||
		    ((i == 0 || at[i - 1] == '/') && (at[i] == '/' || at[i] == '.')))
			return false;
	return at[len - 1] != '/';
}

static int allocate(struct acpi_loader *loader, struct reader *r, struct err *e)
{
	struct span name = span_take(r, ACPI_LOADER_NAME_MAX);

	if (!is_name(name))
		return err_set(e, ERR_INVALID, "it allocates a file without a proper name");
	for (size_t i = 0; i < loader->count; i++)
		if (strcmp(loader->files[i], (const char *)name.bytes) == 0)
			return err_set(e, ERR_INVALID, "it allocates '%s' twice", loader->files[i]);
	if (loader->count == ACPI_LOADER_FILES_MAX)
		return err_set(e, ERR_INVALID, "it allocates more than %d files",
			       ACPI_LOADER_FILES_MAX);
	memcpy(loader->files[loader->count++], name.bytes, ACPI_LOADER_NAME_MAX);
	return 0;
}

static int parse(struct span script, struct acpi_loader *loader, struct err *e)
{
	struct reader all = span_reader(script);
	bool ended = false;

	if (script.len > ACPI_LOADER_MAX || script.len % COMMAND_LEN)
		return err_set(e, ERR_INVALID, "%zu bytes; whole commands of %d, and at most %d",
			       script.len, COMMAND_LEN, ACPI_LOADER_MAX);
	while (reader_left(&all)) {
		struct reader r = reader_sub(&all, COMMAND_LEN);
		uint32_t command = reader_le32(&r);

		if (command > COMMAND_LAST || (ended && command != COMMAND_NONE))
			return err_set(e, ERR_INVALID, "unknown command %u", command);
		ended = command == COMMAND_NONE;
		if (command == COMMAND_ALLOCATE && allocate(loader, &r, e) < 0)
			return err_code(e);
	}
	return loader->count ? 0 : err_set(e, ERR_INVALID, "it allocates nothing");
}

int acpi_loader_parse(struct span script, struct acpi_loader *loader, struct err *e)
{
	struct acpi_loader l = { .count = 0 };

	if (parse(script, &l, e) < 0)
		return err_wrap(e, "etc/table-loader");
	*loader = l;
	return 0;
}
