/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_rpcs.h — the gRPC services that the program offers: what listeners serve and what metrics count is the same.
 */
#pragma once

#include "common/rpc/server.h"

enum { SERVICE_RPCS = 7 };

/* The agents' first; the others are the administrators'. */
extern const struct rpc_service *const service_rpcs[SERVICE_RPCS];
