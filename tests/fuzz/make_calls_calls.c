/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_calls.c — computations as they go, and as they do not: the corpus of fuzz_agent_calls. */
#include "tests/fuzz/make_calls.h"
#include "tests/fuzz/orders_agent.h"

#include <stdio.h>

static void other(struct writer *w, uint8_t what, uint8_t operand)
{
	writer_u8(w, (uint8_t)(what << 3 | ORDER_EVENT));
	writer_u8(w, operand);
}

static void call(struct writer *w, uint8_t method, uint8_t how, uint8_t asset)
{
	writer_u8(w, ORDER_CALL);
	writer_u8(w, method);
	writer_u8(w, how);
	writer_u8(w, asset);
}

static void plain(struct writer *w, uint8_t what, uint8_t number)
{
	writer_u8(w, (uint8_t)(number << 3 | what));
}

static void say(struct writer *w, uint8_t number, uint8_t flags)
{
	plain(w, ORDER_SAY, number);
	writer_u8(w, flags);
}

static void say_some(struct writer *w, uint8_t number, uint8_t flags, uint8_t sixteens)
{
	say(w, number, flags);
	writer_u8(w, sixteens);
}

static void upload(struct writer *w, uint8_t number, uint8_t method, uint8_t how, uint8_t asset)
{
	call(w, method, how, asset);
	say(w, number, SAY_ALL);
	plain(w, ORDER_HALF_CLOSE, number);
}

/* All that comes before the run; the number of the next call. */
static uint8_t fill(struct writer *w, uint8_t manifest)
{
	uint8_t datasets = manifest & 3;

	other(w, HAPPEN_MANIFEST, manifest);
	upload(w, 0, ALGO, HOW_DIGEST, 0);
	for (uint8_t i = 1; i <= datasets; i++)
		upload(w, i, DATA, HOW_DIGEST, i);
	return (uint8_t)(datasets + 1);
}

static void fetch(struct writer *w, uint8_t number, uint8_t how, uint8_t consumer)
{
	call(w, RESULT, how, consumer);
	say(w, number, 0);
	plain(w, ORDER_HALF_CLOSE, number);
}

static void save_lives(void)
{
	char name[32];

	for (uint8_t flags = 0; flags < 4; flags++) {
		for (uint8_t datasets = 0; datasets < 4; datasets++) {
			struct writer w = calls_begin(flags);
			uint8_t n = fill(&w, (uint8_t)(datasets | WORLD_TWO_CONSUMERS));

			other(&w, HAPPEN_RUN_SAYS, 1);
			other(&w, HAPPEN_RUN_ENDS, 1);
			call(&w, STATUS, 0, 0);
			say(&w, n, 0);
			plain(&w, ORDER_HALF_CLOSE, n++);
			fetch(&w, n++, 0, 0);
			fetch(&w, n++, 0, 0);
			fetch(&w, n++, AUTH_OTHER_KEY, 1);
			fetch(&w, n++, 0, 1);
			other(&w, HAPPEN_POSTBOX, 1);
			other(&w, HAPPEN_STOP, 0);
			other(&w, HAPPEN_MANIFEST, WORLD_OTHER_ID);
			other(&w, HAPPEN_POSTBOX, 0);
			snprintf(name, sizeof(name), "life-%u-%u", flags, datasets);
			calls_save_to("agent_calls", name, &w);
		}
	}
}

static void save_uploads(void)
{
	static const uint8_t hows[] = { 0,
					HOW_DIGEST,
					AUTH_NONE,
					AUTH_OTHER_KEY,
					AUTH_ROLE_SIGNATURE,
					HOW_DIGEST | HOW_OFFSET,
					HOW_DIGEST | HOW_WRONG_OFFSET,
					HOW_OFFSET,
					HOW_OTHER_ROLE,
					HOW_OTHER_METHOD,
					HOW_DIGEST | HOW_PYTHON };
	char name[32];

	for (size_t i = 0; i < sizeof(hows); i++) {
		struct writer w = calls_begin(0);

		other(&w, HAPPEN_MANIFEST, 3);
		upload(&w, 0, ALGO, hows[i], 0);
		upload(&w, 1, ALGO, HOW_DIGEST, 0);
		upload(&w, 2, DATA, hows[i], 1);
		upload(&w, 3, DATA, hows[i], 2);
		upload(&w, 4, DATA, hows[i], 3);
		upload(&w, 5, DATA, 0, 1);
		snprintf(name, sizeof(name), "upload-%zu", i);
		calls_save_to("agent_calls", name, &w);
	}
}

