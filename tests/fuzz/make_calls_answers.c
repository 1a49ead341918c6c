/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_answers.c — the corpus of what a client of an agent is answered. */
#include "tests/fuzz/answers.h"
#include "tests/fuzz/make_calls.h"
#include "tests/fuzz/orders_answers.h"

#include <stdio.h>
#include <string.h>

#define SAVE(name, ...)                                   \
	do {                                              \
		const uint8_t bytes_[] = { __VA_ARGS__ }; \
                                                          \
		save(name, bytes_, sizeof(bytes_));       \
	} while (0)

enum {
	UPLOAD = ANSWERS_ORDER_UPLOAD,
	WAIT = ANSWERS_ORDER_WAIT,
	ASK = ANSWERS_ORDER_ASK,
	ATT = ANSWERS_ATTESTED
};

/* A connection that is silent, or of TLS that was through; its failure still stands. */
enum { SILENT = 0, SECURED = 128 | 3, PASSED = 64 };

static void save(const char *name, const uint8_t *bytes, size_t len)
{
	struct writer w = writer_up_to(CALLS_INPUT_MAX);

	writer_bytes(&w, bytes, len);
	calls_save_to("agent_answers", name, &w);
}

/* Each way to be open, each asset. */
static void save_uploads(void)
{
	static const uint8_t ways[] = { 0,
					ANSWERS_TLS,
					ATT,
					ATT | ANSWERS_STOCK,
					ANSWERS_ROLE,
					ATT | ANSWERS_ROLE,
					ATT | ANSWERS_VERBOSE | ANSWERS_GIVEN_KEY,
					ANSWERS_VERBOSE };
	char name[32];

	for (size_t i = 0; i < sizeof(ways); i++) {
		snprintf(name, sizeof(name), "upload-%zu", i);
		SAVE(name, ways[i], UPLOAD, ANSWERS_ASSET_SMALL, 0, 0, 0, 0, 0, 0, 0, 0, UPLOAD,
		     ANSWERS_ASSET_EMPTY, 0, 0, 0, 0, 0, 0, 0, 0, UPLOAD,
		     ANSWERS_ASSET_LARGE | ANSWERS_MORE);
	}
	/* An offset; it breaks behind the first bytes, and goes on, until that is too often. */
	SAVE("resumed", 0, ANSWERS_ORDER_KEPT, 3, UPLOAD, ANSWERS_ASSET_LARGE, 0, 0, 0,
	     ANSWERS_BREAKS, SILENT, 5);
	SAVE("resumed-attested", ATT, ANSWERS_ORDER_KEPT, 3, UPLOAD, ANSWERS_ASSET_LARGE, 0, 0, 0,
	     ANSWERS_BREAKS, SECURED, 5);
	SAVE("broken", 0, UPLOAD, ANSWERS_ASSET_LARGE, 0, 0, 0, ANSWERS_BREAKS, SILENT, 4, 0, 0, 0,
	     ANSWERS_BREAKS, SILENT, 4, 0, 0, 0, ANSWERS_BREAKS, SILENT, 4, 0, 0, 0, ANSWERS_BREAKS,
	     SILENT, 4, 0, 0, 0, ANSWERS_BREAKS, SILENT, 4);
	SAVE("settling", 0, UPLOAD, ANSWERS_ASSET_SMALL, 0, 0, 0, ANSWERS_FAILS, 8, 16, 0, 0,
	     ANSWERS_FAILS, 8, 16, 0, 0, ANSWERS_FAILS, 8, 16, 0, 0, ANSWERS_FAILS, 8, 16, 0, 0,
	     ANSWERS_FAILS, 8, 16);
	SAVE("long", ATT, ANSWERS_ORDER_PYTHON, 0, 0, 0, ANSWERS_ORDER_TIME, 11, UPLOAD,
	     ANSWERS_ASSET_LARGE);
	SAVE("dropped", ATT, UPLOAD, ANSWERS_ASSET_SMALL, 0, 0, 0, 0, 2, UPLOAD,
	     ANSWERS_ASSET_SMALL);
	SAVE("forgotten", ATT, UPLOAD, ANSWERS_ASSET_SMALL, 0, 0, 0, 1, 3, 0, UPLOAD,
	     ANSWERS_ASSET_SMALL);
	SAVE("unproven", ATT, UPLOAD, ANSWERS_ASSET_SMALL, 0, 0, 0, 0, ANSWERS_REFUSED, 0, UPLOAD,
	     ANSWERS_ASSET_SMALL);
}

