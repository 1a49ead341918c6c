/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log: what the algorithm wrote, to those to whom the manifest shows it, over their own connection:
 * the computation service never has it, in no form. Only when the algorithm has ended, so that nobody
 * gets more of it than what is kept then.
 */
#include "agent.pb-c.h"
#include "agent/computation/participant.h"
#include "agent/core/agent.h"
#include "agent/core/service.h"

#include <stdlib.h>

int service_participant(struct rpc_call *call, const struct agent *agent, struct err *e)
{
	struct access access = { 0 };
	int failed;

	if (!agent->computation)
		return err_set(e, ERR_PRECONDITION, "there is no computation in state %s",
			       state_name(agent->state));
	failed = access_read(call, PROOF_ROLE_PARTICIPANT, false,
			     &((struct agent *)rpc_call_service(call))->challenges, &access, e);
	if (!failed)
		failed = participant_check(&access, agent->computation, e);
	access_done(&access);
	if (!failed)
		rpc_call_prove(call);
	return failed;
}

void service_log_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	const struct agent *agent = rpc_call_service(call);
	Agent__LogResponse r = AGENT__LOG_RESPONSE__INIT;
	CLEANUP(free) char *text = NULL;
	struct err e;
	int failed = service_participant(call, agent, &e);

	if (!failed && !agent->computation->run_over)
		failed = err_set(&e, ERR_PRECONDITION, "the algorithm has not ended (state %s)",
				 state_name(agent->state));
	if (!failed)
		failed = transcript_text(&agent->computation->said, &text, &r.log.len, &e);
	if (failed) {
		err_wrap(&e, "Log");
		rpc_call_finish(call, &e);
		return;
	}
	r.log.data = (uint8_t *)text;
	rpc_call_reply(call, &r.base);
}
