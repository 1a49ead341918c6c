/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/service_front.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>

int service_front_new(struct service_front *f, uv_loop_t *loop, const struct rpc_limits *limits,
		      const struct rpc_service *const rpcs[], size_t count, struct service *service,
		      struct err *e)
{
	if (rpc_server_new(loop, limits, &f->server, e) < 0 ||
	    rpc_health_new(f->server, &f->health, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < count; i++)
		if (rpc_server_add(f->server, rpcs[i], service, e) < 0 ||
		    rpc_health_set(f->health, rpcs[i]->name, true, e) < 0)
			return err_code(e);
	return rpc_reflection_new(f->server, &f->reflection, e);
}

void service_front_serves(const struct service_front *f, const struct rpc_service *const rpcs[],
			  size_t count, bool serves)
{
	struct err e;

	/* All are known, which needs no memory. */
	if (rpc_health_set(f->health, "", serves, &e) < 0)
		log_error("health: %s", e.text);
	for (size_t i = 0; i < count; i++)
		if (rpc_health_set(f->health, rpcs[i]->name, serves, &e) < 0)
			log_error("health of %s: %s", rpcs[i]->name, e.text);
}

void service_front_free(struct service_front *f)
{
	rpc_server_free(f->server);
	f->server = NULL;
}

void service_front_done(struct service_front *f)
{
	rpc_health_free(f->health);
	rpc_reflection_free(f->reflection);
}

int service_front_listen(const struct service_front *f, const char *who, const char *host,
			 uint16_t port, struct rpc_tls *tls, bool mutual, struct err *e)
{
	bool v6 = strchr(host, ':') && host[0] != '[';
	CLEANUP(free) char *address = NULL;
	unsigned bound = 0;

	if (text_format(&address, e, v6 ? "[%s]:%u" : "%s:%u", host, port) < 0 ||
	    rpc_server_listen(f->server, &(struct rpc_listen){ .address = address, .tls = tls },
			      &bound, e) < 0)
		return err_wrap(e, "listen for %s", who);
	log_info("%s: listening on %s port %u (%s)", who, host, bound,
		 mutual ? "mTLS"
		 : tls  ? "TLS"
			: "plaintext");
	return 0;
}