/* Cut by a cancel and by a lost connection, then taken up, longer and shorter ones. */
static void save_resumed(void)
{
	struct writer w = calls_begin(0);

	other(&w, HAPPEN_MANIFEST, 1);
	upload(&w, 0, ALGO, HOW_DIGEST, 0);
	call(&w, DATA, HOW_DIGEST, 1);
	say_some(&w, 1, 0, 100);
	plain(&w, ORDER_CANCEL, 1);
	call(&w, DATA, HOW_DIGEST, 1); /* from the start: shorter, then dropped */
	say_some(&w, 2, 0, 10);
	plain(&w, ORDER_CANCEL, 2);
	call(&w, DATA, HOW_DIGEST | HOW_OFFSET, 1);
	say_some(&w, 3, 0, 50);
	plain(&w, ORDER_HANG_UP, 0);
	call(&w, STATUS, 0, 0);
	say(&w, 0, 0);
	plain(&w, ORDER_HALF_CLOSE, 0);
	call(&w, DATA, HOW_DIGEST | HOW_WRONG_OFFSET | HOW_OFFSET, 1);
	say(&w, 1, SAY_ALL);
	call(&w, DATA, HOW_DIGEST | HOW_OFFSET, 1);
	say(&w, 2, SAY_ALL);
	plain(&w, ORDER_HALF_CLOSE, 2);
	other(&w, HAPPEN_RUN_ENDS, 0);
	other(&w, HAPPEN_STOP, 0);
	calls_save_to("agent_calls", "resumed", &w);

	/* Bytes that do not fit behind what was kept. */
	w = calls_begin(0);
	other(&w, HAPPEN_MANIFEST, 1);
	upload(&w, 0, ALGO, HOW_DIGEST, 0);
	call(&w, DATA, HOW_DIGEST, 1);
	say_some(&w, 1, SAY_SHIFTED, 100);
	plain(&w, ORDER_CANCEL, 1);
	call(&w, DATA, HOW_DIGEST | HOW_OFFSET, 1);
	say(&w, 2, SAY_ALL);
	plain(&w, ORDER_HALF_CLOSE, 2);
	call(&w, DATA, HOW_DIGEST, 1);
	say(&w, 3, SAY_ALL);
	say(&w, 3, SAY_ALL | SAY_OTHER_NAME);
	call(&w, DATA, HOW_DIGEST, 1);
	plain(&w, ORDER_HALF_CLOSE, 4);
	call(&w, ALGO, HOW_DIGEST, 0);
	say(&w, 5, SAY_ALL);
	calls_save_to("agent_calls", "misfit", &w);

	/* Somebody looks how far it is: of one that is certain, and of one that is not yet. */
	w = calls_begin(0);
	other(&w, HAPPEN_MANIFEST, 2);
	upload(&w, 0, ALGO, HOW_DIGEST, 0);
	call(&w, DATA, HOW_DIGEST, 1);
	say_some(&w, 1, 0, 100);
	call(&w, DATA, 0, 2);
	say_some(&w, 2, 0, 1);
	call(&w, STATUS, 0, 0);
	say(&w, 3, 0);
	plain(&w, ORDER_HALF_CLOSE, 3);
	calls_save_to("agent_calls", "watched", &w);

	/* Two at once; the second finds it here. A stop while bytes come. */
	w = calls_begin(2);
	other(&w, HAPPEN_MANIFEST, 2);
	upload(&w, 0, ALGO, 0, 0);
	call(&w, DATA, 0, 1);
	call(&w, DATA, 0, 1);
	say(&w, 1, SAY_ALL);
	say(&w, 2, SAY_ALL);
	plain(&w, ORDER_HALF_CLOSE, 1);
	plain(&w, ORDER_HALF_CLOSE, 2);
	call(&w, DATA, 0, 2);
	say_some(&w, 3, 0, 1);
	other(&w, HAPPEN_STOP, 0);
	other(&w, HAPPEN_MANIFEST, 2);
	upload(&w, 0, ALGO, 0, 0);
	calls_save_to("agent_calls", "at-once", &w);

	w = calls_begin(0);
	other(&w, HAPPEN_MANIFEST, 3);
	upload(&w, 0, ALGO, 0, 0);
	for (uint8_t i = 0; i < 3; i++) { /* zips */
		call(&w, DATA, HOW_DIGEST, 3);
		say(&w, (uint8_t)(i + 1), SAY_ALL);
	}
	for (uint8_t i = 0; i < 3; i++)
		plain(&w, ORDER_HALF_CLOSE, (uint8_t)(i + 1));
	other(&w, HAPPEN_STOP, 0);
	calls_save_to("agent_calls", "zips", &w);

	w = calls_begin(2);
	other(&w, HAPPEN_MANIFEST, 3);
	upload(&w, 0, ALGO, 0, 0);
	call(&w, DATA, HOW_DIGEST, 3);
	say(&w, 1, SAY_ALL);
	plain(&w, ORDER_HALF_CLOSE, 1);
	other(&w, HAPPEN_STOP, 0);
	calls_save_to("agent_calls", "zip-stopped", &w);
}

