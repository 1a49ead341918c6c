/* SPDX-License-Identifier: Apache-2.0 */
/* audit_form.h — the tables of the audit log, for the form of the service's database (common/db/db_form.h). */
#pragma once

/* Rows have no gaps. The one row of audit_start says behind which of them the log begins; who adds holds its lock.
 * An auditor reads the log, and no more. */
#define AUDIT_FORM                                                                \
	"CREATE TABLE audit_rows ("                                               \
	" number {numbered},"                                                     \
	" line TEXT NOT NULL,"                                                    \
	" digest {bytes} NOT NULL);"                                              \
	"CREATE TABLE audit_start (head TEXT NOT NULL);"                          \
	"INSERT INTO audit_start (head) VALUES ("                                 \
	" '0:0000000000000000000000000000000000000000000000000000000000000000');" \
	"ALTER TABLE users ADD COLUMN auditor {integer} NOT NULL DEFAULT 0;"
