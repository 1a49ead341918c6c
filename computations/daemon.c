/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/daemon.h"

#include "common/audit/audit_hangup.h"
#include "common/audit/revocation_audit.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/wipe.h"
#include "common/rpc/admin_socket.h"
#include "common/rpc/signals.h"
#include "computations/admin/admin_calls.h"
#include "computations/ca/ocsp.h"
#include "computations/core/appraisal.h"
#include "computations/core/database_watch.h"
#include "computations/core/hook_sender.h"
#include "computations/core/judge_line.h"
#include "computations/core/lease_watch.h"
#include "computations/core/mail_sender.h"
#include "computations/core/own_list.h"
#include "computations/core/password_line.h"
#include "computations/core/service.h"
#include "computations/core/service_metrics.h"
#include "computations/core/session_seen.h"
#include "computations/core/usage_keeper.h"
#include "computations/core/workflow_waits.h"
#include "computations/machines/machines.h"
#include "computations/service_authority.h"
#include "computations/service_front.h"
#include "computations/service_instance.h"
#include "computations/service_relay.h"
#include "computations/service_rpcs.h"
#include "computations/store/store_secret.h"
#include "computations/web/web.h"

#include <signal.h>
#include <string.h>

enum {
	DRAIN_MS = 5000,
	LOST_DRAIN_MS = 100,   /* for refusals on their way */
	QUEUED_MAX = 16 << 20, /* in one call: a manifest, a page of records */
	ADMIN_CONNECTIONS_MAX = 512,
};

/* From its start to its end; beside other instances, each time that it serves. */
struct daemon {
	uv_loop_t *loop;
	struct signals *signals;
	struct instance_metric *instance;
	struct service_doors doors;
	struct relay_inner *inner;       /* NULL: nobody passes callers on to this one */
	struct lease_watch *watch;       /* NULL: no others serve in its place */
	struct database_watch *database; /* NULL: others do, or it has a file of its own */
	struct store store;
	struct store_queue *queue;
	struct service service;
	struct service_front agents, admins; /* who calls */
	struct admin_calls calls;
	struct service_metrics metrics;
	struct revocation *agent_lists, *admin_lists; /* NULL: no lists are asked */
	struct web *web;
	struct usage_keeper *usage;
	struct session_seen *seen;
	unsigned draining;
	bool is_lost; /* the lease is another instance's */
};

/* What settings name of a listener. */
struct files {
	const char *settings; /* the beginning of their names */
	const char *cert, *key, *ca;
	const char *crl_setting, *crl;
};

/* Lists are asked of everybody where a file is named, and of the service's own authority in any case. */
static int open_lists(struct daemon *d, const struct files *files, const char *ca,
		      struct revocation **lists, struct err *e)
{
	const struct revocation_config config = { .setting = files->crl_setting,
						  .path = files->crl,
						  .ca = ca,
						  .refused = revocation_audit,
						  .data = &d->calls.audit };

	return ca && (files->crl || d->service.authority)
		       ? revocation_new(d->loop, &config, lists, e)
		       : 0;
}

static int load_tls(struct daemon *d, const struct files *files, struct revocation **lists,
		    struct rpc_tls **tls, struct err *e)
{
	const char *settings = files->settings;
	CLEANUP(free) char *cert = NULL, *ca = NULL;
	CLEANUP(wipe) char *key = NULL;

	if (!files->cert)
		return 0;
	if (file_read_text(files->cert, RPC_TLS_PEM_MAX, &cert, e) < 0)
		return err_wrap(e, "%s_SERVER_CERT", settings);
	if (file_read_text(files->key, RPC_TLS_PEM_MAX, &key, e) < 0)
		return err_wrap(e, "%s_SERVER_KEY", settings);
	if (files->ca && file_read_text(files->ca, RPC_TLS_PEM_MAX, &ca, e) < 0)
		return err_wrap(e, "%s_CLIENT_CA_CERTS", settings);
	if (open_lists(d, files, ca, lists, e) < 0)
		return err_code(e);
	if (rpc_tls_new_server(
		    &(struct rpc_tls_config){
			    .cert = cert, .key = key, .ca = ca, .revocation = *lists },
		    tls, e) < 0)
		return err_wrap(e, "%s_SERVER_CERT '%s'", settings, files->cert);
	return 0;
}