static void save_python(void)
{
	struct writer w = calls_begin(0);

	other(&w, HAPPEN_MANIFEST, 0);
	call(&w, ALGO, HOW_PYTHON | HOW_DIGEST, 0);
	say(&w, 0, SAY_ALL | SAY_REQUIREMENTS);
	say(&w, 0, SAY_ALL);
	plain(&w, ORDER_HALF_CLOSE, 0);
	other(&w, HAPPEN_RUN_ENDS, 1);
	calls_save_to("agent_calls", "python", &w);
	w = calls_begin(0);
	other(&w, HAPPEN_MANIFEST, 0);
	call(&w, ALGO, HOW_PYTHON | HOW_DIGEST, 0);
	say(&w, 0, SAY_ALL | SAY_REQUIREMENTS);
	say(&w, 0, SAY_ALL | SAY_REQUIREMENTS);
	say(&w, 0, SAY_ALL);
	call(&w, ALGO, 0, 0);
	say(&w, 1, SAY_ALL | SAY_REQUIREMENTS);
	say(&w, 1, SAY_ALL);
	call(&w, ALGO, HOW_PYTHON, 0);
	say(&w, 2, SAY_ALL | SAY_REQUIREMENTS | SAY_BOTH);
	call(&w, ALGO, HOW_PYTHON, 0);
	plain(&w, ORDER_HALF_CLOSE, 3);
	other(&w, HAPPEN_STOP, 0);
	other(&w, HAPPEN_MANIFEST, WORLD_TYPED);
	call(&w, ALGO, HOW_PYTHON, 0);
	calls_save_to("agent_calls", "requirements", &w);
	w = calls_begin(0);
	other(&w, HAPPEN_MANIFEST, WORLD_TYPED | WORLD_QUIET);
	upload(&w, 0, ALGO, 0, 0);
	other(&w, HAPPEN_RUN_SAYS, 0);
	other(&w, HAPPEN_RUN_ENDS, 0);
	fetch(&w, 1, 0, 0);
	other(&w, HAPPEN_STOP, 1);
	other(&w, HAPPEN_MANIFEST, 0);
	other(&w, HAPPEN_STOP, 0);
	other(&w, HAPPEN_STOP, 0);
	calls_save_to("agent_calls", "typed", &w);
}

