/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h — agent.AgentService as a table of handlers (wire.md, 'package agent').
 */
#pragma once

#include "common/rpc/server.h"

extern const struct rpc_service service;

struct agent;
struct uploads_callbacks;

/* service_upload.c: the start of Algo and Data, and what the agent makes of them; for the rest the
 * table has the handlers of uploads.h. */
void service_upload_algorithm(struct rpc_call *call);
void service_upload_dataset(struct rpc_call *call);
extern const struct uploads_callbacks service_upload_callbacks;

/* service_result.c */
void service_result_message(struct rpc_call *call, const ProtobufCMessage *message);
void service_result_writable(struct rpc_call *call);
void service_result_delivered(struct rpc_call *call);
void service_result_closed(struct rpc_call *call);

/* service_receipt.c */
void service_receipt_message(struct rpc_call *call, const ProtobufCMessage *message);

/* service_status.c */
void service_status_message(struct rpc_call *call, const ProtobufCMessage *message);

/* service_log.c; service_participant(): the caller is one to whom the manifest shows what the algorithm
 * wrote (participant.h). */
int service_participant(struct rpc_call *call, const struct agent *agent, struct err *e) MUST_CHECK;
void service_log_message(struct rpc_call *call, const ProtobufCMessage *message);

/* service_forget.c */
void service_forget_message(struct rpc_call *call, const ProtobufCMessage *message);

/* service_reattest.c */
void service_reattest_message(struct rpc_call *call, const ProtobufCMessage *message);
void service_reattest_half_close(struct rpc_call *call);
void service_reattest_closed(struct rpc_call *call);

/* service_evidence.c */
void service_attestation_message(struct rpc_call *call, const ProtobufCMessage *message);
void service_ima_message(struct rpc_call *call, const ProtobufCMessage *message);
void service_azure_message(struct rpc_call *call, const ProtobufCMessage *message);
void service_activate_message(struct rpc_call *call, const ProtobufCMessage *message);
void service_evidence_writable(struct rpc_call *call);
void service_evidence_closed(struct rpc_call *call);
