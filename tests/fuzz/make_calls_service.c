/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_service.c — agents and administrators with the computation service: the corpus of
 * fuzz_service_calls. */
#include "tests/fuzz/make_calls.h"
#include "tests/fuzz/orders_service.h"

#include <stdio.h>

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
	PUT(w, (uint8_t)(user | SAYS | call << CALL_SHIFT), what, id, operand);
}

static void create(struct writer *w, uint8_t id, uint8_t flags)
{
	PUT(w, ADMIN, ASK_CREATE, flags, id);
}

static void run(struct writer *w, uint8_t id, uint8_t cvm, uint8_t unverified)
{
	PUT(w, ADMIN, ASK_RUN, id, cvm, unverified);
}

static void save_lives(void)
{
	char name[32];

	for (uint8_t flags = 0; flags < 8; flags++) {
		struct writer w = calls_begin(flags);

		create(&w, ID_ONE, 8);
		connects(&w, AGENT, ID_CVM_A);
		says(&w, AGENT, 0, SAID_STATE, ID_CVM_A, WORD_RECEIVING_MANIFEST);
		says(&w, AGENT, 0, SAID_EVIDENCE, ID_CVM_A, 3);
		PUT(&w, ADMIN, ASK_LOGS, ID_ONE, ID_EMPTY, 1);
		run(&w, ID_ONE, ID_CVM_A, 1);
		says(&w, AGENT, 0, SAID_RUN_ANSWER, ID_ONE, 2);
		says(&w, AGENT, 0, SAID_LOG, ID_ONE, 1);
		says(&w, AGENT, 0, SAID_EVENT, ID_ONE, WORD_RECEIVING);
		says(&w, AGENT, 0, SAID_EVIDENCE, ID_CVM_A, 0);
		says(&w, AGENT, 0, SAID_EVENT, ID_ONE, WORD_RUNNING);
		says(&w, AGENT, 0, SAID_NOTHING, ID_ONE, 0);
		for (uint8_t i = 0; i < 10; i++)
			says(&w, AGENT, 0, SAID_LOG, ID_ONE, (uint8_t)(0x40 * i));
		says(&w, AGENT, 0, SAID_EVENT, ID_ONE, WORD_COMPLETE);
		PUT(&w, ADMIN, ASK_MANIFEST, ID_ONE);
		PUT(&w, ADMIN, ASK_SHOW, ID_ONE);
		PUT(&w, ADMIN, ASK_LIST, 0, ID_EMPTY);
		PUT(&w, ADMIN, ASK_STOP, ID_ONE);
		says(&w, AGENT, 0, SAID_STOPPED, ID_ONE, 0);
		PUT(&w, ADMIN, ASK_LIST, 0x81, ID_EMPTY);
		PUT(&w, ADMIN, ASK_SHOW_CVM, ID_CVM_A);
		PUT(&w, ADMIN, ASK_REMOVE, ID_ONE, 0);
		snprintf(name, sizeof(name), "life-%u", flags);
		calls_save_to("service_calls", name, &w);
	}
}

