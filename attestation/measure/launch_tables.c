/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/launch_tables.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <string.h>

static int read_part(const char *folder, const char *name, uint8_t **bytes, struct span *span,
		     struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (text_format(&path, e, "%s/%s", folder, name) < 0 ||
	    file_read(path, LAUNCH_TABLE_MAX, bytes, &span->len, e) < 0)
		return err_code(e);
	span->bytes = *bytes;
	return span->len ? 0 : err_set(e, ERR_INVALID, "'%s' is empty", path);
}

static int add_table(struct launch_tables *t, const char *name, struct span bytes, struct err *e)
{
	struct launch_table *table = &t->tables[t->count++];

	snprintf(table->name, sizeof(table->name), "%s", name);
	return digest(DIGEST_SHA384, bytes.bytes, bytes.len, table->digest, e);
}

static int read_tables(const char *folder, struct launch_tables *t, struct err *e)
{
	CLEANUP(free) uint8_t *script_bytes = NULL;
	struct acpi_loader loader;
	struct span script;

	if (read_part(folder, "etc/table-loader", &script_bytes, &script, e) < 0 ||
	    acpi_loader_parse(script, &loader, e) < 0 ||
	    add_table(t, "etc/table-loader", script, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < loader.count; i++) {
		CLEANUP(free) uint8_t *bytes = NULL;
		struct span table;

		if (read_part(folder, loader.files[i], &bytes, &table, e) < 0 ||
		    add_table(t, loader.files[i], table, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* One line that a terminal may show. */
static int read_version(const char *folder, struct launch_tables *t, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	struct span line;

	if (read_part(folder, "qemu", &bytes, &line, e) < 0)
		return err_code(e);
	if (line.bytes[line.len - 1] == '\n')
		line.len--;
	if (!line.len || line.len >= sizeof(t->qemu))
		return err_set(e, ERR_INVALID, "'%s/qemu' is no line of at most %zu characters",
			       folder, sizeof(t->qemu) - 1);
	for (size_t i = 0; i < line.len; i++)
		if (line.bytes[i] < ' ' || line.bytes[i] > '~')
			return err_set(e, ERR_INVALID, "'%s/qemu' is not plain ASCII", folder);
	memcpy(t->qemu, line.bytes, line.len);
	t->qemu[line.len] = '\0';
	return 0;
}

int launch_tables_read(const char *folder, struct launch_tables *tables, struct err *e)
{
	CLEANUP(free) uint8_t *order_bytes = NULL;
	struct launch_tables t = { .count = 0 };
	struct span order;

	if (read_version(folder, &t, e) < 0 ||
	    read_part(folder, "bootorder", &order_bytes, &order, e) < 0 ||
	    digest(DIGEST_SHA384, order.bytes, order.len, t.boot_order, e) < 0 ||
	    read_tables(folder, &t, e) < 0)
		return err_code(e);
	*tables = t;
	return 0;
}
