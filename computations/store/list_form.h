/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list_form.h — by what lists of computations are ordered, for the form of the service's database.
 */
#pragma once

/* What a name is ordered by: as people read it, and short enough for any index. Statements that name it otherwise find no
 * index. */
#define LIST_NAME(column) "substr(lower(" column "), 1, 128)"

/* `changed`: when its state, name or description was changed last; of older rows the last moment that they know. */
#define LIST_FORM                                                                   \
	"ALTER TABLE computations ADD COLUMN changed {integer} NOT NULL DEFAULT 0;" \
	"UPDATE computations SET changed = CASE"                                    \
	" WHEN ended >= sent AND ended >= created THEN ended"                       \
	" WHEN sent >= created THEN sent ELSE created END;"                         \
	"CREATE INDEX computations_created ON computations (created, number);"      \
	"CREATE INDEX computations_changed ON computations (changed, number);"      \
	"CREATE INDEX computations_name ON computations (" LIST_NAME(               \
		"name") ", number);"                                                \
			"CREATE INDEX computations_state ON computations (state, number);"