static void save_evidence(void)
{
	struct writer w;
	char name[32];

	for (uint8_t flags = 0; flags < 2; flags++) {
		w = calls_begin(flags);
		other(&w, HAPPEN_MANIFEST, 1);
		for (uint8_t method = ATTESTATION; method <= REATTEST; method++) {
			uint8_t number = (uint8_t)(method - ATTESTATION);

			call(&w, method, 0, 0);
			say(&w, number, 1);
			plain(&w, ORDER_HALF_CLOSE, number);
		}
		other(&w, HAPPEN_KEEPER, WORLD_KEEPER_FAILS);
		call(&w, ATTESTATION, 0, 0);
		say(&w, 6, 1);
		plain(&w, ORDER_HALF_CLOSE, 6);
		call(&w, ATTESTATION, 0, 0);
		say(&w, 7, 0);
		plain(&w, ORDER_HALF_CLOSE, 7);
		other(&w, HAPPEN_KEEPER, WORLD_KEEPER_WAITS);
		call(&w, ATTESTATION, 0, 0);
		say(&w, 8, 1);
		plain(&w, ORDER_HALF_CLOSE, 8);
		call(&w, IMA, 0, 0);
		say(&w, 9, 1);
		plain(&w, ORDER_HALF_CLOSE, 9);
		plain(&w, ORDER_CANCEL, 9);
		other(&w, HAPPEN_STOP, 0);
		other(&w, HAPPEN_KEEPER, WORLD_KEEPER_ANSWERS);
		snprintf(name, sizeof(name), "evidence-%u", flags);
		calls_save_to("agent_calls", name, &w);

		w = calls_begin(flags);
		other(&w, HAPPEN_MANIFEST, 1 | WORLD_ATTESTED);
		other(&w, HAPPEN_STOP, 0);
		other(&w, HAPPEN_MANIFEST, 1);
		call(&w, ACTIVATE, 0, 0);
		say(&w, 0, 0);
		plain(&w, ORDER_HALF_CLOSE, 0);
		other(&w, HAPPEN_STOP, 1);
		upload(&w, 1, ALGO, AUTH_NONE, 0);
		upload(&w, 2, ALGO, 0, 0);
		upload(&w, 3, DATA, 0, 1);
		other(&w, HAPPEN_STOP, 0);
		other(&w, HAPPEN_STOP, 0);
		fetch(&w, 4, 0, 0);
		other(&w, HAPPEN_RUN_ENDS, 0);
		snprintf(name, sizeof(name), "stop-running-%u", flags);
		calls_save_to("agent_calls", name, &w);

		w = calls_begin(flags);
		other(&w, HAPPEN_KEEPER, WORLD_KEEPER_FAILS);
		other(&w, HAPPEN_MANIFEST, 1);
		other(&w, HAPPEN_MANIFEST, 1);
		other(&w, HAPPEN_STOP, 0);
		other(&w, HAPPEN_KEEPER, WORLD_KEEPER_WAITS);
		other(&w, HAPPEN_MANIFEST, 1);
		other(&w, HAPPEN_MANIFEST, 1 | WORLD_OTHER_ID);
		other(&w, HAPPEN_STOP, 0);
		other(&w, HAPPEN_KEEPER, WORLD_KEEPER_ANSWERS);
		other(&w, HAPPEN_MANIFEST, 1);
		snprintf(name, sizeof(name), "keeper-%u", flags);
		calls_save_to("agent_calls", name, &w);
	}
}

static void save_results(void)
{
	struct writer w = calls_begin(0);
	uint8_t n = fill(&w, 0);

	fetch(&w, n++, 0, 0); /* too early */
	other(&w, HAPPEN_RUN_ENDS, 1);
	call(&w, RESULT, 0, 0);
	call(&w, RESULT, 0, 0);
	say(&w, n, 0);
	plain(&w, ORDER_HALF_CLOSE, n++);
	plain(&w, ORDER_CANCEL, (uint8_t)(n - 1));
	say(&w, n, 0);
	plain(&w, ORDER_HALF_CLOSE, n++);
	fetch(&w, n++, AUTH_NONE, 0);
	fetch(&w, n++, HOW_OTHER_ROLE, 0);
	upload(&w, n++, ALGO, 0, 0);
	upload(&w, n++, DATA, 0, 1);
	plain(&w, ORDER_HANG_UP, 0);
	fetch(&w, 0, 0, 0);
	calls_save_to("agent_calls", "results", &w);

	w = calls_begin(0);
	other(&w, HAPPEN_RAW_MANIFEST, 0);
	writer_u8(&w, 3);
	writer_text(&w, "\x0a\x01x");
	other(&w, HAPPEN_MANIFEST, 0);
	call(&w, STATUS, 0, 0);
	plain(&w, ORDER_SAY_RAW, 0);
	writer_u8(&w, 1);
	writer_u8(&w, 2);
	writer_text(&w, "\xff\xff");
	call(&w, ALGO, 0, 0);
	plain(&w, ORDER_SAY_RAW, 1);
	writer_u8(&w, 1);
	writer_u8(&w, 2);
	writer_text(&w, "\x08\x01");
	call(&w, DATA, 0, 1);
	plain(&w, ORDER_SAY_RAW, 2);
	writer_u8(&w, 0);
	writer_u8(&w, 5);
	writer_text(&w, "12345");
	calls_save_to("agent_calls", "raw", &w);
}

