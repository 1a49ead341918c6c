/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_table.h — the operator's table of who may call: identities, whose they are, and what a tenant may have.
 *
 *   operator uid 0
 *   operator spiffe spiffe://clinic.example/ops
 *   tenant ward-7 subject CN=anna,O=Clinic
 *   tenant ward-7 key 8b1a…
 *   limit ward-7 cvms 5
 *
 * One of these in a line; white space parts the words, and the last word of an identity is the rest of its line.
 * Lines that begin with '#' and empty ones are left out. Everything else is refused: what it says decides who
 * reaches whose machines.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ACCESS_FILE_MAX = 1 << 20,
	ACCESS_LINE_MAX = 4096,
	ACCESS_RULES_MAX = 4096,
	ACCESS_TENANTS_MAX = 256,
	ACCESS_NAME_MAX = 63,
};

/* By what a caller is known: rpc_identity's members. */
enum access_kind {
	ACCESS_UID,
	ACCESS_GID,
	ACCESS_SUBJECT,
	ACCESS_SPIFFE,
	ACCESS_KEY,
	ACCESS_KINDS
};

enum access_limit { ACCESS_CVMS, ACCESS_CPUS, ACCESS_MEMORY, ACCESS_LIMITS };
#define ACCESS_NO_LIMIT UINT64_MAX

struct access_tenant {
	char name[ACCESS_NAME_MAX + 1];
	uint64_t limits[ACCESS_LIMITS]; /* memory: bytes */
};

struct access_rule {
	enum access_kind kind;
	const struct access_tenant *tenant; /* NULL: an operator */
	uint64_t number;                    /* of ACCESS_UID and ACCESS_GID */
	char *text;                         /* of the others */
	unsigned line;
};

struct access_table {
	struct access_rule rules[ACCESS_RULES_MAX];
	size_t rule_count;
	struct access_tenant tenants[ACCESS_TENANTS_MAX];
	size_t tenant_count;
};

/* a-z 0-9 - . with a letter or digit at both ends. */
bool access_name_is_valid(const char *name);

/* `where` begins what is refused: "WHERE:LINE: ". No identity may be there twice, whoever's; there must be an
 * operator; a tenant's limits come after an identity of it. */
int access_table_parse(const char *text, size_t len, const char *where, struct access_table **table,
		       struct err *e) MUST_CHECK;
void access_table_free(struct access_table *table);
DEFINE_CLEANUP(struct access_table *, access_table_free)
