/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/registry/host_table.h"

#include "common/access/access_table.h"
#include "common/base/file.h"
#include "common/base/lines.h"
#include "common/base/log.h"
#include "common/base/settings.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool host_name_is_valid(const char *name)
{
	_Static_assert((int)HOST_NAME_LEN_MAX == (int)ACCESS_NAME_MAX,
		       "a host's name has a tenant's form");
	return access_name_is_valid(name);
}

bool host_row_is_local(const struct host_row *row)
{
	return strcmp(row->uri, HOST_LOCAL_URI) == 0;
}

/* Digits in their one form, from 1 on. */
static bool take_number(const char *text, uint64_t max, uint64_t *number)
{
	size_t len = strlen(text);

	if (!len || len > 9 || *text == '0' || strspn(text, "0123456789") != len)
		return false;
	*number = strtoull(text, NULL, 10);
	return *number <= max;
}

static bool take_cpus(const char *value, struct host_row *row)
{
	return take_number(value, HOST_CPUS_LIMIT, &row->cpus);
}

static bool take_machines(const char *value, struct host_row *row)
{
	return take_number(value, HOST_MACHINES_LIMIT, &row->machines);
}

static bool take_memory(const char *value, struct host_row *row)
{
	struct err why;

	return size_parse(value, &row->memory, &why) == 0 && row->memory &&
	       row->memory <= HOST_MEMORY_LIMIT;
}

static bool take_address(const char *value, struct host_row *row)
{
	struct in_addr v4;

	return inet_pton(AF_INET, value, &v4) == 1 && v4.s_addr != htonl(INADDR_ANY) &&
	       inet_ntop(AF_INET, &v4, row->address, sizeof(row->address));
}

/* Nothing in it that XML would have to escape. */
static bool take_pool(const char *value, struct host_row *row)
{
	size_t len = strlen(value);

	if (!len || len >= sizeof(row->pool) ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") !=
		    len)
		return false;
	memcpy(row->pool, value, len + 1);
	return true;
}

static bool take_state(const char *value, struct host_row *row)
{
	row->draining = strcmp(value, "draining") == 0;
	return row->draining || strcmp(value, "active") == 0;
}

static bool take_tee(const char *name, size_t len, struct host_row *row)
{
	for (int t = DOMAIN_PLAIN; t < HOST_TEES; t++) {
		const char *known = domain_tee_name((enum domain_tee)t);

		if (strlen(known) == len && memcmp(known, name, len) == 0 && !row->tees[t])
			return row->tees[t] = true;
	}
	return false;
}

static bool take_tees(const char *value, struct host_row *row)
{
	while (true) {
		size_t len = strcspn(value, ",");

		if (!take_tee(value, len, row))
			return false;
		if (!value[len])
			return true;
		value += len + 1;
	}
}

enum key { KEY_ADDRESS, KEY_TEES, KEY_CPUS, KEY_MEMORY, KEY_MACHINES, KEY_POOL, KEY_STATE, KEYS };

static const struct {
	const char *word;
	bool (*take)(const char *value, struct host_row *row);
	const char *form;
} keys[] = {
	[KEY_ADDRESS] = { "address", take_address, "the host's IPv4 address" },
	[KEY_TEES] = { "tees", take_tees,
		       "of none, snp and tdx those that it has, with ',' between" },
	[KEY_CPUS] = { "cpus", take_cpus, "a number from 1 to 1048576" },
	[KEY_MEMORY] = { "memory", take_memory, "a size, such as 64G" },
	[KEY_MACHINES] = { "machines", take_machines, "a number from 1 to 4096" },
	[KEY_POOL] = { "pool", take_pool, "a storage pool's name: letters, digits, - _ ." },
	[KEY_STATE] = { "state", take_state, "active or draining" },
};
_Static_assert(ARRAY_LEN(keys) == KEYS, "each has a word");

