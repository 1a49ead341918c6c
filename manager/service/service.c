/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/service/service.h"

#include "common/base/log.h"
#include "common/rpc/observer.h"
#include "google/protobuf/empty.pb-c.h"
#include "manager.pb-c.h"
#include "manager/fleet/fleet_view.h"
#include "manager_paths.h"
#include "proto/descriptors.h"

#include <string.h>

void service_fail(struct rpc_call *call, const struct err *e)
{
	log_info("%s from %s: %s: %s", rpc_call_method(call)->path, rpc_call_peer(call),
		 err_code_name(e->code), e->text);
	rpc_call_finish(call, e);
}

struct fleet *service_fleet(const struct rpc_call *call)
{
	const struct service *service = rpc_call_service(call);

	return service->fleet;
}

bool service_caller(struct rpc_call *call, struct access_caller *caller)
{
	const struct service *service = rpc_call_service(call);
	const struct rpc_identity identity = rpc_call_identity(call);
	struct err e;

	if (access_who(service->access, &identity, caller, &e) == 0)
		return true;
	service_fail(call, &e);
	return false;
}

void service_not_found(struct rpc_call *call, const char *id)
{
	struct err e;

	rpc_call_is_about(call, LOG_CVM, id);
	err_set(&e, ERR_NOT_FOUND, "no CVM %s", log_quote(id).text);
	service_fail(call, &e);
}

static void on_where(void *data, const struct err *e)
{
	struct rpc_call *call = data;

	service_fail(call, e);
	rpc_call_unref(call);
}

void service_elsewhere(struct rpc_call *call, const struct access_caller *caller, const char *id)
{
	struct err e;

	if (!fleet_is_shared(service_fleet(call))) {
		service_not_found(call, id);
		return;
	}
	rpc_call_is_about(call, LOG_CVM, id);
	if (fleet_where(service_fleet(call), caller, id, on_where, rpc_call_ref(call), &e) < 0) {
		service_fail(call, &e);
		rpc_call_unref(call);
	}
}

void service_reply_cvm(struct rpc_call *call, const struct cvm *cvm)
{
	const char *address = fleet_address(service_fleet(call), cvm);
	Manager__CreateRes response = MANAGER__CREATE_RES__INIT;
	char port[8];

	snprintf(port, sizeof(port), "%u", cvm->port);
	response.forwarded_port = port;
	response.cvm_id = (char *)(uintptr_t)cvm->id;
	response.host_address = (char *)(uintptr_t)address;
	rpc_call_note(call, "id", cvm->id);
	rpc_call_reply(call, &response.base);
}

/* The client may have disconnected; then nobody knows the CVM's id and it should not stay. */
static bool on_created(void *data, const struct cvm *cvm, const struct err *e)
{
	struct rpc_call *call = data;
	bool wanted = rpc_call_is_open(call);
	struct err left;

	/* Also told if nobody listens: how it ended is for the audit log. */
	if (cvm)
		rpc_call_note(call, "id", cvm->id);
	if (cvm && *cvm->host)
		rpc_call_note(call, "host", cvm->host);
	if (e) {
		service_fail(call, e);
	} else if (wanted) {
		service_reply_cvm(call, cvm);
	} else {
		err_set(&left, ERR_CANCELLED, "the caller left, so the CVM is removed again");
		service_fail(call, &left);
	}
	rpc_call_unref(call);
	return wanted;
}

static void create_vm(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct access_caller caller;
	struct err e;

	if (!service_caller(call, &caller))
		return;
	if (fleet_create(service_fleet(call), (const Manager__CreateReq *)message, &caller,
			 on_created, rpc_call_ref(call), &e) < 0) {
		service_fail(call, &e);
		rpc_call_unref(call);
		return;
	}
	rpc_call_prove(call);
}

static void on_removed(void *data, const struct err *e)
{
	struct rpc_call *call = data;
	Google__Protobuf__Empty response = GOOGLE__PROTOBUF__EMPTY__INIT;

	/* Also if the caller has left: how it ended is for the audit log. */
	if (e)
		service_fail(call, e);
	else
		rpc_call_reply(call, &response.base);
	rpc_call_unref(call);
}

