/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_service_answers.c — the corpus of what a client of the computation service is answered. */
#include "tests/fuzz/answers.h"
#include "tests/fuzz/make_calls.h"
#include "tests/fuzz/orders_service_answers.h"

#include <stdio.h>
#include <string.h>

#define SAVE(name, ...)                                   \
	do {                                              \
		const uint8_t bytes_[] = { __VA_ARGS__ }; \
                                                          \
		save(name, bytes_, sizeof(bytes_));       \
	} while (0)
#define SAVE_EACH(number, name, ...)                                \
	do {                                                        \
		char name_[32];                                     \
                                                                    \
		snprintf(name_, sizeof(name_), name "-%u", number); \
		SAVE(name_, __VA_ARGS__);                           \
	} while (0)

/* An answer: the log with so many leaves. And one that goes on from it, and those that do not. */
#define LOG(size)             SVA_HONEST, 0, size, 0, SVA_HEAD_RIGHT
#define LOG_OF(history, size) SVA_HONEST, history, size, 0, SVA_HEAD_RIGHT
#define LEAF(size, leaf)      SVA_HONEST, 0, size, leaf, SVA_HEAD_RIGHT
#define KNOWN(size)           SVA_KNOW, 0, LOG(size)
/* A server that has no such method, and is another daemon. */
#define NO_METHOD                      SVA_FAILS, 11, SVA_HONEST
#define MEANWHILE(history, size, leaf) SVA_MEANWHILE, history, size, leaf

/* Operands of SVA_WITNESS. */
enum { OF_C = 1, OF_D = 2, OF_NOBODY = 3, RUN = 4, COMPARISON = 2 * SVA_COMPARED };

static void save(const char *name, const uint8_t *bytes, size_t len)
{
	struct writer w = writer_up_to(CALLS_INPUT_MAX);

	writer_bytes(&w, bytes, len);
	calls_save_to("service_answers", name, &w);
}

static void save_heads(void)
{
	SAVE("grows", 0, SVA_WITNESS, 0, LOG(0), KNOWN(0), KNOWN(3), KNOWN(5), SVA_WITNESS, 0,
	     LOG(16), SVA_IS_KEPT, 0, KNOWN(16));
	SAVE("shrinks", 0, KNOWN(5), KNOWN(4), KNOWN(5), SVA_KNOW, 0, LOG_OF(2, 16), KNOWN(16));
	SAVE("forks", 0, KNOWN(4), SVA_KNOW, 0, LOG_OF(1, 4), SVA_KNOW, 0, LOG_OF(1, 9), KNOWN(6),
	     SVA_KNOW, 0, LOG_OF(2, 9), KNOWN(9));
	SAVE("another-key", 0, KNOWN(4), SVA_KNOW, 0, LOG_OF(SVA_OF_KEY, 4), SVA_FILE,
	     SVA_FILE_GONE, SVA_KNOW, 0, LOG_OF(SVA_OF_KEY, 4), KNOWN(4), SVA_WITNESS,
	     SVA_SEEN_ONLY, LOG(5));
	for (uint8_t wanted = SVA_WANTS_LOGS; wanted <= SVA_WANTS_UNREADABLE; wanted++)
		SAVE_EACH(wanted, "wanted", wanted, KNOWN(4), SVA_KNOW, 0, LOG_OF(SVA_OF_KEY, 5));
	for (uint8_t place = 0; place < SVA_PLACES; place++)
		SAVE_EACH(place, "place", (uint8_t)(place << SVA_WANTED_BITS), SVA_IS_KEPT, 0,
			  KNOWN(4), SVA_IS_KEPT, 0, KNOWN(5));
	for (uint8_t wrong = 0; wrong < SVA_HEADS; wrong++)
		SAVE_EACH(wrong, "head", 0, KNOWN(5), SVA_WITNESS, 0, SVA_HONEST, 0, 9, 0, wrong,
			  SVA_WITNESS, OF_C, SVA_HONEST, 0, 9, 0, wrong, SVA_WITNESS,
			  SVA_SEEN_ONLY | OF_D, SVA_HONEST, 0, 9, 0, wrong);
	SAVE("none", 0, SVA_KNOW, 0, NO_METHOD, KNOWN(3), SVA_KNOW, 0, NO_METHOD, SVA_KNOW, 0,
	     SVA_FAILS, 13, SVA_KNOW, 0, SVA_LIES, ANSWER_PLAIN, SVA_KNOW, 0, SVA_LIES,
	     ANSWER_STRANGE);
}

