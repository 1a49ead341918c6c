/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_room.h — an instance that passes on, one that serves, and who calls, all on one loop.
 *
 * Its clock stands still but for relay_room_pass(), so that no limit of time depends on how fast a test is.
 */
#pragma once

#include "common/relay/relay_front.h"
#include "common/relay/relay_inner.h"

#include <uv.h>

enum { RELAY_ROOM_TAKEN = 64, RELAY_ROOM_MOST = 512, RELAY_ROOM_FENCE = 7 };
enum { RELAY_ROOM_STEP_MS = 250, RELAY_ROOM_SOON = 100 };

struct relay_room {
	uv_loop_t loop;
	struct relay_front *front;
	struct relay_inner *inner;
	unsigned front_port, inner_port;
	int held[2]; /* which have these ports */
	char inner_address[32];
	uint8_t secret[RELAY_SECRET_LEN];
	/* What came to the one that serves; the test's to close. */
	int taken[RELAY_ROOM_TAKEN];
	struct rpc_origin origins[RELAY_ROOM_TAKEN];
	enum relay_door doors[RELAY_ROOM_TAKEN];
	size_t taken_count;
	enum err_code refuses; /* ERR_OK: it takes */
};

/* Each with its maximum of connections; the front does not know yet who serves. */
void relay_room_open(struct relay_room *r, unsigned front_most, unsigned inner_most);
/* Ends both; all that is left must end. */
void relay_room_close(struct relay_room *r);
/* The front is told that the other one serves, by the lease of that number. */
void relay_room_lead(struct relay_room *r, int64_t fence);
/* One turn. */
void relay_room_turn(struct relay_room *r);
/* So much time passes at once; then some turns. */
void relay_room_pass(struct relay_room *r, unsigned ms);
/* From now on so many last words of TLS (close_notify) find no room in their socket. */
void relay_room_hold_ends(unsigned count);
/* Turns until the condition holds. */
#define RELAY_ROOM_UNTIL(r, condition)        \
	do {                                  \
		while (!(condition))          \
			relay_room_turn((r)); \
	} while (0)

/* The same while time passes, in steps of the relay's own; fails after RELAY_ROOM_SOON of them. */
#define RELAY_ROOM_SOON_UNTIL(r, condition)                               \
	do {                                                              \
		for (int i = 0; i < RELAY_ROOM_SOON && !(condition); i++) \
			relay_room_pass((r), RELAY_ROOM_STEP_MS);         \
		assert_true(condition);                                   \
	} while (0)

/* Connected, and does not block: to the front's door for agents; to the inner listener. */
int relay_room_call(struct relay_room *r);
int relay_room_call_inner(struct relay_room *r);
/* The same, which says a byte and is passed on; `*server` gets the other end, where that byte was read. */
int relay_room_through(struct relay_room *r, int *server);

/* Turns until something can be read or the other side has ended; what read() says: 0 at the end, -1 when it was cut. */
ssize_t relay_room_read(struct relay_room *r, int fd, void *bytes, size_t len);
void relay_room_write(struct relay_room *r, int fd, const void *bytes, size_t len);
/* After some turns there is nothing to read, and no end. */
bool relay_room_is_open(struct relay_room *r, int fd);

/* Somebody who speaks TLS by a secret; `fd` stays his. NULL: the handshake failed. */
SSL *relay_room_shake_hands(struct relay_room *r, struct relay_tls *tls, int fd);
