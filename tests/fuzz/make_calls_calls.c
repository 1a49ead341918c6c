/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_calls.c — computations as they go, and as they do not: the corpus of fuzz_agent_calls. */
#include "tests/fuzz/make_calls.h"

#include <stdio.h>

enum { CALL, SAY, SAY_RAW = 3, HALF_CLOSE, CANCEL, HANG_UP, OTHER };
enum {
	MANIFEST = 0,
	RAW_MANIFEST = 4,
	STOP = 5,
	RUN_ENDS = 7,
	RUN_SAYS = 10,
	KEEPER = 11,
	POSTBOX = 14
};
enum { ALGO, DATA, RESULT, ATTESTATION, IMA, AZURE, STATUS, ACTIVATE, REATTEST };
enum {
	NO_AUTH = 1,
	OTHER_KEY,
	ROLE_SIGNATURE,
	DIGEST,
	OFFSET = 8,
	WRONG_OFFSET = 16,
	OTHER_ROLE = 32,
	PYTHON = 64,
	OTHER_METHOD = 128
};
enum {
	ALL = 1,
	SHIFTED = 2,
	REQUIREMENTS = 4,
	BOTH = 8,
	OTHER_NAME = 16,
	OTHER_ASSET = 32,
	MUCH = 64,
	NO_NAME = 128
};
enum { TWO_CONSUMERS = 4, TYPED = 8, QUIET = 16, OTHER_ID = 32, ATTESTED = 64 };
enum { ANSWERS, FAILS, WAITS };

static struct writer begin(uint8_t flags)
{
	struct writer w = writer_up_to(CALLS_INPUT_MAX);

	writer_u8(&w, flags);
	return w;
}

static void save(const char *name, struct writer *w)
{
	char path[64];

	snprintf(path, sizeof(path), "agent_calls/%s", name);
	calls_save(path, w);
}

static void other(struct writer *w, uint8_t what, uint8_t operand)
{
	writer_u8(w, (uint8_t)(what << 3 | OTHER));
	writer_u8(w, operand);
}

static void call(struct writer *w, uint8_t method, uint8_t how, uint8_t asset)
{
	writer_u8(w, CALL);
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
	plain(w, SAY, number);
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
	say(w, number, ALL);
	plain(w, HALF_CLOSE, number);
}

/* All that comes before the run; the number of the next call. */
static uint8_t fill(struct writer *w, uint8_t manifest)
{
	uint8_t datasets = manifest & 3;

	other(w, MANIFEST, manifest);
	upload(w, 0, ALGO, DIGEST, 0);
	for (uint8_t i = 1; i <= datasets; i++)
		upload(w, i, DATA, DIGEST, i);
	return (uint8_t)(datasets + 1);
}

static void fetch(struct writer *w, uint8_t number, uint8_t how, uint8_t consumer)
{
	call(w, RESULT, how, consumer);
	say(w, number, 0);
	plain(w, HALF_CLOSE, number);
}

static void save_lives(void)
{
	char name[32];

	for (uint8_t flags = 0; flags < 4; flags++) {
		for (uint8_t datasets = 0; datasets < 4; datasets++) {
			struct writer w = begin(flags);
			uint8_t n = fill(&w, (uint8_t)(datasets | TWO_CONSUMERS));

			other(&w, RUN_SAYS, 1);
			other(&w, RUN_ENDS, 1);
			call(&w, STATUS, 0, 0);
			say(&w, n, 0);
			plain(&w, HALF_CLOSE, n++);
			fetch(&w, n++, 0, 0);
			fetch(&w, n++, 0, 0);
			fetch(&w, n++, OTHER_KEY, 1);
			fetch(&w, n++, 0, 1);
			other(&w, POSTBOX, 1);
			other(&w, STOP, 0);
			other(&w, MANIFEST, OTHER_ID);
			other(&w, POSTBOX, 0);
			snprintf(name, sizeof(name), "life-%u-%u", flags, datasets);
			save(name, &w);
		}
	}
}

