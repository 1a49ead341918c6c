/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/file.h"
#include "common/db/db_sqlite.h"
#include "tests/unit/common/db/db_room.h"

#include <stdio.h>

const char *const db_room_locked = "locked";

void db_room_hurry(struct db_room *room)
{
	sqlite3_busy_timeout(db_sqlite_of(&room->other), 10);
}

int db_room_enter(void **state)
{
	struct db_room *room = calloc(1, sizeof(*room));
	char path[80];

	snprintf(room->dir, sizeof(room->dir), "/tmp/cocos-test-db-XXXXXX");
	if (!mkdtemp(room->dir))
		return -1;
	snprintf(path, sizeof(path), "%s/db", room->dir);
	assert_ok(db_sqlite_open(&room->db, path, &room->e), room->e);
	assert_ok(db_sqlite_open(&room->other, path, &room->e), room->e);
	*state = room;
	return 0;
}

int db_room_leave(void **state)
{
	struct db_room *room = *state;

	db_close(&room->db);
	db_close(&room->other);
	if (dir_remove(room->dir, &room->e) < 0)
		return -1;
	free(room);
	return 0;
}