static void save_agents(void)
{
	struct writer w = calls_begin(0);

	/* A newer connection; a forwarder; one too many; names that are none. */
	connects(&w, AGENT, ID_CVM_A);
	connects(&w, OTHER_AGENT, ID_CVM_A);
	PUT(&w, THIRD_AGENT, 1, ID_CVM_A);
	says(&w, THIRD_AGENT, 0, SAID_LOG, ID_EMPTY, 1);
	says(&w, THIRD_AGENT, 0, SAID_STATE, ID_CVM_A, WORD_RUNNING);
	PUT(&w, THIRD_AGENT, 1, ID_CVM_B);
	connects(&w, AGENT, ID_CVM_B);
	connects(&w, AGENT, ID_ONE);
	connects(&w, AGENT, ID_TWO);
	connects(&w, AGENT, ID_UMLAUT);
	connects(&w, AGENT, ID_BLANK);
	connects(&w, AGENT, ID_EMPTY);
	PUT(&w, LOST | OTHER_AGENT);
	connects(&w, OTHER_AGENT, ID_CVM_A);
	PUT(&w, ADMIN, ASK_RELEASE_CVM, ID_CVM_A);
	PUT(&w, ADMIN, ASK_RELEASE_CVM, ID_SLASH);
	calls_save_to("service_calls", "agents", &w);

	w = calls_begin(FLAG_STOPS);
	create(&w, ID_ONE, 0);
	create(&w, ID_TWO, 0);
	connects(&w, AGENT, ID_CVM_A);
	connects(&w, OTHER_AGENT, ID_CVM_B);
	run(&w, ID_ONE, ID_EMPTY, 0); /* two are free */
	run(&w, ID_ONE, ID_CVM_B, 0);
	run(&w, ID_TWO, ID_CVM_B, 0);
	run(&w, ID_TWO, ID_EMPTY, 0);
	run(&w, ID_TWO, ID_ONE, 0);
	says(&w, OTHER_AGENT, 0, SAID_RUN_ANSWER, ID_ONE, 1); /* refuses */
	says(&w, AGENT, 0, SAID_RUN_ANSWER, ID_ONE, 0);       /* not its own */
	PUT(&w, LOST | AGENT);
	connects(&w, AGENT, ID_CVM_A);
	says(&w, AGENT, 0, SAID_STATE, ID_CVM_A, WORD_IDLE);
	says(&w, AGENT, 0, SAID_RUN_ANSWER, ID_TWO, 0);
	PUT(&w, LOST | AGENT);
	PUT(&w, ADMIN, ASK_STOP, ID_TWO);
	connects(&w, AGENT, ID_CVM_A);
	says(&w, AGENT, 0, SAID_STATE, ID_CVM_A, WORD_RUNNING);
	PUT(&w, ADMIN, ASK_REMOVE, ID_TWO, 0);
	PUT(&w, ADMIN, ASK_REMOVE, ID_TWO, 1);
	create(&w, ID_TWO, 0);
	says(&w, AGENT, 0, SAID_STOPPED, ID_TWO, 0);
	PUT(&w, ADMIN, ASK_LOGS, ID_EMPTY, ID_CVM_A, 0);
	PUT(&w, ADMIN, ASK_LOGS, ID_EMPTY, ID_CVM_A, 1);
	calls_save_to("service_calls", "two", &w);

	w = calls_begin(FLAG_JUDGES);
	create(&w, ID_ONE, 0);
	connects(&w, AGENT, ID_CVM_A);
	run(&w, ID_ONE, ID_CVM_A, 0);
	says(&w, AGENT, 0, SAID_EVIDENCE, ID_CVM_A, 5);
	says(&w, AGENT, 0, SAID_EVIDENCE, ID_CVM_A, 5);
	run(&w, ID_ONE, ID_CVM_A, 1);
	says(&w, AGENT, 0, SAID_RUN_ANSWER, ID_ONE, 0);
	says(&w, AGENT, 0, SAID_EVIDENCE, ID_CVM_A, 5);
	PUT(&w, LOST | AGENT);
	connects(&w, AGENT, ID_CVM_A);
	says(&w, AGENT, 0, SAID_STATE, ID_CVM_A, WORD_RUNNING);
	says(&w, AGENT, 0, SAID_EVIDENCE, ID_CVM_A, 0);
	says(&w, AGENT, 0, SAID_EVIDENCE, ID_CVM_A, 7);
	PUT(&w, ENDS | AGENT);
	calls_save_to("service_calls", "judged", &w);
}

/* Another manifest: until the first run, of one that there is, and a good one. */
static void save_updates(void)
{
	struct writer w = calls_begin(0);

	create(&w, ID_ONE, 8);
	for (uint8_t flags = 0; flags < UPDATES; flags++)
		create(&w, ID_ONE, UPDATES | flags);
	create(&w, ID_TWO, UPDATES);
	create(&w, ID_DOTS, UPDATES);
	connects(&w, AGENT, ID_CVM_A);
	says(&w, AGENT, 0, SAID_STATE, ID_CVM_A, WORD_RECEIVING_MANIFEST);
	run(&w, ID_ONE, ID_CVM_A, 1);
	create(&w, ID_ONE, UPDATES | 8);
	calls_save_to("service_calls", "updates", &w);

	for (uint8_t statement = 0; statement < 24; statement++) {
		char name[32];

		w = calls_begin(0);
		create(&w, ID_ONE, 8);
		PUT(&w, ADMIN, ASK_FAILING, statement);
		create(&w, ID_ONE, UPDATES | 8);
		PUT(&w, ADMIN, ASK_SHOW, ID_ONE);
		snprintf(name, sizeof(name), "update-failing-%u", statement);
		calls_save_to("service_calls", name, &w);
	}
}