static int open_agents(struct daemon *d, const struct config *c, struct err *e)
{
	const struct files files = { "COMPUTATIONS_GRPC",
				     c->server_cert,
				     c->server_key,
				     c->client_ca_certs,
				     "COMPUTATIONS_GRPC_CLIENT_CRL",
				     c->client_crl };
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	struct rpc_limits limits = rpc_limits_default();

	limits.queued_max = QUEUED_MAX;
	limits.connections_max = 2 * (unsigned)c->max_cvms +
				 64; /* agents, forwarders, and new ones that take over */
	if (load_tls(d, &files, &d->agent_lists, &tls, e) < 0 ||
	    service_front_new(&d->agents, d->loop, &limits, service_rpcs, 1, &d->service, e) < 0)
		return err_code(e);
	service_doors_set(&d->doors, RELAY_AGENTS, d->agents.server, tls);
	return service_front_listen(&d->agents, "agents", c->host, c->port, tls,
				    c->client_ca_certs != NULL, e);
}

static int open_socket(struct daemon *d, const char *path, struct err *e)
{
	if (admin_socket_listen(d->admins.server, path, e) < 0)
		return err_wrap(e, "listen for administrators at COMPUTATIONS_ADMIN_SOCKET");
	log_info("administrators: listening on unix:%s", path);
	return 0;
}

static int open_metrics(struct daemon *d, const struct config *c, struct rpc_tls *tls,
			struct err *e)
{
	d->metrics.rpcs = service_rpcs;
	d->metrics.rpc_count = SERVICE_RPCS;
	if (service_metrics_open(&d->metrics, c, d->instance, &d->service, tls, e) < 0)
		return err_wrap(e, "COMPUTATIONS_METRICS");
	d->calls.metrics = d->metrics.calls;
	if (d->metrics.calls)
		rpc_server_observe(d->agents.server, &call_metrics_observer, d->metrics.calls);
	return 0;
}

static int open_admins(struct daemon *d, const struct config *c, struct err *e)
{
	const struct files files = { "COMPUTATIONS_ADMIN",
				     c->admin_server_cert,
				     c->admin_server_key,
				     c->admin_client_ca_certs,
				     "COMPUTATIONS_ADMIN_CLIENT_CRL",
				     c->admin_client_crl };
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	struct rpc_limits limits = rpc_limits_default();

	limits.queued_max = QUEUED_MAX;
	limits.connections_max = ADMIN_CONNECTIONS_MAX;
	if (load_tls(d, &files, &d->admin_lists, &tls, e) < 0 ||
	    admin_calls_open(&d->calls, c, e) < 0 ||
	    service_front_new(&d->admins, d->loop, &limits, service_rpcs + 1, SERVICE_RPCS - 1,
			      &d->service, e) < 0)
		return err_code(e);
	d->service.sign_in = c->admin_sign_in;
	admin_calls_keep(&d->calls, d->queue);
	d->service.admins = d->admins.server;
	d->service.known = &d->calls.known;
	d->service.calls = d->calls.rate;
	rpc_server_observe(d->admins.server, &admin_calls_observer, &d->calls);
	if (open_socket(d, c->admin_socket, e) < 0 || open_metrics(d, c, tls, e) < 0)
		return err_code(e);
	if (web_open(c, &d->service, tls, &d->web, e) < 0)
		return err_wrap(e, "COMPUTATIONS_WEB");
	service_doors_set(&d->doors, RELAY_ADMIN_SOCKET, d->admins.server, NULL);
	service_doors_set(&d->doors, RELAY_PAGE, web_tls_server(d->web), tls);
	if (!c->has_admin_port)
		return 0;
	service_doors_set(&d->doors, RELAY_ADMINS, d->admins.server, tls);
	return service_front_listen(&d->admins, "administrators", c->admin_host, c->admin_port, tls,
				    c->admin_client_ca_certs != NULL, e);
}

static void on_drained(void *data)
{
	struct daemon *d = data;

	if (--d->draining)
		return;
	d->instance->inner = NULL;
	relay_inner_close(d->inner);
	service_doors_done(&d->doors);
	lease_watch_stop(d->watch);
	d->metrics.database = NULL;
	database_watch_stop(TAKE_PTR(d->database));
	own_list_stop(d->service.own_list);
	revocation_close(d->agent_lists);
	revocation_close(d->admin_lists);
	admin_calls_keep_no_more(&d->calls);
	service_front_free(&d->agents);
	service_front_free(&d->admins);
	/* A form of the page may still wait for its password to be compared, and would call it then. */
	d->service.admins = NULL;
	service_metrics_close(&d->metrics);
	web_close(d->web);
	hook_sender_stop(d->service.hooks);
	usage_keeper_stop(d->usage);
	session_seen_stop(d->seen);
	mail_sender_stop(d->service.mails);
	signals_unref(d->signals);
}

