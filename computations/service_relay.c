/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/service_relay.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/metrics/metrics_server.h"
#include "common/rpc/admin_socket.h"
#include "common/rpc/listen_socket.h"
#include "computations/store/lease_secret.h"

#include <string.h>
#include <unistd.h>

/* More than the servers of an instance have together, so that theirs is the choice who gives way. */
enum { MOST_BESIDE_AGENTS = 64 + 512 + 1536 };

static unsigned most(const struct config *c)
{
	return 2 * (unsigned)c->max_cvms + MOST_BESIDE_AGENTS;
}

/* ---- while it stands by ---- */

static int open_port(struct relay_front *f, enum relay_door door, const char *host, uint16_t port,
		     struct err *e)
{
	const bool v6 = strchr(host, ':') && host[0] != '[';
	CLEANUP(free) char *address = NULL;

	if (text_format(&address, e, v6 ? "[%s]:%u" : "%s:%u", host, port) < 0)
		return err_code(e);
	return relay_front_listen(f, door, address, NULL, e);
}

static int open_socket(struct relay_front *f, const char *path, struct err *e)
{
	CLEANUP(free) char *address = NULL;

	if (admin_socket_make_folder(path, e) < 0 || text_format(&address, e, "unix:%s", path) < 0)
		return err_code(e);
	return relay_front_listen(f, RELAY_ADMIN_SOCKET, address, ADMIN_SOCKET_GROUP, e);
}

/* That it can be had is known before it is this one's turn. */
static int try_address(const char *address, struct err *e)
{
	struct listen_socket s;

	if (listen_socket_open(address, NULL, &s, e) < 0)
		return err_wrap(e, "COMPUTATIONS_INSTANCE_ADDRESS");
	listen_socket_close(&s);
	return 0;
}

int service_front_open(uv_loop_t *loop, const struct config *c, struct relay_front **front,
		       struct err *e)
{
	const struct relay_front_config config = { loop, c->instance, most(c) };
	struct relay_front *f;

	*front = NULL;
	if (!c->instance_address)
		return 0;
	if (try_address(c->instance_address, e) < 0 || relay_front_new(&config, &f, e) < 0)
		return err_code(e);
	*front = f;
	if (open_port(f, RELAY_AGENTS, c->host, c->port, e) < 0 ||
	    open_socket(f, c->admin_socket, e) < 0 ||
	    (c->has_admin_port && open_port(f, RELAY_ADMINS, c->admin_host, c->admin_port, e) < 0))
		return err_code(e);
	/* On loopback the page is its own machine's. */
	return c->web && metrics_address_is_open(c->web)
		       ? relay_front_listen(f, RELAY_PAGE, c->web, NULL, e)
		       : 0;
}

/* ---- while it serves ---- */

void service_doors_set(struct service_doors *doors, enum relay_door door, struct rpc_server *server,
		       struct rpc_tls *tls)
{
	doors->rows[door].server = server;
	doors->rows[door].tls = rpc_tls_ref(tls);
}

void service_doors_done(struct service_doors *doors)
{
	for (size_t i = 0; i < RELAY_DOORS; i++) {
		doors->rows[i].server = NULL;
		rpc_tls_free(TAKE_PTR(doors->rows[i].tls));
	}
}

static int take(void *data, enum relay_door door, int fd, const struct rpc_origin *origin,
		struct err *e)
{
	const struct service_doors *doors = data;

	if (doors->rows[door].server)
		return rpc_server_take(doors->rows[door].server, doors->rows[door].tls, fd, origin,
				       e);
	close(fd);
	return err_set(e, ERR_NOT_FOUND, "%s: this instance does not listen for them",
		       relay_door_name(door));
}

int service_inner_open(uv_loop_t *loop, const struct config *c, const struct store_lease *lease,
		       struct service_doors *doors, struct relay_inner **inner, struct err *e)
{
	uint8_t secret[RELAY_SECRET_LEN];
	int failed;

	*inner = NULL;
	if (!lease || !c->instance_address)
		return 0;
	failed = lease_secret(c->state_dir, lease->fence, lease->secret, secret, e);
	if (!failed)
		failed = relay_inner_new(
			&(struct relay_inner_config){ .loop = loop,
						      .address = c->instance_address,
						      .fence = lease->fence,
						      .secret = secret,
						      .most = most(c),
						      .take = take,
						      .data = doors },
			inner, e);
	explicit_bzero(secret, sizeof(secret));
	return failed ? err_wrap(e, "COMPUTATIONS_INSTANCE_ADDRESS") : 0;
}
