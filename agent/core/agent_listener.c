/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/agent_listener.h"

#include "attestation/channel/attested_server.h"
#include "common/base/file.h"
#include "common/manifest/agent_certs.h"
#include "common/rpc/health.h"
#include "common/rpc/reflection.h"

#include <stdlib.h>
#include <string.h>

struct agent_listener {
	struct rpc_server *server;
	struct rpc_health *health;
	struct rpc_reflection *reflection;
	struct attested_server *attested; /* NULL: the manifest did not ask for it */
};

/* ---- evidence for the attested channel ---- */

static int collect(void *source, const struct rpc_source *peer, enum digest_kind hash,
		   const uint8_t exporter[BINDING_EXPORTER_LEN], attested_token_fn *done,
		   void *data, void **handle, struct err *e)
{
	struct evidence_request *request =
		evidence_channel(source, peer, hash, exporter, done, data, e);

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
static int attest(const struct agent_listener_options *options, struct agent_listener *listener,
		  struct rpc_tls **tls, struct err *e)
{
	const struct identity *identity = options->identity;
	const struct attested_server_config attested = {
		.key = identity->key,
		.leaf_der = identity->leaf,
		.leaf_len = identity->leaf_len,
		.source = { .data = options->evidence, .collect = collect, .cancel = cancel },
	};
	const struct rpc_tls_config t = { .cert = identity->chain_pem,
					  .pkey = identity->key,
					  .ca = options->config->client_ca,
					  .only_tls13 = true };

	if (evidence_available(options->evidence, e) < 0)
		return err_wrap(e, "agent_config.attested_tls");
	if (attested_server_new(&attested, &listener->attested, e) < 0)
		return err_code(e);
	return rpc_tls_new_server(&t, tls, e);
}

/* ---- the listener ---- */

_Static_assert((int)AGENT_CERTS_CHAIN_MAX <= (int)RPC_TLS_CHAIN_MAX, "what is taken can be shown");

/* server_ca_file: the authorities between cert_file and its root. */
static int plain_tls(const struct agent_config *config, struct rpc_tls **tls, struct err *e)
{
	CLEANUP(free) char *chain = NULL;

	if (text_format(&chain, e, "%s\n%s", config->cert,
			config->server_ca ? config->server_ca : "") < 0)
		return err_code(e);
	return rpc_tls_new_server(&(struct rpc_tls_config){ .cert = chain,
							    .key = config->key,
							    .ca = config->client_ca },
				  tls, e);
}

static int listen_at(const struct agent_listener_options *options, struct agent_listener *listener,
		     struct err *e)
{
	const struct agent_config *config = options->config;
	const char *host = options->host ? options->host : "";
	bool v6 = strchr(host, ':') && host[0] != '[';
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	CLEANUP(free) char *address = NULL;
	struct rpc_listen listen = { 0 };
	int failed = text_format(&address, e, v6 ? "[%s]:%u" : "%s:%u", host, config->port);

	if (!failed && config->attested_tls) {
		failed = attest(options, listener, &tls, e);
		listen.prologue = &attested_server_prologue;
		listen.prologue_data = listener->attested;
	} else if (!failed && config->cert) {
		failed = plain_tls(config, &tls, e);
	}
	if (failed)
		return failed;
	listen.address = address;
	listen.tls = tls;
	return rpc_server_listen(listener->server, &listen, NULL, e);
}

static int furnish(const struct agent_listener_options *options, struct agent_listener *listener,
		   struct err *e)
{
	int failed = rpc_server_new(options->loop, NULL, &listener->server, e);

	if (!failed)
		failed = rpc_server_add(listener->server, options->service, options->service_data,
					e);
	if (!failed)
		failed = rpc_health_new(listener->server, &listener->health, e);
	if (!failed)
		failed = rpc_health_set(listener->health, options->service->name, true, e);
	if (!failed) /* the name that the stock CLI asks for first */
		failed = rpc_health_set(listener->health, "agent", true, e);
	if (!failed)
		failed = rpc_reflection_new(listener->server, &listener->reflection, e);
	return failed;
}

int agent_listener_open(const struct agent_listener_options *options,
			struct agent_listener **listener, struct err *e)
{
	struct agent_listener *made = calloc(1, sizeof(*made));
	int failed;

	if (!made)
		return err_nomem(e);
	failed = furnish(options, made, e);
	if (!failed)
		failed = listen_at(options, made, e);
	if (failed)
		agent_listener_close(made, "there is no listener");
	else
		*listener = made;
	return failed;
}

void agent_listener_close(struct agent_listener *listener, const char *why)
{
	struct err e;

	if (!listener)
		return;
	err_set(&e, ERR_ABORTED, "%s", why);
	if (listener->server)
		rpc_server_end_calls(listener->server, &e);
	rpc_server_free(listener->server); /* its connections are over with that */
	attested_server_free(listener->attested);
	rpc_health_free(listener->health);
	rpc_reflection_free(listener->reflection);
	free(listener);
}
