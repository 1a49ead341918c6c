/* SPDX-License-Identifier: Apache-2.0 */
/* service_stray.c — the methods about CVMs without a record. */
#include "common/base/log.h"
#include "manager.pb-c.h"
#include "manager/service/service.h"

static void reply_strays(struct rpc_call *call, const struct stray *strays, size_t count)
{
	CLEANUP(free) Manager__Stray *rows = calloc(count + 1, sizeof(*rows));
	CLEANUP(free) Manager__Stray **list = calloc(count + 1, sizeof(struct Manager__Stray *));
	Manager__ListStraysRes response = MANAGER__LIST_STRAYS_RES__INIT;
	struct err e;

	if (!rows || !list) {
		err_nomem(&e);
		service_fail(call, &e);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct stray *s = &strays[i];
		struct err why_not;

		list[i] = &rows[i];
		manager__stray__init(&rows[i]);
		rows[i].id = (char *)(uintptr_t)s->id;
		rows[i].domain = (char *)(uintptr_t)s->domain;
		rows[i].host = (char *)(uintptr_t)s->host;
		rows[i].folder = s->folder;
		rows[i].secrets = s->secrets;
		rows[i].adoptable = stray_check(s, &why_not) == 0;
	}
	response.strays = list;
	response.n_strays = count;
	rpc_call_reply(call, &response.base);
}

static void on_listed(void *data, const struct stray *strays, size_t count, const struct err *e)
{
	struct rpc_call *call = data;

	if (rpc_call_is_open(call)) {
		if (e)
			service_fail(call, e);
		else
			reply_strays(call, strays, count);
	}
	rpc_call_unref(call);
}

void service_list_strays(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct err e;

	if (fleet_strays(service_fleet(call), on_listed, rpc_call_ref(call), &e) < 0) {
		service_fail(call, &e);
		rpc_call_unref(call);
	}
}

static void on_adopted(void *data, const struct cvm *cvm, const struct err *e)
{
	struct rpc_call *call = data;

	if (e)
		service_fail(call, e);
	else
		service_reply_cvm(call, cvm);
	rpc_call_unref(call);
}

void service_adopt_stray(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Manager__AdoptStrayReq *request = (const Manager__AdoptStrayReq *)message;
	struct err e;

	if (fleet_adopt(service_fleet(call), request->id, on_adopted, rpc_call_ref(call), &e) < 0) {
		service_fail(call, &e);
		rpc_call_unref(call);
		return;
	}
	rpc_call_prove(call);
}
