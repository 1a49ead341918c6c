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
/* Takes away what `form` has not yet, newest first. */
void store_room_undo(struct store_room *f, int form);
/* The same, and opens it again. */
void store_room_age(struct store_room *f, int form);

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

/* How many of the steps by which SQLite does what `work` asks of it count. Not on a server: its plans depend on how much is
 * there. */
size_t store_room_steps(struct store_room *f, void (*work)(struct store_room *f),
			bool (*counts)(const char *step));

/* How many lines are logged while `work` is done. */
size_t store_room_lines(struct store_room *f, void (*work)(struct store_room *f));

/* For store_cvm_seen(): `data` is a list of ids that are connected. */
bool store_room_is_in(const char *id, void *data);

/* The computation is in that state and, if `finished`, has its end. */
void store_room_check(struct store_room *f, const char *id, enum computation_state state,
		      bool finished);
