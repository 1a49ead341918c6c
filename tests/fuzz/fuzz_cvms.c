/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent hears from a computation service, on one connection after another: messages in any order and of any
 * bytes, ends, resets and silence, while it has answers and a journal to tell. Dials, time, random numbers and the
 * keeper's process are wrapped.
 *
 * Input: flags(1), then commands with their operands, as command() reads them. What must hold says cvms_world.h.
 */
#include "common/base/reader.h"
#include "tests/fuzz/cvms_world.h"
#include "tests/fuzz/loop_time.h"
#include "tests/fuzz/orders_cvms.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 200, TIMERS_MAX = 600 };

static unsigned timers_left;

/* The last that it heard of. */
static unsigned call_of(const struct cvms_link *l)
{
	unsigned count = grpc_service_calls(l->grpc);

	return count ? count - 1 : 0;
}

static void say(struct cvms_link *l, const Cvms__ServerStreamMessage *m)
{
	size_t len = cvms__server_stream_message__get_packed_size(m);
	uint8_t *bytes = malloc(len + 1);

	assert(bytes);
	cvms__server_stream_message__pack(m, bytes);
	grpc_service_say(l->grpc, call_of(l), bytes, len, false);
	free(bytes);
}

static void say_headers(struct cvms_link *l, uint8_t how)
{
	const char *one = how & HEADERS_WRONG ? "10" : "1";
	struct grpc_service_word words[2];
	size_t count = 0;

	if (how & HEADERS_JOURNAL)
		words[count++] = (struct grpc_service_word){ "cocos-journal", one };
	if (how & HEADERS_PROGRESS)
		words[count++] = (struct grpc_service_word){ "cocos-progress", one };
	/* Those of a service that has said something else already do not go out. */
	if (grpc_service_headers(l->grpc, call_of(l), how & HEADERS_NO_GRPC ? 503 : 200, words,
				 count)) {
		l->streams[call_of(l)].journal = how & HEADERS_JOURNAL && !(how & HEADERS_WRONG);
		l->streams[call_of(l)].progress = how & HEADERS_PROGRESS && !(how & HEADERS_WRONG);
	}
}

static void say_chunk(struct cvms_link *l, struct reader *r)
{
	static uint8_t large[(1 << 20) + 1];
	static char long_id[257];
	char id[2] = { (char)('a' + reader_u8(r) % 26), '\0' };
	uint8_t how = reader_u8(r);
	size_t len = reader_u8(r);
	Cvms__RunReqChunks chunk = CVMS__RUN_REQ_CHUNKS__INIT;
	Cvms__ServerStreamMessage m = CVMS__SERVER_STREAM_MESSAGE__INIT;

	memset(long_id, 'i', sizeof(long_id) - 1);
	len = len < reader_left(r) ? len : reader_left(r);
	chunk.id = how & CHUNK_LONG_ID ? long_id : id;
	chunk.is_last = how & CHUNK_LAST;
	chunk.attempt = how & CHUNK_ATTEMPT ? UINT64_MAX : 0;
	chunk.data.data = (uint8_t *)(uintptr_t)reader_take(r, len);
	chunk.data.len = len;
	if (how & CHUNK_LARGE) /* one byte less is as much as one may hold */
		chunk.data = (ProtobufCBinaryData){ sizeof(large) - (how & CHUNK_ATTEMPT ? 1 : 0),
						    large };
	m.message_case = CVMS__SERVER_STREAM_MESSAGE__MESSAGE_RUN_REQ_CHUNKS;
	m.runreqchunks = &chunk;
	say(l, &m);
}

static void say_manifest(struct cvms_link *l, struct reader *r)
{
	char id[2] = { (char)('a' + reader_u8(r) % 26), '\0' };
	Cvms__Dataset dataset = CVMS__DATASET__INIT, *datasets[255];
	Cvms__ComputationRunReq run = CVMS__COMPUTATION_RUN_REQ__INIT;
	Cvms__ServerStreamMessage m = CVMS__SERVER_STREAM_MESSAGE__INIT;

	run.id = id;
	run.n_datasets = reader_u8(r);
	run.datasets = datasets;
	for (size_t i = 0; i < run.n_datasets; i++)
		datasets[i] = &dataset;
	m.message_case = CVMS__SERVER_STREAM_MESSAGE__MESSAGE_RUN_REQ;
	m.runreq = &run;
	say(l, &m);
}

static void say_ask(struct cvms_link *l, struct reader *r)
{
	static uint8_t nonce[256];
	uint8_t what = reader_u8(r) % ASKS, operand = reader_u8(r);
	char id[2] = { (char)('a' + operand % 26), '\0' };
	Cvms__StopComputation stop = CVMS__STOP_COMPUTATION__INIT;
	Cvms__AgentStateReq state = CVMS__AGENT_STATE_REQ__INIT;
	Cvms__DisconnectReq leave = CVMS__DISCONNECT_REQ__INIT;
	Cvms__AttestationReq evidence = CVMS__ATTESTATION_REQ__INIT;
	Cvms__ServerStreamMessage m = CVMS__SERVER_STREAM_MESSAGE__INIT;

	switch (what) {
	case ASK_STOP:
		stop.computation_id = id;
		m.message_case = CVMS__SERVER_STREAM_MESSAGE__MESSAGE_STOP_COMPUTATION;
		m.stopcomputation = &stop;
		break;
	case ASK_STATE:
		state.id = id;
		m.message_case = CVMS__SERVER_STREAM_MESSAGE__MESSAGE_AGENT_STATE_REQ;
		m.agentstatereq = &state;
		break;
	case ASK_DISCONNECT:
		m.message_case = CVMS__SERVER_STREAM_MESSAGE__MESSAGE_DISCONNECT_REQ;
		m.disconnectreq = &leave;
		break;
	case ASK_EVIDENCE:
		evidence.nonce = (ProtobufCBinaryData){ operand, nonce };
		evidence.type = operand & 1 ? -1 : 0;
		m.message_case = CVMS__SERVER_STREAM_MESSAGE__MESSAGE_ATTESTATION_REQ;
		m.attestationreq = &evidence;
		break;
	default: /* of no kind */
		break;
	}
	say(l, &m);
}

