/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper.c — the keeper's own process: one request after the other, from a table that says which
 * are permitted now (OpenSSH's monitor does it this way).
 */
#include "agent/keeper.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "agent/child.h"
#include "agent/keeper_protocol.h"
#include "agent/keeper_tpm.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/base/writer.h"

struct state {
	const char *tcti;
	bool without_tpm;
	struct keeper_tpm *tpm;
	struct err broken; /* code 0 while the registers are known to hold what the log says */
	struct keeper_log_entry log[KEEPER_EVENTS_MAX];
	size_t count;
};

enum {
	PERMITTED = 1,
	ONCE = 2,
};

struct request {
	enum keeper_request type;
	unsigned int flags;
	int (*answer)(struct state *state, const struct request *request, struct reader *in,
		      struct writer *out, struct err *e);
	enum keeper_event event;
	enum keeper_request then; /* becomes permitted when this one has succeeded */
};

static int answer_check(struct state *state, const struct request *request, struct reader *in,
			struct writer *out, struct err *e);
static int answer_measure(struct state *state, const struct request *request, struct reader *in,
			  struct writer *out, struct err *e);
static int answer_log(struct state *state, const struct request *request, struct reader *in,
		      struct writer *out, struct err *e);

/* The order of trust: a manifest is measured after the configuration it came with, and that after
 * the boot configuration. Issue by issue more rows: quote, evidence, sign. */
static struct request requests[] = {
	{ KEEPER_CHECK, PERMITTED, answer_check, 0, 0 },
	{ KEEPER_MEASURE_BOOT, PERMITTED | ONCE, answer_measure, KEEPER_EVENT_BOOT,
	  KEEPER_MEASURE_CONFIG },
	{ KEEPER_MEASURE_CONFIG, 0, answer_measure, KEEPER_EVENT_CONFIG, KEEPER_MEASURE_MANIFEST },
	{ KEEPER_MEASURE_MANIFEST, ONCE, answer_measure, KEEPER_EVENT_MANIFEST, 0 },
	{ KEEPER_LOG, PERMITTED, answer_log, 0, 0 },
};

static struct request *request_of(uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		if (requests[i].type == type)
			return &requests[i];
	return NULL;
}

static int need_tpm(struct state *state, struct err *e)
{
	if (state->tpm)
		return 0;
	return keeper_tpm_open(state->tcti, &state->tpm, e);
}

static int answer_check(struct state *state, const struct request *request, struct reader *in,
			struct writer *out, struct err *e)
{
	if (!state->without_tpm && (need_tpm(state, e) < 0 || keeper_tpm_check(state->tpm, e) < 0))
		return -(int)e->code;
	writer_u8(out, !state->without_tpm);
	return 0;
}

static void log_add(struct state *state, uint32_t pcr, enum keeper_event event,
		    const struct keeper_digests *digests)
{
	struct keeper_log_entry *entry = &state->log[state->count++];

	entry->pcr = pcr;
	entry->event = event;
	memcpy(entry->sha256_bank, digests->sha256, sizeof(entry->sha256_bank));
	memcpy(entry->sha384_bank, digests->sha384, sizeof(entry->sha384_bank));
}

/* Nobody else may have written there: the log starts with the register's zero. */
static int expect_untouched(struct state *state, struct err *e)
{
	const struct keeper_digests zeros = { 0 };
	struct keeper_digests now;

	if (keeper_tpm_read(state->tpm, KEEPER_PCR_EVENTS, &now, e) < 0)
		return -(int)e->code;
	if (memcmp(&now, &zeros, sizeof(now)) != 0)
		return err_set(e, ERR_PRECONDITION,
			       "TPM: PCR%d is not zero, so something has been measured into it "
			       "since the machine started: restart the machine",
			       KEEPER_PCR_EVENTS);
	return 0;
}

/* For the console: what the register holds now, as the TPM reads it back. */
static void tell_register(struct state *state, uint32_t pcr)
{
	struct keeper_digests now;
	char sha256[2 * sizeof(now.sha256) + 1], sha384[2 * sizeof(now.sha384) + 1];
	struct err e;

	if (keeper_tpm_read(state->tpm, pcr, &now, &e) < 0) {
		log_error("%s", e.text);
		return;
	}
	hex_encode(now.sha256, sizeof(now.sha256), sha256);
	hex_encode(now.sha384, sizeof(now.sha384), sha384);
	log_info("PCR%u reads sha256:%s sha384:%s", pcr, sha256, sha384);
}

static int measure(struct state *state, enum keeper_event event,
		   const struct keeper_digests *digests, struct err *e)
{
	if (keeper_tpm_extend(state->tpm, KEEPER_PCR_EVENTS, digests, e) < 0)
		return -(int)e->code;
	log_add(state, KEEPER_PCR_EVENTS, event, digests);
	if (event != KEEPER_EVENT_MANIFEST)
		return 0;
	/* It stands for this manifest alone, whatever ran before: policies expect it from zero. */
	if (keeper_tpm_reset(state->tpm, KEEPER_PCR_MANIFEST, e) < 0 ||
	    keeper_tpm_extend(state->tpm, KEEPER_PCR_MANIFEST, digests, e) < 0)
		return -(int)e->code;
	log_add(state, KEEPER_PCR_MANIFEST, event, digests);
	tell_register(state, KEEPER_PCR_MANIFEST);
	return 0;
}

static int answer_measure(struct state *state, const struct request *request, struct reader *in,
			  struct writer *out, struct err *e)
{
	struct keeper_digests digests;

	reader_copy(in, digests.sha256, sizeof(digests.sha256));
	reader_copy(in, digests.sha384, sizeof(digests.sha384));
	if (!reader_done(in))
		return err_set(e, ERR_INVALID, "keeper: malformed request");
	if (state->without_tpm) {
		writer_u8(out, 0);
		return 0;
	}
	if (state->broken.code) {
		*e = state->broken;
		return err_wrap(e, "the TPM has failed before");
	}
	if (state->count + 2 > KEEPER_EVENTS_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "keeper: the event log is full (%d entries): "
			       "restart the machine",
			       KEEPER_EVENTS_MAX);
	if (need_tpm(state, e) < 0 || keeper_tpm_check(state->tpm, e) < 0)
		return -(int)e->code;
	if (request->event == KEEPER_EVENT_BOOT && expect_untouched(state, e) < 0)
		return -(int)e->code;
	if (measure(state, request->event, &digests, e) < 0) {
		state->broken = *e; /* log and registers may differ from here on */
		return -(int)e->code;
	}
	writer_u8(out, 1);
	return 0;
}

static int answer_log(struct state *state, const struct request *request, struct reader *in,
		      struct writer *out, struct err *e)
{
	for (size_t i = 0; i < state->count; i++) {
		const struct keeper_log_entry *entry = &state->log[i];

		writer_u8(out, (uint8_t)entry->pcr);
		writer_u8(out, (uint8_t)entry->event);
		writer_bytes(out, entry->sha256_bank, sizeof(entry->sha256_bank));
		writer_bytes(out, entry->sha384_bank, sizeof(entry->sha384_bank));
	}
	return 0;
}

static int dispatch(struct state *state, uint8_t type, struct reader *in, struct writer *out,
		    struct err *e)
{
	struct request *request = request_of(type);

	if (!request)
		return err_set(e, ERR_UNIMPLEMENTED, "keeper: no request %u", type);
	if (!(request->flags & PERMITTED))
		return err_set(e, ERR_PRECONDITION, "keeper: request %u is out of order", type);
	if (request->answer(state, request, in, out, e) < 0)
		return -(int)e->code;
	if (request->flags & ONCE)
		request->flags &= ~(unsigned int)PERMITTED;
	struct request *then = request_of((uint8_t)request->then);
	if (then)
		then->flags |= PERMITTED;
	return 0;
}

/* False when the agent is gone or speaks nonsense: then there is nothing left to do. */
static bool serve_one(struct state *state, struct writer *out)
{
	uint8_t packet[KEEPER_REQUEST_MAX + 1];
	ssize_t n = recv(CHILD_SOCKET, packet, sizeof(packet), 0);

	if (n < 0 && errno == EINTR)
		return true;
	if (n < KEEPER_HEAD_LEN || (size_t)n == sizeof(packet))
		return false;
	struct reader in = reader_over(packet, (size_t)n);
	uint32_t number = reader_be32(&in);
	uint8_t type = reader_u8(&in);
	struct err e = { 0 };

	out->len = 0;
	writer_be32(out, number);
	writer_u8(out, ERR_OK);
	if (dispatch(state, type, &in, out, &e) < 0) {
		out->len = 4;
		writer_u8(out, (uint8_t)e.code);
		writer_text(out, e.text);
	}
	if (writer_check(out, "answer", &e) < 0)
		return false;
	return send(CHILD_SOCKET, out->bytes, out->len, MSG_NOSIGNAL) == (ssize_t)out->len;
}

static int parse_arguments(struct state *state, int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--without-tpm") == 0)
			state->without_tpm = true;
		else if (strcmp(argv[i], "--tcti") == 0 && i + 1 < argc)
			state->tcti = argv[++i];
		else
			return -1;
	}
	return 0;
}

int keeper_main(int argc, char **argv)
{
	CLEANUP_WRITER struct writer out = writer_up_to(KEEPER_ANSWER_MAX);
	struct state *state = calloc(1, sizeof(*state));
	int type;
	socklen_t len = sizeof(type);

	log_open("cocos-agent keeper");
	/* Started by hand, there is nobody to serve. */
	if (!state || parse_arguments(state, argc, argv) < 0 ||
	    getsockopt(CHILD_SOCKET, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET) {
		log_error("only the agent starts this");
		free(state);
		return 2;
	}
	/* The agent ends us by closing the socket; a signal to its group is for it to handle. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	setenv("TSS2_LOG", "all+NONE", 1); /* our errors say it in one line */
	while (serve_one(state, &out))
		;
	keeper_tpm_close(state->tpm);
	free(state);
	return 0;
}