/* Metadata besides (fuzz_agent_calls.c, enum extra), and content of another asset. */
static void save_others(void)
{
	static const uint8_t says_[] = { SAY_OTHER_NAME, SAY_OTHER_ASSET, SAY_MUCH, SAY_NO_NAME };
	char name[32];
	struct writer w;

	for (uint8_t extra = 1; extra < 7; extra++) {
		w = calls_begin(0);
		other(&w, HAPPEN_MANIFEST, 3);
		upload(&w, 0, ALGO, extra == 4 ? HOW_PYTHON : 0, (uint8_t)(4 * extra));
		upload(&w, 1, ALGO, 0, 0);
		upload(&w, 2, DATA, 0, (uint8_t)(4 * extra + 1));
		other(&w, HAPPEN_STOP, 0);
		other(&w, HAPPEN_MANIFEST, WORLD_TYPED);
		upload(&w, 0, ALGO, 0, (uint8_t)(4 * extra));
		snprintf(name, sizeof(name), "extra-%u", extra);
		calls_save_to("agent_calls", name, &w);
	}
	for (size_t i = 0; i < sizeof(says_); i++) {
		w = calls_begin(0);
		other(&w, HAPPEN_MANIFEST, 3);
		call(&w, ALGO, 0, 0);
		say(&w, 0, (uint8_t)(SAY_ALL | says_[i]));
		plain(&w, ORDER_HALF_CLOSE, 0);
		upload(&w, 1, ALGO, 0, 0);
		for (uint8_t asset = 1; asset < 4; asset++) {
			call(&w, DATA, 0, asset);
			say(&w, (uint8_t)(asset + 1), (uint8_t)(SAY_ALL | says_[i]));
			plain(&w, ORDER_HALF_CLOSE, (uint8_t)(asset + 1));
		}
		call(&w, DATA, 0, 1);
		say_some(&w, 5, 0, 1);
		say(&w, 5, SAY_ALL | SAY_OTHER_NAME);
		call(&w, DATA, 0, 1);
		say_some(&w, 6, 0, 1);
		say(&w, 6, SAY_ALL);
		plain(&w, ORDER_HALF_CLOSE, 6);
		upload(&w, 7, DATA, 0, 1);
		snprintf(name, sizeof(name), "content-%zu", i);
		calls_save_to("agent_calls", name, &w);
	}
	/* Two of the same consumer at once. */
	w = calls_begin(2);
	fill(&w, 0);
	other(&w, HAPPEN_RUN_ENDS, 1);
	other(&w, HAPPEN_POSTBOX, 1);
	call(&w, RESULT, 0, 0);
	call(&w, RESULT, 0, 0);
	say(&w, 1, 0);
	say(&w, 2, 0);
	plain(&w, ORDER_HALF_CLOSE, 1);
	plain(&w, ORDER_HALF_CLOSE, 2);
	calls_save_to("agent_calls", "same-consumer", &w);
	/* Evidence of the run fails. */
	w = calls_begin(1);
	other(&w, HAPPEN_KEEPER, WORLD_KEEPER_WAITS);
	other(&w, HAPPEN_MANIFEST, 0);
	other(&w, HAPPEN_KEEPER, WORLD_KEEPER_ANSWERS);
	other(&w, HAPPEN_KEEPER, WORLD_KEEPER_FAILS);
	call(&w, STATUS, 0, 0);
	calls_save_to("agent_calls", "no-evidence", &w);
}

/* A call of one message with nothing in it: Log, Receipt, Status. */
static void ask(struct writer *w, uint8_t number, uint8_t method, uint8_t how, uint8_t consumer)
{
	call(w, method, how, consumer);
	say(w, number, method == STATUS);
	plain(w, ORDER_HALF_CLOSE, number);
}

