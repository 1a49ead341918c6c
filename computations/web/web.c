/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/hostname.h"
#include "common/base/log.h"
#include "common/crypto/keyed_rate.h"
#include "common/metrics/metrics_server.h"
#include "common/rpc/admin_socket.h"
#include "computations/web/web_access.h"
#include "computations/web/web_oidc.h"
#include "computations/web/web_once.h"
#include "computations/web/web_status.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

enum { PORT_TRIES = 64 };

static const struct http_event_limits event_limits = {
	.readers = 1024, .per_source = 32, .beat_ms = 15000, .longest_ms = 15 * 60 * 1000
};

static int listen_on(struct web *web, const char *address, struct rpc_tls *tls, unsigned *port,
		     struct err *e)
{
	return http_server_listen(web->http, &(struct rpc_listen){ .address = address, .tls = tls },
				  port, e);
}

/* Whether anybody could listen on ::1 here. The service's unit hides /proc/net, but not what is its own of it. */
static bool has_loopback_6(void)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6,
					  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	CLEANUP(close) int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return access("/proc/self/net/if_inet6", F_OK) == 0;
	return bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0 || errno != EADDRNOTAVAIL;
}

/* The same port on both addresses of loopback; ERR_EXISTS: somebody has it on one. Without the second, `six->fd`
 * is -1. */
static int open_pair(const char *port, struct listen_socket *four, struct listen_socket *six,
		     struct err *e)
{
	CLEANUP(free) char *v4 = NULL, *v6 = NULL;

	six->fd = -1;
	if (text_format(&v4, e, "127.0.0.1:%s", port) < 0 ||
	    listen_socket_open(v4, NULL, four, e) < 0)
		return err_code(e);
	if (text_format(&v6, e, "[::1]:%u", four->port) == 0 &&
	    (listen_socket_open(v6, NULL, six, e) == 0 || !has_loopback_6()))
		return 0;
	listen_socket_close(four);
	return err_wrap(e, "the page needs the port on ::1, too");
}

/* A browser may take a name under localhost for either address of loopback: both have to be ours, or
 * somebody else of this machine could listen on the other, and be shown a session's cookie. Where any port
 * will do, one that somebody has on one of them is passed over. */
static int listen_twice(struct web *web, const char *address, struct err *e)
{
	const char *port = strrchr(address, ':') + 1;
	struct listen_socket four, six;
	int failed = -1;

	for (int tries = strcmp(port, "0") == 0 ? PORT_TRIES : 1; failed < 0 && tries > 0; tries--)
		failed = open_pair(port, &four, &six, e);
	if (failed < 0)
		return failed;
	web->door.port = four.port;
	failed = http_server_take(web->http, &four, e);
	if (six.fd >= 0 && failed < 0)
		listen_socket_close(&six);
	else if (six.fd >= 0)
		failed = http_server_take(web->http, &six, e);
	return failed;
}

/* "/run/x/admin.sock" has "/run/x/admin.web.sock" beside it, for the same people. */
static int listen_on_socket(struct web *web, const char *admin_socket, struct err *e)
{
	CLEANUP(free) char *address = NULL;
	size_t len = strlen(admin_socket);

	if (len > 5 && strcmp(admin_socket + len - 5, ".sock") == 0)
		len -= 5;
	if (text_format(&web->socket, e, "%.*s.web.sock", (int)len, admin_socket) < 0 ||
	    text_format(&address, e, "unix:%s", web->socket) < 0)
		return err_code(e);
	return http_server_listen(
		web->http, &(struct rpc_listen){ .address = address, .group = ADMIN_SOCKET_GROUP },
		NULL, e);
}

/* The name is that of the address, without scheme and port. */
static void set_origin(struct web *web, const char *origin)
{
	const char *name = strstr(origin, "://");
	size_t len = name ? strcspn(name + 3, ":") : 0;

	snprintf(web->passkeys.origin, sizeof(web->passkeys.origin), "%s", origin);
	snprintf(web->passkeys.name, sizeof(web->passkeys.name), "%.*s", (int)len,
		 name ? name + 3 : "");
}

