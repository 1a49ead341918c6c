/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_form.h — the table of the CVMs that managers are asked for (store_machine.h).
 */
#pragma once

#define MACHINES_FORM                                                                          \
	"CREATE TABLE machines ("                                                              \
	" number {counted},"                                                                   \
	" workspace {integer} NOT NULL REFERENCES workspaces (number) ON DELETE CASCADE,"      \
	" name TEXT NOT NULL,"                                                                 \
	" manager TEXT NOT NULL,"                                                              \
	" tag TEXT NOT NULL UNIQUE," /* its name at the manager */                             \
	" phase {integer} NOT NULL DEFAULT 0,"                                                 \
	" cvm TEXT NOT NULL DEFAULT '',"     /* its id there and as an agent; '': not known */ \
	" address TEXT NOT NULL DEFAULT ''," /* where owners reach its agent */                \
	" reason TEXT NOT NULL DEFAULT '',"                                                    \
	" image TEXT NOT NULL,"                                                                \
	" tee TEXT NOT NULL,"                                                                  \
	" cpus {integer} NOT NULL,"                                                            \
	" memory {integer} NOT NULL,"                                                          \
	" ttl {integer} NOT NULL,"                                                             \
	" created {integer} NOT NULL,"                                                         \
	" ended {integer} NOT NULL DEFAULT 0);"                                                \
	"CREATE UNIQUE INDEX machines_name ON machines (workspace, name) WHERE phase < 3;"     \
	"CREATE UNIQUE INDEX machines_cvm ON machines (cvm) WHERE cvm <> '' AND phase < 3;"    \
	"CREATE INDEX machines_of_cvm ON machines (cvm);" /* also of those that are gone */

/* One that is made for a run of a computation (store_machine_run.h). */
#define MACHINE_RUNS_FORM                                                                    \
	"ALTER TABLE machines ADD COLUMN run {integer} NOT NULL DEFAULT 0;" /* its number */ \
	"ALTER TABLE machines ADD COLUMN attempt {integer} NOT NULL DEFAULT 0;"              \
	"ALTER TABLE machines ADD COLUMN unverified {integer} NOT NULL DEFAULT 0;"           \
	"ALTER TABLE machines ADD COLUMN keep {integer} NOT NULL DEFAULT 0;"                 \
	"ALTER TABLE machines ADD COLUMN results {integer} NOT NULL DEFAULT 0;" /* since */  \
	"CREATE INDEX machines_runs ON machines (run);"                                      \
	"CREATE UNIQUE INDEX machines_run ON machines (run, attempt)"                        \
	" WHERE run > 0 AND phase < 3;"
