/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/machines/manager_table.h"

#include "common/base/file.h"
#include "common/base/hostname.h"
#include "common/base/lines.h"
#include "common/base/log.h"
#include "common/base/settings.h"
#include "common/rpc/channel.h"
#include "computations/people/user.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const file_keys[MANAGER_FILES] = {
	[MANAGER_CA] = "ca",
	[MANAGER_CRL] = "crl",
	[MANAGER_CERT] = "cert",
	[MANAGER_KEY] = "key",
	[MANAGER_AGENTS_CA] = "agents-ca",
	[MANAGER_AGENTS_CERT] = "agents-cert",
	[MANAGER_AGENTS_KEY] = "agents-key",
};

/* ---- manager NAME ADDRESS KEY=VALUE… ---- */

static bool is_name(const char *name)
{
	struct err ignored;

	return strlen(name) <= MANAGER_NAME_MAX && machine_name_check(name, &ignored) == 0;
}

static bool is_unix(const char *address)
{
	return strncmp(address, "unix:", 5) == 0;
}

static int take_agents(const struct line *l, struct manager_row *row, const char *value,
		       struct err *e)
{
	struct err why;

	if (*row->agents)
		return line_refuse(l, e, "manager %s: agents is there twice: remove one of them",
				   row->name);
	if (strlen(value) > MANAGER_ADDRESS_MAX || is_unix(value) ||
	    rpc_target_check(value, &why) < 0)
		return line_refuse(l, e,
				   "manager %s: agents=%s: it has to be HOST:PORT, where agents in "
				   "its CVMs find this service",
				   row->name, log_quote(value).text);
	memcpy(row->agents, value, strlen(value) + 1);
	return 0;
}

static int take_fleet(const struct line *l, struct manager_row *row, const char *value,
		      struct err *e)
{
	if (*row->fleet)
		return line_refuse(l, e, "manager %s: fleet is there twice: remove one of them",
				   row->name);
	if (!is_name(value))
		return line_refuse(l, e,
				   "manager %s: fleet=%s: it has to be a name, the same for all "
				   "managers that share a database",
				   row->name, log_quote(value).text);
	memcpy(row->fleet, value, strlen(value) + 1);
	return 0;
}

static int take_file(const struct line *l, struct manager_row *row, size_t file, const char *value,
		     struct err *e)
{
	if (*row->files[file])
		return line_refuse(l, e, "manager %s: %s is there twice: remove one of them",
				   row->name, file_keys[file]);
	if (*value != '/' || strlen(value) > MANAGER_PATH_MAX)
		return line_refuse(l, e,
				   "manager %s: %s=%s: it has to be the absolute path of a file",
				   row->name, file_keys[file], log_quote(value).text);
	memcpy(row->files[file], value, strlen(value) + 1);
	return 0;
}

static int take_key(const struct line *l, struct manager_row *row, char *word, struct err *e)
{
	char *value = strchr(word, '=');

	if (value) {
		*value++ = '\0';
		if (strcmp(word, "agents") == 0)
			return take_agents(l, row, value, e);
		if (strcmp(word, "fleet") == 0)
			return take_fleet(l, row, value, e);
		for (size_t f = 0; f < MANAGER_FILES; f++)
			if (strcmp(word, file_keys[f]) == 0)
				return take_file(l, row, f, value, e);
	}
	return line_refuse(
		l, e,
		"manager %s: %s is no agents=, fleet=, ca=, crl=, cert=, key=, agents-ca=, agents-cert= "
		"or agents-key=",
		row->name, log_quote(word).text);
}

