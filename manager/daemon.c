/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/daemon.h"

#include "common/audit/audit_hangup.h"
#include "common/audit/revocation_audit.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/wipe.h"
#include "common/rpc/admin_socket.h"
#include "common/rpc/health.h"
#include "common/rpc/reflection.h"
#include "common/rpc/server.h"
#include "common/rpc/signals.h"
#include "manager/fleet/fleet_view.h"
#include "manager/launch/own_place.h"
#include "manager/registry/registry_lease.h"
#include "manager/service/service.h"
#include "manager/service/vm_metrics.h"
#include "manager/settings/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { DRAIN_MS = 30000, DIAL_MS = 5000 };

#define POOL_THREADS "8" /* libvirt handles five calls at a time from one connection */

struct daemon {
	const struct config *config;
	uv_loop_t loop;
	struct signals signals;
	int lock;
	struct registry *registry;
	struct ports *ports;
	struct vm_hosts hosts;
	struct lifecycle lifecycle;
	struct fleet *fleet;
	struct calls calls;
	struct vm_metrics metrics;
	struct service service;
	struct revocation *revocation; /* of clients; NULL: no lists are asked */
	struct rpc_tls *tls;
	struct rpc_server *server;
	struct rpc_health *health;
	struct rpc_reflection *reflection;
	bool stopping;
	int failed; /* what it ends with */
};

/* QEMU's user must be able to reach its own folder, and nothing else. */
static int make_folder(const char *setting, const char *path, struct err *e)
{
	struct stat st;

	if (dir_make(path, 0711, e) < 0)
		return err_wrap(e, "%s has to be a folder that this user may write", setting);
	if (stat(path, &st) < 0)
		return err_errno(e, "'%s'", path);
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) || !(st.st_mode & S_IXOTH))
		return err_set(e, ERR_PRECONDITION,
			       "'%s' has the wrong owner or mode: give it to user %u, mode 0711",
			       path, (unsigned)geteuid());
	return 0;
}

static int check_memory_backed(const char *path, struct err *e)
{
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return err_errno(e, "'%s'", path);
	if (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC)
		return err_set(e, ERR_PRECONDITION,
			       "MANAGER_SECRETS_DIR '%s' is not on tmpfs, so secrets would reach a "
			       "disk: mount one there, or name another folder",
			       path);
	return 0;
}