/* `given`: bits of `keys`, those that the line has said already. */
static int take_key(const struct line *l, char *word, struct host_row *row, unsigned *given,
		    struct err *e)
{
	char *value = strchr(word, '=');
	unsigned k = 0;

	if (value)
		*value++ = '\0';
	while (k < KEYS && strcmp(word, keys[k].word) != 0)
		k++;
	if (k == KEYS || !value)
		return line_refuse(
			l, e,
			"host %s: %s is no address=, tees=, cpus=, memory=, machines=, pool= "
			"or state=",
			row->name, log_quote(word).text);
	if (*given & (1U << k))
		return line_refuse(l, e, "host %s: %s is there twice: remove one of them",
				   row->name, word);
	*given |= 1U << k;
	if (!keys[k].take(value, row))
		return line_refuse(l, e, "host %s: %s=%s: it has to be %s", row->name, word,
				   log_quote(value).text, keys[k].form);
	return 0;
}

/* What may stand behind '?' for each way to reach a host. Nothing there turns a check off or starts a program. */
static const struct {
	const char *begin, *option;
	bool has_host;
} transports[] = {
	{ "qemu+unix:///system", "socket=/", false },
	{ "qemu+tls://", "pkipath=/", true },
	{ "qemu+ssh://", "keyfile=/", true },
};

/* user@host:port, in names and numbers; no '%', behind which anything could hide. */
static bool is_authority(const char *text, size_t len)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@:";

	/* One that begins with '-' would be an option of ssh. */
	return len > 0 && *text != '-' && !memmem(text, len, "@-", 2) && strspn(text, plain) >= len;
}

/* "?NAME=/PATH", and no second one: libvirt parts them by '&' and by ';'. */
static bool is_option(const char *text, const char *option)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";
	size_t len = strlen(option);

	return *text == '?' && strncmp(text + 1, option, len) == 0 &&
	       !text[1 + len + strspn(text + 1 + len, plain)];
}

static bool uri_is_valid(const char *uri)
{
	const char *rest;
	size_t i = 0;

	if (strlen(uri) >= HOST_URI_MAX)
		return false;
	if (strcmp(uri, HOST_LOCAL_URI) == 0)
		return true;
	while (i < ARRAY_LEN(transports) &&
	       strncmp(uri, transports[i].begin, strlen(transports[i].begin)) != 0)
		i++;
	if (i == ARRAY_LEN(transports))
		return false;
	rest = uri + strlen(transports[i].begin);
	if (transports[i].has_host) {
		size_t len = strcspn(rest, "/");

		if (!is_authority(rest, len) || strncmp(rest + len, "/system", 7) != 0)
			return false;
		rest += len + 7;
	}
	return !*rest || is_option(rest, transports[i].option);
}

static int check_row(const struct line *l, const struct host_table *t, const struct host_row *row,
		     unsigned given, struct err *e)
{
	if (!(given & (1U << KEY_TEES)))
		return line_refuse(l, e, "host %s: what may protect CVMs there is missing: tees=%s",
				   row->name, keys[KEY_TEES].form);
	if (host_row_is_local(row) && given & (1U << KEY_ADDRESS | 1U << KEY_POOL))
		return line_refuse(l, e,
				   "host %s: " HOST_LOCAL_URI " is this machine: its address is "
				   "MANAGER_FORWARD_HOST, and it needs no pool",
				   row->name);
	if (!host_row_is_local(row) && !(given & (1U << KEY_ADDRESS)))
		return line_refuse(l, e,
				   "host %s: address= is missing: where its agents are reached",
				   row->name);
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->rows[i].name, row->name) == 0)
			return line_refuse(l, e, "host %s is there twice: remove one of them",
					   row->name);
		if (strcmp(t->rows[i].uri, row->uri) == 0)
			return line_refuse(l, e,
					   "host %s has the URI of host %s: remove one of them",
					   row->name, t->rows[i].name);
	}
	return 0;
}

