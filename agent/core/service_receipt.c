/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipt: the receipt for the results, to whoever has a part in the computation, as often as it is asked
 * for. It holds no data; but arguments and names are nobody else's business, and of which results it is
 * consumers are told alone: results of which there are few could be guessed by their digest. A proof names
 * its key: only that one is looked for, and one signature verified.
 */
#include "agent.pb-c.h"
#include "agent/computation/access.h"
#include "agent/computation/refusal.h"
#include "agent/core/agent.h"
#include "agent/core/service.h"
#include "common/rpc/metadata.h"

#include <string.h>

static bool is_consumer(const struct access *access, const struct computation *c)
{
	for (size_t i = 0; i < c->consumer_count; i++)
		if (access_names(access, c->consumers[i].key))
			return true;
	return false;
}

static bool is_algorithm_provider(const struct access *access, const struct computation *c)
{
	return access_names(access, c->algorithm.key);
}

static bool is_data_provider(const struct access *access, const struct computation *c)
{
	for (size_t i = 0; i < c->dataset_count; i++)
		if (access_names(access, c->datasets[i].key))
			return true;
	return false;
}

static const struct role {
	const char *name;
	bool (*is_it)(const struct access *access, const struct computation *c); /* by its name */
	bool opens; /* it is told of which results the receipt is */
} roles[] = {
	{ PROOF_ROLE_CONSUMER, is_consumer, true },
	{ PROOF_ROLE_ALGORITHM, is_algorithm_provider, false },
	{ PROOF_ROLE_DATA, is_data_provider, false },
};

/* The one that the call claims; where it claims none of them, access_read() says what is wrong. */
static const struct role *role_of(struct rpc_call *call)
{
	const char *said = rpc_metadata_text(rpc_call_metadata(call), PROOF_ROLE_KEY, 0);

	for (size_t i = 0; said && i < ARRAY_LEN(roles); i++)
		if (strcmp(said, roles[i].name) == 0)
			return &roles[i];
	return &roles[0];
}

static int check_access(struct agent *agent, struct rpc_call *call, const struct role *role,
			struct err *e)
{
	struct access access = { 0 };
	const struct computation *c = agent->computation;
	int failed = access_read(call, role->name, false, &agent->challenges, &access, e);

	if (!failed && !access.signer.len)
		failed = err_set(e, ERR_UNAUTHENTICATED,
				 "metadata %s is missing: which key the proof is by",
				 PROOF_SIGNER_KEY);
	else if (!failed &&
		 (!role->is_it(&access, c) ||
		  access_verify(&access, &access.signer, c->digests.sha3_256, NULL, NULL, e) < 0))
		failed = refusal_not_signed(&access, c, "a participant that the manifest names",
					    NULL, NULL, e);
	access_done(&access);
	return failed;
}

static int check(struct agent *agent, struct rpc_call *call, const struct role *role, struct err *e)
{
	const struct computation *c = agent->computation;

	/* As of Result: a proof that came too early is used up. */
	if (c && check_access(agent, call, role, e) < 0)
		return err_code(e);
	if (!c || (agent->state != STATE_CONSUMING_RESULTS && agent->state != STATE_COMPLETE))
		return err_set(e, ERR_PRECONDITION, "there are no results in state %s",
			       state_name(agent->state));
	if (!c->receipt)
		return err_set(e, ERR_NOT_FOUND,
			       "this agent has neither TEE nor TPM that could vouch for a receipt");
	return 0;
}

void service_receipt_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct agent *agent = rpc_call_service(call);
	const struct computation *c = agent->computation;
	const struct role *role = role_of(call);
	Agent__ReceiptResponse r = AGENT__RECEIPT_RESPONSE__INIT;
	struct err e;

	if (check(agent, call, role, &e) < 0) {
		err_wrap(&e, "Receipt");
		rpc_call_finish(call, &e);
		return;
	}
	rpc_call_prove(call);
	r.receipt.data = role->opens ? c->opened : c->receipt;
	r.receipt.len = role->opens ? c->opened_len : c->receipt_len;
	rpc_call_reply(call, &r.base);
}