/* What has no record is an operator's to remove. */
static bool may_remove(struct rpc_call *call, const struct access_caller *caller, const char *id)
{
	const char *owner = fleet_owner(service_fleet(call), id);
	enum access_answer answer = owner ? access_decide(caller, ACCESS_USE, owner)
					  : access_decide(caller, ACCESS_OPERATE, "");

	rpc_call_is_about(call, LOG_CVM, id);
	if (answer != ACCESS_GRANTED)
		service_not_found(call, id);
	return answer == ACCESS_GRANTED;
}

static void begin_to_remove(struct rpc_call *call, const char *id)
{
	struct err e;

	if (fleet_remove(service_fleet(call), id, on_removed, rpc_call_ref(call), &e) < 0) {
		service_fail(call, &e);
		rpc_call_unref(call);
		return;
	}
	rpc_call_prove(call);
}

/* It is none of another manager's: what has no record may be there. */
static void on_sought(void *data, const struct err *e)
{
	struct rpc_call *call = data;
	const char *id = rpc_call_user(call);
	struct access_caller caller;

	if (e->code != ERR_NOT_FOUND || !id) /* no id: the caller has left */
		service_fail(call, e);
	else if (service_caller(call, &caller) && may_remove(call, &caller, id))
		begin_to_remove(call, id);
	rpc_call_unref(call);
}

static void seek(struct rpc_call *call, const struct access_caller *caller, const char *id)
{
	char *kept = strdup(id);
	struct err e;

	if (!kept) {
		err_nomem(&e);
		service_fail(call, &e);
		return;
	}
	rpc_call_set_user(call, kept);
	if (fleet_where(service_fleet(call), caller, id, on_sought, rpc_call_ref(call), &e) < 0) {
		service_fail(call, &e);
		rpc_call_unref(call);
	}
}

static void remove_closed(struct rpc_call *call)
{
	free(rpc_call_user(call));
	rpc_call_set_user(call, NULL);
}

static void remove_vm(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Manager__RemoveReq *request = (const Manager__RemoveReq *)message;
	struct fleet *f = service_fleet(call);
	struct access_caller caller;

	if (!service_caller(call, &caller))
		return;
	if (fleet_is_shared(f) && cvm_id_is_valid(request->cvm_id) &&
	    !fleet_owner(f, request->cvm_id)) {
		rpc_call_is_about(call, LOG_CVM, request->cvm_id);
		seek(call, &caller, request->cvm_id);
	} else if (may_remove(call, &caller, request->cvm_id)) {
		begin_to_remove(call, request->cvm_id);
	}
}

static const struct cvm *find(struct rpc_call *call, const char *id)
{
	const struct cvm *cvm;
	struct access_caller caller;

	if (!service_caller(call, &caller))
		return NULL;
	cvm = fleet_find(service_fleet(call), id);
	if (cvm && access_decide(&caller, ACCESS_USE, cvm->owner) == ACCESS_GRANTED)
		return cvm;
	service_elsewhere(call, &caller, id);
	return NULL;
}

static void cvm_info(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Manager__CVMInfoReq *request = (const Manager__CVMInfoReq *)message;
	const struct cvm *cvm = find(call, request->id);
	Manager__CVMInfoRes response = MANAGER__CVMINFO_RES__INIT;
	char port[8], tee[24];

	if (!cvm)
		return;
	snprintf(port, sizeof(port), "%u", cvm->port);
	snprintf(tee, sizeof(tee), "%s%s", cvm_simulated(cvm) ? "SIMULATED " : "",
		 domain_tee_name(cvm->tee));
	response.id = (char *)cvm->id;
	response.ovmf_version = (char *)cvm->firmware;
	response.cpu_num = (int32_t)cvm->cpus;
	response.cpu_type = (char *)cvm->cpu_type;
	response.kernel_cmd = (char *)cvm->cmdline;
	response.eos_version = (char *)cvm->image;
	response.tee = tee;
	response.acceleration = cvm->kvm ? (char *)"kvm" : (char *)"tcg";
	response.forwarded_port = port;
	response.expires_ms = cvm->expires_ms;
	rpc_call_reply(call, &response.base);
}

