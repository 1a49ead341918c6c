/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_machine_row.h — CVMs that managers make, as statements read them. For this folder only.
 */
#pragma once

#include "common/base/err.h"

struct db_rows;
struct machine;

#define MACHINE_COLUMNS                                                                   \
	"m.number, m.workspace, m.created, m.ended, m.phase, m.cpus, m.memory, m.ttl,"    \
	" m.run, m.attempt, m.keep, m.results, coalesce(r.ended, 0), " MACHINE_STANDS "," \
	" m.name, s.name, m.manager, m.tag, m.cvm, m.address, m.reason, m.image, m.tee,"  \
	" coalesce(v.computation, ''), coalesce(r.id, ''),"                               \
	" CASE WHEN v.id IS NULL THEN 0 ELSE 1 END, m.unverified"
#define MACHINE_TABLES                                                 \
	" FROM machines m JOIN workspaces s ON s.number = m.workspace" \
	" LEFT JOIN computations r ON r.number = m.run AND m.run > 0"  \
	" LEFT JOIN cvms v ON v.id = m.cvm AND m.phase < 3 "

/* How far the run is: of another attempt, or given to another CVM, it is over; state 4 has results. */
#define MACHINE_STANDS                                                     \
	"CASE WHEN r.id IS NULL OR r.attempt <> m.attempt"                 \
	" OR (r.cvm <> '' AND r.cvm <> m.cvm) THEN 0"                      \
	" WHEN r.finished <> 0 THEN CASE r.state WHEN 4 THEN 4 ELSE 0 END" \
	" WHEN r.cvm = '' THEN 1 WHEN r.state = 4 THEN 3 ELSE 2 END"

#define MACHINE_NOT_GONE "phase < 3"
/* Of workspace ?2, so many as the parameter that follows says. */
#define MACHINE_NEWEST_GONE                                                           \
	"SELECT number FROM machines WHERE workspace = ?2 AND NOT (" MACHINE_NOT_GONE \
	") ORDER BY number DESC LIMIT "

/* Of a statement with these columns. */
int store_machine_read(struct db_rows *row, struct machine *m, struct err *e) MUST_CHECK;
