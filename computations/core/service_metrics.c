/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/service_metrics.h"

#include "common/base/log.h"
#include "computations/ca/authority.h"
#include "computations/core/session.h"

#include <stdio.h>

static void write_agents(const struct service *service, struct metrics_text *t)
{
	const struct metrics_label verified[] = { { "verified", "true" }, { 0 } };
	const struct metrics_label unverified[] = { { "verified", "false" }, { 0 } };
	size_t counts[2] = { 0 };
	const struct session *s;

	TAILQ_FOREACH(s, &service->sessions, next)
		if (s->arrived && !s->forwarder)
			counts[s->verified]++;
	metrics_family(t, "cocos_computations_cvms_connected", METRICS_GAUGE,
		       "CVMs whose agent is connected; verified: its evidence was judged good.");
	metrics_sample(t, verified, (double)counts[true]);
	metrics_sample(t, unverified, (double)counts[false]);
	metrics_family(t, "cocos_computations_streams", METRICS_GAUGE,
		       "Streams of agents, those that only report among them.");
	metrics_sample(t, NULL, (double)(service->session_count + service->forwarder_count));
	metrics_family(t, "cocos_computations_waiting_bytes", METRICS_GAUGE,
		       "What agents said and the database has not taken yet.");
	metrics_sample(t, NULL, (double)service->arrived_bytes);
}

static void write_limits(const struct config *c, struct metrics_text *t)
{
	metrics_family(t, "cocos_computations_cvms_max", METRICS_GAUGE,
		       "CVMs that may be known at a time.");
	metrics_sample(t, NULL, (double)c->max_cvms);
	metrics_family(t, "cocos_computations_computations_max", METRICS_GAUGE,
		       "Computations that may be kept.");
	metrics_sample(t, NULL, (double)c->max_computations);
}

static void write_authority(const struct authority *authority, struct metrics_text *t)
{
	const struct metrics_label now[] = { { "authority", "now" }, { 0 } };
	const struct metrics_label old[] = { { "authority", "before" }, { 0 } };
	const struct authority *a;
	struct err ignored;

	if (!authority)
		return;
	metrics_family(
		t, "cocos_computations_ca_key_signs", METRICS_GAUGE,
		"1: the authority's key signs; 0: its device is gone, hangs or refuses the PIN.");
	for (a = authority; a; a = a->old)
		metrics_sample(t, a == authority ? now : old,
			       ca_signer_is_well(a->signer, &ignored) ? 1 : 0);
	metrics_family(t, "cocos_computations_ca_end_seconds", METRICS_GAUGE,
		       "When the authority's certificate ends, in seconds since 1970.");
	for (a = authority; a; a = a->old)
		metrics_sample(t, a == authority ? now : old, (double)(a->ends / 1000));
}

static void write_instance(const struct instance_metric *i, struct metrics_text *t)
{
	metrics_family(t, "cocos_computations_serving", METRICS_GAUGE,
		       "1: this instance serves; 0: it stands by.");
	metrics_sample(t, NULL, i->is_standby ? 0 : 1);
	metrics_family(t, "cocos_computations_takeovers", METRICS_COUNTER,
		       "How often this instance took the place of one that had not given it back.");
	metrics_sample(t, NULL, (double)i->takeovers);
}

/* By one that stands by, or to the one that serves: their names are the same, and which it is `serving` says. */
static void write_relay(const struct instance_metric *i, struct metrics_text *t)
{
	const struct metrics_label to[] = { { "direction", "to_instance" }, { 0 } };
	const struct metrics_label from[] = { { "direction", "from_instance" }, { 0 } };
	struct relay_stats s;

	if (!i->front && !i->inner)
		return;
	s = i->front ? relay_front_stats(i->front) : relay_inner_stats(i->inner);
	metrics_family(t, "cocos_computations_passed_connections", METRICS_GAUGE,
		       "Connections that are passed on between instances now.");
	metrics_sample(t, NULL, (double)s.now);
	metrics_family(t, "cocos_computations_passed", METRICS_COUNTER,
		       "Connections that were passed on, in this role.");
	metrics_sample(t, NULL, (double)s.total);
	metrics_family(
		t, "cocos_computations_passed_refused", METRICS_COUNTER,
		"Connections that were not: no place, no instance that serves, no proof of one.");
	metrics_sample(t, NULL, (double)s.refused);
	metrics_family(t, "cocos_computations_passed_failed", METRICS_COUNTER,
		       "Connections passed on that broke, or were cut for another instance.");
	metrics_sample(t, NULL, (double)s.failed);
	metrics_family(t, "cocos_computations_passed_bytes", METRICS_COUNTER, "What they carried.");
	metrics_sample(t, to, (double)s.out_bytes);
	metrics_sample(t, from, (double)s.in_bytes);
}

