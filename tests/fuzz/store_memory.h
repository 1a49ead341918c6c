/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_memory.h — the computation service's store in memory, for fuzz targets: with the tables that
 * store_open() makes, empty at the begin of each input.
 */
#pragma once

#include "common/base/file.h"
#include "common/db/db_sqlite.h"
#include "common/db/db_sqlite_holds.h"
#include "computations/seal/secret.h"
#include "computations/store/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Made once, in a folder that is removed at once. */
static inline sqlite3 *store_memory_new(void)
{
	static const struct store_limits any = { 1, 1, 1, 1, 64 };
	sqlite3 *memory;
	char dir[] = "/tmp/cocos-fuzz-store-XXXXXX";
	struct store store;
	sqlite3_backup *backup;
	struct err e;

	assert(mkdtemp(dir) && store_open(&store, dir, NULL, &any, &e) == 0);
	assert(sqlite3_open(":memory:", &memory) == SQLITE_OK);
	assert(db_sqlite_holds(memory, &e) == 0);
	backup = sqlite3_backup_init(memory, "main", db_sqlite_of(&store.db), "main");
	assert(backup && sqlite3_backup_step(backup, -1) == SQLITE_DONE);
	assert(sqlite3_backup_finish(backup) == SQLITE_OK);
	store_close(&store);
	assert(dir_remove(dir, &e) == 0);
	assert(sqlite3_exec(memory, "PRAGMA foreign_keys=ON", NULL, NULL, NULL) == SQLITE_OK);
	return memory;
}

/* As on a disk that fails: what is asked for so many statements from now on, subqueries counted, is refused, once. 0: nothing
 * is. What undoes is never refused: then nobody would know what there is. */
static unsigned store_memory_fails;

static inline int store_memory_judge(void *data, int action, const char *what, const char *table,
				     const char *database, const char *by)
{
	(void)data;
	(void)table;
	(void)database;
	(void)by;
	if (!store_memory_fails || action == SQLITE_READ || action == SQLITE_FUNCTION ||
	    (what && strcmp(what, "ROLLBACK") == 0))
		return SQLITE_OK;
	return --store_memory_fails ? SQLITE_OK : SQLITE_DENY;
}

/* One for the life of the program, emptied. */
static inline void store_memory_open(struct store *store, const struct store_limits *limits)
{
	static sqlite3 *sqlite;
	static struct secret_key secrets = { .id = "0011223344556677" };
	static EVP_PKEY *key;
	struct err e;

	if (!sqlite) {
		sqlite = store_memory_new();
		assert(key_generate(KEY_ECDSA, &key, &e) == 0);
		assert(sqlite3_set_authorizer(sqlite, store_memory_judge, NULL) == SQLITE_OK);
	}
	store_memory_fails = 0;
	*store = (struct store){ .limits = *limits,
				 .log_key = key,
				 .secrets = &secrets,
				 .lock = -1,
				 .database_lock = -1 };
	db_sqlite_adopt(&store->db, sqlite);
	assert(db_script(&store->db,
			 "DELETE FROM witness_leaves; DELETE FROM witness_nodes;"
			 "DELETE FROM entries; DELETE FROM signed_journals;"
			 "DELETE FROM records; DELETE FROM journals; DELETE FROM cvms;"
			 "DELETE FROM workspace_computations; DELETE FROM workspaces;"
			 "DELETE FROM computations; DELETE FROM own_roles; DELETE FROM users;"
			 "DELETE FROM audit_rows; DELETE FROM usage_spans;"
			 "DELETE FROM usage_traffic; DELETE FROM usage_kept;"
			 "DELETE FROM billing_accounts; DELETE FROM billing_places;"
			 "DELETE FROM billing_told; DELETE FROM certificates;"
			 "DELETE FROM secrets; DELETE FROM once_keys;"
			 "DELETE FROM passkey_answers; DELETE FROM passkeys_begun;"
			 "DELETE FROM trips; DELETE FROM devices; DELETE FROM entry_links;"
			 "DELETE FROM sqlite_sequence;"
			 "INSERT INTO workspaces (name, created) VALUES ('default', 0);",
			 &e) == 0);
}
