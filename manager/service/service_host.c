/* SPDX-License-Identifier: Apache-2.0 */
/* service_host.c — the methods about hosts. */
#include "google/protobuf/empty.pb-c.h"
#include "manager.pb-c.h"
#include "manager/fleet/fleet_view.h"
#include "manager/service/service.h"

#include <stdio.h>

static char *text(const char *borrowed)
{
	return (char *)(uintptr_t)borrowed;
}

enum { PROBLEM_MAX = HOST_URI_MAX + 32 };

static void fill(Manager__Host *row, const struct host_view *view, char *tees[HOST_TEES],
		 char problem[PROBLEM_MAX])
{
	manager__host__init(row);
	row->name = text(view->row->name);
	row->uri = text(view->uri);
	row->state = text(view->is_there ? "connected" : view->lost ? "lost" : "connecting");
	row->draining = view->draining;
	row->added = view->added;
	row->tees = tees;
	for (enum domain_tee t = DOMAIN_PLAIN; t < (enum domain_tee)HOST_TEES; t++)
		if (view->tees[t])
			tees[row->n_tees++] = text(domain_tee_name(t));
	row->address = text(view->address);
	row->strays = view->strays;
	row->cvms = (uint32_t)view->used.machines - view->strays;
	row->cpus_used = view->used.cpus;
	row->cpus = view->has.cpus;
	row->memory_used = view->used.memory;
	row->memory = view->has.memory;
	row->cvms_max = view->has.machines;
	row->manager = text(view->holder);
	if (view->held_uri)
		snprintf(problem, PROBLEM_MAX, "that manager calls it %s", view->held_uri);
	else if (view->twin_of)
		snprintf(problem, PROBLEM_MAX, "it is the machine of host %s", view->twin_of);
	else
		return;
	row->problem = problem;
}

void service_list_hosts(struct rpc_call *call, const ProtobufCMessage *message)
{
	Manager__ListHostsRes response = MANAGER__LIST_HOSTS_RES__INIT;
	Manager__Host rows[HOSTS_MAX], *list[HOSTS_MAX];
	char *tees[HOSTS_MAX][HOST_TEES], problems[HOSTS_MAX][PROBLEM_MAX];
	struct host_view view;

	while (response.n_hosts < HOSTS_MAX &&
	       fleet_host_view(service_fleet(call), response.n_hosts, &view)) {
		size_t i = response.n_hosts++;

		fill(&rows[i], &view, tees[i], problems[i]);
		list[i] = &rows[i];
	}
	response.hosts = list;
	rpc_call_reply(call, &response.base);
}

/* Also if the caller has left: how it ended is for the audit log. */
static void on_changed(void *data, const struct host_left *left, const struct err *e)
{
	Google__Protobuf__Empty response = GOOGLE__PROTOBUF__EMPTY__INIT;
	struct rpc_call *call = data;

	if (e)
		service_fail(call, e);
	else
		rpc_call_reply(call, &response.base);
	rpc_call_unref(call);
}

static void on_removed(void *data, const struct host_left *left, const struct err *e)
{
	Manager__RemoveHostRes response = MANAGER__REMOVE_HOST_RES__INIT;
	char *strays[HOST_LEFT_MAX], *volumes[HOST_LEFT_MAX];
	struct rpc_call *call = data;

	if (e) {
		service_fail(call, e);
		rpc_call_unref(call);
		return;
	}
	response.asked = left->asked;
	response.strays = (uint32_t)left->strays;
	response.volumes = (uint32_t)left->volumes;
	for (size_t i = 0; i < left->strays && i < HOST_LEFT_MAX; i++)
		strays[response.n_stray_ids++] = text(left->stray_ids[i]);
	for (size_t i = 0; i < left->volumes && i < HOST_LEFT_MAX; i++)
		volumes[response.n_volume_names++] = text(left->volume_names[i]);
	response.stray_ids = strays;
	response.volume_names = volumes;
	rpc_call_reply(call, &response.base);
	rpc_call_unref(call);
}

/* What was begun, or why it was not. */
static void answer(struct rpc_call *call, int failed, const struct err *e)
{
	if (!failed) {
		rpc_call_prove(call);
		return;
	}
	service_fail(call, e);
	rpc_call_unref(call);
}

void service_add_host(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Manager__AddHostReq *request = (const Manager__AddHostReq *)message;
	struct err e;

	answer(call,
	       fleet_host_add(service_fleet(call), request->name, request->uri, request->words,
			      on_changed, rpc_call_ref(call), &e),
	       &e);
}

void service_drain_host(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Manager__DrainHostReq *request = (const Manager__DrainHostReq *)message;
	struct err e;

	answer(call,
	       fleet_host_drain(service_fleet(call), request->name, true, on_changed,
				rpc_call_ref(call), &e),
	       &e);
}

void service_undrain_host(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Manager__UndrainHostReq *request = (const Manager__UndrainHostReq *)message;
	struct err e;

	answer(call,
	       fleet_host_drain(service_fleet(call), request->name, false, on_changed,
				rpc_call_ref(call), &e),
	       &e);
}

void service_remove_host(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Manager__RemoveHostReq *request = (const Manager__RemoveHostReq *)message;
	struct err e;

	answer(call,
	       fleet_host_remove(service_fleet(call), request->name, on_removed, rpc_call_ref(call),
				 &e),
	       &e);
}
