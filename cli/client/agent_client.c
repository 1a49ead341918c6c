/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/agent_client.h"

#include "cli/client/attested.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <string.h>

enum { SETTLE_MS = 5000 };

static int check_same(const struct client *client, const Agent__StatusResponse *s, struct err *e)
{
	if (s->manifest_digest.len && s->manifest_digest.len != SHA3_256_LEN)
		return err_set(e, ERR_INVALID, "the agent's manifest digest has %zu bytes",
			       s->manifest_digest.len);
	if (!client->has_manifest)
		return 0;
	if (s->manifest_digest.len == 0)
		return err_set(e, ERR_ABORTED, "the computation was stopped");
	if (memcmp(client->manifest, s->manifest_digest.data, SHA3_256_LEN) != 0)
		return err_set(e, ERR_ABORTED,
			       "the agent has another computation now (%s): the one that this "
			       "command began with is gone",
			       log_quote(s->computation_id).text);
	return 0;
}

void agent_client_bind(struct client *client, const Agent__StatusResponse *status)
{
	client->has_manifest = status->manifest_digest.len == SHA3_256_LEN;
	if (client->has_manifest)
		memcpy(client->manifest, status->manifest_digest.data, SHA3_256_LEN);
}

static int ask(struct client *client, bool python, Agent__StatusResponse **status, struct err *e)
{
	Agent__StatusRequest request = AGENT__STATUS_REQUEST__INIT;
	ProtobufCMessage *response;

	request.python = python;

	if (attested_ready(client, e) < 0)
		return err_code(e);
	if (client_call(client, &agent_status, &request.base, &response, e) < 0) {
		if (e->code == ERR_UNIMPLEMENTED && !client->is_another)
			cli_hint(client->cli, "an agent without Status is a stock or older one%s",
				 cli_option_of(client->cli->command, "role-signature")
					 ? ": --role-signature is for it, which can be replayed"
					 : ", which offers none of this");
		return err_code(e);
	}
	if (check_same(client, (const Agent__StatusResponse *)response, e) < 0) {
		protobuf_c_message_free_unpacked(response, NULL);
		return err_code(e);
	}
	*status = (Agent__StatusResponse *)response;
	return 0;
}

int agent_client_status(struct client *client, Agent__StatusResponse **status, struct err *e)
{
	return ask(client, false, status, e);
}

void agent_client_settle(struct client *client)
{
	const struct rpc_stream_options options = { .timeout_ms = SETTLE_MS };
	Agent__StatusRequest request = AGENT__STATUS_REQUEST__INIT;
	struct err ignored;

	/* The first may cross the agent's question; with its answer that is answered, and before the second. */
	for (int i = 0; i < 2; i++) {
		ProtobufCMessage *response;

		if (rpc_sync_unary(client->channel, &agent_status, &options, &request.base,
				   &response, &ignored) < 0)
			return;
		protobuf_c_message_free_unpacked(response, NULL);
	}
}

int agent_client_python(struct client *client, Agent__StatusResponse **status, struct err *e)
{
	return ask(client, true, status, e);
}

/* Under TLS the connection itself is what the signature is bound to. */
static int session_of(struct client *client, const Agent__StatusResponse *status,
		      struct proof *proof, struct rpc_metadata *metadata, struct err *e)
{
	char hex[2 * PROOF_SESSION_LEN + 1];

	if (client->tls)
		return rpc_channel_exporter(client->channel, PROOF_EXPORTER_LABEL, NULL, 0,
					    proof->session, sizeof(proof->session), e);
	if (status->challenge.len != PROOF_SESSION_LEN)
		return err_set(e, ERR_INVALID, "the agent's challenge has %zu bytes, not %d",
			       status->challenge.len, PROOF_SESSION_LEN);
	memcpy(proof->session, status->challenge.data, PROOF_SESSION_LEN);
	hex_encode(proof->session, PROOF_SESSION_LEN, hex);
	return rpc_metadata_add(metadata, PROOF_CHALLENGE_KEY, hex, e);
}

static int add_signature(EVP_PKEY *key, const void *bytes, size_t len, const char *name,
			 struct rpc_metadata *metadata, struct err *e)
{
	uint8_t signature[SIGNATURE_MAX];
	CLEANUP(free) char *text = NULL;
	size_t signature_len;

	/* PSS for proofs; stock agents only know PKCS#1. */
	if (key_sign(key, strcmp(name, PROOF_KEY) == 0, bytes, len, signature, &signature_len, e) <
	    0)
		return err_code(e);
	text = base64_encode(signature, signature_len);
	if (!text)
		return err_nomem(e);
	return rpc_metadata_add(metadata, name, text, e);
}