static void save_leaves(void)
{
	SAVE("leaves", 0, SVA_WITNESS, OF_C, LOG(5), SVA_WITNESS, OF_C, LOG(5), SVA_WITNESS, OF_D,
	     LOG(5), SVA_WITNESS, OF_C, LOG(8), SVA_WITNESS, OF_NOBODY, LOG(8), SVA_WITNESS,
	     OF_C | RUN, LOG(9), SVA_WITNESS, OF_C | 2 * RUN, LOG(16), SVA_WITNESS, OF_C, LOG(16));
	SAVE("less", 0, SVA_WITNESS, OF_C | RUN, LOG(4), SVA_WITNESS, OF_C | RUN, LEAF(8, 3),
	     SVA_WITNESS, OF_C | RUN, LEAF(8, 6), SVA_WITNESS, OF_C | RUN, LEAF(8, 4));
	SAVE("older-run", 0, SVA_WITNESS, OF_C, LOG(7), SVA_WITNESS, OF_C, LEAF(7, 4), SVA_WITNESS,
	     OF_C | RUN, LEAF(7, 4), SVA_WITNESS, OF_C, LOG(12), SVA_WITNESS, OF_C, LOG(12));
	SAVE("gone", 0, SVA_WITNESS, OF_C, LOG(4), SVA_WITNESS, OF_C, SVA_HONEST, 0, 6, 0,
	     SVA_PROOF_NONE, SVA_WITNESS, OF_C | 2 * RUN, SVA_HONEST, 0, 6, 0, SVA_PROOF_NONE,
	     SVA_WITNESS, OF_C | RUN, SVA_HONEST, 0, 6, 0, SVA_PROOF_NONE);
	SAVE("anothers", 0, SVA_WITNESS, OF_C, LEAF(9, 2), SVA_WITNESS, OF_C | 2 * RUN, LEAF(9, 3),
	     SVA_WITNESS, OF_D | RUN, LEAF(9, 9));
	for (uint8_t how = 0; how < SVA_COMPARISONS; how++)
		SAVE_EACH(how, "compared", 0, SVA_WITNESS, OF_C | RUN, LEAF(4, 1), SVA_WITNESS,
			  OF_C | RUN, LEAF(4, 3), SVA_WITNESS,
			  (uint8_t)(OF_C | RUN | SVA_COMPARED | how * COMPARISON), LEAF(4, 4),
			  SVA_WITNESS, OF_C | RUN, LEAF(4, 4));
	SAVE("full", 0, SVA_WITNESS, OF_C | RUN, LOG(4), SVA_FILE, SVA_FILE_FULL, SVA_WITNESS,
	     OF_C | RUN, LOG(4), SVA_WITNESS, OF_D, LOG(9), SVA_WITNESS, OF_D, LOG(14), SVA_IS_KEPT,
	     0, SVA_FILE, SVA_FILE_OVERFULL, SVA_WITNESS, OF_D, LOG(14), SVA_IS_KEPT, 0);
}

/* Calls at the same time. */
static void save_meanwhile(void)
{
	SAVE("meanwhile", 0, KNOWN(2), SVA_KNOW, 0, MEANWHILE(0, 4, 0), LOG(5), LOG(6), LOG(6),
	     SVA_KNOW, 0, MEANWHILE(0, 8, 8), LOG(8), SVA_KNOW, 0, MEANWHILE(0, 9, 0), LOG(9));
	SAVE("meanwhile-first", 0, SVA_KNOW, 0, MEANWHILE(0, 4, 4), LOG(5), LOG(9), LOG(9));
	SAVE("meanwhile-key", 0, SVA_KNOW, 0, MEANWHILE(0, 4, 0), LOG_OF(SVA_OF_KEY, 5));
	SAVE("meanwhile-fork", 0, KNOWN(2), SVA_KNOW, 0, MEANWHILE(0, 4, 0), LOG_OF(1, 5),
	     LOG_OF(0, 6), LOG_OF(1, 6), SVA_KNOW, 0, MEANWHILE(0, 5, 0), LOG_OF(1, 5));
	/* Each of the two sees one that goes on from its own. */
	SAVE("meanwhile-both", 0, KNOWN(2), SVA_KNOW, 0, MEANWHILE(0, 4, 0), LOG_OF(1, 5),
	     LOG_OF(0, 7), LOG_OF(1, 7), KNOWN(7));
	SAVE("meanwhile-shrunk", 0, KNOWN(2), SVA_KNOW, 0, MEANWHILE(0, 8, 0), LOG(5), LOG(7),
	     LOG(7));
	SAVE("meanwhile-failed", 0, KNOWN(2), SVA_KNOW, 0, MEANWHILE(0, 4, 0), LOG(5), SVA_FAILS,
	     13, SVA_KNOW, 0, MEANWHILE(0, 6, 0), LOG(5), LOG(7), SVA_FAILS, 13);
	SAVE("meanwhile-leaf", 0, KNOWN(2), SVA_WITNESS, OF_C | RUN, MEANWHILE(0, 4, 4), LEAF(8, 6),
	     SVA_WITNESS, OF_C | RUN, MEANWHILE(0, 5, 0), LEAF(8, 1), LOG(8), LOG(8));
	/* Until it is too often: while it asks, and while it keeps. */
	SAVE("grows-on", 0, KNOWN(1), SVA_KNOW, 0, MEANWHILE(0, 2, 0), LOG(3), LOG(4), LOG(5),
	     LOG(6), LOG(7), LOG(8), LOG(9), LOG(10), LOG(11), LOG(12), LOG(13), LOG(14), LOG(15),
	     LOG(4), LOG(5), LOG(6), LOG(7));
	SAVE("kept-on", 0, KNOWN(1), SVA_KNOW, 0, MEANWHILE(0, 2, 0), LOG(3), MEANWHILE(0, 3, 0),
	     LOG(4), LOG(4), MEANWHILE(0, 5, 0), LOG(6), LOG(6), MEANWHILE(0, 7, 0), LOG(8), LOG(8),
	     MEANWHILE(0, 9, 0), LOG(10), LOG(10), MEANWHILE(0, 11, 0), LOG(12), LOG(12),
	     MEANWHILE(0, 13, 0), LOG(14), LOG(14), MEANWHILE(0, 15, 0), LOG(16), LOG(16),
	     MEANWHILE(0, 16, 0), LOG(16), LOG(16));
}

