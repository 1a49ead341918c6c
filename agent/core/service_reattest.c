/* SPDX-License-Identifier: Apache-2.0 */
/* Reattest: evidence again on a connection whose prologue brought it the first time. */
#include "agent.pb-c.h"
#include "agent/core/service.h"
#include "attestation/channel/attested_server.h"

static void on_answer(void *data, const uint8_t *authenticator, size_t len, const struct err *why)
{
	Agent__ReattestResponse r = AGENT__REATTEST_RESPONSE__INIT;
	struct rpc_call *call = data;
	struct err e;

	rpc_call_set_user(call, NULL);
	if (why) {
		rpc_call_finish(call, why);
		return;
	}
	r.authenticator.data = (uint8_t *)authenticator;
	r.authenticator.len = len;
	if (rpc_call_send(call, &r.base, &e) < 0)
		rpc_call_finish(call, &e);
	else
		rpc_call_resume(call);
}

/* One at a time: the next waits, and so does the end. */
void service_reattest_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Agent__ReattestRequest *r = (const Agent__ReattestRequest *)message;
	struct attested_answer *answer;
	struct err e;

	if (attested_answer_start(rpc_call_prologue(call), r->request.data, r->request.len,
				  on_answer, call, &answer, &e) < 0) {
		rpc_call_finish(call, &e);
		return;
	}
	rpc_call_set_user(call, answer);
	rpc_call_pause(call);
}

void service_reattest_half_close(struct rpc_call *call)
{
	rpc_call_finish(call, NULL);
}

void service_reattest_closed(struct rpc_call *call)
{
	struct attested_answer *answer = rpc_call_user(call);

	if (answer)
		attested_answer_cancel(answer);
}
