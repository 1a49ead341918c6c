/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_room.h — a separate store for each test, with small limits, and the steps that most tests
 * begin with.
 */
#pragma once

#include "computations/store/store.h"
#include "tests/unit.h"

struct store_room {
	char dir[64];
	struct store store;
	struct err e;
};

/* What store_room_open() opens it with: 4 computations, 3 CVMs, 32 records of 16 KiB. */
extern struct store_limits store_room_limits;

int store_room_enter(void **state);
int store_room_leave(void **state);
/* Where a server is for this program (tests/postgres.py), or NULL: then the stores are files. */
const char *store_room_database(void);
#define STORE_ROOM_ROW(name) \
	cmocka_unit_test_setup_teardown(name, store_room_enter, store_room_leave)

/* Again, after store_close(). */
void store_room_open(struct store_room *f);
/* Of older forms' sql: there were no CVMs that managers make; no assets; nobody confirmed a manifest; there were no
 * workspaces; no command line could ask to be let in; there were no keys of users; no audit log; no notes; users could
 * not sign in; there were no users. */
#define STORE_ROOM_NO_MACHINES "DROP TABLE IF EXISTS machines;"
#define STORE_ROOM_NO_ASSETS   STORE_ROOM_NO_MACHINES "DROP TABLE asset_links; DROP TABLE assets;"
#define STORE_ROOM_NO_CONFIRMATIONS \
	"DROP TABLE confirmations; ALTER TABLE computations DROP COLUMN manifest_revision;"
#define STORE_ROOM_NO_WORKSPACES \
	"DROP TABLE workspace_computations; DROP TABLE workspace_members; DROP TABLE workspaces;"
#define STORE_ROOM_NO_DEVICES "DROP TABLE devices;"
#define STORE_ROOM_NO_KEYS    "DROP TABLE key_challenges; DROP TABLE user_keys;"
#define STORE_ROOM_NO_AUDIT \
	"DROP TABLE audit_rows; DROP TABLE audit_start; ALTER TABLE users DROP COLUMN auditor;"
#define STORE_ROOM_NO_NOTES    "DROP TABLE asset_notes; DROP TABLE origins;"
#define STORE_ROOM_NO_ACCOUNTS "DROP TABLE entry_links; DROP TABLE logins; DROP TABLE passwords;"
#define STORE_ROOM_NO_USERS \
	"DROP TABLE role_members; DROP TABLE own_roles; DROP TABLE tokens; DROP TABLE users;"
#define STORE_ROOM_NO_PEOPLE                                                                     \
	STORE_ROOM_NO_ASSETS STORE_ROOM_NO_CONFIRMATIONS STORE_ROOM_NO_WORKSPACES                \
		STORE_ROOM_NO_DEVICES STORE_ROOM_NO_KEYS STORE_ROOM_NO_AUDIT STORE_ROOM_NO_NOTES \
			STORE_ROOM_NO_ACCOUNTS STORE_ROOM_NO_USERS
/* Makes an older form of it by `sql`, and opens it again. */
void store_room_age(struct store_room *f, const char *sql, int form);

/* The first workspace: computations are created in it, and users are added to it. */
int64_t store_room_workspace(struct store_room *f);
void store_room_user(struct store_room *f, const char *name);
void store_room_create(struct store_room *f, const char *id);
/* A CVM says that it is there; in the second one it also gets nothing to do. */
void store_room_arrive(struct store_room *f, const char *cvm, struct store_todo *todo);
void store_room_arrive_idle(struct store_room *f, const char *cvm);
/* Creates a computation and assigns it to that CVM, which was idle. */
void store_room_run_on(struct store_room *f, const char *id, const char *cvm);
void store_room_event(struct store_room *f, const char *cvm, const char *id, const char *type,
		      const char *status);
/* The agent's answer to the manifest; with an empty `error` it accepts it. */
int store_room_answer(struct store_room *f, const char *cvm, const char *id, const char *error);

/* How many lines are logged while `work` is done. */
size_t store_room_lines(struct store_room *f, void (*work)(struct store_room *f));

/* For store_cvm_seen(): `data` is a list of ids that are connected. */
bool store_room_is_in(const char *id, void *data);

/* The computation is in that state and, if `finished`, has its end. */
void store_room_check(struct store_room *f, const char *id, enum computation_state state,
		      bool finished);
