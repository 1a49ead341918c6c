/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's side of the keeper, when that was taken over: packets that answer anything at any time.
 * child_start() is wrapped: the other end of the socket is the fuzzer's.
 *
 * Input: commands; ASK: what(1); ANSWER: flags(1) code(1) length(2) content; RAW: length(2) packet; RUN: a
 * statement is in force; CANCEL; CLOSE; EXIT. Each question is answered once, never from within the
 * asking, by the asked kind or by an error; nothing comes once the keeper is freed.
 */
#include "agent/evidence/evidence.h"
#include "agent/keeper/keeper.h"
#include "agent/keeper/keeper_protocol.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "tests/fuzz/keeper_played.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 64, QUESTIONS_MAX = 64, TURNS = 3 };

/* ---- who asks ---- */

enum kind { MEASURED, LOG, EVIDENCE, PARTS, TOKEN, TOKEN_PARTS };

struct question {
	enum kind kind;
	bool is_open, is_answered;
	struct evidence_request *request; /* of the room of evidence, which may be cancelled */
};

static struct question questions[QUESTIONS_MAX];
static size_t asked;
static bool asking, freed;

static struct question *answered(void *data, enum kind kind, const struct err *e)
{
	struct question *q = data;

	assert(!asking && !freed && q->is_open && !q->is_answered && q->kind == kind);
	assert(!e || e->code != ERR_OK);
	q->is_answered = true;
	q->is_open = false;
	q->request = NULL;
	return q;
}

static void on_measured(void *data, bool measured, const struct err *e)
{
	answered(data, MEASURED, e);
	assert(!e || !measured);
}

static void on_log(void *data, const struct keeper_log_entry *entries, size_t count,
		   const struct err *e)
{
	uint8_t sum = 0;

	answered(data, LOG, e);
	assert(!e || count == 0);
	for (size_t i = 0; i < count; i++)
		sum ^= entries[i].sha384_bank[47];
	(void)sum;
}

static void touch(struct span s)
{
	volatile uint8_t sink = 0;

	for (size_t i = 0; i < s.len; i++)
		sink ^= s.bytes[i];
	(void)sink;
}

static void on_evidence(void *data, const struct keeper_evidence *evidence, const struct err *e)
{
	answered(data, EVIDENCE, e);
	assert(!e == !!evidence);
	if (e)
		return;
	assert(evidence->platform != EVIDENCE_NONE && evidence->raw.len > 0);
	assert(evidence->nonce.len == BINDING_TPM_NONCE_LEN);
	touch(evidence->raw);
	touch(evidence->tee_report);
	touch(evidence->log);
	touch(evidence->own_log);
}

static void check_parts(const struct span *parts, size_t count, const struct err *e)
{
	assert(e ? count == 0 : count > 0 && count <= KEEPER_PARTS_MAX);
	for (size_t i = 0; i < count; i++)
		touch(parts[i]);
}

static void on_parts(void *data, const struct span *parts, size_t count, const struct err *e)
{
	answered(data, PARTS, e);
	check_parts(parts, count, e);
}

static void on_token(void *data, const uint8_t *token, size_t len, const struct err *e)
{
	answered(data, TOKEN, e);
	assert(e ? !token : len > 0 && len <= EAT_MAX);
}

static void on_token_parts(void *data, const struct span *parts, size_t count, const struct err *e)
{
	answered(data, TOKEN_PARTS, e);
	check_parts(parts, count, e);
}

/* ---- the world ---- */

static uv_loop_t loop;
static struct keeper *keeper;
static struct evidence *evidence;
static EVP_PKEY *key;
static uint32_t next_number; /* of the oldest packet that was not answered */
static unsigned deaths;

static void on_death(void *data)
{
	assert(!freed);
	deaths++;
}

