/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/vectors/table.h"

#include "common/base/file.h"
#include "common/base/writer.h"

#include <stdio.h>
#include <sys/stat.h>

enum { FILE_LIMIT = 64 << 20 };

static size_t split(char *line, char *cells[TABLE_COLUMNS_MAX])
{
	size_t count = 0;

	for (char *cell; (cell = strsep(&line, "\t"));) {
		assert_true(count < TABLE_COLUMNS_MAX);
		cells[count++] = cell;
	}
	return count;
}

static char *next_line(struct table *t)
{
	char *line;

	do {
		line = strsep(&t->next, "\n");
	} while (line && (*line == '#' || *line == 0));
	return line;
}

void table_open(struct table *t, const char *path)
{
	struct err e;

	memset(t, 0, sizeof(*t));
	assert_ok(file_read_text(path, FILE_LIMIT, &t->text, &e), e);
	t->next = t->text;
	t->count = split(next_line(t), t->columns);
}

bool table_row(struct table *t)
{
	char *line = next_line(t);

	if (!line)
		return false;
	assert_int_equal(split(line, t->cells), t->count);
	return true;
}

const char *table_cell(const struct table *t, const char *column)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->columns[i], column) == 0)
			return strcmp(t->cells[i], "-") == 0 ? "" : t->cells[i];
	fail_msg("no column %s", column);
	return NULL;
}

void table_done(struct table *t)
{
	free(t->text);
}

static struct span unpacked(const char *path)
{
	struct writer w = writer_up_to(FILE_LIMIT);
	char command[1200], part[65536];
	struct span file = { 0 };
	size_t got;
	FILE *xz;

	snprintf(command, sizeof(command), "xz -dc '%s.xz'", path);
	xz = popen(command, "r");
	assert_non_null(xz);
	while ((got = fread(part, 1, sizeof(part), xz)) > 0)
		writer_bytes(&w, part, got);
	assert_int_equal(pclose(xz), 0);
	file.bytes = writer_take(&w, &file.len);
	assert_non_null(file.bytes);
	return file;
}

struct span table_file(const char *folder, const char *name)
{
	char path[1024];
	struct stat st;
	uint8_t *bytes;
	size_t len;
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (stat(path, &st) < 0)
		return unpacked(path);
	assert_ok(file_read(path, FILE_LIMIT, &bytes, &len, &e), e);
	return (struct span){ .bytes = bytes, .len = len };
}
