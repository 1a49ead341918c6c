/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_webhook.h — webhooks.WebhookService, on the administrators' listeners.
 */
#pragma once

#include "common/rpc/server.h"

extern const struct rpc_service webhooks_rpc;
