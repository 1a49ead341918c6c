/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_service.c — agents and administrators with the computation service: the corpus of
 * fuzz_service_calls. */
#include "tests/fuzz/make_calls.h"

#include <stdio.h>

enum { AGENT, OTHER_AGENT, THIRD_AGENT, ADMIN };
enum { SAYS = 4, ENDS = 0x80, LOST = 0xc0 };
enum { ONE, TWO, CVM_A, CVM_B, EMPTY, UMLAUT, BLANK, SLASH };
enum { LOG, EVENT, RUN_ANSWER, STOPPED, STATE, EVIDENCE, NOTHING };
enum { RECEIVING, RUNNING, COMPLETE, FAILED, STOPPED_WORD, IDLE, RECEIVING_MANIFEST, OTHER_WORD };
enum { CREATE, RUN, REMOVE, LIST, LOGS, SHOW, MANIFEST, STOP, SHOW_CVM, RELEASE_CVM };
enum { CROWDED = 1, STOPS = 2, JUDGES = 4 };

static struct writer begin(uint8_t flags)
{
	struct writer w = writer_up_to(CALLS_INPUT_MAX);

	writer_u8(&w, flags);
	return w;
}

static void save(const char *name, struct writer *w)
{
	char path[64];

	snprintf(path, sizeof(path), "service_calls/%s", name);
	calls_save(path, w);
}

static void bytes(struct writer *w, int count, const uint8_t *from)
{
	writer_bytes(w, from, (size_t)count);
}
#define PUT(w, ...) bytes(w, sizeof((uint8_t[]){ __VA_ARGS__ }), (const uint8_t[]){ __VA_ARGS__ })

static void connects(struct writer *w, uint8_t user, uint8_t cvm)
{
	PUT(w, user, 0, cvm);
}

static void says(struct writer *w, uint8_t user, uint8_t call, uint8_t what, uint8_t id,
		 uint8_t operand)
{
	PUT(w, (uint8_t)(user | SAYS | call << 3), what, id, operand);
}

static void create(struct writer *w, uint8_t id, uint8_t flags)
{
	PUT(w, ADMIN, CREATE, flags, id);
}

static void run(struct writer *w, uint8_t id, uint8_t cvm, uint8_t unverified)
{
	PUT(w, ADMIN, RUN, id, cvm, unverified);
}

static void save_lives(void)
{
	char name[32];

	for (uint8_t flags = 0; flags < 8; flags++) {
		struct writer w = begin(flags);

		create(&w, ONE, 8);
		connects(&w, AGENT, CVM_A);
		says(&w, AGENT, 0, STATE, CVM_A, RECEIVING_MANIFEST);
		says(&w, AGENT, 0, EVIDENCE, CVM_A, 3);
		PUT(&w, ADMIN, LOGS, ONE, EMPTY, 1);
		run(&w, ONE, CVM_A, 1);
		says(&w, AGENT, 0, RUN_ANSWER, ONE, 2);
		says(&w, AGENT, 0, LOG, ONE, 1);
		says(&w, AGENT, 0, EVENT, ONE, RECEIVING);
		says(&w, AGENT, 0, EVIDENCE, CVM_A, 0);
		says(&w, AGENT, 0, EVENT, ONE, RUNNING);
		says(&w, AGENT, 0, NOTHING, ONE, 0);
		for (uint8_t i = 0; i < 10; i++)
			says(&w, AGENT, 0, LOG, ONE, (uint8_t)(0x40 * i));
		says(&w, AGENT, 0, EVENT, ONE, COMPLETE);
		PUT(&w, ADMIN, MANIFEST, ONE);
		PUT(&w, ADMIN, SHOW, ONE);
		PUT(&w, ADMIN, LIST, 0, EMPTY);
		PUT(&w, ADMIN, STOP, ONE);
		says(&w, AGENT, 0, STOPPED, ONE, 0);
		PUT(&w, ADMIN, LIST, 0x81, EMPTY);
		PUT(&w, ADMIN, SHOW_CVM, CVM_A);
		PUT(&w, ADMIN, REMOVE, ONE, 0);
		snprintf(name, sizeof(name), "life-%u", flags);
		save(name, &w);
	}
}

