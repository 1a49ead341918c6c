/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_row.h — one row of the registry, to and from the database. Private to registry*.c.
 *
 * What is read becomes folders that are removed, a domain's name and a port: a column that has
 * another form than what we write is refused, whoever wrote it.
 */
#pragma once

#include "common/db/db.h"
#include "manager/registry/registry.h"

enum {
	REGISTRY_CPUS_MAX = 4096,
};

/* Its columns in one order, for who writes and who reads them, and as many parameters. */
#define REGISTRY_COLUMNS                                                          \
	"id, slot, port, step, created_ms, expires_ms, tee, kvm, cpus, cpu_type," \
	" firmware, image, cmdline, boot_sha3_256, boot_sha3_384, expected,"      \
	" name, labels, memory, owner, host"
#define REGISTRY_PARAMETERS "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?"

/* What is remembered of one that is gone; `nr` apart, which orders them. */
#define REGISTRY_GONE_COLUMNS "id, name, labels, tee, kvm, why, created_ms, exited_ms, owner"

int registry_row_insert(struct db *db, const struct cvm *cvm, struct err *e) MUST_CHECK;

/* What REGISTRY_GONE_COLUMNS give; false if the id is none. */
bool registry_row_take_gone(struct db_rows *rows, struct cvm_gone *gone);

/* ERR_DATA_LOSS names the column. */
int registry_row_take(struct db_rows *rows, struct cvm *cvm, struct err *e) MUST_CHECK;