static int add_proof(struct client *client, const struct agent_call *call,
		     const Agent__StatusResponse *status, struct rpc_metadata *metadata,
		     struct err *e)
{
	struct proof proof = { .role = call->role, .method = call->method->path };
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (status->manifest_digest.len != PROOF_DIGEST_LEN)
		return err_set(e, ERR_PRECONDITION, "the agent has no manifest yet (state %s)",
			       status->state);
	agent_client_bind(client, status);
	memcpy(proof.manifest, status->manifest_digest.data, PROOF_DIGEST_LEN);
	if (call->asset)
		memcpy(proof.asset, call->asset, PROOF_DIGEST_LEN);
	if (session_of(client, status, &proof, metadata, e) < 0 ||
	    proof_message(&proof, call->parameters, &bytes, &len, e) < 0)
		return err_code(e);
	return add_signature(call->key, bytes, len, PROOF_KEY, metadata, e);
}

static int add_bytes(const char *key, uint64_t bytes, struct rpc_metadata *metadata, struct err *e)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, bytes);
	return bytes ? rpc_metadata_add(metadata, key, text, e) : 0;
}

static int add_asset(const struct agent_call *call, struct rpc_metadata *metadata, struct err *e)
{
	char hex[2 * PROOF_DIGEST_LEN + 1];

	if (!call->asset)
		return 0;
	hex_encode(call->asset, PROOF_DIGEST_LEN, hex);
	if (rpc_metadata_add(metadata, PROOF_DIGEST_KEY, hex, e) < 0 ||
	    add_bytes(PROOF_SIZE_KEY, call->size, metadata, e) < 0)
		return err_code(e);
	return add_bytes(PROOF_OFFSET_KEY, call->offset, metadata, e);
}

/* So that a refusal can say whose the key is. */
static int add_signer(EVP_PKEY *key, struct rpc_metadata *metadata, struct err *e)
{
	CLEANUP(free) uint8_t *spki = NULL;
	CLEANUP(free) char *text = NULL;
	size_t len;

	if (key_to_spki(key, &spki, &len, e) < 0)
		return err_code(e);
	text = base64_encode(spki, len);
	if (!text)
		return err_nomem(e);
	return rpc_metadata_add(metadata, PROOF_SIGNER_KEY, text, e);
}

int agent_client_open(struct client *client, const struct agent_call *call,
		      const Agent__StatusResponse *status, struct rpc_metadata *metadata,
		      struct rpc_sync **sync, struct err *e)
{
	const struct rpc_stream_options options = { .metadata = metadata,
						    .timeout_ms = call->timeout_ms };

	client->role_signature = call->role_signature;
	if (attested_ready(client, e) < 0)
		return err_code(e);
	if (rpc_metadata_add(metadata, PROOF_ROLE_KEY, call->role, e) < 0)
		return err_code(e);
	if (call->role_signature) {
		if (add_signature(call->key, call->role, strlen(call->role), "signature", metadata,
				  e) < 0)
			return err_code(e);
	} else if (add_proof(client, call, status, metadata, e) < 0 ||
		   add_signer(call->key, metadata, e) < 0 || add_asset(call, metadata, e) < 0) {
		return err_code(e);
	}
	return rpc_sync_open(client->channel, call->method, &options, sync, e);
}

static int ask_as(struct client *client, const char *role, const struct rpc_method *method,
		  EVP_PKEY *key, const ProtobufCMessage *request, ProtobufCMessage **response,
		  struct err *e)
{
	const struct agent_call call = {
		.method = method, .role = role, .key = key, .timeout_ms = client_timeout(client)
	};
	CLEANUP(agent_status_free) Agent__StatusResponse *status = NULL;
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;
	struct rpc_metadata metadata = { .count = 0 };
	int failed = agent_client_status(client, &status, e);

	if (failed)
		return failed;
	failed = agent_client_open(client, &call, status, &metadata, &sync, e);
	rpc_metadata_done(&metadata);
	if (!failed)
		failed = rpc_sync_send(sync, request, e);
	if (!failed)
		rpc_sync_half_close(sync);
	if (!failed)
		failed = rpc_sync_finish(sync, response, e);
	return failed;
}

int agent_client_ask_as(struct client *client, const char *role, const struct rpc_method *method,
			EVP_PKEY *key, const ProtobufCMessage *request, ProtobufCMessage **response,
			struct err *e)
{
	int failed = ask_as(client, role, method, key, request, response, e);

	if (failed)
		agent_client_hint(client, e);
	return failed;
}