static void spin(void)
{
	for (int i = 0; i < TURNS; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

static void take_requests(void)
{
	uint8_t packet[KEEPER_REQUEST_MAX];

	while (keeper_played.sock >= 0 &&
	       recv(keeper_played.sock, packet, sizeof(packet), MSG_DONTWAIT) > 0)
		;
}

static void enter(void)
{
	const struct keeper_options options = { .development = true, .tcti = "x", .vmpl = 1 };
	struct err e;

	assert(keeper_start(&loop, &options, &keeper, &e) == 0);
	keeper_on_death(keeper, on_death, NULL);
	assert(evidence_new(&loop, keeper, key, &evidence, &e) == 0);
	asked = 0;
	next_number = 0;
	deaths = 0;
	freed = false;
}

static void leave(bool dead_first)
{
	if (dead_first) {
		close(TAKE_FD(keeper_played.sock));
		spin();
		assert(deaths == 1);
		for (size_t i = 0; i < asked; i++)
			assert(!questions[i].is_open);
	}
	evidence_free(evidence);
	keeper_free(keeper);
	freed = true;
	/* The process ends now. */
	keeper_played_ends();
	if (keeper_played.sock >= 0)
		close(TAKE_FD(keeper_played.sock));
	spin();
	assert(!uv_loop_alive(&loop));
}

/* ---- the commands ---- */

static int ask_keeper(uint8_t what, struct question *q, struct err *e)
{
	static const uint8_t some[64] = { 1 };
	const struct binding_nonce nonce = { .type = 0, .tee = some, .tee_len = 32 };

	switch (what) {
	case 0:
		return keeper_check(keeper, on_measured, q, e);
	case 1:
		return keeper_identity(keeper, some, sizeof(some), on_measured, q, e);
	case 2:
	case 3:
	case 4:
		return keeper_measure(keeper, (enum keeper_event)(what - 2), some, 8, on_measured,
				      q, e);
	case 5:
		return keeper_log(keeper, on_log, q, e);
	case 6:
		return keeper_run(keeper, some, sizeof(some), on_evidence, q, e);
	case 7:
		return keeper_channel(keeper, DIGEST_SHA256, some, on_evidence, q, e);
	case 8:
		return keeper_nonce(keeper, &nonce, on_evidence, q, e);
	case 9:
		return keeper_ima(keeper, on_parts, q, e);
	case 10:
		return keeper_endorsement(keeper, on_parts, q, e);
	default:
		return keeper_activate(keeper, (struct span){ some, 8 }, (struct span){ some, 9 },
				       on_parts, q, e);
	}
}

static struct evidence_request *ask_evidence(uint8_t what, struct question *q, struct err *e)
{
	static const uint8_t some[64] = { 1 };
	const struct binding_nonce nonce = {
		.type = 0, .tee = some, .tee_len = 32, .vtpm = some, .vtpm_len = what
	};

	switch (what) {
	case 0:
		return evidence_channel(evidence, NULL, DIGEST_SHA256, some, on_token, q, e);
	case 1:
	case 2:
		return evidence_nonce(evidence, NULL, &nonce, on_token, q, e);
	case 3:
		return evidence_ima(evidence, NULL, on_token_parts, q, e);
	case 4:
		return evidence_endorsement(evidence, NULL, on_token_parts, q, e);
	default:
		return evidence_activate(evidence, NULL, (struct span){ some, 8 },
					 (struct span){ some, 9 }, on_token_parts, q, e);
	}
}

static void ask(uint8_t what)
{
	static const enum kind kinds[] = {
		MEASURED, MEASURED, MEASURED, MEASURED, MEASURED, LOG,
		EVIDENCE, EVIDENCE, EVIDENCE, PARTS,    PARTS,    PARTS
	};
	static const enum kind rooms[] = { TOKEN,       TOKEN,       TOKEN,
					   TOKEN_PARTS, TOKEN_PARTS, TOKEN_PARTS };
	struct question *q = &questions[asked];
	struct err e;

	if (asked == QUESTIONS_MAX)
		return;
	*q = (struct question){ .is_open = true };
	asking = true;
	if (what % 18 < 12) {
		q->kind = kinds[what % 18];
		q->is_open = ask_keeper(what % 18, q, &e) == 0;
	} else {
		q->kind = rooms[what % 18 - 12];
		q->request = ask_evidence(what % 18 - 12, q, &e);
		q->is_open = q->request != NULL;
	}
	asking = false;
	asked += q->is_open;
	assert(q->is_open || e.text[0]);
}

static void send_packet(const void *packet, size_t len)
{
	if (keeper_played.sock >= 0)
		(void)!send(keeper_played.sock, packet, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The right number, and what the input says. */
static void answer(struct reader *r)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 17);
	uint8_t flags = reader_u8(r), code = reader_u8(r);
	size_t len = reader_be16(r);

	if (len > reader_left(r))
		len = reader_left(r);
	writer_be32(&w, next_number + (flags & 2 ? 1u : 0));
	writer_u8(&w, code);
	writer_u8(&w, flags & 1);
	writer_bytes(&w, reader_take(r, len), len);
	if (flags & 4) /* a large piece */
		writer_zeros(&w, KEEPER_PIECE_MAX - len);
	send_packet(w.bytes, w.len);
	next_number += !(flags & 1);
}

static void run_begins(void)
{
	static const uint8_t raw[] = "evidence", nonce[BINDING_TPM_NONCE_LEN];
	const struct keeper_evidence run = { .platform = EVIDENCE_SNP,
					     .raw = { raw, sizeof(raw) },
					     .nonce = { nonce, sizeof(nonce) } };

	evidence_set_run(evidence, key, (uint8_t *)strdup("statement"), 9, &run);
}

static void command(struct reader *r)
{
	uint8_t what = reader_u8(r) % 16;
	size_t len;

	if (what < 6) {
		ask(reader_u8(r));
	} else if (what < 11) {
		answer(r);
	} else if (what == 11) {
		len = reader_be16(r);
		if (len > reader_left(r))
			len = reader_left(r);
		send_packet(reader_take(r, len), len);
	} else if (what == 12) {
		run_begins();
	} else if (what == 13) {
		len = reader_u8(r) % QUESTIONS_MAX;
		if (len < asked && questions[len].request) {
			evidence_cancel(TAKE_PTR(questions[len].request));
			questions[len].is_open = false;
		}
	} else if (what == 14) {
		evidence_reset(evidence);
	} else if (keeper_played.sock >= 0) {
		close(TAKE_FD(keeper_played.sock));
	}
	spin();
	take_requests();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	struct err e;

	if (!key) {
		log_set(LOG_LEVEL_ERROR);
		assert(uv_loop_init(&loop) == 0 && key_generate(KEY_ECDSA, &key, &e) == 0);
	}
	bool dead_first = reader_u8(&r) & 1;
	enter();
	for (int i = 0; i < COMMANDS_MAX && reader_ok(&r) && reader_left(&r); i++)
		command(&r);
	leave(dead_first && keeper_played.sock >= 0);
	return 0;
}