static void save_files(void)
{
	for (uint8_t part = 0; part < 16; part++)
		SAVE_EACH(part, "cut", 0, SVA_WITNESS, OF_C, LOG(9), SVA_FILE, SVA_FILE_CUT,
			  (uint8_t)(part * 17), SVA_WITNESS, OF_C, LOG(9), SVA_IS_KEPT, 0, SVA_FILE,
			  SVA_FILE_GONE, SVA_WITNESS, OF_C, LOG(9));
	for (uint8_t at = 0; at < 40; at++)
		SAVE_EACH(at, "flipped", 0, SVA_WITNESS, OF_C, LOG(9), SVA_FILE, SVA_FILE_FLIPPED,
			  0, (uint8_t)(at < 36 ? at * 7 : at * 7 - 40), SVA_WITNESS, OF_C, LOG(12),
			  SVA_IS_KEPT, 0);
}

static void save_confirmations(void)
{
	for (uint8_t wrong = 0; wrong < SVA_CONFS; wrong++)
		SAVE_EACH(wrong, "confirmed", 0, SVA_CONFIRMED, 0, SVA_HONEST, 0, 7, 3, 0, 0, wrong,
			  1, 1, wrong, 0, 2, wrong, SVA_HONEST, 0, LOG(4), SVA_CONFIRMED, 1,
			  SVA_HONEST, SVA_MANIFEST_ANOTHERS, 0, 2, 0, 0, SVA_CONF_RIGHT, 1, 1,
			  wrong, SVA_HONEST, SVA_MANIFEST_ANOTHERS, LOG(4));
	for (uint8_t user = 0; user < SVA_USERS; user++)
		SAVE_EACH(user, "confirmed-by", 0, SVA_CONFIRMED, SVA_WHOLE, SVA_HONEST, 1, 255, 2,
			  user, 1, SVA_CONF_RIGHT, user, 1, SVA_CONF_RETIRED, SVA_HONEST, 1,
			  LOG(3));
	for (uint8_t manifest = 0; manifest < SVA_MANIFESTS; manifest++)
		SAVE_EACH(manifest, "manifest", 0, SVA_CONFIRMED, SVA_WHOLE, SVA_HONEST, 1, 1, 0,
			  SVA_HONEST, manifest, LOG(3), SVA_CONFIRMED, SVA_WHOLE, SVA_HONEST,
			  manifest, 1, 0, SVA_HONEST, manifest, LOG(3), SVA_CONFIRMED,
			  SVA_WHOLE | 1, SVA_HONEST, manifest, 1, 0, SVA_HONEST, manifest, LOG(3));
	/* Another service than was seen there: its people signed for the first one. */
	SAVE("confirmed-elsewhere", 0, SVA_CONFIRMED, 0, SVA_HONEST, 0, 7, 1, 0, 0, SVA_CONF_RIGHT,
	     SVA_HONEST, 0, LOG_OF(SVA_OF_KEY, 4), SVA_CONFIRMED, 0, SVA_HONEST, 0, 7, 1, 0, 0,
	     SVA_CONF_RIGHT, SVA_HONEST, 0, LOG(4));
	SAVE("unconfirmed", 0, SVA_CONFIRMED, 0, SVA_HONEST, 0, 7, 0, SVA_CONFIRMED, 0, NO_METHOD,
	     SVA_CONFIRMED, SVA_WHOLE, NO_METHOD, SVA_CONFIRMED, 0, SVA_FAILS, 4, SVA_CONFIRMED,
	     SVA_WHOLE, SVA_FAILS, 4, SVA_CONFIRMED, SVA_WHOLE, SVA_HONEST, 0, 1, 0, SVA_FAILS, 6,
	     SVA_CONFIRMED, SVA_WHOLE, SVA_LIES, ANSWER_PLAIN, SVA_LIES, ANSWER_PLAIN,
	     SVA_CONFIRMED, SVA_WHOLE, SVA_LIES, ANSWER_STRANGE, SVA_HONEST, 0);
}

