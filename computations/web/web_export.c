/* SPDX-License-Identifier: Apache-2.0 */
/* web_export.c — a computation as a document by the API: Export of the administrators' methods. */
#include "computations.pb-c.h"
#include "computations/web/web_access.h"
#include "computations/web/web_act.h"
#include "computations/web/web_import.h"
#include "computations_paths.h"

#include <stdlib.h>
#include <string.h>

struct export
{
	struct http_request *r; /* a reference */
	struct admin_given given;
};

static void export_free(struct export *x)
{
	http_request_unref(x->r);
	free(x);
}

static void exported(void *data, const ProtobufCMessage *answer, const struct err *e)
{
	const Computations__ExportResponse *m = (const Computations__ExportResponse *)answer;
	struct http_answer reply = { .status = 200, .type = WEB_JSON_TYPE };
	struct export *x = data;
	struct err none;

	if (!e) {
		reply.len = m->document.len;
		reply.body = malloc(reply.len + 1);
	}
	if (!reply.body) {
		http_request_fail(x->r, e ? e : (err_nomem(&none), &none));
		export_free(x);
		return;
	}
	memcpy(reply.body, m->document.data, reply.len);
	reply.more[0] = (struct rpc_web_field){ "content-disposition",
						"attachment; filename=\"computation.json\"" };
	http_request_answer(x->r, &reply);
	export_free(x);
}

void web_export(struct http_request *r, void *data)
{
	struct web *web = data;
	struct export *x = calloc(1, sizeof(*x));
	Computations__ExportRequest m = COMPUTATIONS__EXPORT_REQUEST__INIT;
	char *id = (char *)(uintptr_t)http_request_param(r, "id");
	struct rpc_local local = web_local(r);
	struct err e;

	err_nomem(&e);
	if (!x || web_access_take(web, r, &x->given.caller, &e) < 0) {
		http_request_fail(r, &e);
		free(x);
		return;
	}
	x->r = http_request_ref(r);
	x->given.via = "api";
	x->given.is_proven = !x->given.caller.has_token && !x->given.caller.has_login;
	local.given = &x->given;
	local.answered = exported;
	local.data = x;
	m.ids = &id;
	m.n_ids = 1;
	rpc_local_call(web->service->admins, PROTO_COMPUTATIONS_EXPORT, &m.base, &local);
}
