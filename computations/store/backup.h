/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup.h — all of the service's records in one file (backup_file.h), and back, whichever database has them.
 *
 * The file holds the tables of store_form.h, the key of the log of heads, and how many rows each table has: secrets, so
 * it is made with mode 0600. Blocking; for a process of their own.
 */
#pragma once

#include "common/audit/audit_row.h"

/* As store_open() takes them. */
struct backup_place {
	const char *dir, *database;
};

/* What is in one. */
struct backup_report {
	int64_t form; /* of its tables, when it was taken */
	int64_t tables, rows;
	int64_t leaves;          /* of the log of heads */
	struct audit_head audit; /* where the audit log ends */
};

/* Beside a service that may run: all of it as of one moment. The chain of the audit log and the log of heads are
 * verified before the file has its name; nothing is left of one that fails. ERR_EXISTS: `path` is there. */
int backup_write(const struct backup_place *place, const char *path, struct backup_report *report,
		 struct err *e) MUST_CHECK;

/* Into a database that has no tables, all or nothing; older forms become the newest. Who was signed in is not any more,
 * and links that worked once do not; a row of the audit log says what came back. ERR_PRECONDITION: a service uses the
 * place, there are records, or the key of another log. */
int backup_restore(const struct backup_place *place, const char *path, struct backup_report *report,
		   struct err *e) MUST_CHECK;

/* What a backup holds beside the service's tables. */
#define BACKUP_FORM                                                                    \
	"CREATE TABLE backup_about (taken {integer} NOT NULL, witness TEXT NOT NULL);" \
	"CREATE TABLE backup_tables (name TEXT NOT NULL PRIMARY KEY, count {integer} NOT NULL);"

struct db;
/* What both verify in it: chain, log and its key. `from`: for people. */
int backup_verify(struct db *db, const char *witness, const char *from,
		  struct backup_report *report, struct err *e) MUST_CHECK;
