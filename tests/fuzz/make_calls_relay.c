/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_relay.c — the corpus of what two instances hear that pass connections on. */
#include "tests/fuzz/make_calls.h"
#include "tests/fuzz/orders_relay.h"

#include <stdio.h>

/* Commands as numbers, up to -1. */
static void put(struct writer *w, const int *words)
{
	for (; *words >= 0; words++)
		writer_u8(w, (uint8_t)*words);
}

#define PUT(w, ...)            put(w, (const int[]){ __VA_ARGS__, -1 })
#define SAVE(name, flags, ...) save(name, flags, (const int[]){ __VA_ARGS__, -1 })

static void save(const char *name, uint8_t flags, const int *words)
{
	struct writer w = calls_begin(flags);

	put(&w, words);
	calls_save_to("relay_hub", name, &w);
}

#define CALL(address) RELAY_ORDER_CALL, address
#define COME(by)      RELAY_ORDER_COME, RELAY_BY_##by
#define MUCH(line, n) RELAY_ORDER_MUCH, line, n
#define HEAR(line, n) RELAY_ORDER_HEAR, line, n
#define HEADER(from)  RELAY_ORDER_HEADER, 0, RELAY_FROM_##from, 1
#define END(line)     RELAY_ORDER_END, line
#define CLOSE(line)   RELAY_ORDER_CLOSE, line
#define LEAD(how)     RELAY_ORDER_LEAD, RELAY_LEAD_##how
#define TAKES(how)    RELAY_ORDER_TAKE, RELAY_TAKE_##how
#define TIME(seconds) RELAY_ORDER_TIME, seconds
#define LACK(what)    RELAY_ORDER_LACK, what
#define ANSWER(what)  RELAY_ORDER_SAY, 0, 1, what

/* From the caller (1) to the server (0) and back. */
static void save_through(void)
{
	static const uint8_t flags[] = { 0, RELAY_FLAG_SMALL, RELAY_FLAG_USERS,
					 RELAY_FLAG_SMALL | RELAY_FLAG_USERS };
	char name[32];

	for (size_t i = 0; i < sizeof(flags); i++) {
		struct writer w = calls_begin(RELAY_FLAG_LED | flags[i]);

		PUT(&w, CALL(1), MUCH(0, 60), MUCH(1, 60), MUCH(0, 60), TIME(1), HEAR(0, 60));
		PUT(&w, HEAR(1, 60), MUCH(1, 20), HEAR(0, 20), MUCH(0, 20), HEAR(1, 20));
		PUT(&w, END(1), HEAR(0, 60), MUCH(0, 60), HEAR(1, 60), HEAR(1, 60), END(0));
		PUT(&w, HEAR(1, 60), RELAY_ORDER_ASK, CLOSE(0), CLOSE(1));
		snprintf(name, sizeof(name), "through-%zu", i);
		calls_save_to("relay_hub", name, &w);
	}
	SAVE("server-ends", RELAY_FLAG_LED, CALL(1), MUCH(0, 1), END(0), MUCH(1, 1), HEAR(0, 4),
	     END(1), TIME(1));
	SAVE("server-closes", RELAY_FLAG_LED, CALL(1), MUCH(0, 1), CLOSE(0), MUCH(1, 4), MUCH(1, 4),
	     TIME(1), HEAR(1, 4));
	SAVE("caller-closes", RELAY_FLAG_LED, CALL(1), MUCH(0, 1), MUCH(0, 4), CLOSE(1), MUCH(0, 4),
	     TIME(1), MUCH(0, 4), TIME(3));
	SAVE("caller-closes-full", RELAY_FLAG_LED | RELAY_FLAG_SMALL, CALL(1), MUCH(0, 1),
	     MUCH(0, 60), END(1), TIME(1), CLOSE(1), MUCH(0, 4), TIME(1), TIME(3));
	SAVE("ended-then-gone", RELAY_FLAG_LED, CALL(1), MUCH(0, 1), END(1), TIME(1), CLOSE(1),
	     TIME(1), MUCH(0, 4), TIME(3), TIME(3));
	SAVE("server-full-then-gone", RELAY_FLAG_LED | RELAY_FLAG_SMALL, CALL(1), MUCH(0, 60),
	     MUCH(1, 60), MUCH(1, 60), CLOSE(0), TIME(1), HEAR(0, 60));
	SAVE("many", RELAY_FLAG_LED | RELAY_FLAG_FEW, CALL(1), MUCH(0, 1), CALL(2), MUCH(0, 1),
	     CALL(2), MUCH(0, 1), CALL(3), MUCH(0, 1), CALL(3), MUCH(0, 1), CALL(4), MUCH(0, 1),
	     CALL(4), CALL(4), CALL(5), CALL(6), CALL(7), CALL(8), MUCH(0, 1), RELAY_ORDER_ASK);
}

