/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/calls.h"

#include "manager.pb-c.h"
#include "manager_paths.h"

#define READS(path_) { .path = path_, .reads = true }
#define CHANGES(path_, ...)                              \
	{                                                \
		.path = path_, .fields = { __VA_ARGS__ } \
	}
#define TEXT CALL_AUDIT_TEXT

const struct call_audit_method calls_methods[] = {
	CHANGES(PROTO_MANAGER_CREATE_VM, TEXT("name", Manager__CreateReq, name),
		TEXT("service", Manager__CreateReq, agent_cvm_server_url),
		TEXT("ttl", Manager__CreateReq, ttl)),
	CHANGES(PROTO_MANAGER_REMOVE_VM, TEXT("id", Manager__RemoveReq, cvm_id)),
	CHANGES(PROTO_MANAGER_ADOPT_STRAY, TEXT("id", Manager__AdoptStrayReq, id)),
	READS(PROTO_MANAGER_CVM_INFO),
	READS(PROTO_MANAGER_LIST_STRAYS),
	READS(PROTO_MANAGER_LIST_VMS),
	READS(PROTO_MANAGER_GET_VM),
	READS(PROTO_MANAGER_WATCH_VMS),
	READS(PROTO_MANAGER_ATTESTATION_POLICY),
};
const size_t calls_methods_count = ARRAY_LEN(calls_methods);

static int admit(void *data, struct rpc_call *call, const ProtobufCMessage *message, struct err *e)
{
	struct calls *calls = data;

	return call_audit_admit(&calls->audit, call, message, e);
}

static void ended(void *data, const struct rpc_call *call, bool admitted, const struct err *e)
{
	struct calls *calls = data;

	call_audit_ended(&calls->audit, call, admitted, e);
	if (calls->metrics)
		call_metrics_ended(calls->metrics, call, e);
}

const struct rpc_observer calls_observer = { .admit = admit, .ended = ended };

int calls_open(struct calls *calls, const struct config *config, struct err *e)
{
	*calls = (struct calls){ .audit = { .methods = calls_methods,
					    .count = calls_methods_count } };
	return audit_trail_open("cocos-manager", config->audit_log, &calls->audit.audit, e);
}

void calls_close(struct calls *calls)
{
	call_audit_close(&calls->audit);
}