static uint8_t with(uint8_t extra, uint8_t asset)
{
	return (uint8_t)(4 * extra + asset);
}

/* Requirements before an algorithm, then again as they should be. */
static void save_requirements(void)
{
	static const uint8_t extras[] = { EXTRA_NONE,   EXTRA_REQUIRED,     EXTRA_OTHER_REQUIRED,
					  EXTRA_BUNDLE, EXTRA_OTHER_BUNDLE, EXTRA_SILENT_BUNDLE };
	struct writer w;
	char name[40];

	for (uint8_t more = 0; more < 2; more++) {
		for (size_t i = 0; i < sizeof(extras); i++) {
			w = calls_begin(0);
			other(&w, more ? HAPPEN_MANIFEST + 2 : HAPPEN_MANIFEST, 1);
			call(&w, ALGO, HOW_PYTHON, with(extras[i], 0));
			say(&w, 0, SAY_ALL | SAY_REQUIREMENTS);
			say(&w, 0, SAY_ALL);
			plain(&w, ORDER_HALF_CLOSE, 0);
			call(&w, ALGO, HOW_PYTHON, with(extras[i], 0)); /* none come */
			say(&w, 1, SAY_ALL);
			call(&w, ALGO, HOW_PYTHON, with(extras[i], 0)); /* cut off */
			say(&w, 2, SAY_ALL | SAY_REQUIREMENTS);
			plain(&w, ORDER_CANCEL, 2);
			call(&w, ALGO, HOW_PYTHON, with(extras[i], 0)); /* and twice */
			say(&w, 3, SAY_ALL | SAY_REQUIREMENTS);
			say(&w, 3, SAY_ALL | SAY_REQUIREMENTS);
			plain(&w, ORDER_HALF_CLOSE, 3);
			upload(&w, 4, ALGO, 0, 0);
			other(&w, HAPPEN_STOP, 0);
			snprintf(name, sizeof(name), "requirements-%u-%zu", more, i);
			calls_save_to("agent_calls", name, &w);
		}
	}
	/* All at once, and a stop in the middle. */
	w = calls_begin(2);
	other(&w, HAPPEN_MANIFEST, 0);
	call(&w, ALGO, HOW_PYTHON, with(EXTRA_BUNDLE, 0));
	say(&w, 0, SAY_ALL | SAY_REQUIREMENTS);
	say(&w, 0, SAY_ALL);
	plain(&w, ORDER_HALF_CLOSE, 0);
	other(&w, HAPPEN_STOP, 0);
	other(&w, HAPPEN_MANIFEST, 0);
	calls_save_to("agent_calls", "bundle-stopped", &w);
}

static void save_arguments(void)
{
	static const uint8_t extras[] = { EXTRA_TWO_ARGS, EXTRA_OTHER_ARGS, EXTRA_OTHER_RUNTIME,
					  EXTRA_TYPE, EXTRA_ARGS };
	struct writer w = calls_begin(0);
	uint8_t n = 0;

	other(&w, HAPPEN_MANIFEST, WORLD_TYPED | 1);
	upload(&w, n++, ALGO, HOW_PYTHON, with(EXTRA_OTHER_RUNTIME, 0));
	for (size_t i = 0; i < sizeof(extras); i++)
		upload(&w, n++, ALGO, 0, with(extras[i], 0));
	other(&w, HAPPEN_STOP, 0);
	calls_save_to("agent_calls", "arguments", &w);
	w = calls_begin(0);
	other(&w, HAPPEN_MANIFEST, 1);
	upload(&w, 0, ALGO, HOW_PYTHON, with(EXTRA_OTHER_RUNTIME, 0));
	upload(&w, 1, ALGO, 0, with(EXTRA_TWO_ARGS, 0));
	/* Names of files, and a name that nothing has. */
	upload(&w, 2, DATA, 0, with(EXTRA_ZERO_NAME, 1));
	upload(&w, 3, DATA, 0, with(EXTRA_BAD_NAME, 1));
	upload(&w, 4, DATA, 0, 2);
	call(&w, DATA, 0, 1);
	plain(&w, ORDER_HALF_CLOSE, 5);
	upload(&w, 6, DATA, 0, 1);
	calls_save_to("agent_calls", "names", &w);
}