static void save_agents(void)
{
	struct writer w = begin(0);

	/* A newer connection; a forwarder; one too many; names that are none. */
	connects(&w, AGENT, CVM_A);
	connects(&w, OTHER_AGENT, CVM_A);
	PUT(&w, THIRD_AGENT, 1, CVM_A);
	says(&w, THIRD_AGENT, 0, LOG, EMPTY, 1);
	says(&w, THIRD_AGENT, 0, STATE, CVM_A, RUNNING);
	PUT(&w, THIRD_AGENT, 1, CVM_B);
	connects(&w, AGENT, CVM_B);
	connects(&w, AGENT, ONE);
	connects(&w, AGENT, TWO);
	connects(&w, AGENT, UMLAUT);
	connects(&w, AGENT, BLANK);
	connects(&w, AGENT, EMPTY);
	PUT(&w, LOST | OTHER_AGENT);
	connects(&w, OTHER_AGENT, CVM_A);
	PUT(&w, ADMIN, RELEASE_CVM, CVM_A);
	PUT(&w, ADMIN, RELEASE_CVM, SLASH);
	save("agents", &w);

	w = begin(STOPS);
	create(&w, ONE, 0);
	create(&w, TWO, 0);
	connects(&w, AGENT, CVM_A);
	connects(&w, OTHER_AGENT, CVM_B);
	run(&w, ONE, EMPTY, 0); /* two are free */
	run(&w, ONE, CVM_B, 0);
	run(&w, TWO, CVM_B, 0);
	run(&w, TWO, EMPTY, 0);
	run(&w, TWO, ONE, 0);
	says(&w, OTHER_AGENT, 0, RUN_ANSWER, ONE, 1); /* refuses */
	says(&w, AGENT, 0, RUN_ANSWER, ONE, 0);       /* not its own */
	PUT(&w, LOST | AGENT);
	connects(&w, AGENT, CVM_A);
	says(&w, AGENT, 0, STATE, CVM_A, IDLE);
	says(&w, AGENT, 0, RUN_ANSWER, TWO, 0);
	PUT(&w, LOST | AGENT);
	PUT(&w, ADMIN, STOP, TWO);
	connects(&w, AGENT, CVM_A);
	says(&w, AGENT, 0, STATE, CVM_A, RUNNING);
	PUT(&w, ADMIN, REMOVE, TWO, 0);
	PUT(&w, ADMIN, REMOVE, TWO, 1);
	create(&w, TWO, 0);
	says(&w, AGENT, 0, STOPPED, TWO, 0);
	PUT(&w, ADMIN, LOGS, EMPTY, CVM_A, 0);
	PUT(&w, ADMIN, LOGS, EMPTY, CVM_A, 1);
	save("two", &w);

	w = begin(JUDGES);
	create(&w, ONE, 0);
	connects(&w, AGENT, CVM_A);
	run(&w, ONE, CVM_A, 0);
	says(&w, AGENT, 0, EVIDENCE, CVM_A, 5);
	says(&w, AGENT, 0, EVIDENCE, CVM_A, 5);
	run(&w, ONE, CVM_A, 1);
	says(&w, AGENT, 0, RUN_ANSWER, ONE, 0);
	says(&w, AGENT, 0, EVIDENCE, CVM_A, 5);
	PUT(&w, LOST | AGENT);
	connects(&w, AGENT, CVM_A);
	says(&w, AGENT, 0, STATE, CVM_A, RUNNING);
	says(&w, AGENT, 0, EVIDENCE, CVM_A, 0);
	says(&w, AGENT, 0, EVIDENCE, CVM_A, 7);
	PUT(&w, ENDS | AGENT);
	save("judged", &w);
}

static void save_admin(void)
{
	struct writer w = begin(0);

	for (uint8_t flags = 0; flags < 32; flags = (uint8_t)(flags ? 2 * flags : 1))
		create(&w, ONE, flags);
	create(&w, EMPTY, 0);
	create(&w, BLANK, 0);
	create(&w, SLASH, 0);
	create(&w, TWO, 0);
	create(&w, CVM_A, 0);
	save("create", &w);

	w = begin(0);
	for (uint8_t what = SHOW; what <= RELEASE_CVM; what++)
		PUT(&w, ADMIN, what, ONE);
	PUT(&w, ADMIN, LIST, 0, ONE);
	PUT(&w, ADMIN, LIST, 0x80, ONE);
	PUT(&w, ADMIN, REMOVE, ONE, 0);
	PUT(&w, ADMIN, LOGS, ONE, CVM_A, 0);
	PUT(&w, ADMIN, LOGS, ONE, EMPTY, 0);
	PUT(&w, ADMIN, LOGS, ONE, EMPTY, 2);
	run(&w, ONE, EMPTY, 0);
	run(&w, ONE, CVM_A, 0);
	save("unknown", &w);

	w = begin(STOPS);
	create(&w, ONE, 0);
	create(&w, TWO, 0);
	PUT(&w, ADMIN, LIST, 1, EMPTY);
	PUT(&w, ADMIN, LIST, 1, ONE);
	PUT(&w, ADMIN, LOGS, ONE, EMPTY, 1);
	PUT(&w, ADMIN, LOGS, ONE, EMPTY, 5);
	PUT(&w, ENDS | SAYS | ADMIN | 4 << 3);
	PUT(&w, ADMIN, STOP, ONE);
	PUT(&w, ADMIN, LOGS, TWO, EMPTY, 1);
	PUT(&w, ADMIN, REMOVE, TWO, 0);
	PUT(&w, ADMIN, LOGS, ONE, EMPTY, 1);
	save("followers", &w);
}

void calls_service_calls(void)
{
	save_lives();
	save_agents();
	save_admin();
}
