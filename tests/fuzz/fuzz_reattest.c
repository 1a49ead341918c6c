/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that asks its agent for evidence again, over the connection that is there: whatever the agent answers, and
 * wherever the connection ends meanwhile. This file stands in for channel, call and pool; the session's exporters are real.
 *
 * Input: questions, each of what is answered(1), when something happens(1), and what the answer needs (seeds/network.py).
 * The client says yes to the honest answer on the connection of the question alone, and then it has judged the evidence.
 */
#include "agent.pb-c.h"
#include "attestation/channel/attested_reattest.h"
#include "common/rpc/job.h"
#include "common/rpc/sync.h"
#include "tests/fuzz/answers.h"
#include "tests/fuzz/attested_ends.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { QUESTIONS_MAX = 16, CODES = 16 };
enum { HONEST, EDITED, RAW, FAILS, OTHER_QUESTION, OTHER_KEY, MESSAGE, ANSWERED };
enum {
	NOT_READY = 1,
	NO_STREAM = 2,
	NOT_SENT = 4,
	ENDS_BEFORE = 8,
	OTHER_BEFORE = 16, /* the channel has another connection by now */
	ENDS_BEHIND = 32,
	REFUSED = 64,
	NO_POOL = 128
};

static const uint8_t other_context[EA_CONTEXT_LEN] = { 9, 8, 7 };
static struct kit_identity stranger;

/* ---- the connection ---- */

struct rpc_prologue_run {
	unsigned refs;
	bool is_open;
};
static struct rpc_prologue_run runs[2]; /* the one that is asked, and the next one */
static struct rpc_prologue_run *current;
static uint8_t when;

struct rpc_prologue_run *__wrap_rpc_channel_prologue(const struct rpc_channel *channel);
struct rpc_prologue_run *__wrap_rpc_channel_prologue(const struct rpc_channel *channel)
{
	return current;
}

bool __wrap_rpc_channel_is_ready(const struct rpc_channel *channel);
bool __wrap_rpc_channel_is_ready(const struct rpc_channel *channel)
{
	return !(when & NOT_READY);
}

uv_loop_t *__wrap_rpc_channel_loop(struct rpc_channel *channel);
uv_loop_t *__wrap_rpc_channel_loop(struct rpc_channel *channel)
{
	return NULL;
}

const char *__wrap_rpc_channel_target(const struct rpc_channel *channel);
const char *__wrap_rpc_channel_target(const struct rpc_channel *channel)
{
	return "agent.example:7002";
}

struct rpc_prologue_run *__wrap_rpc_prologue_ref(struct rpc_prologue_run *run);
struct rpc_prologue_run *__wrap_rpc_prologue_ref(struct rpc_prologue_run *run)
{
	run->refs++;
	return run;
}

void __wrap_rpc_prologue_unref(struct rpc_prologue_run *run);
void __wrap_rpc_prologue_unref(struct rpc_prologue_run *run)
{
	if (run)
		run->refs--;
}

bool __wrap_rpc_prologue_is_open(const struct rpc_prologue_run *run);
bool __wrap_rpc_prologue_is_open(const struct rpc_prologue_run *run)
{
	assert(run->refs);
	return run->is_open;
}

SSL *__wrap_rpc_prologue_tls(const struct rpc_prologue_run *run);
SSL *__wrap_rpc_prologue_tls(const struct rpc_prologue_run *run)
{
	assert(run->refs && run->is_open);
	return ends.client;
}

/* ---- the call ---- */

struct rpc_sync {
	struct ea_request asked;
};

static struct reader *input;
static uint8_t how;
static bool is_true; /* what was answered is what an honest agent says */

int __wrap_rpc_sync_open(struct rpc_channel *channel, const struct rpc_method *method,
			 const struct rpc_stream_options *options, struct rpc_sync **sync,
			 struct err *e);
int __wrap_rpc_sync_open(struct rpc_channel *channel, const struct rpc_method *method,
			 const struct rpc_stream_options *options, struct rpc_sync **sync,
			 struct err *e)
{
	assert(options->timeout_ms && method->response == &agent__reattest_response__descriptor);
	if (when & NO_STREAM)
		return err_set(e, ERR_UNAVAILABLE, "no stream more");
	*sync = calloc(1, sizeof(**sync));
	assert(*sync);
	return 0;
}

int __wrap_rpc_sync_send(struct rpc_sync *sync, const ProtobufCMessage *message, struct err *e);
int __wrap_rpc_sync_send(struct rpc_sync *sync, const ProtobufCMessage *message, struct err *e)
{
	const Agent__ReattestRequest *m = (const Agent__ReattestRequest *)message;

	if (when & NOT_SENT)
		return err_set(e, ERR_CANCELLED, "it is over");
	assert(ea_request_parse(m->request.data, m->request.len, &sync->asked, e) == 0);
	return 0;
}

void __wrap_rpc_sync_free(struct rpc_sync *sync);
void __wrap_rpc_sync_free(struct rpc_sync *sync)
{
	free(sync);
}