/* Archives in folders of their own; datasets that only their content tells apart. */
static void save_places(void)
{
	struct writer w = calls_begin(0);

	other(&w, HAPPEN_MANIFEST + 1, 3);
	upload(&w, 0, ALGO, 0, 0);
	upload(&w, 1, DATA, 0, with(EXTRA_UNPACK, 1));
	upload(&w, 2, DATA, 0, 3);
	upload(&w, 3, DATA, 0, 3);
	upload(&w, 4, DATA, 0, 1);
	upload(&w, 5, DATA, 0, 2);
	calls_save_to("agent_calls", "folders", &w);
	w = calls_begin(0);
	other(&w, HAPPEN_MANIFEST + 3, 3);
	upload(&w, 0, ALGO, 0, 0);
	upload(&w, 1, DATA, 0, with(EXTRA_UNPACK, 1));
	upload(&w, 2, DATA, 0, 1);
	call(&w, DATA, 0, 1);
	say(&w, 3, SAY_ALL | SAY_OTHER_ASSET);
	plain(&w, ORDER_HALF_CLOSE, 3);
	upload(&w, 4, DATA, 0, 3);
	upload(&w, 5, DATA, 0, 1);
	upload(&w, 6, DATA, 0, 2);
	calls_save_to("agent_calls", "nameless", &w);
	/* Several archives wait for their turn when all of it stops. */
	w = calls_begin(2);
	other(&w, HAPPEN_MANIFEST + 3, 3);
	plain(&w, ORDER_HANG_UP, 0);
	upload(&w, 0, ALGO, 0, 0);
	plain(&w, ORDER_HANG_UP, 16);
	for (uint8_t i = 0; i < 3; i++) {
		call(&w, DATA, HOW_DIGEST, with(i ? EXTRA_UNPACK : EXTRA_NONE, i ? i : 3));
		say(&w, (uint8_t)(i + 1), SAY_ALL);
	}
	for (uint8_t i = 0; i < 3; i++)
		plain(&w, ORDER_HALF_CLOSE, (uint8_t)(i + 1));
	other(&w, HAPPEN_STOP, 0);
	calls_save_to("agent_calls", "archives-stopped", &w);
}

/* The log and the receipt: by whom they are for, and by others. */
static void save_asked(void)
{
	static const uint8_t manifests[] = { 0, WORLD_CLOSED, WORLD_CLOSED | WORLD_TWO_CONSUMERS };
	static const uint8_t methods[] = { LOG, RECEIPT, STATUS };
	struct writer w;
	char name[32];

	for (size_t i = 0; i < sizeof(manifests); i++) {
		uint8_t n;

		w = calls_begin((uint8_t)(i & 1));
		for (size_t j = 0; j < sizeof(methods); j++)
			ask(&w, (uint8_t)j, methods[j], 0, 0);
		n = fill(&w, manifests[i]);
		other(&w, HAPPEN_RUN_SAYS, 0);
		other(&w, HAPPEN_RUN_SAYS, 1);
		ask(&w, n++, LOG, 0, 0); /* too early */
		other(&w, HAPPEN_RUN_ENDS, i < 2);
		for (size_t j = 0; j < sizeof(methods); j++) {
			ask(&w, n++, methods[j], HOW_DIGEST, 0);
			ask(&w, n++, methods[j], AUTH_OTHER_KEY, 1);
		}
		ask(&w, n++, LOG, AUTH_NONE, 0);
		ask(&w, n++, STATUS, 0, 0);
		fetch(&w, n++, 0, 0);
		snprintf(name, sizeof(name), "asked-%zu", i);
		calls_save_to("agent_calls", name, &w);
	}
	w = calls_begin(0);
	other(&w, HAPPEN_RAW_MANIFEST, 0);
	writer_u8(&w, 2);
	writer_text(&w, "\xff\xff");
	calls_save_to("agent_calls", "no-manifest", &w);
}

void calls_agent_calls(void)
{
	save_others();
	save_lives();
	save_uploads();
	save_resumed();
	save_python();
	save_evidence();
	save_results();
	save_requirements();
	save_arguments();
	save_places();
	save_asked();
}