static int check_name(const struct line *l, const char *name, const char *uri, struct err *e)
{
	if (!host_name_is_valid(name))
		return line_refuse(l, e,
				   "host %s: a name is %d of a-z 0-9 - . at most, with a letter or "
				   "digit at both ends",
				   log_quote(name).text, HOST_NAME_LEN_MAX);
	if (!uri_is_valid(uri))
		return line_refuse(
			l, e,
			"host %s: %s is no URI of a host: " HOST_LOCAL_URI
			", qemu+unix:///system?socket=/PATH, qemu+tls://HOST/system[?pkipath="
			"/PATH] or qemu+ssh://[USER@]HOST/system[?keyfile=/PATH]",
			name, log_quote(uri).text);
	return 0;
}

/* NAME URI KEY=VALUE… */
static int take_host(struct host_table *t, struct line *l, struct err *e)
{
	struct host_row row = { .pool = HOST_POOL };
	const char *name = line_word(l), *uri = line_word(l);
	unsigned given = 0;
	char *word;

	if (check_name(l, name, uri, e) < 0)
		return err_code(e);
	memcpy(row.name, name, strlen(name) + 1);
	memcpy(row.uri, uri, strlen(uri) + 1);
	while (*(word = line_word(l)))
		if (take_key(l, word, &row, &given, e) < 0)
			return err_code(e);
	if (check_row(l, t, &row, given, e) < 0)
		return err_code(e);
	if (t->count == HOSTS_MAX)
		return line_refuse(l, e, "more than %d hosts", HOSTS_MAX);
	t->rows[t->count++] = row;
	return 0;
}

static int take_line(void *table, struct line *l, struct err *e)
{
	const char *word = line_word(l);

	if (strcmp(word, "host") != 0)
		return line_refuse(l, e, "%s: a line begins with host", log_quote(word).text);
	return take_host(table, l, e);
}

static int take_words(void *table, struct line *l, struct err *e)
{
	return take_host(table, l, e);
}

/* Name and URI are looked at before they are in a line with the rest, where a space in one of them would make it two
 * words. */
int host_table_add(struct host_table *table, const char *name, const char *uri, const char *words,
		   struct err *e)
{
	const struct line none = { .where = NULL };
	CLEANUP(free) char *text = NULL;

	if (check_name(&none, name, uri, e) < 0)
		return err_code(e);
	if (strchr(words, '\n'))
		return err_set(e, ERR_INVALID, "host %s: one line, and there are more", name);
	if (text_format(&text, e, "%s %s %s", name, uri, words) < 0)
		return err_code(e);
	return lines_read(text, strlen(text), HOST_TABLE_LINE_MAX, NULL, take_words, table, e);
}

int host_table_parse(const char *text, size_t len, const char *where, struct host_table *table,
		     struct err *e)
{
	if (len > HOST_TABLE_FILE_MAX)
		return err_set(e, ERR_INVALID, "%s: more than %d bytes", where,
			       HOST_TABLE_FILE_MAX);
	table->count = 0;
	if (lines_read(text, len, HOST_TABLE_LINE_MAX, where, take_line, table, e) < 0)
		return err_code(e);
	if (!table->count)
		return err_set(e, ERR_INVALID,
			       "%s: no host: add a line such as 'host here " HOST_LOCAL_URI
			       " tees=snp'",
			       where);
	return 0;
}

int host_table_read(const char *path, struct host_table *table, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	struct stat st;
	size_t len;

	if (stat(path, &st) < 0)
		return err_errno(e, "'%s'", path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(e, ERR_PRECONDITION,
			       "'%s' says where machines run, and others may write it: give it to "
			       "root, mode 0644",
			       path);
	if (file_read(path, HOST_TABLE_FILE_MAX, &bytes, &len, e) < 0)
		return err_code(e);
	return host_table_parse((const char *)bytes, len, path, table, e);
}
