/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look_form.h — indexes of tables that are other rooms', for look-ups that went through all rows of them
 * (tests/unit/computations/store/test_store.c names each).
 */
#pragma once

/* Whose digest an asset has is asked in the order of numbers, which SQLite takes for more than a digest: the index has both. Of
 * workflows that are over, and those that are not: the sweep asks for both, and no statement for a state and an end. */
#define LOOKS_FORM                                                                   \
	"CREATE INDEX certificates_name ON certificates (name, role, until);"        \
	"CREATE INDEX certificates_until ON certificates (until);"                   \
	"CREATE INDEX user_keys_computation ON user_keys (computation);"             \
	"CREATE INDEX key_challenges_computation ON key_challenges (computation);"   \
	"CREATE INDEX key_challenges_ends ON key_challenges (ends);"                 \
	"CREATE INDEX halves_ends ON halves (ends);"                                 \
	"CREATE INDEX passkeys_begun_ends ON passkeys_begun (ends);"                 \
	"CREATE INDEX logins_ends ON logins (ends);"                                 \
	"CREATE INDEX logins_seen ON logins (seen);"                                 \
	"CREATE INDEX invitations_over ON invitations (taken, ends);"                \
	"CREATE INDEX mails_created ON mails (created);"                             \
	"CREATE INDEX cvms_key ON cvms (key);"                                       \
	"CREATE INDEX machines_workspace ON machines (workspace, number);"           \
	"DROP INDEX assets_digest;"                                                  \
	"CREATE INDEX assets_digest ON assets (workspace, digest, type, number);"    \
	"DROP INDEX workflows_ended;"                                                \
	"CREATE INDEX workflows_over ON workflows (ended, number) WHERE state <> 0;" \
	"CREATE INDEX workflows_open ON workflows (number) WHERE state = 0;"