static int open_listeners(struct web *web, const struct config *c, struct rpc_tls *tls,
			  struct err *e)
{
	char loopback[WEB_ORIGIN_MAX];
	unsigned port = 0;

	if (listen_on_socket(web, c->admin_socket, e) < 0)
		return err_code(e);
	if (metrics_address_is_open(c->web)) {
		if (listen_on(web, c->web, tls, &port, e) < 0)
			return err_code(e);
		set_origin(web, c->web_origin ? c->web_origin : "");
		log_info("page: listening on %s, port %u, with %sTLS", log_quote(c->web).text, port,
			 c->admin_client_ca_certs ? "mutual " : "");
		return 0;
	}
	if (listen_twice(web, c->web, e) < 0)
		return err_code(e);
	snprintf(loopback, sizeof(loopback), "http://localhost:%u", web->door.port);
	set_origin(web, loopback);
	log_info("page: port %u of this machine; a link that works once: curl -sX POST "
		 "--unix-socket %s http://localhost/link",
		 web->door.port, web->socket);
	return 0;
}

static const struct keyed_rate_form status_rate = {
	.each = { WEB_STATUS_EVERY_MS, WEB_STATUS_BURST },
	.all = { WEB_STATUS_ALL_EVERY_MS, WEB_STATUS_ALL_BURST },
	.sets = WEB_STATUS_SETS,
	.ways = WEB_STATUS_WAYS,
};

void web_set_rows(struct web *web)
{
	for (size_t i = 0; i < web_routes_count; i++) {
		web->rows[i] = web_once_row(&web_routes[i]);
		if (web_route_is_counted(&web_routes[i]))
			web->rows[i].may = web_access_may;
	}
	web->routes = (struct http_routes){ web->rows, web_routes_count, web, web_show_problem,
					    WEB_STATUS_TAIL };
}

int web_open(const struct config *c, struct service *service, struct rpc_tls *tls,
	     struct web **made, struct err *e)
{
	struct web *web;

	if (!c->web)
		return 0;
	web = calloc(1, sizeof(*web));
	if (!web)
		return err_nomem(e);
	web->service = service;
	web_set_rows(web);
	TAILQ_INIT(&web->followers);
	TAILQ_INIT(&web->statements);
	service->web = web;
	*made = web;
	if (RAND_bytes(web->secret, sizeof(web->secret)) != 1)
		return err_openssl(e, ERR_INTERNAL, "a secret");
	if (sign_in_rate_new(&web->rate, e) < 0 ||
	    keyed_rate_new(&status_rate, &web->status_rate, e) < 0 ||
	    http_event_hub_new(service->loop, &event_limits, &web->hub, e) < 0 ||
	    http_server_new(service->loop, &web->routes, &web->http, e) < 0)
		return err_code(e);
	if (open_listeners(web, c, tls, e) < 0 || web_oidc_open(web, c, e) < 0)
		return err_code(e);
	return web_first(service, e);
}

struct rpc_server *web_tls_server(struct web *web)
{
	return web ? http_server_tls(web->http) : NULL;
}

void web_close(struct web *web)
{
	if (!web)
		return;
	oidc_close(web->oidc);
	http_event_hub_free(TAKE_PTR(web->hub));
	http_server_free(TAKE_PTR(web->http));
}

void web_done(struct web *web)
{
	if (!web)
		return;
	free(web->socket);
	oidc_free(web->oidc);
	sign_in_rate_free(web->rate);
	keyed_rate_free(web->status_rate);
	OPENSSL_cleanse(web, sizeof(*web));
	free(web);
}

void web_forget_links(struct service *service, int64_t person)
{
	if (service->web)
		web_door_forget(&service->web->door, person);
}

int web_origin(const struct service *service, char origin[WEB_ORIGIN_MAX], struct err *e)
{
	if (!service->web)
		return err_set(e, ERR_PRECONDITION,
			       "there is no page to open: set COMPUTATIONS_WEB");
	*origin = 0;
	if (service->web->door.port)
		snprintf(origin, WEB_ORIGIN_MAX, "http://localhost:%u", service->web->door.port);
	return 0;
}

const char *web_link_base(const struct service *service)
{
	return service->web ? service->web->passkeys.origin : "";
}
