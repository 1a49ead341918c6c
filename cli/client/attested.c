/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/attested.h"

#include "attestation/channel/attested_reattest.h"
#include "attestation/envelope/tpm_attestation.h"
#include "cli/client/agent_evidence.h"
#include "common/base/log.h"
#include "common/base/settings.h"

#include <string.h>

enum { REATTEST_MIN_MS = 1000, REATTEST_MAX_MS = 24 * 60 * 60 * 1000, NONCE_LEN = 32 };

#define REATTEST_DEFAULT "10m"

/* ---- opening ---- */

static int is_wanted(const struct client *client, bool *wanted, struct err *e)
{
	const char *text = client_setting(client, NULL, "ATTESTED_TLS");

	*wanted = cli_flag(client->cli, "attested-tls");
	if (*wanted || !text)
		return 0;
	*wanted = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
	if (!*wanted && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
		return err_set(e, ERR_INVALID, "AGENT_GRPC_ATTESTED_TLS %s: write true or false",
			       log_quote(text).text);
	return 0;
}

/* What has no effect without a proof: a user who gives such an option expects one. */
static const char *forgotten(const struct client *client)
{
	static const struct cli_option of_proof[] = { APPRAISE_OPTIONS, REATTEST_OPTION };

	for (size_t i = 0; i < ARRAY_LEN(of_proof); i++)
		if (strcmp(of_proof[i].name, "attested-tls") != 0 &&
		    cli_flag(client->cli, of_proof[i].name))
			return of_proof[i].name;
	return NULL;
}

static int read_interval(struct client *client, struct err *e)
{
	const char *text = cli_value(client->cli, "reattest");

	if (duration_parse(text ? text : REATTEST_DEFAULT, &client->reattest_ms, e) < 0)
		return err_wrap(e, "--reattest");
	if (client->reattest_ms < REATTEST_MIN_MS || client->reattest_ms > REATTEST_MAX_MS)
		return err_set(e, ERR_INVALID, "--reattest %s: 1s to 24h", log_quote(text).text);
	return 0;
}

static int open_proof(struct client *client, struct err *e)
{
	const struct appraise_settings settings = {
		.policy = client_setting(client, NULL, "ATTESTATION_POLICY"),
		.product = client_setting(client, NULL, "PRODUCT_NAME"),
		.context = client_setting(client, NULL, "ATTESTATION_REQUEST_CONTEXT"),
	};
	const char *url = client_setting(client, "grpc-url", "URL"), *stray = forgotten(client);
	struct attested_client_config config = { .loop = client->loop,
						 .appraise = appraise_session };
	bool wanted;

	if (is_wanted(client, &wanted, e) < 0)
		return err_code(e);
	if (!wanted && (stray || settings.policy))
		return err_set(e, ERR_INVALID,
			       "%s%s is given, but nobody asks the agent for a proof: add "
			       "--attested-tls or AGENT_GRPC_ATTESTED_TLS=true",
			       stray ? "--" : "", stray ? stray : "AGENT_GRPC_ATTESTATION_POLICY");
	if (!wanted)
		return 0;
	if (url && strncmp(url, "http://", 7) == 0)
		return err_set(e, ERR_INVALID, "attested TLS and an address with http://");
	if (read_interval(client, e) < 0 ||
	    appraise_new(client->cli, &settings, &client->appraise, e) < 0)
		return err_code(e);
	client->policy_groups = appraise_tls_groups(client->appraise);
	client->certified_by_nobody = !appraise_takes_given_key(client->appraise);
	config.first_context = appraise_context(client->appraise);
	config.data = client->appraise;
	return attested_client_new(&config, &client->attested, e);
}

static void close_proof(struct client *client)
{
	attested_client_free(client->attested);
	appraise_free(client->appraise);
}

int attested_open(struct client *client, struct cli *cli, struct err *e)
{
	static const struct client_proof proof = {
		.open = open_proof,
		.close = close_proof,
		.prologue = &attested_client_prologue,
	};

	return client_open(client, CLIENT_AGENT, &proof, cli, e);
}

/* ---- what the channel's evidence has no room for ---- */

static int ask_ek(struct client *client, const struct credential *c,
		  Agent__ActivateCredentialResponse **answer, struct err *e)
{
	Agent__ActivateCredentialRequest request = AGENT__ACTIVATE_CREDENTIAL_REQUEST__INIT;
	ProtobufCMessage *response;

	if (c) {
		request.ek = (ProtobufCBinaryData){ sizeof(c->ek), (uint8_t *)(uintptr_t)c->ek };
		request.credential =
			(ProtobufCBinaryData){ c->blob_len, (uint8_t *)(uintptr_t)c->blob };
		request.secret = (ProtobufCBinaryData){ c->encrypted_len,
							(uint8_t *)(uintptr_t)c->encrypted };
	}
	if (client_call(client, &agent_activate_credential, &request.base, &response, e) < 0)
		return err_wrap(e, "attestation: ak.activated");
	*answer = (Agent__ActivateCredentialResponse *)response;
	return 0;
}

static void ek_answer_free(Agent__ActivateCredentialResponse *answer)
{
	agent__activate_credential_response__free_unpacked(answer, NULL);
}
DEFINE_CLEANUP(Agent__ActivateCredentialResponse *, ek_answer_free)

static int activate(struct client *client, struct err *e)
{
	CLEANUP(ek_answer_free) Agent__ActivateCredentialResponse *shown = NULL, *done = NULL;
	struct span certs[APPRAISE_EK_CERTS_MAX];
	const struct credential *c;
	size_t count = 0;

	if (ask_ek(client, NULL, &shown, e) < 0)
		return err_code(e);
	for (; count < shown->n_ek_certificates && count < ARRAY_LEN(certs); count++)
		certs[count] = (struct span){ shown->ek_certificates[count].data,
					      shown->ek_certificates[count].len };
	if (appraise_challenge(client->appraise, certs, count, &c, e) < 0 ||
	    ask_ek(client, c, &done, e) < 0)
		return err_code(e);
	return appraise_answer(client->appraise, done->activated.data, done->activated.len, e);
}

/* The log comes inside a token; nothing else of that token counts. */
static int take_log(struct client *client, const uint8_t *bytes, size_t len, struct err *e)
{
	CLEANUP(free) struct tpm_evidence *a = calloc(1, sizeof(*a));
	struct eat token;
	struct span log = { NULL, 0 };
	int failed;

	if (!a)
		return err_nomem(e);
	if (eat_parse(bytes, len, &token, e) < 0)
		return err_code(e);
	if (evidence_kind_rows[token.platform].tpm) {
		struct span raw = { token.raw_report.bytes, token.raw_report.len };

		if (tpm_attestation_parse(raw, a, e) == 0)
			log = a->event_log;
	} else if (token.event_log.bytes) {
		log = (struct span){ token.event_log.bytes, token.event_log.len };
	}
	failed = appraise_set_log(client->appraise, log.bytes, log.len, e);
	eat_done(&token);
	return failed;
}

static int fetch_log(struct client *client, struct err *e)
{
	CLEANUP_WRITER struct writer file = writer_up_to(EAT_MAX);
	uint8_t nonce[2 * NONCE_LEN];

	if (random_bytes(nonce, sizeof(nonce), e) < 0)
		return err_code(e);
	const struct agent_evidence wanted = {
		.type = appraise_wire_type(client->appraise),
		.tee = { nonce, NONCE_LEN },
		.vtpm = { nonce + NONCE_LEN, NONCE_LEN },
	};
	if (agent_evidence_fetch(client, &wanted, &file, e) < 0 ||
	    take_log(client, file.bytes, file.len, e) < 0)
		return err_wrap(e, "attestation: the event log");
	return 0;
}

/* Gets what a pending session still lacks, then has all of it judged. */
static int complete(struct client *client, struct err *e)
{
	struct appraise *a = client->appraise;
	bool pending = appraise_wants_credential(a) || appraise_wants_log(a);

	if (appraise_wants_credential(a) && activate(client, e) < 0)
		return err_code(e);
	if (appraise_wants_log(a) && fetch_log(client, e) < 0)
		return err_code(e);
	if (pending && appraise_again(a, e) < 0)
		return err_code(e);
	if (!appraise_is_verified(a))
		return err_set(e, ERR_DENIED, "attestation: this connection is not verified");
	client->proven = uv_hrtime();
	if (!client->told || client->cli->verbose)
		appraise_tell(a, client->cli, stderr);
	client->told = true;
	return 0;
}

/* ---- calls ---- */

/* Evidence that does not hold, or an authenticator that is not even well formed. */
static bool is_unproven(int failed, const struct err *e)
{
	return failed && (e->code == ERR_DENIED || e->code == ERR_INVALID);
}

int attested_ready(struct client *client, struct err *e)
{
	struct appraise *a = client->appraise;
	int failed;

	if (!a || (rpc_channel_is_ready(client->channel) && appraise_is_verified(a)))
		return 0;
	/* Connected, and what was proven is forgotten: the agent could not attest again just
	 * now. */
	if (rpc_channel_is_ready(client->channel) && appraise_is_forgotten(a))
		return attested_again(client, e);
	appraise_allow_pending(a, true);
	failed = rpc_sync_connect(client->channel, e);
	appraise_allow_pending(a, false);
	if (!failed)
		failed = complete(client, e);
	if (failed && client_hint_contact(client, e))
		return failed;
	if (is_unproven(failed, e))
		cli_hint(
			client->cli,
			"nothing was sent: that peer has not proven to be the agent that you expect");
	else if (failed && attested_client_is_waiting(client->attested))
		cli_hint(client->cli, "nothing was sent: the agent closed the connection before it "
				      "sent evidence; its log says why");
	return failed;
}

int attested_again(struct client *client, struct err *e)
{
	struct appraise *a = client->appraise;
	int failed;

	if (!a || appraise_takes_stock(a))
		return 0;
	appraise_allow_pending(a, true);
	failed = attested_reattest(client->channel, client->attested, client_timeout(client), e);
	appraise_allow_pending(a, false);
	if (!failed)
		failed = complete(client, e);
	if (!failed)
		return 0;
	/* What was proven before does not cover what comes now. An agent that could not attest, for
	 * whatever reason, may be asked again; one that was refused had its chance on this
	 * connection. */
	appraise_forget(a, !is_unproven(failed, e));
	if (is_unproven(failed, e))
		cli_hint(
			client->cli,
			"nothing more was sent: this is no longer the agent that was verified first");
	else if (e->code == ERR_ABORTED || !rpc_channel_is_ready(client->channel))
		e->code = ERR_UNAVAILABLE; /* gone: on another one everything is judged anew */
	return err_code(e);
}

int attested_if_due(struct client *client, struct err *e)
{
	if (!client->appraise ||
	    uv_hrtime() - client->proven < client->reattest_ms * UINT64_C(1000000))
		return 0;
	return attested_again(client, e);
}
