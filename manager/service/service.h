/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h — manager.ManagerService over gRPC (wire.md, package manager).
 */
#pragma once

#include "common/rpc/call.h"
#include "common/rpc/server.h"
#include "manager/fleet/fleet.h"

/* What the calls are about, and who may make them. */
struct service {
	struct fleet *fleet;
	struct access *access;
};

/* Pass it to rpc_server_add() with a struct service as its data. */
extern const struct rpc_service service_manager;

/* For service*.c alone: tells the client and the log; names a CVM and its agent's port; and the methods
 * about CVMs without a record (service_stray.c), about what there is (service_vm.c), and what becomes of
 * it (service_watch.c), what one says (service_console.c), about images (service_image.c), and about hosts (service_host.c). */
void service_fail(struct rpc_call *call, const struct err *e);
struct fleet *service_fleet(const struct rpc_call *call);
/* Who calls, as the table says now; false: the call has failed. */
bool service_caller(struct rpc_call *call, struct access_caller *caller);
void service_not_found(struct rpc_call *call, const char *id);
/* As service_not_found(), where no other manager has what he may see: else which one. */
void service_elsewhere(struct rpc_call *call, const struct access_caller *caller, const char *id);
void service_reply_cvm(struct rpc_call *call, const struct cvm *cvm);
void service_list_strays(struct rpc_call *call, const ProtobufCMessage *message);
void service_adopt_stray(struct rpc_call *call, const ProtobufCMessage *message);
void service_list_vms(struct rpc_call *call, const ProtobufCMessage *message);
void service_get_vm(struct rpc_call *call, const ProtobufCMessage *message);
void service_watch_vms(struct rpc_call *call, const ProtobufCMessage *message);
void service_watch_writable(struct rpc_call *call);
void service_watch_closed(struct rpc_call *call);
void service_console(struct rpc_call *call, const ProtobufCMessage *message);
void service_console_writable(struct rpc_call *call);
void service_console_closed(struct rpc_call *call);
void service_list_images(struct rpc_call *call, const ProtobufCMessage *message);
void service_set_default_image(struct rpc_call *call, const ProtobufCMessage *message);
void service_remove_image(struct rpc_call *call, const ProtobufCMessage *message);
void service_list_hosts(struct rpc_call *call, const ProtobufCMessage *message);
void service_add_host(struct rpc_call *call, const ProtobufCMessage *message);
void service_drain_host(struct rpc_call *call, const ProtobufCMessage *message);
void service_undrain_host(struct rpc_call *call, const ProtobufCMessage *message);
void service_remove_host(struct rpc_call *call, const ProtobufCMessage *message);