static void save_admin(void)
{
	struct writer w = calls_begin(0);

	for (uint8_t flags = 0; flags < 32; flags = (uint8_t)(flags ? 2 * flags : 1))
		create(&w, ID_ONE, flags);
	create(&w, ID_EMPTY, 0);
	create(&w, ID_BLANK, 0);
	create(&w, ID_SLASH, 0);
	create(&w, ID_DOTS, 0);
	PUT(&w, LOST | ADMIN);
	run(&w, ID_ONE, ID_EMPTY, 1);             /* there is none */
	PUT(&w, ADMIN, ASK_LIST, 0x7f, ID_EMPTY); /* of a workspace */
	PUT(&w, ADMIN, ASK_LIST, 0xff, ID_EMPTY);
	create(&w, ID_TWO, 0);
	create(&w, ID_CVM_A, 0);
	calls_save_to("service_calls", "create", &w);

	w = calls_begin(0);
	for (uint8_t what = ASK_SHOW; what <= ASK_RELEASE_CVM; what++)
		PUT(&w, ADMIN, what, ID_ONE);
	PUT(&w, ADMIN, ASK_LIST, 0, ID_ONE);
	PUT(&w, ADMIN, ASK_LIST, 0x80, ID_ONE);
	PUT(&w, ADMIN, ASK_REMOVE, ID_ONE, 0);
	PUT(&w, ADMIN, ASK_LOGS, ID_ONE, ID_CVM_A, 0);
	PUT(&w, ADMIN, ASK_LOGS, ID_ONE, ID_EMPTY, 0);
	PUT(&w, ADMIN, ASK_LOGS, ID_ONE, ID_EMPTY, 2);
	run(&w, ID_ONE, ID_EMPTY, 0);
	run(&w, ID_ONE, ID_CVM_A, 0);
	calls_save_to("service_calls", "unknown", &w);

	w = calls_begin(FLAG_STOPS);
	create(&w, ID_ONE, 0);
	create(&w, ID_TWO, 0);
	PUT(&w, ADMIN, ASK_LIST, 1, ID_EMPTY);
	PUT(&w, ADMIN, ASK_LIST, 1, ID_ONE);
	PUT(&w, ADMIN, ASK_LOGS, ID_ONE, ID_EMPTY, 1);
	PUT(&w, ADMIN, ASK_LOGS, ID_ONE, ID_EMPTY, 5);
	PUT(&w, ENDS | SAYS | ADMIN | 4 << CALL_SHIFT);
	PUT(&w, ADMIN, ASK_STOP, ID_ONE);
	PUT(&w, ADMIN, ASK_LOGS, ID_TWO, ID_EMPTY, 1);
	PUT(&w, ADMIN, ASK_REMOVE, ID_TWO, 0);
	PUT(&w, ADMIN, ASK_LOGS, ID_ONE, ID_EMPTY, 1);
	calls_save_to("service_calls", "followers", &w);
}

/* A computation fails, and is run again: in its CVM, in one that is gone, in one that is named. */
static void save_retries(void)
{
	struct writer w = calls_begin(0);

	create(&w, ID_ONE, 0);
	create(&w, ID_TWO, 0);
	run(&w, ID_ONE, ID_EMPTY, 2); /* has not failed */
	connects(&w, AGENT, ID_CVM_A);
	connects(&w, OTHER_AGENT, ID_CVM_B);
	run(&w, ID_ONE, ID_CVM_A, 1);
	says(&w, AGENT, 0, SAID_RUN_ANSWER, ID_ONE, 0);
	for (uint8_t times = 0; times < 3; times++) {
		says(&w, AGENT, 0, SAID_EVENT, ID_ONE, 0x20 | WORD_FAILED);
		says(&w, AGENT, 0, SAID_STOPPED, ID_ONE, 0);
		says(&w, AGENT, 0, SAID_STATE, ID_CVM_A, WORD_RECEIVING_MANIFEST);
		if (times == 1) {
			PUT(&w, LOST | AGENT);
			run(&w, ID_ONE, ID_EMPTY, 3);
			connects(&w, AGENT, ID_CVM_A);
		}
		run(&w, ID_ONE, times == 2 ? ID_CVM_B : ID_EMPTY, 3);
		says(&w, AGENT, 0, SAID_RUN_ANSWER, ID_ONE, 0);
	}
	run(&w, ID_TWO, ID_EMPTY, 1);
	run(&w, ID_TWO, ID_SLASH, 1);
	calls_save_to("service_calls", "retries", &w);
}