static void save_uploads(void)
{
	static const uint8_t hows[] = { 0,
					DIGEST,
					NO_AUTH,
					OTHER_KEY,
					ROLE_SIGNATURE,
					DIGEST | OFFSET,
					DIGEST | WRONG_OFFSET,
					OFFSET,
					OTHER_ROLE,
					OTHER_METHOD,
					DIGEST | PYTHON };
	char name[32];

	for (size_t i = 0; i < sizeof(hows); i++) {
		struct writer w = begin(0);

		other(&w, MANIFEST, 3);
		upload(&w, 0, ALGO, hows[i], 0);
		upload(&w, 1, ALGO, DIGEST, 0);
		upload(&w, 2, DATA, hows[i], 1);
		upload(&w, 3, DATA, hows[i], 2);
		upload(&w, 4, DATA, hows[i], 3);
		upload(&w, 5, DATA, 0, 1);
		snprintf(name, sizeof(name), "upload-%zu", i);
		save(name, &w);
	}
}

/* Cut by a cancel and by a lost connection, then taken up, longer and shorter ones. */
static void save_resumed(void)
{
	struct writer w = begin(0);

	other(&w, MANIFEST, 1);
	upload(&w, 0, ALGO, DIGEST, 0);
	call(&w, DATA, DIGEST, 1);
	say_some(&w, 1, 0, 100);
	plain(&w, CANCEL, 1);
	call(&w, DATA, DIGEST, 1); /* from the start: shorter, then dropped */
	say_some(&w, 2, 0, 10);
	plain(&w, CANCEL, 2);
	call(&w, DATA, DIGEST | OFFSET, 1);
	say_some(&w, 3, 0, 50);
	plain(&w, HANG_UP, 0);
	call(&w, STATUS, 0, 0);
	say(&w, 0, 0);
	plain(&w, HALF_CLOSE, 0);
	call(&w, DATA, DIGEST | WRONG_OFFSET | OFFSET, 1);
	say(&w, 1, ALL);
	call(&w, DATA, DIGEST | OFFSET, 1);
	say(&w, 2, ALL);
	plain(&w, HALF_CLOSE, 2);
	other(&w, RUN_ENDS, 0);
	other(&w, STOP, 0);
	save("resumed", &w);

	/* Bytes that do not fit behind what was kept. */
	w = begin(0);
	other(&w, MANIFEST, 1);
	upload(&w, 0, ALGO, DIGEST, 0);
	call(&w, DATA, DIGEST, 1);
	say_some(&w, 1, SHIFTED, 100);
	plain(&w, CANCEL, 1);
	call(&w, DATA, DIGEST | OFFSET, 1);
	say(&w, 2, ALL);
	plain(&w, HALF_CLOSE, 2);
	call(&w, DATA, DIGEST, 1);
	say(&w, 3, ALL);
	say(&w, 3, ALL | OTHER_NAME);
	call(&w, DATA, DIGEST, 1);
	plain(&w, HALF_CLOSE, 4);
	call(&w, ALGO, DIGEST, 0);
	say(&w, 5, ALL);
	save("misfit", &w);

	/* Two at once; the second finds it here. A stop while bytes come. */
	w = begin(2);
	other(&w, MANIFEST, 2);
	upload(&w, 0, ALGO, 0, 0);
	call(&w, DATA, 0, 1);
	call(&w, DATA, 0, 1);
	say(&w, 1, ALL);
	say(&w, 2, ALL);
	plain(&w, HALF_CLOSE, 1);
	plain(&w, HALF_CLOSE, 2);
	call(&w, DATA, 0, 2);
	say_some(&w, 3, 0, 1);
	other(&w, STOP, 0);
	other(&w, MANIFEST, 2);
	upload(&w, 0, ALGO, 0, 0);
	save("at-once", &w);

	w = begin(0);
	other(&w, MANIFEST, 3);
	upload(&w, 0, ALGO, 0, 0);
	for (uint8_t i = 0; i < 3; i++) { /* zips */
		call(&w, DATA, DIGEST, 3);
		say(&w, (uint8_t)(i + 1), ALL);
	}
	for (uint8_t i = 0; i < 3; i++)
		plain(&w, HALF_CLOSE, (uint8_t)(i + 1));
	other(&w, STOP, 0);
	save("zips", &w);

	w = begin(2);
	other(&w, MANIFEST, 3);
	upload(&w, 0, ALGO, 0, 0);
	call(&w, DATA, DIGEST, 3);
	say(&w, 1, ALL);
	plain(&w, HALF_CLOSE, 1);
	other(&w, STOP, 0);
	save("zip-stopped", &w);
}