static void fill_edited(struct writer *w)
{
	const uint16_t place = reader_be16(input);
	const uint8_t change = reader_u8(input);

	w->bytes[place % w->len] ^= change;
	is_true = !change;
}

static void fill(const struct ea_request *asked, struct writer *w)
{
	size_t len;

	switch (how) {
	case RAW:
		len = reader_be16(input);
		len = len < reader_left(input) ? len : reader_left(input);
		if (len)
			writer_bytes(w, reader_take(input, len), len);
		break;
	case OTHER_QUESTION:
		attested_ends_answer(&ends.identity, other_context, w);
		break;
	case OTHER_KEY:
		attested_ends_answer(&stranger, asked->context, w);
		break;
	default:
		attested_ends_answer(&ends.identity, asked->context, w);
		is_true = how == HONEST;
		if (how == EDITED)
			fill_edited(w);
	}
	assert(!w->bad);
}

int __wrap_rpc_sync_finish(struct rpc_sync *sync, ProtobufCMessage **response, struct err *e);
int __wrap_rpc_sync_finish(struct rpc_sync *sync, ProtobufCMessage **response, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 17);
	Agent__ReattestResponse m = AGENT__REATTEST_RESPONSE__INIT;
	CLEANUP(free) uint8_t *packed = NULL;
	size_t len;

	runs[0].is_open = !(when & ENDS_BEFORE);
	if (when & OTHER_BEFORE)
		current = &runs[1];
	if (how == FAILS)
		return err_set(e, (enum err_code)(1 + reader_u8(input) % CODES), "it says no");
	if (how == MESSAGE)
		return answer_make(&agent__reattest_response__descriptor, input, response, e);
	fill(&sync->asked, &w);
	m.authenticator = (ProtobufCBinaryData){ w.len, w.bytes };
	packed = malloc(agent__reattest_response__get_packed_size(&m) + 1);
	assert(packed);
	len = agent__reattest_response__pack(&m, packed);
	*response = (ProtobufCMessage *)agent__reattest_response__unpack(NULL, len, packed);
	assert(*response);
	return 0;
}

/* ---- the pool ---- */

static struct {
	void (*done)(void *data);
	void *data;
} job;

int __wrap_rpc_job_start(uv_loop_t *loop, void (*work)(void *data), void (*done)(void *data),
			 void *data, struct err *e);
int __wrap_rpc_job_start(uv_loop_t *loop, void (*work)(void *data), void (*done)(void *data),
			 void *data, struct err *e)
{
	assert(!job.done);
	if (when & NO_POOL)
		return err_set(e, ERR_UNAVAILABLE, "no room in the pool");
	work(data);
	job.done = done;
	job.data = data;
	return 0;
}

int __wrap_uv_run(uv_loop_t *loop, uv_run_mode mode);
int __wrap_uv_run(uv_loop_t *loop, uv_run_mode mode)
{
	assert(job.done);
	if (when & ENDS_BEHIND)
		runs[0].is_open = false;
	TAKE_PTR(job.done)(job.data);
	return 0;
}

/* ---- a question ---- */

static void ask(struct attested_client *client, struct kit_judge *judge)
{
	const uint8_t ends_it = NOT_READY | NO_STREAM | NOT_SENT | ENDS_BEFORE | OTHER_BEFORE |
				ENDS_BEHIND | REFUSED | NO_POOL;
	const unsigned asked = judge->asked;
	struct err e = { .code = ERR_OK };
	int failed;

	runs[0] = runs[1] = (struct rpc_prologue_run){ .is_open = true };
	current = &runs[0];
	is_true = false;
	judge->refuses = when & REFUSED;
	failed = attested_reattest(NULL, client, 1000, &e);
	assert(!failed == (is_true && !(when & ends_it)));
	assert(!failed || (e.code != ERR_OK && *e.text));
	/* Of another connection, or of somebody who can't be the one that was asked, nothing is judged. */
	if (!is_true || (when & (ends_it & (uint8_t)~(ENDS_BEHIND | REFUSED))))
		assert(judge->asked == asked);
	else
		assert(judge->asked == asked + 1);
	assert(!runs[0].refs && !runs[1].refs && !job.done);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const uint8_t first[EA_CONTEXT_LEN] = { 1, 2, 3 };
	struct kit_judge judge = { .refuses = false };
	struct attested_client_config config = { .data = &judge };
	struct reader r = reader_over(bytes, len);
	struct attested_client *client;
	struct err e;

	if (!ends.client) {
		attested_ends_open();
		assert(kit_identity_make(&stranger, &e) == 0);
	}
	assert(attested_client_new(&config, &client, &e) < 0);
	config.appraise = kit_appraise;
	config.first_context = reader_u8(&r) & 1 ? first : NULL;
	assert(attested_client_new(&config, &client, &e) == 0);
	input = &r;
	for (int i = 0; i < QUESTIONS_MAX && reader_ok(&r) && reader_left(&r); i++) {
		how = reader_u8(&r) % ANSWERED;
		when = reader_u8(&r);
		ask(client, &judge);
	}
	attested_client_free(client);
	return 0;
}
