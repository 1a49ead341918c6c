/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/settings/calls.h"

#include "common/base/file.h"
#include "common/rpc/tls.h"
#include "manager.pb-c.h"
#include "manager_paths.h"

#include <string.h>

#define READS(path_) { .path = path_, .reads = true }
#define CHANGES(path_, ...)                              \
	{                                                \
		.path = path_, .fields = { __VA_ARGS__ } \
	}
#define TEXT CALL_AUDIT_TEXT

const struct call_audit_method calls_methods[] = {
	CHANGES(PROTO_MANAGER_CREATE_VM, TEXT("name", Manager__CreateReq, name),
		TEXT("service", Manager__CreateReq, agent_cvm_server_url),
		TEXT("ttl", Manager__CreateReq, ttl), TEXT("tee", Manager__CreateReq, tee),
		TEXT("image", Manager__CreateReq, image)),
	CHANGES(PROTO_MANAGER_REMOVE_VM, TEXT("id", Manager__RemoveReq, cvm_id)),
	CHANGES(PROTO_MANAGER_ADOPT_STRAY, TEXT("id", Manager__AdoptStrayReq, id)),
	CHANGES(PROTO_MANAGER_SET_DEFAULT_IMAGE, TEXT("image", Manager__SetDefaultImageReq, name)),
	CHANGES(PROTO_MANAGER_REMOVE_IMAGE, TEXT("image", Manager__RemoveImageReq, name)),
	CHANGES(PROTO_MANAGER_ADD_HOST, TEXT("host", Manager__AddHostReq, name),
		TEXT("uri", Manager__AddHostReq, uri), TEXT("words", Manager__AddHostReq, words)),
	CHANGES(PROTO_MANAGER_DRAIN_HOST, TEXT("host", Manager__DrainHostReq, name)),
	CHANGES(PROTO_MANAGER_UNDRAIN_HOST, TEXT("host", Manager__UndrainHostReq, name)),
	CHANGES(PROTO_MANAGER_REMOVE_HOST, TEXT("host", Manager__RemoveHostReq, name)),
	/* It changes nothing; but what a machine says may be more than its operator should read unseen. */
	CHANGES(PROTO_MANAGER_CONSOLE, TEXT("id", Manager__ConsoleReq, id)),
	READS(PROTO_MANAGER_CVM_INFO),
	READS(PROTO_MANAGER_LIST_STRAYS),
	READS(PROTO_MANAGER_LIST_IMAGES),
	READS(PROTO_MANAGER_LIST_HOSTS),
	READS(PROTO_MANAGER_LIST_VMS),
	READS(PROTO_MANAGER_GET_VM),
	READS(PROTO_MANAGER_WATCH_VMS),
	READS(PROTO_MANAGER_ATTESTATION_POLICY),
};
const size_t calls_methods_count = ARRAY_LEN(calls_methods);

/* What tenants may call; every other method is for operators. */
static const struct {
	const char *path;
	enum access_right right;
} rights[] = {
	{ PROTO_MANAGER_CREATE_VM, ACCESS_MAKE },
	{ PROTO_MANAGER_REMOVE_VM, ACCESS_USE },
	{ PROTO_MANAGER_CVM_INFO, ACCESS_USE },
	{ PROTO_MANAGER_LIST_VMS, ACCESS_USE },
	{ PROTO_MANAGER_GET_VM, ACCESS_USE },
	{ PROTO_MANAGER_WATCH_VMS, ACCESS_USE },
	{ PROTO_MANAGER_ATTESTATION_POLICY, ACCESS_USE },
	{ PROTO_MANAGER_CONSOLE, ACCESS_USE },
};

enum access_right calls_right(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(rights); i++)
		if (strcmp(rights[i].path, path) == 0)
			return rights[i].right;
	return ACCESS_OPERATE;
}

/* Whether he may call this at all; whose the CVM is that he asks for, the handlers see. */
static int check_right(struct calls *calls, struct rpc_call *call, struct err *e)
{
	const struct rpc_identity identity = rpc_call_identity(call);
	enum access_right right = calls_right(rpc_call_method(call)->path);
	struct access_caller caller;

	if (access_who(calls->access, &identity, &caller, e) < 0)
		return err_code(e);
	if (*caller.tenant && !rpc_call_note(call, "tenant", caller.tenant))
		return err_nomem(e);
	/* As the owner of what he asks for. */
	if (access_decide(&caller, right, caller.tenant) != ACCESS_GRANTED)
		return err_set(e, ERR_DENIED, "this is for operators, and not for tenant %s",
			       caller.tenant);
	return 0;
}

static int admit(void *data, struct rpc_call *call, const ProtobufCMessage *message, struct err *e)
{
	struct calls *calls = data;

	if (call_audit_note(&calls->audit, call, message, e) < 0 || check_right(calls, call, e) < 0)
		return err_code(e);
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

static int count_authorities(const struct config *config, unsigned *count, struct err *e)
{
	CLEANUP(free) char *pem = NULL;

	*count = 0;
	if (config->client_ca_certs &&
	    (file_read_text(config->client_ca_certs, RPC_TLS_PEM_MAX, &pem, e) < 0 ||
	     identity_authorities(pem, count, e) < 0))
		return err_wrap(e, "MANAGER_GRPC_CLIENT_CA_CERTS");
	return 0;
}

int calls_access(const struct config *config, struct access **access, struct err *e)
{
	unsigned authorities;

	if (count_authorities(config, &authorities, e) < 0)
		return err_code(e);
	return access_open(config->access, authorities, access, e) < 0
		       ? err_wrap(e, "MANAGER_ACCESS")
		       : 0;
}

int calls_open(struct calls *calls, const struct config *config, struct err *e)
{
	*calls = (struct calls){ .audit = { .methods = calls_methods,
					    .count = calls_methods_count } };
	if (calls_access(config, &calls->access, e) < 0)
		return err_code(e);
	return call_audit_open(&calls->audit, "cocos-manager", config->audit_log, e);
}

void calls_close(struct calls *calls)
{
	call_audit_close(&calls->audit);
	access_close(TAKE_PTR(calls->access));
}
