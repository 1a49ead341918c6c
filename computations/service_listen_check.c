/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/service_listen_check.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/preflight/preflight_crl.h"
#include "common/preflight/preflight_listen.h"
#include "common/preflight/preflight_running.h"
#include "common/preflight/preflight_tls.h"
#include "computations/core/config.h"
#include "computations/service_authority.h"
#include "computations/service_instance.h"
#include "computations/service_rpcs.h"

#include <string.h>

int service_listen_check_agents_tls(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;

	return preflight_tls(&(struct preflight_tls){ .cert = c->server_cert,
						      .key = c->server_key,
						      .clients = c->client_ca_certs },
			     found, e);
}

int service_listen_check_admins_tls(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;

	return preflight_tls(&(struct preflight_tls){ .cert = c->admin_server_cert,
						      .key = c->admin_server_key,
						      .clients = c->admin_client_ca_certs },
			     found, e);
}

/* The service's own authority's list it has itself; whether that authority can be read is another check's. */
static int look_lists(const struct config *c, const char *path, const char *authorities,
		      char *found, struct err *e)
{
	CLEANUP(authority_free) struct authority *own = NULL;
	struct err ignored;

	(void)!service_authority_read(c, &own, &ignored);
	if (!path && own && authorities)
		return preflight_not_asked(found, "no lists are set but this service's own");
	return preflight_crl(&(struct preflight_crl){ .path = path,
						      .authorities = authorities,
						      .own = own ? own->cert : NULL },
			     found, e);
}

int service_listen_check_agents_lists(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;

	return look_lists(c, c->client_crl, c->client_ca_certs, found, e);
}

int service_listen_check_admins_lists(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;

	return look_lists(c, c->admin_client_crl, c->admin_client_ca_certs, found, e);
}

/* What a listener of a service with these settings offers first; a certificate is its port's alone. */
static struct preflight_running running(const struct rpc_service *rpc, const char *cert,
					const char *setting)
{
	return (struct preflight_running){
		.who = "service",
		.health = rpc->name,
		.serves = "it answers callers",
		.serves_not = "by its word it answers no callers now",
		.cert = cert,
		.cert_setting = setting,
	};
}

int service_listen_check_agents_port(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;
	const struct preflight_running own =
		running(service_rpcs[0], c->server_cert, "COMPUTATIONS_GRPC_SERVER_CERT");

	return preflight_own_port(c->host, c->port, &own, found, e);
}

int service_listen_check_admins_port(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;
	const struct preflight_running own =
		running(service_rpcs[1], c->admin_server_cert, "COMPUTATIONS_ADMIN_SERVER_CERT");

	if (!c->has_admin_port)
		return preflight_not_asked(found, "no COMPUTATIONS_ADMIN_PORT is set");
	return preflight_own_port(c->admin_host, c->admin_port, &own, found, e);
}

int service_listen_check_socket(void *subject, char *found, struct err *e)
{
	const struct preflight_running own = running(service_rpcs[1], NULL, NULL);

	return preflight_own_socket(((const struct config *)subject)->admin_socket, &own, found, e);
}

/* Which it holds while it serves. Nobody but an instance can ask there, so the database says whose it is. */
int service_listen_check_instance(void *subject, char *found, struct err *e)
{
	const struct config *c = subject;
	CLEANUP(free) char *host = NULL;
	char words[STORE_STANDBY_WORDS_MAX];
	const char *port;
	bool is_v6, is_ours;
	struct err no;

	if (!c->instance)
		return preflight_not_asked(found,
					   "no COMPUTATIONS_INSTANCE is set: nobody stands by");
	if (!c->instance_address)
		return preflight_not_asked(found, "no COMPUTATIONS_INSTANCE_ADDRESS is set: while "
						  "this one stands by it refuses callers");
	is_v6 = c->instance_address[0] == '[';
	port = strrchr(c->instance_address, ':');
	if (text_format(&host, e, "%.*s", (int)(port - c->instance_address) - 2 * is_v6,
			c->instance_address + is_v6) < 0)
		return err_code(e);
	if (preflight_port(host, (uint16_t)strtoul(port + 1, NULL, 10), found, e) == 0)
		return PREFLIGHT_OK;
	if (instance_look(c, words, sizeof(words), &is_ours, &no) == 0 && is_ours)
		return preflight_found(found,
				       "%s: this instance serves there, as the database has it",
				       c->instance_address);
	return err_code(e);
}