/* What is sent there are the keys of agents, and what comes back is believed: not in the clear over a network. */
static int check_way(const struct line *l, const struct manager_row *row, struct err *e)
{
	const bool has_tls = *row->files[MANAGER_CA];
	const char *colon = strrchr(row->address, ':');
	char host[MANAGER_ADDRESS_MAX + 1];

	snprintf(host, sizeof(host), "%.*s", (int)(colon - row->address), row->address);
	if (!*row->files[MANAGER_CERT] != !*row->files[MANAGER_KEY] ||
	    (*row->files[MANAGER_CERT] && !has_tls))
		return line_refuse(l, e, "manager %s: ca=, cert= and key= go together", row->name);
	if (*row->files[MANAGER_CRL] && !has_tls)
		return line_refuse(l, e, "manager %s: crl= has the lists of ca=, which is missing",
				   row->name);
	if (!*row->files[MANAGER_AGENTS_CERT] != !*row->files[MANAGER_AGENTS_KEY])
		return line_refuse(l, e, "manager %s: agents-cert= and agents-key= go together",
				   row->name);
	if (is_unix(row->address))
		return has_tls ? line_refuse(l, e, "manager %s: a socket takes no ca=", row->name)
			       : 0;
	if (!*row->files[MANAGER_CERT] && !hostname_is_loopback(host))
		return line_refuse(l, e,
				   "manager %s: %s is on another machine: it needs ca=, cert= and "
				   "key= (mTLS)",
				   row->name, row->address);
	return 0;
}

static int check_manager(const struct line *l, const struct manager_table *t,
			 const struct manager_row *row, struct err *e)
{
	if (!*row->agents)
		return line_refuse(l, e,
				   "manager %s: agents= is missing: HOST:PORT, where agents in its "
				   "CVMs find this service",
				   row->name);
	if (check_way(l, row, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->rows[i].name, row->name) == 0)
			return line_refuse(l, e, "manager %s is there twice: remove one of them",
					   row->name);
		if (strcmp(t->rows[i].address, row->address) == 0)
			return line_refuse(
				l, e,
				"manager %s has the address of manager %s: remove one of "
				"them",
				row->name, t->rows[i].name);
	}
	if (t->count == MANAGERS_MAX)
		return line_refuse(l, e, "more than %d managers", MANAGERS_MAX);
	return 0;
}

static int take_manager(struct manager_table *t, struct line *l, struct err *e)
{
	const char *name = line_word(l), *address = line_word(l);
	struct manager_row row = { .name = "" };
	struct err why;
	char *word;

	if (!is_name(name))
		return line_refuse(
			l, e,
			"manager %s: a name is %d of a-z 0-9 - . at most, with a letter or "
			"digit at both ends",
			log_quote(name).text, MANAGER_NAME_MAX);
	memcpy(row.name, name, strlen(name) + 1);
	if (strlen(address) > MANAGER_ADDRESS_MAX || rpc_target_check(address, &why) < 0 ||
	    (is_unix(address) && address[5] != '/'))
		return line_refuse(l, e, "manager %s: %s is no HOST:PORT and no unix:/PATH",
				   row.name, log_quote(address).text);
	memcpy(row.address, address, strlen(address) + 1);
	while (*(word = line_word(l)))
		if (take_key(l, &row, word, e) < 0)
			return err_code(e);
	if (check_manager(l, t, &row, e) < 0)
		return err_code(e);
	t->rows[t->count++] = row;
	return 0;
}

/* ---- limit WORKSPACE KEY=VALUE… ---- */

static bool take_number(const char *text, uint64_t max, uint64_t *number)
{
	size_t len = strlen(text);

	if (!len || len > 9 || strspn(text, "0123456789") != len || (*text == '0' && len > 1))
		return false;
	*number = strtoull(text, NULL, 10);
	return *number <= max;
}

static bool take_quota(const char *key, const char *value, struct machine_quota *quota)
{
	const struct {
		const char *key;
		uint64_t *number, min, max;
	} numbers[] = {
		{ "cvms", &quota->cvms, 0, MACHINES_MAX },
		{ "cpus", &quota->cpus, 0, 1 << 19 },
		{ "cvm-hours", &quota->cvm_hours, 1, USAGE_LIMIT_MAX },
		{ "cpu-hours", &quota->cpu_hours, 1, USAGE_LIMIT_MAX },
		{ "memory-hours", &quota->memory_hours, 1, USAGE_LIMIT_MAX },
	};
	struct err why;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (strcmp(key, numbers[i].key) == 0)
			return *numbers[i].number == UINT64_MAX &&
			       take_number(value, numbers[i].max, numbers[i].number) &&
			       *numbers[i].number >= numbers[i].min;
	return strcmp(key, "memory") == 0 && quota->memory == UINT64_MAX &&
	       size_parse(value, &quota->memory, &why) == 0 && quota->memory <= MACHINE_MEMORY_MAX;
}

