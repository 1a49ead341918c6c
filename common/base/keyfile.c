/* SPDX-License-Identifier: Apache-2.0 */
/* The KEY=VALUE lines of configuration files; declared in settings.h. */
#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/settings.h"
#include "common/base/utf8.h"

#include <string.h>

void keyfile_done(struct keyfile *file)
{
	for (size_t i = 0; i < file->count; i++) {
		free(file->entries[i].key);
		if (file->entries[i].value)
			explicit_bzero(file->entries[i].value, strlen(file->entries[i].value));
		free(file->entries[i].value);
	}
	free(file->entries);
	*file = (struct keyfile){ 0 };
}

static bool key_is_well_formed(const char *key, size_t len)
{
	if (len == 0 || (key[0] >= '0' && key[0] <= '9'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!(key[i] >= 'A' && key[i] <= 'Z') && !(key[i] >= '0' && key[i] <= '9') &&
		    key[i] != '_')
			return false;
	return true;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static const char *find(const struct keyfile *file, const char *key, size_t len)
{
	for (size_t i = 0; i < file->count; i++)
		if (strlen(file->entries[i].key) == len &&
		    memcmp(file->entries[i].key, key, len) == 0)
			return file->entries[i].value;
	return NULL;
}

static int add_entry(struct keyfile *file, const char *line, size_t len, struct err *e)
{
	const char *equals = memchr(line, '=', len);
	size_t key_len = equals ? (size_t)(equals - line) : 0;

	if (!equals || !key_is_well_formed(line, key_len))
		return err_set(e, ERR_INVALID, "%s is not KEY=VALUE",
			       log_quote_bytes(line, len).text);
	if (find(file, line, key_len))
		return err_set(e, ERR_INVALID, "%.*s is given twice", (int)key_len, line);
	if (file->count == KEYFILE_LINES_MAX)
		return err_set(e, ERR_EXHAUSTED, "more than %d settings", KEYFILE_LINES_MAX);

	const char *value = equals + 1;
	size_t value_len = len - key_len - 1;
	if (value_len >= 2 && value[0] == '"' && value[value_len - 1] == '"') {
		value++;
		value_len -= 2;
	}
	struct keyfile_entry *entries =
		reallocarray(file->entries, file->count + 1, sizeof(*entries));
	if (!entries)
		return err_nomem(e);
	file->entries = entries;
	entries[file->count].key = strndup(line, key_len);
	entries[file->count].value = strndup(value, value_len);
	file->count++;
	if (!entries[file->count - 1].key || !entries[file->count - 1].value)
		return err_nomem(e);
	return 0;
}

static int parse_lines(const char *text, size_t len, struct keyfile *file, struct err *e)
{
	const char *at = text, *end = text + len;

	for (unsigned number = 1; at < end; number++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end, *next = newline ? newline + 1 : end;

		while (at < stop && blank(*at))
			at++;
		while (stop > at && blank(stop[-1]))
			stop--;
		if (at < stop && *at != '#' && add_entry(file, at, (size_t)(stop - at), e) < 0)
			return err_wrap(e, "line %u", number);
		at = next;
	}
	return 0;
}

int keyfile_parse(const void *bytes, size_t len, struct keyfile *file, struct err *e)
{
	struct keyfile read = { 0 };

	if (len > KEYFILE_MAX)
		return err_set(e, ERR_EXHAUSTED, "settings of %zu bytes; at most %d", len,
			       KEYFILE_MAX);
	if (len && (memchr(bytes, 0, len) || !utf8_valid(bytes, len)))
		return err_set(e, ERR_INVALID, "settings hold a zero byte or invalid UTF-8");
	if (len && parse_lines(bytes, len, &read, e) < 0) {
		keyfile_done(&read);
		return err_code(e);
	}
	*file = read;
	return 0;
}

const char *keyfile_get(const struct keyfile *file, const char *key)
{
	const char *value = file ? find(file, key, strlen(key)) : NULL;

	return value && *value ? value : NULL;
}
