/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/door.h"

#include "agent/core/agent.h"
#include "agent/core/service.h"
#include "agent/evidence/evidence.h"
#include "attestation/channel/attested_server.h"
#include "common/base/file.h"
#include "common/manifest/agent_config.h"
#include "common/rpc/health.h"
#include "common/rpc/reflection.h"
#include "common/rpc/server.h"

#include <stdlib.h>
#include <string.h>

struct door {
	struct rpc_server *server;
	struct rpc_health *health;
	struct rpc_reflection *reflection;
	struct attested_server *attested; /* NULL: the manifest did not ask for it */
};

/* ---- evidence for the attested channel ---- */

static int collect(void *source, enum digest_kind hash,
		   const uint8_t exporter[BINDING_EXPORTER_LEN], attested_token_fn *done,
		   void *data, void **handle, struct err *e)
{
	struct evidence_request *request = evidence_channel(source, hash, exporter, done, data, e);

	if (!request)
		return err_code(e);
	*handle = request;
	return 0;
}

static void cancel(void *source, void *handle)
{
	evidence_cancel(handle);
}

/* The identity is the TLS key too, and nothing but TLS 1.3 is spoken. */
static int attest(struct agent *agent, const struct agent_config *config, struct door *door,
		  struct rpc_tls **tls, struct err *e)
{
	const struct identity *identity = agent_identity(agent);
	const struct attested_server_config attested = {
		.key = identity->key,
		.leaf_der = identity->leaf,
		.leaf_len = identity->leaf_len,
		.source = { .data = agent, .collect = collect, .cancel = cancel },
	};
	const struct rpc_tls_config t = { .cert = identity->chain_pem,
					  .pkey = identity->key,
					  .ca = config->client_ca,
					  .only_tls13 = true };

	if (evidence_available(agent, e) < 0)
		return err_wrap(e, "agent_config.attested_tls");
	if (attested_server_new(&attested, &door->attested, e) < 0)
		return err_code(e);
	return rpc_tls_new_server(&t, tls, e);
}

/* ---- the listener ---- */

static int listen_at(struct agent *agent, const struct agent_config *config, struct door *door,
		     struct err *e)
{
	const char *host = agent->config->grpc_host ? agent->config->grpc_host : "";
	bool v6 = strchr(host, ':') && host[0] != '[';
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	CLEANUP(free) char *address = NULL;
	struct rpc_listen listen = { 0 };
	int failed = text_format(&address, e, v6 ? "[%s]:%u" : "%s:%u", host, config->port);

	if (!failed && config->attested_tls) {
		failed = attest(agent, config, door, &tls, e);
		listen.prologue = &attested_server_prologue;
		listen.prologue_data = door->attested;
	} else if (!failed && config->cert) {
		const struct rpc_tls_config t = { .cert = config->cert,
						  .key = config->key,
						  .ca = config->client_ca };

		failed = rpc_tls_new_server(&t, &tls, e);
	}
	if (failed)
		return failed;
	listen.address = address;
	listen.tls = tls;
	return rpc_server_listen(door->server, &listen, NULL, e);
}

static int furnish(struct agent *agent, struct door *door, struct err *e)
{
	int failed = rpc_server_new(agent->loop, NULL, &door->server, e);

	if (!failed)
		failed = rpc_server_add(door->server, &service, agent, e);
	if (!failed)
		failed = rpc_health_new(door->server, &door->health, e);
	if (!failed)
		failed = rpc_health_set(door->health, service.name, true, e);
	if (!failed)
		failed = rpc_reflection_new(door->server, &door->reflection, e);
	return failed;
}

int door_open(struct agent *agent, const struct agent_config *config, struct door **door,
	      struct err *e)
{
	struct door *made = calloc(1, sizeof(*made));
	int failed;

	if (!made)
		return err_nomem(e);
	failed = furnish(agent, made, e);
	if (!failed)
		failed = listen_at(agent, config, made, e);
	if (failed)
		door_close(made, "there is no listener");
	else
		*door = made;
	return failed;
}

void door_close(struct door *door, const char *why)
{
	struct err e;

	if (!door)
		return;
	err_set(&e, ERR_ABORTED, "%s", why);
	if (door->server)
		rpc_server_end_calls(door->server, &e);
	rpc_server_free(door->server); /* its connections are over with that */
	attested_server_free(door->attested);
	rpc_health_free(door->health);
	rpc_reflection_free(door->reflection);
	free(door);
}