static void asks_journal(struct writer *w, uint8_t id, uint8_t operand)
{
	PUT(w, ADMIN, ASK_JOURNAL, id, operand);
}

static void journals(struct writer *w, uint8_t id, uint8_t first, uint8_t bits)
{
	says(w, AGENT, 0, SAID_JOURNAL, id, (uint8_t)(first << JOURNAL_FIRST_SHIFT | bits));
}

/* Heads that are in the log, and what comes of events that are none. */
static void save_heads(void)
{
	struct writer w = calls_begin(FLAG_STOPS);

	create(&w, ID_ONE, 0);
	connects(&w, AGENT, ID_CVM_A);
	run(&w, ID_ONE, ID_CVM_A, 1);
	says(&w, AGENT, 0, SAID_RUN_ANSWER, ID_ONE, 0);
	for (uint8_t first = 1; first < 6; first++)
		says(&w, AGENT, 0, SAID_HEADED, ID_ONE,
		     (uint8_t)(first << JOURNAL_FIRST_SHIFT | 1));
	for (unsigned operand = 0; operand < 8; operand++)
		PUT(&w, ADMIN, ASK_WITNESS_LEAVES, (uint8_t)operand);
	PUT(&w, LOST | ADMIN); /* a connection has no more than GRPC_PEER_CALLS */
	for (unsigned size = 0; size < 8; size++)
		PUT(&w, ADMIN, ASK_WITNESS, ID_ONE, (uint8_t)(size << 2));
	for (unsigned status = 0; status < 4; status++)
		says(&w, AGENT, 0, SAID_EVENT, ID_ONE, (uint8_t)(status << 5 | WORD_OTHER));
	calls_save_to("service_calls", "heads", &w);
}

static void save_journals(void)
{
	struct writer w = calls_begin(0);

	create(&w, ID_ONE, 0);
	asks_journal(&w, ID_ONE, 0);
	asks_journal(&w, ID_TWO, 0);
	asks_journal(&w, ID_ONE, 1);
	asks_journal(&w, ID_ONE, 0x80);
	connects(&w, AGENT, ID_CVM_A);
	journals(&w, ID_ONE, 1, 3); /* not given to it */
	run(&w, ID_ONE, ID_CVM_A, 1);
	says(&w, AGENT, 0, SAID_RUN_ANSWER, ID_ONE, 0);
	journals(&w, ID_ONE, 1, 3);
	journals(&w, ID_ONE, 1, 3);
	journals(&w, ID_ONE, 4, 2);
	for (uint8_t i = 0; i < 8; i++) /* until there is no more room */
		journals(&w, ID_ONE, 1, (uint8_t)(3 | (i & 1 ? 0 : JOURNAL_OTHER)));
	asks_journal(&w, ID_ONE, 0);
	asks_journal(&w, ID_ONE, 1 | 2 << 2);
	PUT(&w, LOST | ADMIN); /* a connection has no more than GRPC_PEER_CALLS */
	for (unsigned operand = 0; operand < 256; operand += 0x21)
		PUT(&w, ADMIN, ASK_WITNESS, ID_ONE, (uint8_t)operand);
	PUT(&w, ADMIN, ASK_WITNESS, ID_EMPTY, 0);
	PUT(&w, LOST | ADMIN);
	for (unsigned operand = 0x11; operand < 256; operand += 0x11)
		PUT(&w, ADMIN, ASK_WITNESS_LEAVES, (uint8_t)operand);
	PUT(&w, ADMIN, ASK_WITNESS_LEAVES, 1);
	PUT(&w, LOST | ADMIN);
	PUT(&w, ADMIN, ASK_REMOVE, ID_ONE, 1);
	asks_journal(&w, ID_ONE, 0);
	calls_save_to("service_calls", "journals", &w);
	for (uint8_t wrong = 0; wrong < 5; wrong++) {
		static const uint8_t operands[] = { 7 << JOURNAL_FIRST_SHIFT | 1, 3,
						    1 << JOURNAL_FIRST_SHIFT, JOURNAL_FAR | 1,
						    JOURNAL_HEADLESS | 1 << JOURNAL_FIRST_SHIFT |
							    1 };
		char name[32];

		w = calls_begin(0);
		create(&w, ID_ONE, 0);
		connects(&w, AGENT, ID_CVM_A);
		run(&w, ID_ONE, ID_CVM_A, 1);
		says(&w, AGENT, 0, SAID_JOURNAL, ID_ONE, operands[wrong]);
		snprintf(name, sizeof(name), "no-journal-%u", wrong);
		calls_save_to("service_calls", name, &w);
	}
}