static void write_database(const struct database_watch *database, struct metrics_text *t)
{
	if (!database)
		return;
	metrics_family(t, "cocos_computations_database_up", METRICS_GAUGE,
		       "1: the database server answers; 0: it can't be reached, or is silent.");
	metrics_sample(t, NULL, database_watch_why(database) ? 0 : 1);
}

static bool passes_on(const struct instance_metric *i)
{
	return i->front && relay_front_holder(i->front);
}

static bool is_ready(void *data, char *line, size_t room)
{
	const struct service_metrics *m = data;
	const struct instance_metric *i = m->instance;
	struct err why;

	if (i->is_standby && passes_on(i))
		snprintf(line, room, "passes on to instance %s", relay_front_holder(i->front));
	else if (i->is_standby)
		snprintf(line, room, "standby: %s", i->waits);
	else if (!m->service->stopping && database_watch_why(m->database))
		snprintf(line, room, "the database does not answer: %s",
			 database_watch_why(m->database));
	else if (!m->service->stopping && m->service->authority &&
		 !ca_signer_is_well(m->service->authority->signer, &why))
		snprintf(line, room, "serving; the authority's key does not sign: %s", why.text);
	else
		snprintf(line, room, "%s", m->service->stopping ? "going down" : "serving");
	return i->is_standby ? passes_on(i)
			     : !m->service->stopping && !database_watch_why(m->database);
}

static void write_standby(void *data, struct metrics_text *t)
{
	const struct service_metrics *m = data;

	write_instance(m->instance, t);
	write_relay(m->instance, t);
	process_metrics_write(t);
}

int service_metrics_stand_by(struct service_metrics *m, const struct config *config,
			     const struct instance_metric *instance, uv_loop_t *loop, struct err *e)
{
	m->instance = instance;
	if (!config->metrics)
		return 0;
	if (metrics_address_is_open(config->metrics)) {
		log_info("metrics: none while this instance stands by: others than this machine "
			 "reach %s",
			 log_quote(config->metrics).text);
		return 0;
	}
	return metrics_server_new(
		loop, config->metrics, NULL,
		&(struct metrics_source){ .write = write_standby, .ready = is_ready, .data = m },
		&m->server, e);
}

static void write_page(void *data, struct metrics_text *t)
{
	struct service_metrics *m = data;

	write_instance(m->instance, t);
	write_relay(m->instance, t);
	call_metrics_write(m->calls, t);
	write_agents(m->service, t);
	write_database(m->database, t);
	write_limits(m->config, t);
	write_authority(m->service->authority, t);
	certificate_metrics_write(m->certificates, ARRAY_LEN(m->certificates), t);
	revocation_metrics_write(m->revocations, ARRAY_LEN(m->revocations), t);
	process_metrics_write(t);
}

int service_metrics_open(struct service_metrics *m, const struct config *config,
			 const struct instance_metric *instance, const struct service *service,
			 struct rpc_tls *tls, struct err *e)
{
	m->config = config;
	m->instance = instance;
	m->service = service;
	m->certificates[0] =
		(struct certificate_metric){ .setting = "COMPUTATIONS_GRPC_SERVER_CERT",
					     .path = config->server_cert };
	m->certificates[1] =
		(struct certificate_metric){ .setting = "COMPUTATIONS_GRPC_CLIENT_CA_CERTS",
					     .path = config->client_ca_certs };
	m->certificates[2] =
		(struct certificate_metric){ .setting = "COMPUTATIONS_ADMIN_SERVER_CERT",
					     .path = config->admin_server_cert };
	m->certificates[3] =
		(struct certificate_metric){ .setting = "COMPUTATIONS_ADMIN_CLIENT_CA_CERTS",
					     .path = config->admin_client_ca_certs };
	if (!config->metrics)
		return 0;
	if (call_metrics_new(m->rpcs, m->rpc_count, &m->calls, e) < 0)
		return err_code(e);
	return metrics_server_new(
		service->loop, config->metrics, tls,
		&(struct metrics_source){ .write = write_page, .ready = is_ready, .data = m },
		&m->server, e);
}

void service_metrics_close(struct service_metrics *m)
{
	metrics_server_close(m->server);
}

void service_metrics_done(struct service_metrics *m)
{
	metrics_server_done(TAKE_PTR(m->server));
	call_metrics_free(TAKE_PTR(m->calls));
}
