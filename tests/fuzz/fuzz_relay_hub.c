/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that are passed on from one instance to another: who calls at the one's door, who comes to the other's inner
 * listener with the secret, with another one or with none, and who stands in its place, in any order and with any bytes,
 * ends in one direction and closes, while time passes and what the system lends runs out.
 *
 * Input: flags(1), then commands with their operands, as command() reads them (orders_relay.h). What must hold says
 * relay_world.c.
 */
#include "common/base/reader.h"
#include "tests/fuzz/loop_time.h"
#include "tests/fuzz/orders_relay.h"
#include "tests/fuzz/relay_world.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 150, PIECES_MAX = 64, SECOND = 1000 };

static void say_header(struct relay_line *l, uint8_t from, uint8_t address)
{
	struct relay_header header = { .door = address % RELAY_DOORS, .instance = "c" };
	uint8_t bytes[RELAY_HEADER_LEN];

	if (from % RELAY_FROMS == RELAY_FROM_USER) {
		header.from.any.sa_family = AF_UNIX;
		header.uid = address;
	} else if (from % RELAY_FROMS == RELAY_FROM_V6) {
		header.from.v6 =
			(struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(1000) };
		header.from.v6.sin6_addr.s6_addr[0] = 0x20;
		header.from.v6.sin6_addr.s6_addr[7] = address;
	} else {
		header.from.v4 =
			(struct sockaddr_in){ .sin_family = AF_INET,
					      .sin_port = htons(1000),
					      .sin_addr = { htonl(0x0a000000U + address) } };
	}
	relay_header_write(&header, bytes);
	if (from % RELAY_FROMS == RELAY_FROM_NO_DOOR)
		memset(bytes, 0xff, sizeof(bytes));
	relay_line_say(l, bytes, from % RELAY_FROMS == RELAY_FROM_HALF ? 50 : sizeof(bytes));
}

static void pass_time(uint8_t seconds)
{
	/* The second turn of a repeating timer sees what the first one did. */
	loop_time_pass((uint64_t)seconds * SECOND);
	for (int i = 0; i < 4 && loop_time_next(&relay_world.loop); i++)
		relay_world_settle();
}

static void leave(bool is_inner)
{
	if (is_inner)
		relay_inner_close(relay_world.inner);
	else
		relay_front_close(relay_world.front);
	/* They free themselves. */
	if (is_inner)
		relay_world.inner = NULL;
	else
		relay_world.front = NULL;
}

static void ask(void)
{
	if (relay_world.front)
		assert(relay_front_stats(relay_world.front).now <= RELAY_WORLD_LINES);
	if (relay_world.inner)
		assert(relay_inner_stats(relay_world.inner).now <= RELAY_WORLD_LINES);
}

/* What is about no line. */
static bool command_all(enum relay_order order, struct reader *r)
{
	switch (order) {
	case RELAY_ORDER_CALL:
		relay_world.address = reader_u8(r);
		relay_world_call();
		return true;
	case RELAY_ORDER_COME:
		relay_world_come(reader_u8(r));
		return true;
	case RELAY_ORDER_LEAD:
		relay_world_lead(reader_u8(r) % RELAY_LEADS);
		return true;
	case RELAY_ORDER_TAKE:
		relay_world.takes = reader_u8(r);
		return true;
	case RELAY_ORDER_TIME:
		pass_time(reader_u8(r));
		return true;
	case RELAY_ORDER_LACK:
		relay_world.lacks = reader_u8(r);
		return true;
	case RELAY_ORDER_HANDS:
		relay_world.is_slow = reader_u8(r) % 2;
		return true;
	case RELAY_ORDER_STOP:
		relay_inner_stop(relay_world.inner);
		return true;
	case RELAY_ORDER_LEAVE:
		leave(reader_u8(r) % 2);
		return true;
	case RELAY_ORDER_ASK:
		ask();
		return true;
	default:
		return false;
	}
}

static void command_bytes(enum relay_order order, struct relay_line *l, struct reader *r)
{
	size_t len = reader_u8(r);
	const uint8_t *bytes;

	len = len < reader_left(r) ? len : reader_left(r);
	bytes = reader_take(r, len);
	if (order == RELAY_ORDER_SAY)
		relay_line_say(l, bytes, len);
	else
		relay_line_raw(l, bytes, len);
}

static void command(struct reader *r)
{
	const enum relay_order order = reader_u8(r) % RELAY_ORDERS;
	struct relay_line *l;
	uint8_t from;

	if (command_all(order, r) || !(l = relay_world_line(reader_u8(r))))
		return;
	switch (order) {
	case RELAY_ORDER_SAY:
	case RELAY_ORDER_RAW:
		command_bytes(order, l, r);
		break;
	case RELAY_ORDER_MUCH:
		relay_line_much(l, reader_u8(r) % PIECES_MAX);
		break;
	case RELAY_ORDER_HEADER:
		from = reader_u8(r);
		say_header(l, from, reader_u8(r));
		break;
	case RELAY_ORDER_HEAR:
		relay_line_hear(l, reader_u8(r) % PIECES_MAX);
		break;
	case RELAY_ORDER_END:
		relay_line_end(l);
		break;
	default:
		relay_line_close(l);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);

	relay_world_enter(reader_u8(&r));
	for (int i = 0; i < COMMANDS_MAX && reader_ok(&r) && reader_left(&r); i++) {
		command(&r);
		relay_world_settle();
	}
	relay_world_leave();
	return 0;
}
