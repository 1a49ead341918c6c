/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h — manager.ManagerService over gRPC (wire.md, package manager).
 */
#pragma once

#include "common/rpc/server.h"
#include "manager/fleet.h"

/* Pass it to rpc_server_add() with the fleet as its data. */
extern const struct rpc_service service_manager;