static void stop(struct daemon *d, unsigned drain_ms)
{
	d->service.stopping = true;
	relay_inner_stop(d->inner);
	d->draining = 2;
	rpc_server_drain(d->agents.server, drain_ms, on_drained, d);
	rpc_server_drain(d->admins.server, drain_ms, on_drained, d);
	session_end_all(&d->service);
	machines_stop(d->service.machines);
	appraisal_stop(d->service.appraisal);
	workflow_waits_stop(d->service.workflow_waits);
	logs_end_all(&d->service);
}

/* Nothing that anybody waits for can end well. */
static void on_lost(void *data)
{
	struct daemon *d = data;

	if (d->service.stopping)
		return;
	log_warn("%s",
		 d->store.lease
			 ? "the lease has run out or is another instance's: this one serves no "
			   "more"
			 : "an instance has had the database: this one opens it anew");
	d->is_lost = true;
	stop(d, LOST_DRAIN_MS);
	/* Nor may what a look has just found be sent: that is the other's. */
	hook_sender_stop(d->service.hooks);
	mail_sender_stop(d->service.mails);
}

/* Who sends callers elsewhere sees it at both fronts, and at /readyz. */
static void on_database(void *data, bool answers)
{
	struct daemon *d = data;

	service_front_serves(&d->agents, service_rpcs, 1, answers);
	service_front_serves(&d->admins, service_rpcs + 1, SERVICE_RPCS - 1, answers);
}

/* Behind the fronts, which it tells. */
static int watch_database(struct daemon *d, const struct config *c, struct err *e)
{
	if (d->store.lease || !c->database)
		return 0;
	if (database_watch_new(d->loop, d->queue, on_database, d, &d->database, e) < 0)
		return err_code(e);
	d->metrics.database = d->database;
	return 0;
}

/* While nothing else uses the database. */
static int open_authority(struct daemon *d, const struct config *c, struct err *e)
{
	if (service_authority_open(c, &d->service.authority, e) < 0)
		return err_code(e);
	d->service.ca_evidence = c->ca_evidence;
	if (d->service.authority &&
	    ocsp_responder_new(d->service.authority, &d->service.ocsp, e) < 0)
		return err_code(e);
	if (service_authority_look(d->service.authority, &d->store, e) < 0)
		return err_code(e);
	return own_list_new(&d->service, d->service.authority, &d->store, &d->service.own_list, e);
}

static void close_authority(struct service *service)
{
	own_list_free(service->own_list);
	ocsp_responder_free(service->ocsp);
	authority_free(service->authority);
}

static int open_listeners(struct daemon *d, const struct config *c, struct err *e)
{
	if (hook_sender_new(d->loop, d->queue, c, &d->service.hooks, e) < 0 ||
	    usage_keeper_new(d->loop, d->queue, c, &d->usage, e) < 0 ||
	    session_seen_new(&d->service, SESSION_SEEN_MS, &d->seen, e) < 0 ||
	    mail_sender_new(d->loop, d->queue, c, &d->service.mails, e) < 0 ||
	    open_agents(d, c, e) < 0 || open_admins(d, c, e) < 0)
		return err_code(e);
	d->metrics.revocations[0] = d->agent_lists;
	d->metrics.revocations[1] = d->admin_lists;
	if (own_list_listen(d->service.own_list, d->metrics.revocations, e) < 0 ||
	    service_inner_open(d->loop, c, d->store.lease, &d->doors, &d->inner, e) < 0)
		return err_code(e);
	d->instance->inner = d->inner;
	return watch_database(d, c, e);
}

/* The parts that calls need, then who may call; nobody comes in before the loop runs. */
static int start(struct daemon *d, const struct config *c, struct err *e)
{
	struct service *s = &d->service;

	if (store_queue_new(d->loop, &d->store, &d->queue, e) < 0)
		return err_code(e);
	service_init(s, d->loop, d->queue, c->max_cvms);
	if (lease_watch_new(d->loop, d->queue, d->store.lease, on_lost, d, &d->watch, e) < 0)
		return err_code(e);
	if (!d->store.lease)
		store_queue_on_lost(d->queue, on_lost, d);
	if (password_line_new(d->loop, &s->passwords, e) < 0 ||
	    judge_line_new(d->loop, &s->judges, e) < 0 ||
	    appraisal_new(d->loop, c, &s->appraisal, e) < 0 ||
	    machines_new(s, &d->store, c->managers, &s->machines, e) < 0 ||
	    open_authority(d, c, e) < 0 || workflow_waits_new(s, &s->workflow_waits, e) < 0)
		return err_code(e);
	return open_listeners(d, c, e);
}

/* What works by the clock. */
static void free_senders(struct daemon *d)
{
	hook_sender_free(d->service.hooks);
	usage_keeper_free(d->usage);
	session_seen_free(d->seen);
	mail_sender_free(d->service.mails);
}

