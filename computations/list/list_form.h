/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list_form.h — by what lists are ordered, for the form of the service's database.
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

/* The same of a workspace's assets and members. Members by name are sorted as they come: their names are in another table. */
#define LIST_PEOPLE_FORM                                                                      \
	"ALTER TABLE assets ADD COLUMN changed {integer} NOT NULL DEFAULT 0;"                 \
	"UPDATE assets SET changed = created;"                                                \
	"CREATE INDEX assets_created ON assets (workspace, created, number);"                 \
	"CREATE INDEX assets_changed ON assets (workspace, changed, number);"                 \
	"CREATE INDEX assets_name ON assets (workspace, " LIST_NAME(                          \
		"name") ", number);"                                                          \
			"CREATE INDEX assets_type ON assets (workspace, type, number);"       \
			"ALTER TABLE workspace_members ADD COLUMN changed {integer} NOT NULL" \
			" DEFAULT 0;"                                                         \
			"UPDATE workspace_members SET changed = joined;"                      \
			"CREATE INDEX workspace_members_joined ON workspace_members"          \
			" (workspace, joined, person);"                                       \
			"CREATE INDEX workspace_members_changed ON workspace_members"         \
			" (workspace, changed, person);"                                      \
			"CREATE INDEX workspace_members_role ON workspace_members"            \
			" (workspace, role, person);"
