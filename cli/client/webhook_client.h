/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webhook_client.h — the methods of the computation service's webhooks.
 */
#pragma once

#include "cli/client/people_client.h"
#include "webhooks.pb-c.h"

extern const struct rpc_method webhook_create, webhook_list, webhook_show, webhook_enable,
	webhook_disable, webhook_rotate, webhook_delete, webhook_deliveries, webhook_redeliver;
