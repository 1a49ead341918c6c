/* SPDX-License-Identifier: Apache-2.0 */
#include "common/access/access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct access {
	char *path; /* NULL: no table */
	unsigned authorities;
	struct access_table *table;
};

static int check_file(const char *path, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, "'%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_PRECONDITION, "'%s' is no regular file", path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(e, ERR_PRECONDITION,
			       "'%s' says who is operator, and others may write it: give it to "
			       "root, mode 0644",
			       path);
	if (st.st_size > ACCESS_FILE_MAX)
		return err_set(e, ERR_INVALID, "'%s': more than %d bytes", path, ACCESS_FILE_MAX);
	return 0;
}

static int read_all(const char *path, char *text, size_t *len, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return err_errno(e, "'%s'", path);
	if (check_file(path, fd, e) < 0)
		return err_code(e);
	for (*len = 0; *len <= ACCESS_FILE_MAX; *len += (size_t)n) {
		n = read(fd, text + *len, (size_t)ACCESS_FILE_MAX + 1 - *len);
		if (n < 0)
			return err_errno(e, "'%s'", path);
		if (n == 0)
			return 0;
	}
	return err_set(e, ERR_INVALID, "'%s': more than %d bytes", path, ACCESS_FILE_MAX);
}

/* Names are one's alone where one authority gives them; another one with the name of the first would not tell
 * them apart either. */
static int check_names(const struct access *a, const struct access_table *table, struct err *e)
{
	for (size_t i = 0; a->authorities > 1 && i < table->rule_count; i++) {
		const struct access_rule *rule = &table->rules[i];

		if (rule->kind == ACCESS_SUBJECT || rule->kind == ACCESS_SPIFFE)
			return err_set(
				e, ERR_PRECONDITION,
				"'%s':%u: a %s is anybody's whom one of the %u client CAs gives "
				"it: trust one CA alone, or name the certificate's key",
				a->path, rule->line,
				rule->kind == ACCESS_SUBJECT ? "subject" : "SPIFFE id",
				a->authorities);
	}
	return 0;
}

static int load(const struct access *a, struct access_table **table, struct err *e)
{
	CLEANUP(free) char *text = malloc((size_t)ACCESS_FILE_MAX + 1);
	CLEANUP(access_table_free) struct access_table *read = NULL;
	size_t len;

	if (!text)
		return err_nomem(e);
	if (read_all(a->path, text, &len, e) < 0 ||
	    access_table_parse(text, len, a->path, &read, e) < 0 || check_names(a, read, e) < 0)
		return err_code(e);
	*table = TAKE_PTR(read);
	return 0;
}

int access_open(const char *path, unsigned authorities, struct access **access, struct err *e)
{
	CLEANUP(access_close) struct access *a = calloc(1, sizeof(*a));

	if (!a || (path && !(a->path = strdup(path))))
		return err_nomem(e);
	a->authorities = authorities;
	if (path && load(a, &a->table, e) < 0)
		return err_code(e);
	*access = TAKE_PTR(a);
	return 0;
}

void access_close(struct access *a)
{
	if (!a)
		return;
	access_table_free(a->table);
	free(a->path);
	free(a);
}

int access_reload(struct access *a, struct err *e)
{
	struct access_table *table;

	if (!a->path)
		return 0;
	if (load(a, &table, e) < 0)
		return err_code(e);
	access_table_free(a->table);
	a->table = table;
	return 0;
}

static bool is_known_by(const struct access_rule *rule, const struct rpc_identity *i)
{
	const char *const texts[ACCESS_KINDS] = {
		[ACCESS_SUBJECT] = i->subject, [ACCESS_SPIFFE] = i->spiffe, [ACCESS_KEY] = i->key
	};

	switch (rule->kind) {
	case ACCESS_UID:
		return i->has_uid && rule->number == i->uid;
	case ACCESS_GID:
		return i->has_uid && rule->number == i->gid;
	default:
		return texts[rule->kind] && strcmp(rule->text, texts[rule->kind]) == 0;
	}
}

int access_who(const struct access *a, const struct rpc_identity *identity,
	       struct access_caller *caller, struct err *e)
{
	const struct access_rule *found = NULL;

	*caller = (struct access_caller){ .tenant = "" };
	for (size_t i = 0; i < ACCESS_LIMITS; i++)
		caller->limits[i] = ACCESS_NO_LIMIT;
	if (!a->path)
		return 0;
	for (size_t i = 0; i < a->table->rule_count; i++) {
		const struct access_rule *rule = &a->table->rules[i];

		if (!is_known_by(rule, identity))
			continue;
		if (found && found->tenant != rule->tenant)
			return err_set(e, ERR_DENIED,
				       "the table of who may call knows this caller as two");
		found = rule;
	}
	if (!found)
		return err_set(e, ERR_DENIED,
			       "the table of who may call does not know this caller");
	if (found->tenant) {
		memcpy(caller->tenant, found->tenant->name, sizeof(caller->tenant));
		memcpy(caller->limits, found->tenant->limits, sizeof(caller->limits));
	}
	return 0;
}

struct access_reach access_reach(const struct access *a, bool by_socket, bool by_certificate)
{
	struct access_reach reach = { 0 };

	for (size_t i = 0; a->table && i < a->table->rule_count; i++) {
		const struct access_rule *rule = &a->table->rules[i];
		bool of_socket = rule->kind == ACCESS_UID || rule->kind == ACCESS_GID;

		if (!(of_socket ? by_socket : by_certificate)) {
			reach.line = reach.others++ ? reach.line : rule->line;
		} else if (rule->tenant) {
			reach.tenants++;
		} else {
			reach.operators++;
		}
	}
	return reach;
}

enum access_answer access_decide(const struct access_caller *caller, enum access_right right,
				 const char *owner)
{
	if (!*caller->tenant)
		return ACCESS_GRANTED;
	switch (right) {
	case ACCESS_MAKE:
		return ACCESS_GRANTED;
	case ACCESS_USE:
		return strcmp(caller->tenant, owner) == 0 ? ACCESS_GRANTED : ACCESS_HIDDEN;
	case ACCESS_OPERATE:
		break;
	}
	return ACCESS_REFUSED;
}
