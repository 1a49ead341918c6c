/* SPDX-License-Identifier: Apache-2.0 */
#include "common/db/db_postgres.h"
#include "tests/unit/common/db/db_room.h"

const char *const db_room_locked = "lock timeout";

void db_room_hurry(struct db_room *room)
{
	assert_ok(db_script(&room->other, "SET lock_timeout = 50", &room->e), room->e);
}

/* The server is tests/postgres's; each test has a schema of its own, one after the other. */
int db_room_enter(void **state)
{
	struct db_room *room = calloc(1, sizeof(*room));
	struct db_postgres how = { .place = getenv("COCOS_TEST_POSTGRES"), .schema = "db_room" };

	assert_non_null(how.place);
	assert_ok(db_postgres_open(&room->db, &how, &room->e), room->e);
	assert_ok(db_postgres_open(&room->other, &how, &room->e), room->e);
	*state = room;
	return 0;
}

int db_room_leave(void **state)
{
	struct db_room *room = *state;

	db_close(&room->other);
	assert_ok(db_script(&room->db, "DROP SCHEMA db_room CASCADE", &room->e), room->e);
	db_close(&room->db);
	free(room);
	return 0;
}