static void fails(struct writer *w, uint8_t at)
{
	PUT(w, ADMIN, ASK_FAILING, at);
}

/* The database fails at each statement of what a computation's life is made of. */
static void save_failing(void)
{
	char name[32];

	for (uint8_t at = 1; at < 40; at++) {
		struct writer w = calls_begin(at & 1 ? FLAG_JUDGES : 0);

		create(&w, ID_ONE, 0);
		fails(&w, at);
		create(&w, ID_TWO, 8);
		fails(&w, at);
		connects(&w, AGENT, ID_CVM_A);
		connects(&w, OTHER_AGENT, ID_CVM_B);
		fails(&w, at);
		says(&w, AGENT, 0, SAID_EVIDENCE, ID_CVM_A, 5);
		fails(&w, at);
		run(&w, ID_ONE, ID_CVM_A, 1);
		run(&w, ID_ONE, ID_CVM_A, 1);
		fails(&w, at);
		says(&w, AGENT, 0, SAID_RUN_ANSWER, ID_ONE, 0);
		fails(&w, at);
		says(&w, AGENT, 0, SAID_LOG, ID_ONE, 1);
		fails(&w, at);
		journals(&w, ID_ONE, 1, 3);
		fails(&w, at);
		says(&w, AGENT, 0, SAID_STATE, ID_CVM_A, WORD_RUNNING);
		for (uint8_t what = ASK_SHOW; what <= ASK_RELEASE_CVM; what++) {
			fails(&w, at);
			PUT(&w, ADMIN, what, what >= ASK_SHOW_CVM ? ID_CVM_A : ID_ONE);
		}
		PUT(&w, LOST | ADMIN); /* a connection has no more than GRPC_PEER_CALLS */
		fails(&w, at);
		PUT(&w, ADMIN, ASK_LIST, 0, ID_EMPTY);
		fails(&w, at);
		PUT(&w, ADMIN, ASK_LIST, 0x80, ID_EMPTY);
		fails(&w, at);
		PUT(&w, ADMIN, ASK_LOGS, ID_ONE, ID_EMPTY, 1);
		fails(&w, at);
		asks_journal(&w, ID_ONE, 0);
		fails(&w, at);
		PUT(&w, ADMIN, ASK_WITNESS, ID_ONE, 0);
		fails(&w, at);
		PUT(&w, ADMIN, ASK_WITNESS_LEAVES, 1);
		create(&w, ID_TWO, 0);
		fails(&w, at);
		run(&w, ID_TWO, ID_EMPTY, 0);
		PUT(&w, LOST | ADMIN);
		says(&w, AGENT, 0, SAID_EVENT, ID_ONE, 0x20 | WORD_FAILED);
		fails(&w, at);
		run(&w, ID_ONE, ID_EMPTY, 3);
		fails(&w, at);
		PUT(&w, ADMIN, ASK_REMOVE, ID_ONE, 1);
		snprintf(name, sizeof(name), "failing-%u", at);
		calls_save_to("service_calls", name, &w);
	}
}

void calls_service_calls(void)
{
	save_failing();
	save_heads();
	save_journals();
	save_lives();
	save_retries();
	save_updates();
	save_agents();
	save_admin();
}