static void save_names(void)
{
	struct writer w;

	for (uint8_t user = 0; user < SVA_USERS; user++)
		SAVE_EACH(user, "user", 0, SVA_KEY, user, SVA_HONEST, 0, SVA_KEY, user, SVA_FAILS,
			  4, SVA_KEY, user, SVA_FAILS, 15);
	for (uint8_t key = 0; key < SVA_KEYS; key++)
		SAVE_EACH(key, "key", 0, SVA_KEY, 0, SVA_HONEST, key, SVA_FILL, 1, SVA_HONEST, key);
	SAVE("key-lies", 0, SVA_KEY, 0, SVA_LIES, ANSWER_PLAIN, SVA_KEY, 0, SVA_LIES,
	     ANSWER_STRANGE);
	SAVE("owners", 0, SVA_OWNERS, 0, SVA_HONEST, SVA_OWNERS, 0, SVA_LIES, ANSWER_STRANGE,
	     SVA_OWNERS, 0, SVA_FAILS, 4, SVA_OWNERS, 0, NO_METHOD);
	SAVE("filled", 0, SVA_FILL, 0, SVA_HONEST, 0, 1, 0, SVA_HONEST, 0, SVA_HONEST, 1, 2, 0,
	     SVA_HONEST, 1, 3, 0, SVA_HONEST, 1, SVA_HONEST, 2);
	for (uint8_t type = 0; type < SVA_TYPES; type++)
		SAVE_EACH(type, "asset", 0, SVA_FILL, 2, SVA_HONEST, type, 5, 0, SVA_FILL, 2,
			  SVA_HONEST, type, 5, 1);
	for (uint8_t text = 3; text < SVA_TEXTS; text++)
		SAVE_EACH(text, "text", 0, SVA_FILL, text, SVA_HONEST, 1, 9, 0);
	SAVE("asset-fails", 0, SVA_FILL, 2, SVA_FAILS, 4, SVA_FILL, 2, SVA_FAILS, 15, SVA_FILL, 2,
	     NO_METHOD, SVA_FILL, 2, SVA_LIES, ANSWER_PLAIN);
	w = calls_begin(0);
	writer_u8(&w, SVA_FILL);
	writer_u8(&w, SVA_TEXTS - 1);
	writer_u8(&w, 43);
	writer_text(&w, "{\"hash\":\"asset:a\",\"x\":{\"user_key\":\"user:b\"}}");
	writer_zeros(&w, 8);
	calls_save_to("service_answers", "text-own", &w);
}

static void save_workflows(void)
{
	for (uint8_t order = 0; order < SVA_ORDERS_SHOWN; order++)
		SAVE_EACH(order, "order", 0, SVA_WORKFLOW, 0, SVA_HONEST, order, SVA_WORKFLOW, 1,
			  SVA_HONEST, order);
	for (uint8_t id = 0; id < SVA_IDS; id++)
		SAVE_EACH(id, "id", 0, SVA_WORKFLOW, id, SVA_HONEST, 0, SVA_WORKFLOW, id, SVA_FAILS,
			  4, SVA_WORKFLOW, id, SVA_LIES, ANSWER_PLAIN);
	SAVE("reply", 0, SVA_REPLY, 0, SVA_REPLY, 1, SVA_REPLY, 2, SVA_REPLY, 3, SVA_REPLY, 0);
}

void calls_service_answers(void)
{
	save_heads();
	save_leaves();
	save_meanwhile();
	save_files();
	save_confirmations();
	save_names();
	save_workflows();
}
