/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manager_table.h — the managers that this service has CVMs made by, and how many each workspace may have
 * (COMPUTATIONS_MANAGERS).
 *
 *   manager here unix:/run/cocos/manager.sock agents=10.0.2.2:7001
 *   manager ward manager.example:7001 agents=service.example:7001 ca=/etc/cocos/m-ca.pem cert=/etc/cocos/m.pem key=/etc/cocos/m-key.pem
 *   manager west  west.example:7001  fleet=ward agents=… ca=… cert=… key=…     (one of those that share a database)
 *   limit default cvms=4 cpus=16 memory=64G cpu-hours=2000
 *   limit * cvms=1
 *   plan standard cpu-hours=10000 memory-hours=40000                           (of accounts that pay for workspaces)
 *
 * One of these in a line; white space parts the words. Lines that begin with '#' and empty ones are left out.
 * Everything else is refused: what it says decides who is handed the keys of agents.
 */
#pragma once

#include "common/base/err.h"
#include "computations/store/usage_limit.h"

#include <stddef.h>

enum {
	MANAGER_TABLE_FILE_MAX = 64 << 10,
	MANAGER_TABLE_LINE_MAX = 2048,
	MANAGERS_MAX = 16,
	MANAGER_LIMITS_MAX = 256,
	MANAGER_NAME_MAX = 32,
	MANAGER_ADDRESS_MAX = 256,
	MANAGER_PATH_MAX = 256,
};

enum manager_file {
	MANAGER_CA,  /* of the manager's certificate, */
	MANAGER_CRL, /* revocation lists of that authority, */
	MANAGER_CERT,
	MANAGER_KEY,       /* and ours for it */
	MANAGER_AGENTS_CA, /* what its CVMs' agents get to speak with this service */
	MANAGER_AGENTS_CERT,
	MANAGER_AGENTS_KEY,
	MANAGER_FILES
};

struct manager_row {
	char name[MANAGER_NAME_MAX + 1];
	char address[MANAGER_ADDRESS_MAX + 1];
	char fleet[MANAGER_NAME_MAX + 1];     /* the same: they share a database; "": none */
	char agents[MANAGER_ADDRESS_MAX + 1]; /* where agents in its CVMs find this service */
	char files[MANAGER_FILES][MANAGER_PATH_MAX + 1]; /* "": none */
};

struct manager_limit {
	char workspace[64]; /* "*": each that has no line of its own */
	struct machine_quota quota;
};

struct manager_table {
	struct manager_row rows[MANAGERS_MAX];
	size_t count;
	struct manager_limit limits[MANAGER_LIMITS_MAX];
	size_t limit_count;
	struct usage_plans plans;
};

/* `where` begins what is refused: "WHERE:LINE: ". One manager there must be. */
int manager_table_parse(const char *text, size_t len, const char *where,
			struct manager_table *table, struct err *e) MUST_CHECK;

/* The file, which nobody but root and this user may write. */
int manager_table_read(const char *path, struct manager_table *table, struct err *e) MUST_CHECK;

/* By name; "" is the only one, or the first of the only fleet. ERR_NOT_FOUND, ERR_INVALID. */
int manager_table_find(const struct manager_table *table, const char *name,
		       const struct manager_row **row, struct err *e) MUST_CHECK;

/* The one behind `after` that shares a database with `row`, from the first on again; NULL: there is none. */
const struct manager_row *manager_table_next(const struct manager_table *table,
					     const struct manager_row *row,
					     const struct manager_row *after);

/* ERR_DENIED: it may have none. */
int manager_table_quota(const struct manager_table *table, const char *workspace,
			struct machine_quota *quota, struct err *e) MUST_CHECK;

/* What its line says, or that of each workspace, also where that is none any more: what runs is measured by it. False: there is
 * no line. */
bool manager_table_quota_of(const struct manager_table *table, const char *workspace,
			    struct machine_quota *quota);

/* A line of it is of that workspace. */
bool manager_table_limits(const struct manager_table *table, const char *workspace);
