/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper_main.c — the keeper's own process: one request after the other, from a table that says which
 * are permitted now (OpenSSH's monitor does it this way).
 */
#include "agent/keeper/keeper.h"
#include "agent/keeper/keeper_seccomp.h"
#include "agent/keeper/keeper_state.h"
#include "agent/process/child.h"
#include "agent/process/confine.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	PERMITTED = 1,
	ONCE = 2,
};

/* The order of trust: identity, boot configuration, and for each computation its configuration, its
 * manifest, the journal's key and the statement that names it; only then is there evidence for a channel, and
 * anything signed. A machine that makes no evidence has no statement to wait for. */
static const struct keeper_row rows[] = {
	{ .type = KEEPER_CHECK,
	  .flags = PERMITTED,
	  .use = KEEPER_USE_QUESTIONS,
	  .answer = keeper_answer_check },
	{ .type = KEEPER_IDENTITY, .flags = PERMITTED | ONCE, .answer = keeper_answer_identity },
	{ .type = KEEPER_MEASURE_BOOT,
	  .flags = PERMITTED | ONCE,
	  .answer = keeper_answer_measure,
	  .event = KEEPER_EVENT_BOOT,
	  .then = { KEEPER_MEASURE_CONFIG },
	  .ends = { KEEPER_IDENTITY } },
	{ .type = KEEPER_MEASURE_CONFIG,
	  .answer = keeper_answer_measure,
	  .event = KEEPER_EVENT_CONFIG,
	  .then = { KEEPER_MEASURE_MANIFEST },
	  .ends = { KEEPER_RUN, KEEPER_CHANNEL, KEEPER_JOURNAL_KEY, KEEPER_JOURNAL_SIGN,
		    KEEPER_RECEIPT } },
	{ .type = KEEPER_MEASURE_MANIFEST,
	  .flags = ONCE,
	  .answer = keeper_answer_measure,
	  .event = KEEPER_EVENT_MANIFEST,
	  .then = { KEEPER_RUN, KEEPER_JOURNAL_KEY } },
	{ .type = KEEPER_LOG, .flags = PERMITTED, .answer = keeper_answer_log },
	{ .type = KEEPER_RUN,
	  .flags = ONCE,
	  .use = KEEPER_USE_CHANNELS,
	  .answer = keeper_answer_run,
	  .then = { KEEPER_CHANNEL, KEEPER_JOURNAL_SIGN, KEEPER_RECEIPT },
	  .ends = { KEEPER_JOURNAL_KEY } },
	{ .type = KEEPER_CHANNEL, .use = KEEPER_USE_CHANNELS, .answer = keeper_answer_channel },
	{ .type = KEEPER_NONCE,
	  .flags = PERMITTED,
	  .use = KEEPER_USE_QUESTIONS,
	  .answer = keeper_answer_nonce },
	{ .type = KEEPER_IMA,
	  .flags = PERMITTED,
	  .use = KEEPER_USE_QUESTIONS,
	  .answer = keeper_answer_ima },
	{ .type = KEEPER_ENDORSEMENT,
	  .flags = PERMITTED,
	  .use = KEEPER_USE_QUESTIONS,
	  .answer = keeper_answer_endorsement },
	{ .type = KEEPER_ACTIVATE,
	  .flags = PERMITTED,
	  .use = KEEPER_USE_QUESTIONS,
	  .answer = keeper_answer_activate },
	{ .type = KEEPER_JOURNAL_KEY,
	  .flags = ONCE,
	  .answer = keeper_answer_journal_key,
	  .then_bare = { KEEPER_JOURNAL_SIGN, KEEPER_RECEIPT } },
	{ .type = KEEPER_JOURNAL_SIGN,
	  .use = KEEPER_USE_SIGNATURES,
	  .answer = keeper_answer_journal_sign },
	{ .type = KEEPER_RECEIPT, .use = KEEPER_USE_SIGNATURES, .answer = keeper_answer_receipt },
};

static const struct keeper_row *row_of(uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].type == type)
			return &rows[i];
	return NULL;
}

static uint32_t bit_of(enum keeper_request type)
{
	return UINT32_C(1) << type;
}

static void permit(struct keeper_state *state, const enum keeper_request *types, size_t count)
{
	for (size_t i = 0; i < count; i++)
		state->permitted |= bit_of(types[i]);
}

static int64_t now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

void keeper_state_init(struct keeper_state *state)
{
	state->now_ms = now_ms;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].flags & PERMITTED)
			state->permitted |= bit_of(rows[i].type);
}

int keeper_dispatch(struct keeper_state *state, uint8_t type, struct reader *in, struct writer *out,
		    struct err *e)
{
	const struct keeper_row *row = row_of(type);

