/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage_form.h — the tables of what CVMs ran (store_usage.h), of bytes in and out (usage_traffic.h), and of what is kept
 * (usage_kept.h).
 */
#pragma once

/* Those of one CVM follow each other without gaps: `since` is the `until` of the one before. They outlive the workspace, the
 * CVM's own row and the computation, and refer to none of them. */
#define USAGE_FORM                                                           \
	"CREATE TABLE usage_spans ("                                         \
	" number {counted},"                                                 \
	" workspace {integer} NOT NULL,"                                     \
	" called TEXT NOT NULL,"      /* the workspace, then */              \
	" machine TEXT NOT NULL,"     /* the CVM's tag */                    \
	" computation TEXT NOT NULL," /* that it held; '': none */           \
	" cpus {integer} NOT NULL,"                                          \
	" memory {integer} NOT NULL," /* MiB */                              \
	" since {integer} NOT NULL,"                                         \
	" until {integer} NOT NULL);"                                        \
	"CREATE INDEX usage_spans_machine ON usage_spans (machine, number);" \
	"CREATE INDEX usage_spans_workspace ON usage_spans (workspace, until);"

/* Sums instead of spans, of months that ended long ago (usage_fold.h). */
#define USAGE_MONTHS_FORM                                                                                                                                               \
	"CREATE TABLE usage_months ("                                                                                                                                   \
	" workspace {integer} NOT NULL,"                                                                                                                                \
	" called TEXT NOT NULL,"                                                                                                                                        \
	" machine TEXT NOT NULL,"                                                                                                                                       \
	" computation TEXT NOT NULL,"                                                                                                                                   \
	" since {integer} NOT NULL," /* the month's first ms */                                                                                                         \
	" ms {integer} NOT NULL,"                                                                                                                                       \
	" cpu_ms {integer} NOT NULL,"                                                                                                                                   \
	" memory_s {integer} NOT NULL,"                                                                                                                                 \
	" PRIMARY KEY (workspace, computation, since, machine)) {by key};"                                                                                              \
	"CREATE INDEX usage_months_since ON usage_months (since);" /* The oldest that ran, and what is left of those that are in sums, without a look at all others. */ \
	"CREATE INDEX usage_spans_since ON usage_spans (since, number) WHERE until > since;"                                                                            \
	"CREATE INDEX usage_spans_empty ON usage_spans (until) WHERE since = until;"

/* One row of each computation and month, kept for good. They refer to nothing that may be removed, either. The size of a run's
 * results stands with its journal: a part that comes later says who fetched them. */
#define TRAFFIC_FORM                                              \
	"CREATE TABLE usage_traffic ("                            \
	" since {integer} NOT NULL," /* the month's first ms */   \
	" workspace {integer} NOT NULL,"                          \
	" computation TEXT NOT NULL,"                             \
	" called TEXT NOT NULL," /* the workspace, then */        \
	" bytes_in {integer} NOT NULL,"                           \
	" bytes_out {integer} NOT NULL,"                          \
	" PRIMARY KEY (since, workspace, computation)) {by key};" \
	"ALTER TABLE signed_journals ADD COLUMN results {integer} NOT NULL DEFAULT 0;"

/* What is kept of computations counts in the same rows: bytes times seconds. Of each that is there it is noted how much that was, and when:
 * s since 1970. What an older program kept counts from its first look on. */
#define KEPT_FORM                                                                                \
	"ALTER TABLE usage_traffic ADD COLUMN stored {integer} NOT NULL DEFAULT 0;"              \
	"CREATE TABLE usage_kept ("                                                              \
	" computation TEXT NOT NULL,"                                                            \
	" bytes {integer} NOT NULL,"                                                             \
	" looked {integer} NOT NULL,"                                                            \
	" PRIMARY KEY (computation)) {by key};"                                                  \
	"CREATE INDEX usage_kept_looked ON usage_kept (looked, computation);"                    \
	"INSERT INTO usage_kept (computation, bytes, looked) SELECT id, 0, 0 FROM computations;" \
	"CREATE INDEX computations_called ON computations (name);"