static int take_limit(struct manager_table *t, struct line *l, struct err *e)
{
	const char *name = line_word(l);
	struct manager_limit limit = { .quota = MACHINE_QUOTA_NONE };
	char *word;

	if (!*name || strlen(name) >= sizeof(limit.workspace))
		return line_refuse(l, e, "limit %s: the name of a workspace, or *",
				   log_quote(name).text);
	memcpy(limit.workspace, name, strlen(name) + 1);
	while (*(word = line_word(l))) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		if (!value || !take_quota(word, value, &limit.quota))
			return line_refuse(
				l, e,
				"limit %s: %s: give each of cvms=N (%d at most), cpus=N, "
				"memory=SIZE, cvm-hours=N, cpu-hours=N and memory-hours=N "
				"(1 to %d) once at most",
				limit.workspace, log_quote(word).text, MACHINES_MAX,
				USAGE_LIMIT_MAX);
	}
	if (limit.quota.cvms == UINT64_MAX)
		return line_refuse(l, e, "limit %s: cvms= is missing: how many it may have",
				   limit.workspace);
	for (size_t i = 0; i < t->limit_count; i++)
		if (strcmp(t->limits[i].workspace, limit.workspace) == 0)
			return line_refuse(l, e, "limit %s is there twice: remove one of them",
					   limit.workspace);
	if (t->limit_count == MANAGER_LIMITS_MAX)
		return line_refuse(l, e, "more than %d limits", MANAGER_LIMITS_MAX);
	t->limits[t->limit_count++] = limit;
	return 0;
}

/* ---- plan NAME KEY=VALUE… ---- */

static int take_plan(struct manager_table *t, struct line *l, struct err *e)
{
	const char *name = line_word(l);
	struct usage_plan plan = { .quota = MACHINE_QUOTA_NONE };
	struct err why;
	char *word;

	if (people_name_check("plan", name, &why) < 0)
		return line_refuse(l, e, "%s", why.text);
	memcpy(plan.name, name, strlen(name) + 1);
	while (*(word = line_word(l))) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		if (!value || !strstr(word, "-hours") || !take_quota(word, value, &plan.quota))
			return line_refuse(l, e,
					   "plan %s: %s: give each of cvm-hours=N, cpu-hours=N and "
					   "memory-hours=N (1 to %d) once at most",
					   plan.name, log_quote(word).text, USAGE_LIMIT_MAX);
	}
	if (plan.quota.cvm_hours == UINT64_MAX && plan.quota.cpu_hours == UINT64_MAX &&
	    plan.quota.memory_hours == UINT64_MAX)
		return line_refuse(l, e,
				   "plan %s limits nothing: give one of cvm-hours=N, cpu-hours=N "
				   "and memory-hours=N at least",
				   plan.name);
	if (usage_plan_find(&t->plans, plan.name))
		return line_refuse(l, e, "plan %s is there twice: remove one of them", plan.name);
	if (t->plans.count == USAGE_PLANS_MAX)
		return line_refuse(l, e, "more than %d plans", USAGE_PLANS_MAX);
	t->plans.rows[t->plans.count++] = plan;
	return 0;
}

/* ---- the file ---- */

static int take_line(void *table, struct line *l, struct err *e)
{
	static const struct {
		const char *word;
		int (*take)(struct manager_table *t, struct line *l, struct err *e);
	} kinds[] = { { "manager", take_manager }, { "limit", take_limit }, { "plan", take_plan } };
	const char *word = line_word(l);

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(word, kinds[i].word) == 0)
			return kinds[i].take(table, l, e);
	return line_refuse(l, e, "%s: a line begins with manager, limit or plan",
			   log_quote(word).text);
}