int agent_client_ask(struct client *client, const struct rpc_method *method, EVP_PKEY *key,
		     const ProtobufCMessage *request, ProtobufCMessage **response, struct err *e)
{
	int failed = ask_as(client, PROOF_ROLE_PARTICIPANT, method, key, request, response, e);

	/* Who may see the algorithm's words is not a question of which key belongs to which file. */
	if (failed && strstr(e->text, PROOF_REFUSED_OTHER))
		cli_hint(client->cli, "who sees what the algorithm writes is the manifest's word "
				      "'logs'; 'cocos-cli status' without a key tells all else");
	if (failed)
		agent_client_hint(client, e);
	return failed;
}

/* In the agent's words, what comes before its time; and what has to come first. NULL: it is something else. */
static const char *too_early(const struct err *e)
{
	static const struct {
		const char *says, *first;
	} rows[] = {
		{ "not expected in state ReceivingAlgorithm",
		  "the algorithm has to be there first ('cocos-cli algo', by its owner)" },
		{ "no results in state ReceivingAlgorithm", "the algorithm has not come" },
		{ "no results in state ReceivingData", "not all datasets have come" },
		{ "no results in state Running", "the algorithm runs" },
		{ "the algorithm has not ended", "'cocos-cli status --watch' tells when it has" },
		{ "the agent has no manifest yet", "'cocos-cli computation run' gives it one" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strstr(e->text, rows[i].says))
			return rows[i].first;
	return NULL;
}

static bool could_wait(const struct cli *cli)
{
	return cli_option_of(cli->command, "wait") && !cli_flag(cli, "wait") &&
	       !(cli_option_of(cli->command, "role-signature") && cli_flag(cli, "role-signature"));
}

static const char *advice_not_now(const struct client *client, const struct err *e, char room[160])
{
	const char *early = too_early(e);

	if (strstr(e->text, "requirements: "))
		return "let pip fetch their wheels (-r alone), or name a folder that has them all "
		       "(--wheels DIR)";
	if (!early)
		return "'cocos-cli status' shows where the computation stands";
	snprintf(room, 160, "%s%s", early,
		 could_wait(client->cli) ? "; with --wait this command waits for that" : "");
	return room;
}

/* What a refusal says, and what to do about it; the last row says nothing, and is for all others. */
struct advice {
	const char *says, *advice;
};

static const struct advice denied[] = {
	{ PROOF_REFUSED_UNKNOWN,
	  "give the private key that you agreed on ('cocos-cli key fingerprint'), or have "
	  "the manifest made with yours: 'openssl pkey -in PRIVATE_KEY -pubout' prints "
	  "what its user_key has to be" },
	{ PROOF_REFUSED_OTHER, "give what your key is for, or the key of what you gave: "
			       "'cocos-cli status' lists the datasets" },
	{ PROOF_REFUSED_SIGNATURE,
	  "computation or connection have changed meanwhile, or somebody stands between: "
	  "run it again" },
	{ "", "is this the private key whose public half the manifest names?" },
};

static const char arguments[] =
	"--args gives all arguments as the manifest has them, or none: 'cocos-cli manifest show' "
	"prints them";

static const struct advice invalid[] = {
	{ "algo_type is", "-a TYPE has to be what the manifest says" },
	{ "arguments, the manifest says", arguments },
	{ "is not the manifest's", arguments },
	{ "the manifest names the requirements",
	  "give the file (-r) and wheels (--wheels) that the manifest was made for: 'cocos-cli "
	  "checksum FILE --wheels DIR' prints their digest" },
	{ "", "'cocos-cli checksum' prints what the manifest must name; 'cocos-cli status' what it "
	      "names" },
};

static const char *advice(const struct advice *rows, const struct err *e)
{
	while (!strstr(e->text, rows->says))
		rows++;
	return rows->advice;
}

void agent_client_hint(struct client *client, const struct err *e)
{
	struct cli *cli = client->cli;
	char room[160];

	if (cli->hint[0])
		return;
	switch (e->code) {
	case ERR_DENIED:
	case ERR_UNAUTHENTICATED:
		if (client->role_signature)
			cli_hint(cli, "--role-signature is for stock agents: leave it out for one "
				      "that answers 'cocos-cli status'");
		else
			cli_hint(cli, "%s", advice(denied, e));
		break;
	case ERR_PRECONDITION:
		cli_hint(cli, "%s", advice_not_now(client, e, room));
		break;
	case ERR_INVALID:
		cli_hint(cli, "%s", advice(invalid, e));
		break;
	case ERR_EXISTS:
		cli_hint(cli, "it is there already: there is nothing left to do");
		break;
	default:
		client_hint(client, e);
	}
}
