/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_room.h — an empty database for each test.
 */
#pragma once

#include "common/db/db_form.h"
#include "tests/unit.h"

struct db_room {
	char dir[64];
	struct db db, other; /* two connections to it */
	struct err e;
};

int db_room_enter(void **state);
int db_room_leave(void **state);
#define DB_ROOM_ROW(name) cmocka_unit_test_setup_teardown(name, db_room_enter, db_room_leave)

/* The words that the database has for what was locked for too long. */
extern const char *const db_room_locked;
/* Lets `other` wait only for a moment. */
void db_room_hurry(struct db_room *room);
