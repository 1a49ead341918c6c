/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/channel/attested_reattest.h"

#include "agent.pb-c.h"
#include "agent_paths.h"
#include "attestation/channel/attested_judge.h"
#include "common/rpc/sync.h"

#include <string.h>

static const struct rpc_method method = { PROTO_AGENT_REATTEST, RPC_BIDI,
					  &agent__reattest_request__descriptor,
					  &agent__reattest_response__descriptor };

static void free_message(ProtobufCMessage *message)
{
	protobuf_c_message_free_unpacked(message, NULL);
}
DEFINE_CLEANUP(ProtobufCMessage *, free_message)
DEFINE_CLEANUP(struct rpc_prologue_run *, rpc_prologue_unref)

struct verdict_wait {
	bool is_judged, is_good;
	struct err why;
};

static void on_judged(void *data, const struct err *failed)
{
	struct verdict_wait *wait = data;

	wait->is_judged = true;
	wait->is_good = !failed;
	if (failed)
		wait->why = *failed;
}

static int judge_and_wait(struct rpc_channel *channel, struct attested_client *client,
			  struct attested_question *question, const ProtobufCMessage *answer,
			  struct err *e)
{
	const Agent__ReattestResponse *r = (const Agent__ReattestResponse *)answer;
	struct verdict_wait wait = { .is_judged = false };

	if (attested_judge(client, question, r->authenticator.data, r->authenticator.len, on_judged,
			   &wait, e) < 0)
		return err_code(e);
	while (!wait.is_judged)
		uv_run(rpc_channel_loop(channel), UV_RUN_ONCE);
	if (wait.is_good)
		return 0;
	*e = wait.why;
	return err_code(e);
}

/* One request, one answer, and no more. */
static int ask(struct rpc_channel *channel, const struct attested_question *question,
	       unsigned timeout_ms, ProtobufCMessage **answer, struct err *e)
{
	const struct rpc_stream_options options = { .timeout_ms = timeout_ms };
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;
	Agent__ReattestRequest request = AGENT__REATTEST_REQUEST__INIT;

	request.request.data = (uint8_t *)question->request;
	request.request.len = question->request_len;
	if (rpc_sync_open(channel, &method, &options, &sync, e) < 0 ||
	    rpc_sync_send(sync, &request.base, e) < 0)
		return err_code(e);
	return rpc_sync_finish(sync, answer, e);
}

/* The question went out on this connection, and it is still the channel's. */
static int check_same(struct rpc_channel *channel, const struct rpc_prologue_run *run,
		      struct err *e)
{
	if (rpc_prologue_is_open(run) && rpc_channel_prologue(channel) == run)
		return 0;
	return err_set(e, ERR_ABORTED, "%s: the connection ended meanwhile",
		       rpc_channel_target(channel));
}

int attested_reattest(struct rpc_channel *channel, struct attested_client *client,
		      unsigned timeout_ms, struct err *e)
{
	struct rpc_prologue_run *now = rpc_channel_prologue(channel);
	CLEANUP(rpc_prologue_unref)
	struct rpc_prologue_run *run =
		now && rpc_channel_is_ready(channel) ? rpc_prologue_ref(now) : NULL;
	CLEANUP(free_message) ProtobufCMessage *answer = NULL;
	struct attested_question question;
	int failed;

	if (!run)
		return err_set(e, ERR_PRECONDITION, "%s: there is no attested connection",
			       rpc_channel_target(channel));
	if (attested_question_ask(client, rpc_prologue_tls(run), &question, e) < 0)
		return err_code(e);
	failed = ask(channel, &question, timeout_ms, &answer, e);
	/* What another connection answers is no refusal of this one's question. */
	if (!failed)
		failed = check_same(channel, run, e);
	if (!failed)
		failed = judge_and_wait(channel, client, &question, answer, e);
	attested_question_done(&question);
	/* A good answer on a connection that is gone says nothing of the next one. */
	if (!failed)
		failed = check_same(channel, run, e);
	return failed;
}