int manager_table_parse(const char *text, size_t len, const char *where,
			struct manager_table *table, struct err *e)
{
	if (len > MANAGER_TABLE_FILE_MAX)
		return err_set(e, ERR_INVALID, "%s: more than %d bytes", where,
			       MANAGER_TABLE_FILE_MAX);
	table->count = table->limit_count = table->plans.count = 0;
	if (lines_read(text, len, MANAGER_TABLE_LINE_MAX, where, take_line, table, e) < 0)
		return err_code(e);
	if (!table->count)
		return err_set(e, ERR_INVALID,
			       "%s: no manager: add a line such as 'manager here "
			       "unix:/run/cocos/manager.sock agents=10.0.2.2:7001'",
			       where);
	return 0;
}

int manager_table_read(const char *path, struct manager_table *table, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	struct stat st;
	size_t len;

	if (stat(path, &st) < 0)
		return err_errno(e, "'%s'", path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(
			e, ERR_PRECONDITION,
			"'%s' says who makes CVMs, and others may write it: give it to root, "
			"mode 0644",
			path);
	if (file_read(path, MANAGER_TABLE_FILE_MAX, &bytes, &len, e) < 0)
		return err_code(e);
	return manager_table_parse((const char *)bytes, len, path, table, e);
}

/* Whichever is asked, those that share a database pass it on to who has hosts (manager_table_next()). */
static bool are_one_fleet(const struct manager_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		if (!*table->rows[i].fleet ||
		    strcmp(table->rows[i].fleet, table->rows[0].fleet) != 0)
			return false;
	return true;
}

int manager_table_find(const struct manager_table *table, const char *name,
		       const struct manager_row **row, struct err *e)
{
	if (!table->count)
		return err_set(
			e, ERR_PRECONDITION,
			"this service has no manager to make CVMs: its administrators name one "
			"in COMPUTATIONS_MANAGERS");
	if (!*name && table->count > 1 && !are_one_fleet(table))
		return err_set(
			e, ERR_INVALID,
			"this service has %zu managers: say which one ('--manager'), such as "
			"%s",
			table->count, table->rows[0].name);
	for (size_t i = 0; i < table->count; i++)
		if (!*name || strcmp(table->rows[i].name, name) == 0) {
			*row = &table->rows[i];
			return 0;
		}
	return err_set(e, ERR_NOT_FOUND,
		       "no manager %s: COMPUTATIONS_MANAGERS names those there are",
		       log_quote(name).text);
}

bool manager_table_quota_of(const struct manager_table *table, const char *workspace,
			    struct machine_quota *quota)
{
	const struct manager_limit *found = NULL;

	for (size_t i = 0; i < table->limit_count; i++)
		if (strcmp(table->limits[i].workspace, workspace) == 0 ||
		    (!found && strcmp(table->limits[i].workspace, "*") == 0))
			found = &table->limits[i];
	if (found)
		*quota = found->quota;
	return found;
}

const struct manager_row *manager_table_next(const struct manager_table *table,
					     const struct manager_row *row,
					     const struct manager_row *after)
{
	const size_t first = (size_t)(after - table->rows) + 1;

	for (size_t i = 0; *row->fleet && i < table->count; i++) {
		const struct manager_row *other = &table->rows[(first + i) % table->count];

		if (other != row && strcmp(other->fleet, row->fleet) == 0)
			return other;
	}
	return NULL;
}

int manager_table_quota(const struct manager_table *table, const char *workspace,
			struct machine_quota *quota, struct err *e)
{
	struct machine_quota found;

	if (!manager_table_quota_of(table, workspace, &found) || !found.cvms)
		return err_set(
			e, ERR_DENIED,
			"workspace %s may have no CVMs: ask the service's administrators for a "
			"line 'limit %s cvms=N' in COMPUTATIONS_MANAGERS",
			workspace, workspace);
	*quota = found;
	return 0;
}

bool manager_table_limits(const struct manager_table *table, const char *workspace)
{
	for (size_t i = 0; i < table->limit_count; i++)
		if (strcmp(table->limits[i].workspace, workspace) == 0)
			return true;
	return false;
}
