/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health.h — grpc.health.v1.Health, as published by the gRPC project.
 *
 * The server as a whole ("") serves from the start; services are known once they are set. Check of
 * an unknown one is NOT_FOUND, Watch says SERVICE_UNKNOWN and goes on watching. Anybody may ask: a
 * stranger's Watch lasts limits.public_ms at most, then the client asks again.
 */
#pragma once

#include "common/rpc/server.h"

enum { RPC_HEALTH_SERVICES_MAX = 16, RPC_HEALTH_NAME_MAX = 128 };

struct rpc_health;
int rpc_health_new(struct rpc_server *server, struct rpc_health **health, struct err *e) MUST_CHECK;
/* `service` "" is the server as a whole. Watchers are told. */
int rpc_health_set(struct rpc_health *health, const char *service, bool serving,
		   struct err *e) MUST_CHECK;
/* After rpc_server_free(). */
void rpc_health_free(struct rpc_health *health);
DEFINE_CLEANUP(struct rpc_health *, rpc_health_free)