static void save_python(void)
{
	struct writer w = begin(0);

	other(&w, MANIFEST, 0);
	call(&w, ALGO, PYTHON | DIGEST, 0);
	say(&w, 0, ALL | REQUIREMENTS);
	say(&w, 0, ALL);
	plain(&w, HALF_CLOSE, 0);
	other(&w, RUN_ENDS, 1);
	save("python", &w);
	w = begin(0);
	other(&w, MANIFEST, 0);
	call(&w, ALGO, PYTHON | DIGEST, 0);
	say(&w, 0, ALL | REQUIREMENTS);
	say(&w, 0, ALL | REQUIREMENTS);
	say(&w, 0, ALL);
	call(&w, ALGO, 0, 0);
	say(&w, 1, ALL | REQUIREMENTS);
	say(&w, 1, ALL);
	call(&w, ALGO, PYTHON, 0);
	say(&w, 2, ALL | REQUIREMENTS | BOTH);
	call(&w, ALGO, PYTHON, 0);
	plain(&w, HALF_CLOSE, 3);
	other(&w, STOP, 0);
	other(&w, MANIFEST, TYPED);
	call(&w, ALGO, PYTHON, 0);
	save("requirements", &w);
	w = begin(0);
	other(&w, MANIFEST, TYPED | QUIET);
	upload(&w, 0, ALGO, 0, 0);
	other(&w, RUN_SAYS, 0);
	other(&w, RUN_ENDS, 0);
	fetch(&w, 1, 0, 0);
	other(&w, STOP, 1);
	other(&w, MANIFEST, 0);
	other(&w, STOP, 0);
	other(&w, STOP, 0);
	save("typed", &w);
}

static void save_evidence(void)
{
	struct writer w;
	char name[32];

	for (uint8_t flags = 0; flags < 2; flags++) {
		w = begin(flags);
		other(&w, MANIFEST, 1);
		for (uint8_t method = ATTESTATION; method <= REATTEST; method++) {
			uint8_t number = (uint8_t)(method - ATTESTATION);

			call(&w, method, 0, 0);
			say(&w, number, 1);
			plain(&w, HALF_CLOSE, number);
		}
		other(&w, KEEPER, FAILS);
		call(&w, ATTESTATION, 0, 0);
		say(&w, 6, 1);
		plain(&w, HALF_CLOSE, 6);
		call(&w, ATTESTATION, 0, 0);
		say(&w, 7, 0);
		plain(&w, HALF_CLOSE, 7);
		other(&w, KEEPER, WAITS);
		call(&w, ATTESTATION, 0, 0);
		say(&w, 8, 1);
		plain(&w, HALF_CLOSE, 8);
		call(&w, IMA, 0, 0);
		say(&w, 9, 1);
		plain(&w, HALF_CLOSE, 9);
		plain(&w, CANCEL, 9);
		other(&w, STOP, 0);
		other(&w, KEEPER, ANSWERS);
		snprintf(name, sizeof(name), "evidence-%u", flags);
		save(name, &w);

		w = begin(flags);
		other(&w, MANIFEST, 1 | ATTESTED);
		other(&w, STOP, 0);
		other(&w, MANIFEST, 1);
		call(&w, ACTIVATE, 0, 0);
		say(&w, 0, 0);
		plain(&w, HALF_CLOSE, 0);
		other(&w, STOP, 1);
		upload(&w, 1, ALGO, NO_AUTH, 0);
		upload(&w, 2, ALGO, 0, 0);
		upload(&w, 3, DATA, 0, 1);
		other(&w, STOP, 0);
		other(&w, STOP, 0);
		fetch(&w, 4, 0, 0);
		other(&w, RUN_ENDS, 0);
		snprintf(name, sizeof(name), "stop-running-%u", flags);
		save(name, &w);

		w = begin(flags);
		other(&w, KEEPER, FAILS);
		other(&w, MANIFEST, 1);
		other(&w, MANIFEST, 1);
		other(&w, STOP, 0);
		other(&w, KEEPER, WAITS);
		other(&w, MANIFEST, 1);
		other(&w, MANIFEST, 1 | OTHER_ID);
		other(&w, STOP, 0);
		other(&w, KEEPER, ANSWERS);
		other(&w, MANIFEST, 1);
		snprintf(name, sizeof(name), "keeper-%u", flags);
		save(name, &w);
	}
}