static void attestation_policy(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Manager__AttestationPolicyReq *request =
		(const Manager__AttestationPolicyReq *)message;
	const struct cvm *cvm = find(call, request->id);
	Manager__AttestationPolicyRes response = MANAGER__ATTESTATION_POLICY_RES__INIT;
	struct err e;

	if (!cvm)
		return;
	if (cvm->expected[0] != '{') {
		err_set(&e, ERR_PRECONDITION, "what this launch measures can't be computed: %s",
			cvm->expected);
		service_fail(call, &e);
		return;
	}
	response.id = (char *)cvm->id;
	response.info.data = (uint8_t *)cvm->expected;
	response.info.len = strlen(cvm->expected);
	rpc_call_reply(call, &response.base);
}

/* The largest request that can be accepted: three PEM files and some texts. */
enum { SERVICE_REQUEST_MAX = 4 * CVM_REQUEST_PEM_MAX };

#define METHOD(path_, request_, response_, function_)                       \
	{ .method = { path_, RPC_UNARY, &manager__##request_##__descriptor, \
		      &response_##__descriptor },                           \
	  .request_max = SERVICE_REQUEST_MAX,                               \
	  .message = function_ }

static const struct rpc_handler handlers[] = {
	METHOD(PROTO_MANAGER_CREATE_VM, create_req, manager__create_res, create_vm),
	{ .method = { PROTO_MANAGER_REMOVE_VM, RPC_UNARY, &manager__remove_req__descriptor,
		      &google__protobuf__empty__descriptor },
	  .request_max = SERVICE_REQUEST_MAX,
	  .message = remove_vm,
	  .closed = remove_closed },
	METHOD(PROTO_MANAGER_CVM_INFO, cvminfo_req, manager__cvminfo_res, cvm_info),
	METHOD(PROTO_MANAGER_LIST_STRAYS, list_strays_req, manager__list_strays_res,
	       service_list_strays),
	METHOD(PROTO_MANAGER_ADOPT_STRAY, adopt_stray_req, manager__create_res,
	       service_adopt_stray),
	METHOD(PROTO_MANAGER_LIST_VMS, list_vms_req, manager__list_vms_res, service_list_vms),
	METHOD(PROTO_MANAGER_GET_VM, get_vm_req, manager__vm, service_get_vm),
	{ .method = { PROTO_MANAGER_WATCH_VMS, RPC_SERVER_STREAM,
		      &manager__watch_vms_req__descriptor, &manager__vm_change__descriptor },
	  .request_max = SERVICE_REQUEST_MAX,
	  .message = service_watch_vms,
	  .writable = service_watch_writable,
	  .closed = service_watch_closed },
	{ .method = { PROTO_MANAGER_CONSOLE, RPC_SERVER_STREAM, &manager__console_req__descriptor,
		      &manager__console_part__descriptor },
	  .request_max = SERVICE_REQUEST_MAX,
	  .message = service_console,
	  .writable = service_console_writable,
	  .closed = service_console_closed },
	METHOD(PROTO_MANAGER_LIST_IMAGES, list_images_req, manager__list_images_res,
	       service_list_images),
	METHOD(PROTO_MANAGER_SET_DEFAULT_IMAGE, set_default_image_req, google__protobuf__empty,
	       service_set_default_image),
	METHOD(PROTO_MANAGER_REMOVE_IMAGE, remove_image_req, google__protobuf__empty,
	       service_remove_image),
	METHOD(PROTO_MANAGER_LIST_HOSTS, list_hosts_req, manager__list_hosts_res,
	       service_list_hosts),
	METHOD(PROTO_MANAGER_ADD_HOST, add_host_req, google__protobuf__empty, service_add_host),
	METHOD(PROTO_MANAGER_DRAIN_HOST, drain_host_req, google__protobuf__empty,
	       service_drain_host),
	METHOD(PROTO_MANAGER_UNDRAIN_HOST, undrain_host_req, google__protobuf__empty,
	       service_undrain_host),
	METHOD(PROTO_MANAGER_REMOVE_HOST, remove_host_req, manager__remove_host_res,
	       service_remove_host),
	METHOD(PROTO_MANAGER_ATTESTATION_POLICY, attestation_policy_req,
	       manager__attestation_policy_res, attestation_policy),
};

const struct rpc_service service_manager = {
	.name = PROTO_MANAGER_SERVICE,
	.handlers = handlers,
	.count = ARRAY_LEN(handlers),
	.descriptors = &proto_manager_set,
};
