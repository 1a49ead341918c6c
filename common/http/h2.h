/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2.h — requests that come over HTTP/2, through common/rpc. For this folder only.
 */
#pragma once

#include "common/http/route.h"
#include "common/rpc/server.h"

/* Requests of `server` that are not gRPC's go to these routes, which are kept. */
void h2_attach(struct rpc_server *server, const struct http_routes *routes);
