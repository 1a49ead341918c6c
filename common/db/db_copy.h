/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_copy.h — all rows of one database in place of another's, whichever each of them is.
 */
#pragma once

#include "common/db/db_model.h"

enum { DB_VALUE_MAX = 64 << 20 }; /* bytes of a text or blob */

/* Both have the model's tables, and a transaction each, `from` perhaps a snapshot. Numbers that were used stay so.
 * `counts`: rows of each table. ERR_DATA_LOSS names a column whose value is not of its type. */
int db_copy(const struct db_model *model, struct db *from, struct db *to, int64_t *counts,
	    struct err *e) MUST_CHECK;
