/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/device_room.h"

#include "computations/people/device.h"
#include "computations/people/network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct place {
	int64_t number;
	char peer[DEVICE_PEER_MAX + 1];
	struct rpc_source source; /* of an address; else nothing */
	bool stays;
	int64_t user; /* for whom it does */
};

/* The one that comes is behind those that are there. */
struct room {
	struct place at[DEVICES_MAX + 1];
	size_t count;
};

/* As common/rpc/origin.c has it, from "192.0.2.1" or "[2001:db8::1]". */
static struct rpc_source source_of(const char *peer)
{
	char text[DEVICE_PEER_MAX + 1];
	struct rpc_source source = { .bytes = { '4' } };
	const size_t len = strlen(peer);
	uint8_t address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, peer, source.bytes + 1) == 1)
		return source;
	source = (struct rpc_source){ .bytes = { 0 } };
	if (len < 2 || *peer != '[' || peer[len - 1] != ']')
		return source;
	memcpy(text, peer + 1, len - 2);
	text[len - 2] = '\0';
	if (inet_pton(AF_INET6, text, address) != 1)
		return source;
	/* Whoever has one address has all of its /64. */
	source.bytes[0] = '6';
	memcpy(source.bytes + 1, address, sizeof(address) / 2);
	return source;
}

/* How many are of that one's network, himself included; `len`: of its source. Who has no address is his own. */
static size_t beside(const struct room *room, const struct place *one, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i <= room->count; i++) {
		const struct place *other = &room->at[i];

		count += one->source.bytes[0]
				 ? memcmp(one->source.bytes, other->source.bytes, len) == 0
				 : strcmp(one->peer, other->peer) == 0;
	}
	return count;
}

/* NULL: all stay. Those that are there are in the order in which they came. */
static const struct place *who_gives_way(const struct room *room)
{
	const struct place *found = NULL;
	size_t most = 0;

	for (size_t i = 0; i < room->count; i++) {
		const struct place *one = &room->at[i];
		size_t wide, narrow, has;

		if (one->stays)
			continue;
		network_lengths(&one->source, &wide, &narrow);
		has = beside(room, one, wide) * (DEVICES_MAX + 2) + beside(room, one, narrow);
		if (has > most) {
			found = one;
			most = has;
		}
	}
	return found;
}

static int read_place(struct db_rows *rows, struct place *place, struct err *e)
{
	CLEANUP(free) char *peer = NULL;
	int64_t state, person;

	if (db_integer(rows, 0, 1, INT64_MAX, &place->number, e) < 0 ||
	    db_text(rows, 1, &peer, e) < 0 ||
	    db_integer(rows, 2, DEVICE_ASKED, INT64_MAX, &state, e) < 0 ||
	    db_integer(rows, 3, 0, INT64_MAX, &person, e) < 0)
		return err_code(e);
	if (strlen(peer) >= sizeof(place->peer))
		return err_set(e, ERR_DATA_LOSS, "database: a login's text is too long");
	memcpy(place->peer, peer, strlen(peer) + 1);
	place->source = source_of(place->peer);
	place->stays = person || state >= DEVICE_SEEN;
	if (place->stays)
		place->user = person ? person : state - DEVICE_SEEN;
	return 0;
}

/* Of each user the newest stay: by as many as he likes to look at he would keep out all others. */
static void share_out(struct room *room)
{
	for (size_t i = 0; i < room->count; i++) {
		struct place *one = &room->at[i];
		size_t newer = 0;

		for (size_t k = i + 1; one->stays && k < room->count; k++)
			newer += room->at[k].stays && room->at[k].user == one->user;
		if (newer >= DEVICES_PER_USER)
			one->stays = false;
	}
}

static int read_room(struct db *db, struct room *room, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row = 0;

	if (db_query(db, &rows, e,
		     "SELECT number, peer, refused, coalesce(person, 0) FROM devices"
		     " ORDER BY number",
		     "") < 0)
		return err_code(e);
	while (room->count < DEVICES_MAX && (row = db_next(rows, e)) > 0)
		if (read_place(rows, &room->at[room->count++], e) < 0)
			return err_code(e);
	if (row < 0)
		return row;
	share_out(room);
	return 0;
}

static int exhausted(const char *whose, struct err *e)
{
	return err_set(e, ERR_EXHAUSTED,
		       "too many command lines wait to be let in%s: try again in %d minutes", whose,
		       DEVICE_MINUTES);
}

int device_room_make(struct db *db, const char *peer, struct err *e)
{
	CLEANUP(free) struct room *room = calloc(1, sizeof(*room));
	const struct place *old;
	struct place *new;

	if (!room)
		return err_nomem(e);
	if (read_room(db, room, e) < 0)
		return err_code(e);
	new = &room->at[room->count];
	snprintf(new->peer, sizeof(new->peer), "%s", peer);
	new->source = source_of(new->peer);
	if (beside(room, new, RPC_SOURCE_LEN) > DEVICES_PER_PEER)
		return exhausted(" from your address", e);
	if (room->count < DEVICES_MAX)
		return 0;
	old = who_gives_way(room);
	if (!old)
		return exhausted("", e);
	return db_run(db, e, "DELETE FROM devices WHERE number = ?", "i", old->number);
}
