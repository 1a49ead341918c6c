/* SPDX-License-Identifier: Apache-2.0 */
/* service_said.h — what the service of service_answering.h says where it is honest, or nearly so. */
#pragma once

#include "common/rpc/sync.h"

/* Once, from service_answering_open(). */
void service_said_open(void);
/* The answer to a call, the caller's. */
ProtobufCMessage *service_said(const struct rpc_method *method, const ProtobufCMessage *request);
