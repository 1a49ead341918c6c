/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a server's connections and public streams give way: as server_state.h says. */
#include "common/base/log.h"
#include "common/rpc/call.h"
#include "common/rpc/call_state.h"
#include "common/rpc/conn.h"
#include "common/rpc/server_state.h"

#include <assert.h>
#include <stddef.h>

enum {
	ROOM_CALLS = 0,  /* the one class of public streams */
	ROOM_SHARES = 4, /* of the places, one of which a holder may keep */
};

/* What a holder has: */
enum {
	HELD_KEPT,   /* his share, until the connection ends, */
	HELD_BEYOND, /* and what would be in it, while a call lasts that has proven */
};

static struct rpc_conn *conn_of(struct place *place)
{
	return place ? (struct rpc_conn *)((char *)place - offsetof(struct rpc_conn, room.place))
		     : NULL;
}

static struct room *room_of(const struct rpc_conn *c)
{
	return &c->server->room;
}

void room_init(struct room *room)
{
	TAILQ_INIT(&room->quiet);
}

void room_done(struct room *room)
{
	places_done(&room->conns);
	places_done(&room->calls);
	places_done(&room->holders);
}

static struct rpc_conn *victim(const struct room *room, enum room_stage stage)
{
	return conn_of(places_victim(&room->conns, stage));
}

static unsigned unready_count(const struct room *room)
{
	return places_count(&room->conns, ROOM_TLS) + places_count(&room->conns, ROOM_READYING);
}

/* Each of the two stages keeps half of the places: those who stall in one do not close the other. */
static struct rpc_conn *unready_victim(const struct rpc_server *server)
{
	const struct room *room = &server->room;
	unsigned half = server->limits.unready_max / 2;
	bool is_tls = places_count(&room->conns, ROOM_TLS) > half ||
		      places_count(&room->conns, ROOM_READYING) <= half;
	struct rpc_conn *c = victim(room, is_tls ? ROOM_TLS : ROOM_READYING);

	return c ? c : victim(room, is_tls ? ROOM_READYING : ROOM_TLS);
}

static struct rpc_conn *quiet_victim(const struct rpc_server *server)
{
	struct rpc_conn *c = TAILQ_FIRST(&server->room.quiet);

	return c && uv_now(server->hub.loop) - c->room.quiet_since >= server->limits.quiet_ms
		       ? c
		       : NULL;
}

bool room_make(struct rpc_server *server)
{
	struct room *room = &server->room;
	struct rpc_conn *c = NULL;

	if (unready_count(room) >= server->limits.unready_max)
		c = unready_victim(server);
	else if (server->conn_count < server->limits.connections_max)
		return true;
	if (!c)
		c = victim(room, ROOM_STRANGER);
	if (!c)
		c = quiet_victim(server);
	if (!c)
		c = unready_victim(server);
	if (!c)
		return false;
	log_debug("%s: gives way to another", c->peer->name);
	conn_give_way(c);
	return true;
}

int room_enter(struct rpc_conn *c, struct err *e)
{
	return places_enter(&room_of(c)->conns, &c->room.place, &c->peer->key,
			    c->h2.transport.tls ? ROOM_TLS : ROOM_READYING, e);
}

void room_advance(struct rpc_conn *c, enum room_stage stage)
{
	if (c->room.place.source && c->room.place.class < stage)
		places_move(&room_of(c)->conns, &c->room.place, stage);
}

static void set_quiet(struct rpc_conn *c, bool is_quiet)
{
	struct room *room = room_of(c);

	if (c->room.is_quiet == is_quiet)
		return;
	c->room.is_quiet = is_quiet;
	c->room.quiet_since = uv_now(c->server->hub.loop);
	if (is_quiet)
		TAILQ_INSERT_TAIL(&room->quiet, c, room.quieter);
	else
		TAILQ_REMOVE(&room->quiet, c, room.quieter);
}

/* It gives way to nobody while its calls last. */
static void keep(struct rpc_conn *c)
{
	places_leave(&room_of(c)->conns, &c->room.place);
	set_quiet(c, false);
}

/* A place of the share is free: it goes to the one that has waited for longest. */
static void leave_share(struct rpc_conn *c)
{
	struct places *holders = &room_of(c)->holders;
	bool is_kept = c->room.held.source && c->room.held.class == HELD_KEPT;
	struct place *next = is_kept ? places_beside(&c->room.held, HELD_BEYOND) : NULL;

	if (next) {
		places_move(holders, next, HELD_KEPT);
		keep((struct rpc_conn *)((char *)next - offsetof(struct rpc_conn, room.held)));
	}
	places_leave(holders, &c->room.held);
}

void room_leave(struct rpc_conn *c)
{
	places_leave(&room_of(c)->conns, &c->room.place);
	leave_share(c);
	set_quiet(c, false);
}

/* The connection becomes one of those that its holder keeps, unless these are enough. Who has no
 * certificate has proven himself in another way, which the service counts. */
static bool take_share(struct rpc_conn *c)
{
	struct places *holders = &room_of(c)->holders;
	unsigned share = c->server->limits.connections_max / ROOM_SHARES;
	struct err ignored;

	if (!c->peer->spki || c->room.held.source)
		return true;
	if (places_enter(holders, &c->room.held, &c->peer->holder, HELD_KEPT, &ignored) < 0)
		return false;
	if (places_count_beside(&c->room.held) <= (share ? share : 1))
		return true;
	places_move(holders, &c->room.held, HELD_BEYOND);
	return false;
}

void room_call_proven(struct rpc_call *call)
{
	struct rpc_conn *c = call_conn(call);

	if (!c || call->has_proven)
		return;
	call->has_proven = true;
	if (c->room.proven_calls++ == 0 && take_share(c))
		keep(c);
}

int room_call_enter(struct rpc_call *call, struct err *e)
{
	struct rpc_conn *c = call_conn(call);
	struct places *calls = &room_of(c)->calls;
	struct place *oldest;
	struct err why;

	if (places_enter(calls, &call->place, &c->peer->key, ROOM_CALLS, e) < 0)
		return err_code(e);
	if (places_count(calls, ROOM_CALLS) <= c->server->limits.public_max)
		return 0;
	oldest = places_victim(calls, ROOM_CALLS);
	places_leave(calls, oldest);
	err_set(&why, ERR_UNAVAILABLE, "this stream gives way to a newer one: ask again");
	call_cut((struct rpc_call *)((char *)oldest - offsetof(struct rpc_call, place)), &why);
	return 0;
}

void room_call_leave(struct rpc_call *call)
{
	struct rpc_conn *c = call_conn(call);

	places_leave(&room_of(c)->calls, &call->place);
	if (!call->has_proven || --c->room.proven_calls > 0)
		return;
	if (c->room.place.source)
		places_leave(&room_of(c)->holders, &c->room.held);
	else if (c->h2.transport.stage == TRANSPORT_OPEN)
		set_quiet(c, true);
}
