/* SPDX-License-Identifier: Apache-2.0 */
/* orders_relay.h — numbers in the input of fuzz_relay_hub, for the target and for make_calls. */
#pragma once

/* The first byte, as bits. */
enum {
	RELAY_FLAG_FEW = 1,   /* few connections are one too many */
	RELAY_FLAG_SMALL = 2, /* sockets hold little */
	RELAY_FLAG_LED = 4,   /* the front knows from the start who serves */
	RELAY_FLAG_USERS = 8, /* who calls is a user, and has no address */
};

/* A command's lowest five bits; then its operands. A LINE counts from the latest back. */
enum relay_order {
	RELAY_ORDER_CALL,   /* the front's door, from address */
	RELAY_ORDER_COME,   /* to the inner listener: RELAY_BY_… */
	RELAY_ORDER_SAY,    /* LINE, length; bytes */
	RELAY_ORDER_MUCH,   /* LINE, so many pieces */
	RELAY_ORDER_HEADER, /* LINE, RELAY_FROM_…, address */
	RELAY_ORDER_RAW,    /* LINE, length; bytes beneath TLS */
	RELAY_ORDER_HEAR,   /* LINE, so many pieces */
	RELAY_ORDER_END,    /* LINE: in one direction */
	RELAY_ORDER_CLOSE,  /* LINE */
	RELAY_ORDER_LEAD,   /* RELAY_LEAD_… */
	RELAY_ORDER_TAKE,   /* what is handed over from now on: RELAY_TAKE_… */
	RELAY_ORDER_TIME,   /* so many seconds */
	RELAY_ORDER_LACK,   /* RELAY_LACK_…, as bits, from now on */
	RELAY_ORDER_HANDS,  /* peers: shake hands (even) or not, from now on */
	RELAY_ORDER_STOP,   /* the inner listener takes no more */
	RELAY_ORDER_LEAVE,  /* even: the front; odd: the inner listener */
	RELAY_ORDER_ASK,    /* what is told of both */
	RELAY_ORDERS
};

enum { RELAY_BY_SECRET, RELAY_BY_OTHER_SECRET, RELAY_BY_OTHER_FENCE, RELAY_BY_BYTES, RELAY_BYS };
enum {
	RELAY_FROM_V4,
	RELAY_FROM_V6,
	RELAY_FROM_USER,
	RELAY_FROM_NO_DOOR,
	RELAY_FROM_HALF, /* of a header */
	RELAY_FROMS
};
enum {
	RELAY_LEAD_INNER,
	RELAY_LEAD_PLAYED, /* by the input */
	RELAY_LEAD_NOBODY,
	RELAY_LEAD_OTHER_FENCE,
	RELAY_LEAD_DEAD, /* nobody listens there */
	RELAY_LEAD_BAD,
	RELAY_LEAD_LONG,
	RELAY_LEADS
};
enum { RELAY_TAKE_IT, RELAY_TAKE_NO_DOOR, RELAY_TAKE_FULL, RELAY_TAKE_STOPPED, RELAY_TAKES };
enum {
	RELAY_LACK_DESCRIPTORS = 1, /* when somebody comes */
	RELAY_LACK_POLLS = 2,
	RELAY_LACK_ORIGIN = 4, /* who came has left */
	RELAY_LACK_HASTE = 8,  /* a dial does not end */
	RELAY_LACK_TLS = 16,
	RELAY_LACK_SOCKETS = 32, /* for a dial */
};
