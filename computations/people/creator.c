/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/creator.h"

static int64_t tenth_of(int64_t max)
{
	return max / 10;
}

/* Of the users' room. */
static int64_t shared_of(int64_t max)
{
	const int64_t open = max - tenth_of(max);

	return open - open / 2;
}

/* Where there are more users than places, it is one place, for as many as come. */
int64_t creator_share(int64_t max, int64_t users)
{
	const int64_t share = users ? shared_of(max) / users : 0;

	return share ? share : 1;
}

/* What is kept and what is set aside fill the room at most: a user who creates of his share takes from what is set aside. */
bool creator_has_room(const struct creator_room *room)
{
	const int64_t open = room->max - tenth_of(room->max), shared = shared_of(room->max);
	const int64_t share = creator_share(room->max, room->users);
	const int64_t aside = room->users * share - room->used;

	if (room->own < share)
		return room->all < open;
	return room->all + (aside < shared ? aside : shared) < open;
}

/* The new one is nobody's yet, as those of administrators are. */
static int read_room(struct db *db, int64_t person, struct creator_room *room, struct err *e)
{
	int64_t unowned;

	if (db_number(db, &room->users, e, "SELECT count(*) FROM users", "") < 0 ||
	    db_number(db, &unowned, e,
		      "SELECT count(*) FROM workspace_computations WHERE creator = 0", "") < 0 ||
	    db_number(db, &room->all, e,
		      "SELECT count(*) FROM workspace_computations WHERE creator <> 0", "") < 0 ||
	    db_number(db, &room->own, e,
		      "SELECT count(*) FROM workspace_computations WHERE creator = ?", "i",
		      person) < 0)
		return err_code(e);
	if (--unowned > tenth_of(room->max))
		room->all += unowned - tenth_of(room->max);
	return db_number(
		db, &room->used, e,
		"SELECT CAST(coalesce(sum(CASE WHEN created < ?1 THEN created ELSE ?1 END),"
		" 0) AS BIGINT) FROM (SELECT count(*) AS created"
		" FROM workspace_computations WHERE creator IN (SELECT number FROM users)"
		" GROUP BY creator) AS creators",
		"i", creator_share(room->max, room->users));
}

int creator_keep(struct db *db, const char *computation, int64_t person, int64_t max, struct err *e)
{
	struct creator_room room = { .max = max };

	if (read_room(db, person, &room, e) < 0)
		return err_code(e);
	if (room.own >= CREATOR_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "%lld computations that you created are kept, also those that "
			       "others own now: have some removed",
			       (long long)room.own);
	if (!creator_has_room(&room))
		return err_set(e, ERR_EXHAUSTED,
			       "%lld computations that you created are kept, and what room is left "
			       "is other users': have some removed, or "
			       "COMPUTATIONS_MAX_COMPUTATIONS raised",
			       (long long)room.own);
	return db_run(db, e, "UPDATE workspace_computations SET creator = ? WHERE computation = ?",
		      "it", person, computation);
}
