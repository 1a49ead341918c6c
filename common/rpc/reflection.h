/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reflection.h — grpc.reflection.v1 and v1alpha ServerReflection: what a server offers, from the
 * descriptors of its services (rpc_service.descriptors).
 */
#pragma once

#include "common/rpc/server.h"

struct rpc_reflection;
int rpc_reflection_new(struct rpc_server *server, struct rpc_reflection **reflection,
		       struct err *e) MUST_CHECK;
/* After rpc_server_free(). */
void rpc_reflection_free(struct rpc_reflection *reflection);
DEFINE_CLEANUP(struct rpc_reflection *, rpc_reflection_free)