/* It is there: whose it is says a status that is asked for as its owner, or nobody says. */
static void save_whose(void)
{
	static const uint8_t ways[] = { 0, ANSWERS_TLS, ATT };
	enum { EXISTS = 5, DENIED = 6 };
	char name[32];

	for (uint8_t i = 0; i < sizeof(ways); i++) {
		for (uint8_t change = 0; change < ANSWERS_CHANGES; change++) {
			snprintf(name, sizeof(name), "whose-%u-%u", i, change);
			SAVE(name, ways[i], UPLOAD, ANSWERS_ASSET_SMALL, 0, 0, ANSWERS_FAILS,
			     EXISTS, 0, 0, 0, ANSWERS_CHANGED, change);
		}
		for (uint8_t text = 12; text < 16; text++) {
			snprintf(name, sizeof(name), "whose-not-%u-%u", i, text);
			SAVE(name, ways[i], UPLOAD, ANSWERS_ASSET_SMALL, 0, 0, ANSWERS_FAILS,
			     EXISTS, 0, 0, 0, ANSWERS_FAILS, DENIED, text);
		}
	}
}

/* Each refusal, each text, of each caller. */
static void save_failures(void)
{
	static const uint8_t ways[] = { 0, ANSWERS_TLS, ATT, ANSWERS_ROLE };
	struct writer w;
	char name[32];

	for (size_t i = 0; i < sizeof(ways); i++) {
		for (uint8_t text = 0; text < ANSWERS_TEXTS; text++) {
			w = calls_begin(ways[i]);
			for (uint8_t contact = 0; contact < 6; contact++) {
				const uint8_t of[] = { ASK,
						       0,
						       ANSWERS_UNCONNECTED,
						       contact | (text & 1 ? SECURED : 0),
						       text,
						       ANSWERS_ORDER_DROP,
						       contact };

				writer_bytes(&w, of, sizeof(of));
			}
			snprintf(name, sizeof(name), "contact-%zu-%u", i, text);
			calls_save_to("agent_answers", name, &w);
		}
		w = calls_begin(ways[i]);
		for (uint8_t code = 0; code < 16; code++) {
			const uint8_t of[] = { UPLOAD,
					       ANSWERS_ASSET_SMALL,
					       0,
					       0,
					       ANSWERS_FAILS,
					       code,
					       (uint8_t)(code + 10),
					       ASK,
					       code,
					       0,
					       0,
					       ANSWERS_FAILS,
					       code,
					       (uint8_t)(code + 13) };

			writer_bytes(&w, of, sizeof(of));
		}
		snprintf(name, sizeof(name), "failed-%zu", i);
		calls_save_to("agent_answers", name, &w);
	}
}

static void save_statuses(void)
{
	char name[32];

	for (uint8_t change = 0; change < ANSWERS_CHANGES; change++) {
		snprintf(name, sizeof(name), "changed-%u", change);
		SAVE(name, change & 1 ? ANSWERS_TLS : 0, UPLOAD, ANSWERS_ASSET_SMALL, 0,
		     ANSWERS_CHANGED, change, UPLOAD, ANSWERS_ASSET_SMALL, 0, ANSWERS_CHANGED,
		     change, 0, 0, 0, 0, 0);
		snprintf(name, sizeof(name), "waited-%u", change);
		SAVE(name, ANSWERS_WAIT, WAIT, (uint8_t)(change % 4), 0, ANSWERS_CHANGED, change, 0,
		     0, 0, WAIT, (uint8_t)(ANSWERS_MORE | change % 4), ANSWERS_CHANGED, change, 0,
		     ANSWERS_CHANGED, change);
	}
	for (uint8_t state = 0; state < 8; state++) {
		snprintf(name, sizeof(name), "state-%u", state);
		SAVE(name, state & 1 ? ANSWERS_WAIT : ANSWERS_WAIT | ATT, ANSWERS_ORDER_STATE,
		     state, WAIT, 0, 0, 0, 0, 0, 0, WAIT, 2, 0, 0, 0, 0, 0, 0, WAIT, 3, 0, 0, 0, 0,
		     0, 0, WAIT, ANSWERS_MORE | 1);
	}
	SAVE("waited-refused", ANSWERS_WAIT, ANSWERS_ORDER_STATE, 5, WAIT, 3, 0, 0, 0, 0,
	     ANSWERS_FAILS, 6, 13, WAIT, 2, 0, 0, 0, ANSWERS_FAILS, 6, 13);
	SAVE("waited-nobody", ANSWERS_WAIT, WAIT, 0, ANSWERS_UNCONNECTED, SILENT, 0,
	     ANSWERS_UNCONNECTED, SILENT, 2, ANSWERS_UNCONNECTED, SILENT, 2, ANSWERS_UNCONNECTED,
	     PASSED, 2, ANSWERS_UNCONNECTED, 1, 0);
	SAVE("waited-busy", ANSWERS_WAIT, WAIT, 0, 0, ANSWERS_FAILS, 7, 0, ANSWERS_FAILS, 3, 0);
	SAVE("waited-role", ANSWERS_WAIT | ANSWERS_ROLE, WAIT, 0);
	for (uint8_t i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "lies-%u", i);
		SAVE(name, i & 1 ? ANSWERS_WAIT : 0, WAIT, (uint8_t)(i % 4), 0, ANSWERS_LIES,
		     (uint8_t)(i % ANSWERS), UPLOAD, ANSWERS_ASSET_SMALL, ANSWERS_LIES,
		     (uint8_t)(i % ANSWERS), ASK, 0, ANSWERS_LIES, (uint8_t)(i % ANSWERS), 1, 1, 1,
		     1, 1, 1);
	}
}

