/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/first_contact.h"

#include "health.pb-c.h"
#include "health_paths.h"

#include <string.h>

/* How the caller speaks. */
enum { PLAIN = 1, TLS = 2, ATTESTED = 4, ANYBODY = PLAIN | TLS | ATTESTED };

static const char hung_up_on_tls[] =
	"nothing was sent: it hung up on TLS, as a port without TLS does";

static const struct symptom {
	unsigned callers;
	enum rpc_contact contact; /* what the server's first bytes were of */
	bool secured;             /* TLS was through */
	const char *says;         /* in the failure's text; NULL: anything */
	bool where;
	const char *line;
} symptoms[] = {
	{ ANYBODY, RPC_CONTACT_HTTP1, false, NULL, true, "a web server (HTTP/1) answers there" },
	{ ANYBODY, RPC_CONTACT_SSH, false, NULL, true, "an SSH server answers there" },
	{ ANYBODY, RPC_CONTACT_ECHO, false, NULL, true,
	  "what answers there sends our own bytes back: it is no server of gRPC" },
	{ PLAIN, RPC_CONTACT_TLS, false, NULL, false,
	  "it speaks TLS: --grpc-server-ca-certs PEM says who vouches for it; an agent that attests "
	  "wants --attested-tls and --attestation-policy POLICY" },
	{ PLAIN, RPC_CONTACT_OTHER, false, NULL, true, "something else than gRPC answers there" },
	{ PLAIN, RPC_CONTACT_SILENT, false, "no HTTP/2 came", false,
	  "it hung up on gRPC without TLS: if it speaks TLS, give --grpc-server-ca-certs PEM; an agent "
	  "that attests wants --attested-tls and --attestation-policy POLICY" },
	/* Whoever stands in between would like to hear that TLS is to be left out. */
	{ TLS, RPC_CONTACT_HTTP2, false, NULL, true,
	  "nothing was sent: it speaks gRPC without TLS, so it is not what you named, or somebody stands "
	  "in between" },
	{ ATTESTED, RPC_CONTACT_HTTP2, false, NULL, true,
	  "nothing was sent: it speaks gRPC without TLS, so it can prove nothing" },
	{ TLS | ATTESTED, RPC_CONTACT_TLS, false, "is demanded: ", false,
	  "nothing was sent: hybrid key exchange takes OpenSSL 3.5 (Debian 13) there, too; "
	  "--grpc-tls-groups, …_GRPC_TLS_GROUPS or the policy demands it" },
	{ TLS | ATTESTED, RPC_CONTACT_SILENT, false, "the peer closed", true, hung_up_on_tls },
	/* The same of one that had not read all of it. */
	{ TLS | ATTESTED, RPC_CONTACT_SILENT, false, "Connection reset", true, hung_up_on_tls },
	{ TLS | ATTESTED, RPC_CONTACT_OTHER, false, NULL, true, "what answers there is not TLS" },
	{ TLS | ATTESTED, RPC_CONTACT_TLS, false, "no ALPN", true,
	  "it speaks TLS but no gRPC: a web server?" },
	{ TLS | ATTESTED, RPC_CONTACT_TLS, false, "no application protocol", true,
	  "it speaks TLS but no gRPC: a web server?" },
	{ TLS | ATTESTED, RPC_CONTACT_TLS, false, "it is revoked by the list of ", true,
	  "nothing was sent: whoever answers there has a certificate that its authority took back" },
	{ TLS, RPC_CONTACT_TLS, false, "the peer's certificate: ", false,
	  "nobody in --grpc-server-ca-certs vouches for its certificate, or the address is no name in "
	  "it; an agent that attests makes its own: --attested-tls and --attestation-policy POLICY" },
	{ ATTESTED, RPC_CONTACT_TLS, true, "frame: type 0 where", false,
	  "nothing was sent: it speaks TLS, but does not attest; what attests is an agent, at the "
	  "address that 'cocos-cli create-vm' printed" },
	/* Of what is shown there; the alert is not always read before the connection ends. */
	{ TLS | ATTESTED, RPC_CONTACT_TLS, false, "alert certificate revoked", false,
	  "the certificate of --grpc-client-cert was revoked: have a new one issued" },
	{ TLS, RPC_CONTACT_TLS, true, NULL, false,
	  "it took TLS and hung up: the certificate of --grpc-client-cert may be revoked, or of an "
	  "authority that it does not trust; an agent that attests wants --attested-tls "
	  "(AGENT_GRPC_ATTESTED_TLS) and --attestation-policy POLICY" },
};

static bool fits(const struct symptom *s, unsigned caller, const struct rpc_attempt *attempt,
		 const struct err *e)
{
	return (s->callers & caller) && s->contact == attempt->contact &&
	       (!s->secured || attempt->is_secured) && (!s->says || strstr(e->text, s->says));
}

const char *first_contact_line(const struct client *client, const struct err *e, bool *where)
{
	const struct rpc_attempt *attempt =
		client->channel ? rpc_channel_attempt(client->channel) : NULL;
	unsigned caller = client->attested ? ATTESTED : client->tls ? TLS : PLAIN;

	if (!attempt || !attempt->failed)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(symptoms); i++)
		if (fits(&symptoms[i], caller, attempt, e)) {
			*where = symptoms[i].where;
			return symptoms[i].line;
		}
	return NULL;
}

static const struct rpc_method health_check = {
	.path = PROTO_HEALTH_CHECK,
	.kind = RPC_UNARY,
	.request = &grpc__health__v1__health_check_request__descriptor,
	.response = &grpc__health__v1__health_check_response__descriptor,
};

/* Not by client_call(): that hints. */
static int ask(struct client *client, const char *service, bool *serves, struct err *e)
{
	const struct rpc_stream_options options = { .timeout_ms = client_timeout(client) };
	Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	ProtobufCMessage *response;

	request.service = (char *)(uintptr_t)service;
	if (rpc_sync_unary(client->channel, &health_check, &options, &request.base, &response, e) <
	    0)
		return err_code(e);
	*serves = ((const Grpc__Health__V1__HealthCheckResponse *)response)->status ==
		  GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
	protobuf_c_message_free_unpacked(response, NULL);
	return 0;
}

static const struct {
	const char *service, *name;
	int peer;
} daemons[] = {
	{ "agent.AgentService", "the agent", CLIENT_AGENT },
	{ "manager.ManagerService", "the manager", CLIENT_MANAGER },
	{ "computations.ComputationService", "the computation service, where it is administered",
	  CLIENT_COMPUTATIONS },
	{ "cvms.Service", "the computation service, where it listens for agents", -1 },
};

const char *first_contact_name(struct client *client, bool *is_meant)
{
	struct err ignored;

	for (size_t i = 0; i < ARRAY_LEN(daemons); i++) {
		bool serves = false;

		if (ask(client, daemons[i].service, &serves, &ignored) == 0 && serves) {
			*is_meant = daemons[i].peer == (int)client->peer;
			return daemons[i].name;
		}
	}
	return NULL;
}

int first_contact_ask(struct client *client, const char **name, bool *is_meant, struct err *e)
{
	bool serves = false;
	/* Of the whole server: one that answers has to have it, whatever else it is. */
	int failed = ask(client, "", &serves, e);

	if (failed && e->code != ERR_UNIMPLEMENTED && e->code != ERR_NOT_FOUND) {
		client_hint(client, e);
		return failed;
	}
	*name = first_contact_name(client, is_meant);
	return 0;
}
