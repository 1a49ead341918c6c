/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_client.h — calls to an agent that the caller has to sign (common/manifest/proof.h).
 *
 * The signature covers the manifest's digest and this connection, so both are asked for first.
 */
#pragma once

#include "cli/client/agent_methods.h"
#include "cli/client/client.h"
#include "common/crypto/key.h"
#include "common/manifest/proof.h"

/* Where the computation stands. The caller frees it with agent__status_response__free_unpacked. ERR_ABORTED: the
 * client is bound to another one, which was stopped or replaced. */
int agent_client_status(struct client *client, Agent__StatusResponse **status,
			struct err *e) MUST_CHECK;
/* Behind what was received: when this returns, the agent has counted it as handed out. It does so when it hears from
 * here that all came, and answers in order. A failure changes nothing. */
void agent_client_settle(struct client *client);

/* The same as agent_client_status(), with what its Python has. */
int agent_client_python(struct client *client, Agent__StatusResponse **status,
			struct err *e) MUST_CHECK;
static inline void agent_status_free(Agent__StatusResponse *status)
{
	agent__status_response__free_unpacked(status, NULL);
}
DEFINE_CLEANUP(Agent__StatusResponse *, agent_status_free)

/* From now on the client is about the manifest that `status` names, if it names one: what was looked at
 * is what is sent to. agent_client_open() binds to the manifest that it signs for. */
void agent_client_bind(struct client *client, const Agent__StatusResponse *status);

/* For `role_signature` below. */
/* clang-format off */
#define ROLE_SIGNATURE_OPTION \
	{ .name = "role-signature", \
	  .help = "sign as stock clients do (replayable; agents refuse it by default)" }
/* clang-format on */

struct agent_call {
	const struct rpc_method *method;
	const char *role;
	EVP_PKEY *key;
	const uint8_t *asset;      /* digest, NULL: none */
	struct writer *parameters; /* NULL: none */
	uint64_t offset;           /* of a resumed upload */
	uint64_t size;             /* of all of the asset, for those who watch */
	unsigned timeout_ms;       /* 0: no deadline, as for what may take hours */
	bool role_signature;       /* for stock agents: the older, replayable signature */
};

/* Opens the call and adds the signature to `metadata`. `status` has to come from this connection;
 * it serves one call. */
int agent_client_open(struct client *client, const struct agent_call *call,
		      const Agent__StatusResponse *status, struct rpc_metadata *metadata,
		      struct rpc_sync **sync, struct err *e) MUST_CHECK;

/* A call of one message and one answer, signed with `key` as one to whom the manifest shows what the
 * algorithm writes. The caller frees the answer. */
int agent_client_ask(struct client *client, const struct rpc_method *method, EVP_PKEY *key,
		     const ProtobufCMessage *request, ProtobufCMessage **response,
		     struct err *e) MUST_CHECK;

/* The same in another role. */
int agent_client_ask_as(struct client *client, const char *role, const struct rpc_method *method,
			EVP_PKEY *key, const ProtobufCMessage *request, ProtobufCMessage **response,
			struct err *e) MUST_CHECK;

/* What to do about a refusal. */
void agent_client_hint(struct client *client, const struct err *e);
