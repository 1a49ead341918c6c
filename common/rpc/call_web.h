/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_web.h — a call that is not gRPC's. For this folder only.
 */
#pragma once

#include "common/rpc/call_state.h"

/* The header block is complete, and the server has somebody for such requests. */
void call_web_open(struct rpc_call *call, struct call_request *q);
/* For rpc_call_finish(). */
void call_web_fail(struct rpc_call *call, const struct err *why);