/* Two managers on one registry would remove what the other one makes. */
static int lock_state(struct daemon *d, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (text_format(&path, e, "%s/lock", d->config->state_dir) < 0)
		return err_code(e);
	d->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->lock < 0)
		return err_errno(e, "'%s'", path);
	if (flock(d->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return err_errno(e, "lock '%s'", path);
	return err_set(e, ERR_PRECONDITION, "another cocos-manager uses '%s'",
		       d->config->state_dir);
}

_Static_assert((int)CONFIG_LEASE_MIN_MS == (int)LEASE_MIN_MS &&
		       (int)CONFIG_LEASE_MAX_MS == (int)LEASE_MAX_MS,
	       "the registry takes what settings allow");

/* Beside others where they can reach the same hosts; else alone. */
static int open_registry(struct daemon *d, struct err *e)
{
	const struct config *config = d->config;
	char place[MANAGER_PLACE_MAX + 1];
	const struct registry_share share = { .name = config->name,
					      .place = place,
					      .lease_ms = (unsigned)config->lease_ms,
					      .vms_max = (unsigned)config->max_vms };

	if (!config->database || !vm_hosts_can_share(&d->hosts))
		return registry_open(config->state_dir, config->database, &d->registry, e);
	if (own_place_make(config, d->lock, place, e) < 0)
		return err_code(e);
	log_info("manager %s shares MANAGER_DATABASE: it holds hosts by leases of %u s", share.name,
		 share.lease_ms / 1000);
	return registry_open_shared(config->state_dir, config->database, &share, &d->registry, e);
}

static int open_state(struct daemon *d, struct err *e)
{
	const struct config *config = d->config;
	CLEANUP(free) char *cvms = NULL;

	umask(0022); /* for these two; everything later has its own mode or is only ours */
	if (make_folder("MANAGER_STATE_DIR", config->state_dir, e) < 0 ||
	    make_folder("MANAGER_SECRETS_DIR", config->secrets_dir, e) < 0 ||
	    check_memory_backed(config->secrets_dir, e) < 0)
		return err_code(e);
	umask(0077);
	if (lock_state(d, e) < 0 || text_format(&cvms, e, "%s/cvms", config->state_dir) < 0 ||
	    dir_make(cvms, 0700, e) < 0 || vm_hosts_init(&d->hosts, config, e) < 0 ||
	    open_registry(d, e) < 0)
		return err_code(e);
	return ports_new(config->forward_host, config->port_first, config->port_last, &d->ports, e);
}

static void on_notice(void *data, struct vm_host *host, const struct virt_notice *notice)
{
	struct daemon *d = data;

	if (d->fleet)
		fleet_notice(d->fleet, host, notice);
}

static int read_pem(const char *path, const char *setting, char **pem, struct err *e)
{
	if (path && file_read_text(path, RPC_TLS_PEM_MAX, pem, e) < 0)
		return err_wrap(e, "%s", setting);
	return 0;
}

static int open_lists(struct daemon *d, const char *authorities, struct err *e)
{
	const struct revocation_config config = { .setting = "MANAGER_GRPC_CLIENT_CRL",
						  .path = d->config->client_crl,
						  .ca = authorities,
						  .refused = revocation_audit,
						  .data = &d->calls.audit };

	return config.path ? revocation_new(&d->loop, &config, &d->revocation, e) : 0;
}

static int make_tls(struct daemon *d, struct err *e)
{
	const struct config *config = d->config;
	CLEANUP(free) char *cert = NULL, *between = NULL, *clients = NULL, *chain = NULL;
	CLEANUP(wipe) char *key = NULL;

	if (!config->server_cert)
		return 0;
	if (read_pem(config->server_cert, "MANAGER_GRPC_SERVER_CERT", &cert, e) < 0 ||
	    read_pem(config->server_key, "MANAGER_GRPC_SERVER_KEY", &key, e) < 0 ||
	    read_pem(config->server_ca_certs, "MANAGER_GRPC_SERVER_CA_CERTS", &between, e) < 0 ||
	    read_pem(config->client_ca_certs, "MANAGER_GRPC_CLIENT_CA_CERTS", &clients, e) < 0 ||
	    text_format(&chain, e, "%s\n%s", cert, between ? between : "") < 0 ||
	    open_lists(d, clients, e) < 0)
		return err_code(e);
	return rpc_tls_new_server(
		&(struct rpc_tls_config){
			.cert = chain, .key = key, .ca = clients, .revocation = d->revocation },
		&d->tls, e);
}

static int set_health(struct daemon *d, bool serving, struct err *e)
{
	/* The last is what the stock CLI asks for. */
	const char *const names[] = { "", service_manager.name, "manager" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (rpc_health_set(d->health, names[i], serving, e) < 0)
			return err_code(e);
	return 0;
}

static void on_health(void *data, bool serving)
{
	struct daemon *d = data;
	struct err e;

	if (!d->stopping && set_health(d, serving, &e) < 0)
		log_warn("%s", e.text);
}

static int listen_on_socket(struct daemon *d, struct err *e)
{
	const struct config *config = d->config;

	if (!config->socket)
		return 0;
	if (admin_socket_listen(d->server, config->socket, e) < 0)
		return err_wrap(e, "MANAGER_SOCKET");
	log_info("listening on unix:%s", config->socket);
	return 0;
}

static int listen_on_tcp(struct daemon *d, struct err *e)
{
	const struct config *config = d->config;
	bool v6 =
		config->grpc_host && strchr(config->grpc_host, ':') && config->grpc_host[0] != '[';
	CLEANUP(free) char *address = NULL;
	unsigned port;

	if (!config->grpc_host)
		return 0;
	if (text_format(&address, e, v6 ? "[%s]:%u" : "%s:%u", config->grpc_host,
			config->grpc_port) < 0 ||
	    make_tls(d, e) < 0 ||
	    rpc_server_listen(d->server, &(struct rpc_listen){ .address = address, .tls = d->tls },
			      &port, e) < 0)
		return err_code(e);
	log_info("listening on %s port %u, %s", config->grpc_host, port,
		 !d->tls                   ? "without TLS"
		 : config->client_ca_certs ? "with mutual TLS"
					   : "with TLS");
	return 0;
}

static int listen_for_calls(struct daemon *d, struct err *e)
{
	if (rpc_server_new(&d->loop, NULL, &d->server, e) < 0 ||
	    calls_open(&d->calls, d->config, e) < 0)
		return err_code(e);
	d->service = (struct service){ d->fleet, d->calls.access };
	if (rpc_server_add(d->server, &service_manager, &d->service, e) < 0 ||
	    rpc_health_new(d->server, &d->health, e) < 0 ||
	    set_health(d, fleet_health(d->fleet, on_health, d), e) < 0 ||
	    rpc_reflection_new(d->server, &d->reflection, e) < 0)
		return err_code(e);
	rpc_server_observe(d->server, &calls_observer, &d->calls);
	if (listen_on_socket(d, e) < 0 || listen_on_tcp(d, e) < 0)
		return err_code(e);
	d->metrics.config = d->config;
	d->metrics.lifecycle = &d->lifecycle;
	d->metrics.access = d->calls.access;
	d->metrics.revocation = d->revocation;
	if (vm_metrics_open(&d->metrics, &d->loop, d->fleet, d->tls, e) < 0)
		return err_wrap(e, "MANAGER_METRICS");
	d->calls.metrics = d->metrics.calls;
	return 0;
}

/* The end: no new calls, those under way finish, jobs finish, everything closes. */

static void on_drained(void *data)
{
	struct daemon *d = data;

	uv_stop(&d->loop);
}

static void on_signal(void *data, int signal)
{
	struct daemon *d = data;

	if (d->stopping)
		return;
	d->stopping = true;
	log_info("stopping; CVMs run on");
	log_notify("STOPPING=1");
	fleet_end_watches(d->fleet);
	rpc_server_drain(d->server, DRAIN_MS, on_drained, d);
}

/* The audit log was moved away (logrotate), or the table of who may call was changed. */
static void on_hangup(void *data)
{
	struct daemon *d = data;
	struct err e;

	audit_trail_hung_up(d->calls.audit.audit, "MANAGER_AUDIT_LOG");
	if (d->calls.access && d->config->access) {
		if (access_reload(d->calls.access, &e) < 0)
			log_error("MANAGER_ACCESS: %s: the table stays as it was", e.text);
		else
			log_info("MANAGER_ACCESS: read again");
	}
}

static int start(struct daemon *d, struct err *e)
{
	if (open_state(d, e) < 0 || vm_hosts_recall(&d->hosts, d->registry, e) < 0 ||
	    vm_hosts_open(&d->hosts, &d->loop, d->config->libvirt_uri, on_notice, d, e) < 0 ||
	    lifecycle_init(&d->lifecycle, d->config, d->registry, &d->hosts, d->ports, e) < 0 ||
	    fleet_new(&d->loop, &d->lifecycle, &d->fleet, e) < 0)
		return err_code(e);
	return listen_for_calls(d, e);
}

/* Another manager has them at once, and may have this one's name. */
static void leave_hosts(struct daemon *d)
{
	struct err e;

	if (registry_is_shared(d->registry) && registry_lease_release(d->registry, &e) < 0)
		log_warn("leases of hosts: %s", e.text);
}

static void on_dialled_enough(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	if (!fleet_only_dials(d->fleet))
		return;
	log_info("a host does not answer, and is not waited for");
	leave_hosts(d);
	registry_close(d->registry);
	_exit(d->failed);
}

/* Calls that were cut off count as abandoned: what their jobs made is undone first. Dialling is broken off; where that
 * takes time (a name is being looked up) nothing depends on it. */
static void end_fleet(struct daemon *d)
{
	uv_timer_t patience = { .data = d };

	uv_timer_init(&d->loop, &patience);
	uv_timer_start(&patience, on_dialled_enough, DIAL_MS, DIAL_MS);
	fleet_close(d->fleet);
	while (fleet_is_busy(d->fleet))
		uv_run(&d->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&patience, NULL);
	uv_run(&d->loop, UV_RUN_NOWAIT); /* it is this function's */
	leave_hosts(d);
	fleet_free(TAKE_PTR(d->fleet));
}

static void finish(struct daemon *d)
{
	d->stopping = true; /* also after a failed start: signals must not find a server */
	rpc_server_free(d->server);
	vm_metrics_close(&d->metrics);
	revocation_close(d->revocation);
	if (d->fleet)
		end_fleet(d);
	else
		leave_hosts(d);
	vm_hosts_close(&d->hosts);
	signals_unref(&d->signals);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	rpc_health_free(d->health);
	rpc_reflection_free(d->reflection);
	rpc_tls_free(d->tls);
	calls_close(&d->calls);
	vm_metrics_done(&d->metrics);
	lifecycle_done(&d->lifecycle);
	vm_hosts_done(&d->hosts);
	ports_free(d->ports);
	registry_close(d->registry);
	if (d->lock >= 0)
		close(d->lock);
	signals_done(&d->signals);
	uv_loop_close(&d->loop);
}

int daemon_run(const struct config *config, struct err *e)
{
	struct daemon d = { .config = config, .lock = -1 };

	if (config_simulates(config))
		log_warn("MANAGER_TEE=%s: SIMULATED, for tests; nothing protects these CVMs",
			 config->tee);
	setenv("UV_THREADPOOL_SIZE", POOL_THREADS, 1);
	if (uv_loop_init(&d.loop) < 0)
		return err_nomem(e);
	signals_start(&d.signals, &d.loop, on_signal, &d);
	signals_on_hangup(&d.signals, on_hangup);
	d.failed = start(&d, e) < 0;
	if (!d.failed) {
		log_notify("READY=1");
		uv_run(&d.loop, UV_RUN_DEFAULT);
	}
	finish(&d);
	return d.failed ? err_code(e) : 0;
}
