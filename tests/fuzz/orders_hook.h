/* SPDX-License-Identifier: Apache-2.0 */
/* orders_hook.h — numbers in the input of fuzz_hook_post, for the target and for make_calls. */
#pragma once

/* A command, and its operands. What is answered: so many pieces, each of so many times, length; bytes. */
enum hook_order {
	HOOK_ORDER_ADD,     /* HOOK_AT_… */
	HOOK_ORDER_DELIVER, /* event */
	HOOK_ORDER_TRY,     /* HOOK_TRY_…, as bits; for each that is due, what is answered */
	HOOK_ORDER_POST,    /* without a queue: HOOK_AT_…; what is answered */
	HOOK_ORDER_TIME,    /* so many minutes, times ten */
	HOOK_ORDER_BACK,    /* the clock is set back by so many hours */
	HOOK_ORDER_ROTATE,  /* webhook */
	HOOK_ORDER_ENABLE,  /* webhook */
	HOOK_ORDER_DISABLE, /* webhook */
	HOOK_ORDER_DELETE,  /* webhook */
	HOOK_ORDER_AGAIN,   /* webhook, delivery */
	HOOK_ORDER_LOSE,    /* webhook's secret; its old one with HOOK_LOSE_BEFORE */
	HOOK_ORDER_FAILS,   /* the database: at that statement from now on */
	HOOK_ORDER_STOP,    /* who sends: is to stop (odd) */
	HOOK_ORDERS
};

enum hook_at {
	HOOK_AT_PLAIN,
	HOOK_AT_TLS,
	HOOK_AT_PUBLIC,
	HOOK_AT_PRIVATE,      /* by a name */
	HOOK_AT_PUBLIC_PLAIN, /* likewise */
	HOOK_AT_REFUSED,      /* by its address */
	HOOK_AT_NOWHERE,      /* no URL */
	HOOK_ATS
};

enum { HOOK_TRY_DELETED = 1, HOOK_TRY_BUSY = 2, HOOK_TRY_MANY_BUSY = 4 };
enum { HOOK_LOSE_BEFORE = 128 };