/* With its store open, which is closed in every case. */
static int serve(struct daemon *d, const struct config *config, struct err *e)
{
	const int failed = start(d, config, e);

	if (!failed) {
		log_info("ready");
		log_notify(d->watch ? "READY=1\nSTATUS=serving" : "READY=1");
	} else {
		d->service.stopping = true;
		machines_stop(d->service.machines);
		workflow_waits_stop(d->service.workflow_waits);
		d->draining = 1;
		on_drained(d);
	}
	uv_run(d->loop, UV_RUN_DEFAULT);
	service_front_done(&d->agents);
	service_front_done(&d->admins);
	appraisal_free(d->service.appraisal);
	password_line_free(d->service.passwords);
	judge_line_free(d->service.judges);
	machines_free(d->service.machines);
	free_senders(d);
	workflow_waits_free(d->service.workflow_waits);
	store_queue_free(d->queue);
	close_authority(&d->service);
	admin_calls_close(&d->calls);
	service_metrics_done(&d->metrics);
	web_done(d->web);
	store_close(&d->store);
	return failed;
}

/* ---- from the program's start to its end ---- */

struct life {
	uv_loop_t loop;
	struct signals signals;
	struct instance_metric metric;
	struct daemon *daemon;     /* NULL: it does not serve now */
	struct instance *instance; /* NULL: it does not stand by now */
	bool is_ending;
};

static void on_signal(void *data, int number)
{
	struct life *life = data;
	struct daemon *d = life->daemon;

	if (life->is_ending)
		return;
	life->is_ending = true;
	log_info("%s: finishing", number == SIGTERM ? "SIGTERM" : "SIGINT");
	log_notify("STOPPING=1");
	if (life->instance)
		instance_stop(life->instance);
	else if (d && !d->service.stopping)
		stop(d, DRAIN_MS);
}

/* The audit log was moved away (logrotate). */
static void on_hangup(void *data)
{
	struct daemon *d = ((struct life *)data)->daemon;

	audit_trail_hung_up(d ? d->calls.audit.audit : NULL, "COMPUTATIONS_AUDIT_LOG");
}

static void on_stood_by(void *data)
{
	struct life *life = data;

	signals_unref(&life->signals);
}

/* `*serves`: it is this one's turn, and the store is open. */
static int stand_by(struct life *life, const struct config *config,
		    const struct store_limits *limits, struct store *store, bool *serves,
		    struct err *e)
{
	const struct instance_place place = { &life->loop, config, limits, &life->metric };

	if (instance_stand_by(&place, store, on_stood_by, life, &life->instance, e) < 0)
		return err_code(e);
	uv_run(&life->loop, UV_RUN_DEFAULT);
	signals_ref(&life->signals);
	const int failed = instance_done(life->instance, serves, e);
	life->instance = NULL;
	if (!failed && *serves && life->is_ending) { /* a signal in the last moment */
		store_close(store);
		*serves = false;
	}
	return failed;
}

/* Before anything else uses the store, which is closed if that fails. */
static int open_secrets(struct store *store, const struct config *config, struct err *e)
{
	const struct store_secrets_place place = config_secrets(config);

	if (store_secrets_open(store, config->state_dir, &place, e) == 0)
		return 0;
	store_close(store);
	return err_code(e);
}

/* Once; beside other instances until somebody ends it, or it fails. */
static int live(struct life *life, const struct config *config, struct err *e)
{
	const struct store_limits limits = {
		.computations = config->max_computations,
		.cvms = config->max_cvms,
		.records = config->max_records,
		.record_bytes = config->max_record_bytes,
		.audit_rows = config->max_audit_rows,
	};
	bool serves = true, is_lost;
	int failed;

	do {
		struct daemon d = { .loop = &life->loop,
				    .signals = &life->signals,
				    .instance = &life->metric };

		failed = config->instance ? stand_by(life, config, &limits, &d.store, &serves, e)
					  : store_open(&d.store, config->state_dir,
						       config->database, &limits, e);
		if (failed || !serves || open_secrets(&d.store, config, e) < 0)
			return failed || !serves ? failed : err_code(e);
		life->daemon = &d;
		failed = serve(&d, config, e);
		life->daemon = NULL;
		signals_ref(&life->signals);
		is_lost = d.is_lost;
	} while (!failed && is_lost && !life->is_ending);
	return failed;
}

int daemon_run(const struct config *config, struct err *e)
{
	struct life life = { .is_ending = false };

	uv_loop_init(&life.loop);
	signals_start(&life.signals, &life.loop, on_signal, &life);
	signals_on_hangup(&life.signals, on_hangup);
	const int failed = live(&life, config, e);
	signals_done(&life.signals);
	uv_loop_close(&life.loop);
	if (!failed)
		log_info("stopped");
	return failed;
}