static void save_time(void)
{
	SAVE("silent", RELAY_FLAG_LED, CALL(1), TIME(5), TIME(6), CALL(2), CLOSE(0), CALL(2),
	     END(0));
	SAVE("waiting", 0, CALL(1), MUCH(0, 1), CALL(2), MUCH(0, 1), TIME(4), LEAD(INNER),
	     HEAR(0, 4), CALL(3), MUCH(0, 1), LEAD(NOBODY), CALL(4), MUCH(0, 1), TIME(6));
	SAVE("idle", RELAY_FLAG_LED, CALL(1), MUCH(0, 1), TIME(255), TIME(255), TIME(255),
	     TIME(255));
	SAVE("half", RELAY_FLAG_LED, CALL(1), MUCH(0, 1), END(1), TIME(50), TIME(20));
	SAVE("stalled", RELAY_FLAG_LED | RELAY_FLAG_SMALL, CALL(1), MUCH(0, 60), MUCH(1, 60),
	     MUCH(1, 60), TIME(50), TIME(20));
	SAVE("slow-hands", 0, RELAY_ORDER_HANDS, 1, LEAD(PLAYED), CALL(1), MUCH(0, 1), COME(SECRET),
	     COME(BYTES), TIME(9), TIME(2));
	SAVE("no-header", 0, COME(SECRET), TIME(9), TIME(2));
	SAVE("dial-does-not-end", RELAY_FLAG_LED, LACK(RELAY_LACK_HASTE), CALL(1), MUCH(0, 1),
	     TIME(9), TIME(2));
	SAVE("refused-stays", 0, TAKES(FULL), COME(SECRET), HEADER(V4), MUCH(0, 60), TIME(1),
	     TIME(2));
	SAVE("leave-slowly", RELAY_FLAG_LED, CALL(1), MUCH(0, 1), END(0), CALL(2), MUCH(0, 1),
	     RELAY_ORDER_LEAVE, 1, TIME(0), MUCH(3, 1), TIME(0), TIME(1), MUCH(0, 1));
	SAVE("leave-front", RELAY_FLAG_LED, CALL(1), MUCH(0, 1), CALL(1), RELAY_ORDER_LEAVE, 0,
	     RELAY_ORDER_ASK, MUCH(0, 1), LEAD(PLAYED), CALL(1), RELAY_ORDER_LEAVE, 1,
	     COME(SECRET));
}

/* In place of the front. */
static void save_comers(void)
{
	static const uint8_t by[] = { RELAY_BY_SECRET, RELAY_BY_OTHER_SECRET, RELAY_BY_OTHER_FENCE,
				      RELAY_BY_BYTES };
	static const uint8_t takes[] = { RELAY_TAKE_IT, RELAY_TAKE_NO_DOOR, RELAY_TAKE_FULL,
					 RELAY_TAKE_STOPPED };
	char name[32];

	for (uint8_t from = 0; from < RELAY_FROMS; from++) {
		struct writer w = calls_begin(0);

		PUT(&w, COME(SECRET), RELAY_ORDER_HEADER, 0, from, 2, MUCH(1, 4), HEAR(0, 4),
		    MUCH(0, 4));
		PUT(&w, HEAR(1, 4), END(1), HEAR(0, 4), END(0), HEAR(1, 4), RELAY_ORDER_ASK);
		snprintf(name, sizeof(name), "from-%u", from);
		calls_save_to("relay_hub", name, &w);
	}
	for (size_t i = 0; i < sizeof(takes); i++) {
		struct writer w = calls_begin(0);

		PUT(&w, RELAY_ORDER_TAKE, takes[i], COME(SECRET), HEADER(V4), MUCH(0, 4),
		    HEAR(0, 1));
		PUT(&w, END(0), HEAR(0, 1), CLOSE(0), COME(SECRET), HEADER(V6), CLOSE(0), CLOSE(0));
		snprintf(name, sizeof(name), "take-%zu", i);
		calls_save_to("relay_hub", name, &w);
	}
	for (size_t i = 0; i < sizeof(by); i++) {
		struct writer w = calls_begin(0);

		PUT(&w, RELAY_ORDER_COME, by[i], RELAY_ORDER_RAW, 0, 5, 22, 3, 1, 0, 4, END(0));
		PUT(&w, RELAY_ORDER_COME, by[i], HEADER(V4), HEAR(0, 1), CLOSE(0), RELAY_ORDER_COME,
		    by[i]);
		PUT(&w, CLOSE(0), RELAY_ORDER_COME, by[i], HEADER(V4), RELAY_ORDER_RAW, 1, 3, 1, 2,
		    3);
		snprintf(name, sizeof(name), "by-%zu", i);
		calls_save_to("relay_hub", name, &w);
	}
	SAVE("stopped", 0, RELAY_ORDER_STOP, COME(SECRET), HEADER(V4), HEAR(0, 1), END(0));
	SAVE("comers", RELAY_FLAG_FEW, COME(SECRET), HEADER(V4), COME(SECRET), HEADER(V4),
	     COME(SECRET), HEADER(V6), COME(SECRET), HEADER(V6), COME(SECRET), HEADER(USER),
	     COME(SECRET), COME(BYTES), COME(BYTES), COME(SECRET), HEADER(USER), COME(BYTES));
	SAVE("comer-cut", 0, COME(SECRET), HEADER(V4), MUCH(1, 1), CLOSE(1), MUCH(0, 4), TIME(1));
	SAVE("comer-ends-then-gone", 0, COME(SECRET), HEADER(V4), END(1), TIME(1), CLOSE(1),
	     TIME(1));
}