	if (!row)
		return err_set(e, ERR_UNIMPLEMENTED, "keeper: no request %u", type);
	if (!(state->permitted & bit_of(row->type)))
		return err_set(e, ERR_PRECONDITION, "keeper: request %u is out of order", type);
	/* Before anything is done, whether or not it will succeed. */
	if (keeper_budget_take(&state->budget, row->use, state->now_ms(), e) < 0)
		return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(row->ends); i++)
		state->permitted &= ~bit_of(row->ends[i]);
	if (row->answer(state, row, in, out, e) < 0)
		return err_code(e);
	if (row->flags & ONCE)
		state->permitted &= ~bit_of(row->type);
	permit(state, row->then, ARRAY_LEN(row->then));
	if (keeper_platform(state) == EVIDENCE_NONE)
		permit(state, row->then_bare, ARRAY_LEN(row->then_bare));
	return 0;
}

void keeper_put_part(struct writer *out, const void *bytes, size_t len)
{
	writer_be32(out, (uint32_t)len);
	writer_bytes(out, bytes, len);
}

/* In pieces that a packet holds. */
static bool send_answer(uint32_t number, enum err_code code, const uint8_t *bytes, size_t len)
{
	do {
		CLEANUP_WRITER struct writer packet =
			writer_up_to(KEEPER_ANSWER_HEAD_LEN + KEEPER_PIECE_MAX);
		size_t piece = len < KEEPER_PIECE_MAX ? len : KEEPER_PIECE_MAX;
		ssize_t n;

		writer_be32(&packet, number);
		writer_u8(&packet, (uint8_t)code);
		writer_u8(&packet, piece < len);
		writer_bytes(&packet, bytes, piece);
		if (packet.bad)
			return false;
		do
			n = send(CHILD_SOCKET, packet.bytes, packet.len, MSG_NOSIGNAL);
		while (n < 0 && errno == EINTR);
		if (n != (ssize_t)packet.len)
			return false;
		if (piece)
			bytes += piece;
		len -= piece;
	} while (len);
	return true;
}

/* False when the agent is gone or speaks nonsense: then there is nothing left to do. */
static bool serve_one(struct keeper_state *state, uint8_t packet[KEEPER_REQUEST_MAX + 1])
{
	CLEANUP_WRITER struct writer out = writer_up_to(KEEPER_CONTENT_MAX);
	ssize_t n = recv(CHILD_SOCKET, packet, KEEPER_REQUEST_MAX + 1, 0);
	struct err e = { 0 };

	if (n < 0 && errno == EINTR)
		return true;
	if (n < KEEPER_HEAD_LEN || n == KEEPER_REQUEST_MAX + 1)
		return false;
	struct reader in = reader_over(packet, (size_t)n);
	uint32_t number = reader_be32(&in);
	uint8_t type = reader_u8(&in);

	if (keeper_dispatch(state, type, &in, &out, &e) < 0 ||
	    /* The devices are open now, and what else is read belongs to root. */
	    (type == KEEPER_CHECK && confine_rights(0, 0, &e) < 0) ||
	    writer_check(&out, "keeper answer", &e) < 0)
		return send_answer(number, e.code, (const uint8_t *)e.text, strlen(e.text));
	return send_answer(number, ERR_OK, out.bytes, out.len);
}

static int parse_arguments(struct keeper_state *state, int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		bool has_value = i + 1 < argc;

		if (strcmp(argv[i], "--development") == 0)
			state->development = true;
		else if (strcmp(argv[i], "--tcti") == 0 && has_value)
			state->tcti = argv[++i];
		else if (strcmp(argv[i], "--tsm") == 0 && has_value)
			state->tsm = argv[++i];
		else if (strcmp(argv[i], "--securityfs") == 0 && has_value)
			state->securityfs = argv[++i];
		else
			return -1;
	}
	return 0;
}

int keeper_main(int argc, char **argv)
{
	CLEANUP(free) struct keeper_state *state = calloc(1, sizeof(*state));
	CLEANUP(free) uint8_t *packet = malloc(KEEPER_REQUEST_MAX + 1);
	int type;
	socklen_t len = sizeof(type);
	struct err e;

	log_open("cocos-agent keeper");
	/* Started by hand, there is nobody to serve. */
	if (!state || !packet || parse_arguments(state, argc, argv) < 0 ||
	    getsockopt(CHILD_SOCKET, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET) {
		log_error("only the agent starts this");
		return 2;
	}
	keeper_state_init(state);
	/* The agent ends us by closing the socket; a signal to its group is for it to handle. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	setenv("TSS2_LOG", "all+NONE", 1); /* our errors say it in one line */
	int unlocked = confine_keys(&e);
	if (unlocked > 0)
		log_warn("no memory can be locked here (see ulimit -l): the journal's key might be "
			 "written to a swap device");
	/* udev gives a host's TPM to somebody else than root. */
	if (unlocked < 0 || confine_process(&e) < 0 ||
	    confine_rights(UINT64_C(1) << CAP_DAC_OVERRIDE, 0, &e) < 0 ||
	    keeper_seccomp_load(state->tcti, &e) < 0) {
		log_error("%s", e.text);
		return EXIT_FAILURE;
	}
	while (serve_one(state, packet))
		continue;
	keeper_journal_end(state);
	provider_tpm_close(state->tpm);
	return 0;
}