static void say_ack(struct cvms_link *l, struct reader *r)
{
	uint8_t how = reader_u8(r), count = reader_u8(r), run[SHA256_LEN];
	char id[] = "one", other[] = "two";
	Cvms__JournalAck ack = CVMS__JOURNAL_ACK__INIT;
	Cvms__ServerStreamMessage m = CVMS__SERVER_STREAM_MESSAGE__INIT;

	memcpy(run, cvms_world_run, sizeof(run));
	run[0] ^= how & ACK_OTHER_RUN ? 1 : 0;
	ack.computation_id = how & ACK_OTHER_ID ? other : id;
	ack.count = count == UINT8_MAX ? UINT64_MAX : count;
	ack.run.data = run;
	ack.run.len = how & ACK_NO_RUN ? 0 : sizeof(run) - (how & ACK_SHORT_RUN ? 1 : 0);
	m.message_case = CVMS__SERVER_STREAM_MESSAGE__MESSAGE_JOURNAL_ACK;
	m.journal_ack = &ack;
	say(l, &m);
}

static void say_raw(struct cvms_link *l, struct reader *r)
{
	uint8_t how = reader_u8(r);
	size_t len = reader_u8(r);

	len = len < reader_left(r) ? len : reader_left(r);
	if (how & RAW_NO_HTTP)
		grpc_service_raw(l->grpc, reader_take(r, len), len);
	else
		grpc_service_say(l->grpc, call_of(l), reader_take(r, len), len, how & RAW_UNFRAMED);
}

static void end_stream(struct cvms_link *l, uint8_t status)
{
	char word[16];

	snprintf(word, sizeof(word), "%u", status);
	grpc_service_end(l->grpc, call_of(l), word, "it%20ends");
}

static void go_over(bool bad)
{
	static const struct cvms_certificate issued = { "no certificate", NULL };
	struct err e;
	int failed = cvms_go_over(cvms_world_cvms, &issued, &e);

	assert(bad ? failed < 0 && e.text[0] : failed == 0);
}

static void pass_time(unsigned count)
{
	for (; count > 0 && timers_left > 0 && loop_time_next(&cvms_world_loop);
	     count--, timers_left--)
		cvms_world_settle();
}

/* What needs no connection. */
static bool command_here(uint8_t what, struct reader *r, bool bad)
{
	uint8_t kind;

	switch (what) {
	case ORDER_TIME:
		pass_time(reader_u8(r));
		return true;
	case ORDER_POST:
		kind = reader_u8(r);
		cvms_world_post(kind, reader_u8(r));
		return true;
	case ORDER_GO_OVER:
		go_over(bad);
		return true;
	case ORDER_DIAL:
		cvms_world_does.refused = reader_u8(r) & 1;
		return true;
	case ORDER_DEAF:
		cvms_world_does.deaf = reader_u8(r) & 1;
		return true;
	case ORDER_KEEPER:
		cvms_world_does.keeper = reader_u8(r) % KEEPER_DOES;
		return true;
	default:
		return false;
	}
}

static void command(struct reader *r, bool bad)
{
	uint8_t byte = reader_u8(r), what = byte & 15;
	struct cvms_link *l = cvms_world_link(byte & OLDER ? 1 : 0);

	if (command_here(what, r, bad) || !l)
		return;
	switch (what) {
	case ORDER_HEADERS:
		say_headers(l, reader_u8(r));
		break;
	case ORDER_CHUNK:
		say_chunk(l, r);
		break;
	case ORDER_MANIFEST:
		say_manifest(l, r);
		break;
	case ORDER_ASK:
		say_ask(l, r);
		break;
	case ORDER_ACK:
		say_ack(l, r);
		break;
	case ORDER_RAW:
		say_raw(l, r);
		break;
	case ORDER_END:
		end_stream(l, reader_u8(r));
		break;
	case ORDER_RESET:
		grpc_service_reset(l->grpc, call_of(l), reader_u8(r));
		break;
	case ORDER_GOODBYE:
		grpc_service_goodbye(l->grpc);
		break;
	default:
		grpc_service_hang_up(l->grpc);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	uint8_t flags = reader_u8(&r);

	timers_left = TIMERS_MAX;
	cvms_world_enter(flags);
	for (int i = 0; i < COMMANDS_MAX && reader_ok(&r) && reader_left(&r); i++) {
		command(&r, flags & FLAG_BAD_CA);
		if (!(flags & FLAG_EARLY) ||
		    i % 2) /* else what comes next comes before this is through */
			cvms_world_settle();
	}
	cvms_world_leave();
	return 0;
}