static void save_evidence(void)
{
	char name[32];

	for (uint8_t proof = ANSWERS_WANTS_LOG; proof <= ANSWERS_WANTS_BOTH; proof++)
		for (uint8_t token = 0; token < 3; token++) {
			const uint8_t log[] = { ATT,   ANSWERS_ORDER_PYTHON, 0, proof, 0,
						token, ANSWERS_ENDS,         1, 0,     0,
						0 };
			const uint8_t credential[] = { ATT,
						       ANSWERS_ORDER_PYTHON,
						       0,
						       proof,
						       0,
						       1,
						       0,
						       token,
						       0,
						       token,
						       ANSWERS_ENDS,
						       ANSWERS_SIZE_TRUE,
						       0,
						       ANSWERS_ORDER_AGAIN,
						       0,
						       0,
						       proof,
						       0,
						       1,
						       0,
						       1,
						       0,
						       0,
						       ANSWERS_ENDS };
			const bool has_log = proof == ANSWERS_WANTS_LOG;

			snprintf(name, sizeof(name), "proof-%u-%u", proof, token);
			save(name, has_log ? log : credential,
			     has_log ? sizeof(log) : sizeof(credential));
		}
	SAVE("proof-not", ATT, ANSWERS_ORDER_PYTHON, 0, ANSWERS_WANTS_LOG, 0, 0, ANSWERS_ENDS, 0, 1,
	     ANSWERS_ORDER_AGAIN, 0);
	SAVE("proof-lies", ATT, ANSWERS_ORDER_PYTHON, 0, ANSWERS_WANTS_LOG, ANSWERS_LIES,
	     ANSWER_PLAIN, ANSWERS_ENDS, 0, ANSWERS_ORDER_AGAIN, 0, ANSWERS_WANTS_CREDENTIAL,
	     ANSWERS_LIES, ANSWER_STRANGE, ANSWERS_LIES, ANSWER_PLAIN, 0);
	SAVE("proof-cut", ATT, ANSWERS_ORDER_PYTHON, 0, ANSWERS_WANTS_CREDENTIAL, ANSWERS_BREAKS,
	     SILENT, 0, ANSWERS_ORDER_PYTHON, 0, ANSWERS_REFUSED, 0, ANSWERS_ORDER_PYTHON, 0,
	     ANSWERS_REFUSED, 1);
	for (uint8_t size = 0; size < ANSWERS_SIZES; size++) {
		snprintf(name, sizeof(name), "size-%u", size);
		SAVE(name, 0, ANSWERS_ORDER_EVIDENCE, size, 0, 0, 0, 0, 1, ANSWERS_ENDS, size,
		     ANSWERS_ORDER_IMA, 0, 0, 0, 0, ANSWERS_ENDS, size, ANSWERS_ORDER_IMA, 0, 0,
		     ANSWERS_FAILS, 3, 0);
	}
	for (uint8_t wrong = 0; wrong < ANSWERS_WRONGS; wrong++) {
		snprintf(name, sizeof(name), "wrong-%u", wrong);
		SAVE(name, ANSWERS_WRONG, wrong, 0);
	}
}

static void save_contact(void)
{
	SAVE("contact", 0, ANSWERS_ORDER_CONTACT, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
	     ANSWERS_ORDER_CONTACT, 0, ANSWERS_FAILS, 11, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	     ANSWERS_ORDER_CONTACT, 0, ANSWERS_FAILS, 2, 0);
	/* One without that call, which is the agent, another daemon, or none that is known. */
	for (uint8_t i = 0; i < 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "another-%u", i);
		SAVE(name, 0, ANSWERS_ORDER_PYTHON, 0, 0, ANSWERS_FAILS, 11, (uint8_t)(i ? 19 : 0),
		     0, (uint8_t)(i % 2), 0, (uint8_t)(i / 2), 0, 0, 0, 0);
	}
}

void calls_agent_answers(void)
{
	save_uploads();
	save_whose();
	save_failures();
	save_statuses();
	save_evidence();
	save_contact();
}
