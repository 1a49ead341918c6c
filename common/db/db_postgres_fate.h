/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_postgres_fate.h — whether a commit was kept whose answer never came: each connection has a row of cocos_fate, in which
 * each transaction that writes leaves its number.
 */
#pragma once

#include "common/db/db_postgres_link.h"

/* Before a commit. If the transaction writes, our row gets the number of its commit with it; else "". */
int postgres_fate_number(struct postgres *p, char number[POSTGRES_WORD_MAX],
			 struct err *e) MUST_CHECK;

/* The connection broke while the server made it last, or did not: its row says so. (A transaction's id would not:
 * a server that crashed before it wrote it down gives it to another one.) 0: it was kept. ERR_UNAVAILABLE: nothing was.
 * ERR_UNKNOWN: the server did not come back in time to be asked. Waits: in the pool alone. */
int postgres_fate_find(struct postgres *p, const char *number, struct err *e) MUST_CHECK;
