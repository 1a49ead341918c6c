/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_table.h — the operator's table of hosts on which CVMs are launched (MANAGER_HOSTS).
 *
 *   host here qemu:///system tees=snp
 *   host ward-2 qemu+tls://ward-2.example/system address=10.0.0.2 tees=snp,none cpus=64 memory=256G machines=40
 *   host ward-3 qemu+ssh://root@ward-3.example/system address=10.0.0.3 tees=tdx pool=boot state=draining
 *
 * One of these in a line; white space parts the words. Lines that begin with '#' and empty ones are left out.
 * Everything else is refused: what it says decides where machines run, and who is asked to run them.
 */
#pragma once

#include "common/base/err.h"
#include "manager/virt/domain_xml.h"
#include "manager/virt/virt.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HOST_TABLE_FILE_MAX = 64 << 10,
	HOST_TABLE_LINE_MAX = 1024,
	HOSTS_MAX = 64,
	HOST_NAME_LEN_MAX = VIRT_HOST_MAX - 1,
	HOST_URI_MAX = 256, /* with its end */
	HOST_TEES = DOMAIN_TDX + 1,
	HOST_CPUS_LIMIT = 1 << 20,
	HOST_MACHINES_LIMIT = 4096,
};
#define HOST_MEMORY_LIMIT ((uint64_t)1 << 50)
#define HOST_LOCAL_URI    "qemu:///system"
#define HOST_POOL         "cocos"

struct host_row {
	char name[VIRT_HOST_MAX];
	char uri[HOST_URI_MAX];
	char address[INET_ADDRSTRLEN]; /* IPv4, on which its agents are reached */
	char pool[VIRT_POOL_MAX];      /* for boot configurations */
	bool tees[HOST_TEES];          /* what CVMs there may have; DOMAIN_PLAIN: nothing */
	uint64_t cpus, memory;         /* of all CVMs there; 0: what the host has */
	uint64_t machines;             /* 0: no limit */
	bool draining;                 /* none is launched there any more */
};

/* Its files are this machine's own. */
bool host_row_is_local(const struct host_row *row);

struct host_table {
	struct host_row rows[HOSTS_MAX];
	size_t count;
};

/* a-z 0-9 - . with a letter or digit at both ends, as tenants have them. */
bool host_name_is_valid(const char *name);

/* `where` begins what is refused: "WHERE:LINE: ". No name and no URI may be there twice; one host there must be. */
int host_table_parse(const char *text, size_t len, const char *where, struct host_table *table,
		     struct err *e) MUST_CHECK;

/* One more, of the same words, beside those that are there. */
int host_table_add(struct host_table *table, const char *name, const char *uri, const char *words,
		   struct err *e) MUST_CHECK;

/* The file, which nobody but root and this user may write. */
int host_table_read(const char *path, struct host_table *table, struct err *e) MUST_CHECK;