static void save_results(void)
{
	struct writer w = begin(0);
	uint8_t n = fill(&w, 0);

	fetch(&w, n++, 0, 0); /* too early */
	other(&w, RUN_ENDS, 1);
	call(&w, RESULT, 0, 0);
	call(&w, RESULT, 0, 0);
	say(&w, n, 0);
	plain(&w, HALF_CLOSE, n++);
	plain(&w, CANCEL, (uint8_t)(n - 1));
	say(&w, n, 0);
	plain(&w, HALF_CLOSE, n++);
	fetch(&w, n++, NO_AUTH, 0);
	fetch(&w, n++, OTHER_ROLE, 0);
	upload(&w, n++, ALGO, 0, 0);
	upload(&w, n++, DATA, 0, 1);
	plain(&w, HANG_UP, 0);
	fetch(&w, 0, 0, 0);
	save("results", &w);

	w = begin(0);
	other(&w, RAW_MANIFEST, 0);
	writer_u8(&w, 3);
	writer_text(&w, "\x0a\x01x");
	other(&w, MANIFEST, 0);
	call(&w, STATUS, 0, 0);
	plain(&w, SAY_RAW, 0);
	writer_u8(&w, 1);
	writer_u8(&w, 2);
	writer_text(&w, "\xff\xff");
	call(&w, ALGO, 0, 0);
	plain(&w, SAY_RAW, 1);
	writer_u8(&w, 1);
	writer_u8(&w, 2);
	writer_text(&w, "\x08\x01");
	call(&w, DATA, 0, 1);
	plain(&w, SAY_RAW, 2);
	writer_u8(&w, 0);
	writer_u8(&w, 5);
	writer_text(&w, "12345");
	save("raw", &w);
}

/* Metadata besides (fuzz_agent_calls.c, enum extra), and content of another asset. */
static void save_others(void)
{
	static const uint8_t says_[] = { OTHER_NAME, OTHER_ASSET, MUCH, NO_NAME };
	char name[32];
	struct writer w;

	for (uint8_t extra = 1; extra < 7; extra++) {
		w = begin(0);
		other(&w, MANIFEST, 3);
		upload(&w, 0, ALGO, extra == 4 ? PYTHON : 0, (uint8_t)(4 * extra));
		upload(&w, 1, ALGO, 0, 0);
		upload(&w, 2, DATA, 0, (uint8_t)(4 * extra + 1));
		other(&w, STOP, 0);
		other(&w, MANIFEST, TYPED);
		upload(&w, 0, ALGO, 0, (uint8_t)(4 * extra));
		snprintf(name, sizeof(name), "extra-%u", extra);
		save(name, &w);
	}
	for (size_t i = 0; i < sizeof(says_); i++) {
		w = begin(0);
		other(&w, MANIFEST, 3);
		call(&w, ALGO, 0, 0);
		say(&w, 0, (uint8_t)(ALL | says_[i]));
		plain(&w, HALF_CLOSE, 0);
		upload(&w, 1, ALGO, 0, 0);
		for (uint8_t asset = 1; asset < 4; asset++) {
			call(&w, DATA, 0, asset);
			say(&w, (uint8_t)(asset + 1), (uint8_t)(ALL | says_[i]));
			plain(&w, HALF_CLOSE, (uint8_t)(asset + 1));
		}
		call(&w, DATA, 0, 1);
		say_some(&w, 5, 0, 1);
		say(&w, 5, ALL | OTHER_NAME);
		call(&w, DATA, 0, 1);
		say_some(&w, 6, 0, 1);
		say(&w, 6, ALL);
		plain(&w, HALF_CLOSE, 6);
		upload(&w, 7, DATA, 0, 1);
		snprintf(name, sizeof(name), "content-%zu", i);
		save(name, &w);
	}
	/* Two of the same consumer at once. */
	w = begin(2);
	fill(&w, 0);
	other(&w, RUN_ENDS, 1);
	other(&w, POSTBOX, 1);
	call(&w, RESULT, 0, 0);
	call(&w, RESULT, 0, 0);
	say(&w, 1, 0);
	say(&w, 2, 0);
	plain(&w, HALF_CLOSE, 1);
	plain(&w, HALF_CLOSE, 2);
	save("same-consumer", &w);
	/* Evidence of the run fails. */
	w = begin(1);
	other(&w, KEEPER, WAITS);
	other(&w, MANIFEST, 0);
	other(&w, KEEPER, ANSWERS);
	other(&w, KEEPER, FAILS);
	call(&w, STATUS, 0, 0);
	save("no-evidence", &w);
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
}