/* In place of the inner listener. */
static void save_dialled(void)
{
	char name[32];

	for (uint8_t answer = 0; answer < 7; answer++) {
		struct writer w = calls_begin(0);

		PUT(&w, LEAD(PLAYED), CALL(1), MUCH(0, 4), HEAR(0, 4), ANSWER(answer), MUCH(0, 4));
		PUT(&w, HEAR(1, 4), END(0), HEAR(1, 1), MUCH(1, 4), HEAR(0, 4), END(1), HEAR(0, 4));
		snprintf(name, sizeof(name), "answer-%u", answer);
		calls_save_to("relay_hub", name, &w);
	}
	SAVE("no-answer", 0, LEAD(PLAYED), CALL(1), MUCH(0, 4), END(0), HEAR(1, 1));
	SAVE("dialled-closes", 0, LEAD(PLAYED), CALL(1), MUCH(0, 4), CLOSE(0), HEAR(1, 1), CALL(1),
	     MUCH(0, 1), ANSWER(0), MUCH(0, 1), RELAY_ORDER_RAW, 0, 5, 1, 2, 3, 4, 5, HEAR(1, 1));
	SAVE("dialled-bytes", 0, RELAY_ORDER_HANDS, 1, LEAD(PLAYED), CALL(1), MUCH(0, 1),
	     RELAY_ORDER_RAW, 0, 7, 21, 3, 3, 0, 2, 2, 40, CALL(1), MUCH(0, 1), CLOSE(0), CALL(1),
	     MUCH(0, 1), END(0));
	SAVE("dialled-slow", RELAY_FLAG_SMALL, LEAD(PLAYED), CALL(1), MUCH(0, 60), ANSWER(0),
	     MUCH(1, 60), TIME(1), END(1), TIME(1), HEAR(0, 60), HEAR(0, 60), TIME(1), END(0));
	SAVE("leads", 0, LEAD(INNER), CALL(1), MUCH(0, 1), LEAD(OTHER_FENCE), MUCH(1, 1),
	     HEAR(1, 1), CALL(2), MUCH(0, 1), LEAD(DEAD), CALL(3), MUCH(0, 1), LEAD(BAD),
	     LEAD(LONG), CALL(4), MUCH(0, 1), LEAD(NOBODY), LEAD(NOBODY), LEAD(PLAYED),
	     LEAD(PLAYED), HEAR(0, 1), LEAD(INNER));
}

/* What the system lends. */
static void save_lacks(void)
{
	static const uint8_t lacks[] = { RELAY_LACK_DESCRIPTORS, RELAY_LACK_POLLS,
					 RELAY_LACK_ORIGIN,      RELAY_LACK_HASTE,
					 RELAY_LACK_TLS,         RELAY_LACK_SOCKETS };
	char name[32];

	for (size_t i = 0; i < sizeof(lacks); i++) {
		struct writer w = calls_begin(RELAY_FLAG_LED);

		PUT(&w, LACK(lacks[i]), CALL(1), MUCH(0, 1), TIME(1), COME(SECRET), LACK(0),
		    TIME(1));
		PUT(&w, CALL(1), LACK(lacks[i]), MUCH(0, 1), LACK(0), COME(SECRET), LACK(lacks[i]));
		PUT(&w, HEADER(V4), LACK(0), TIME(1), LACK(lacks[i]), CALL(1));
		snprintf(name, sizeof(name), "lack-%zu", i);
		calls_save_to("relay_hub", name, &w);
	}
}

void calls_relay_hub(void)
{
	save_through();
	save_time();
	save_comers();
	save_dialled();
	save_lacks();
}
