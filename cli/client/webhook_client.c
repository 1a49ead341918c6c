/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/webhook_client.h"

#include "google/protobuf/empty.pb-c.h"
#include "webhooks_paths.h"

#define ONE(variable, path_, request_, response_)               \
	const struct rpc_method variable = {                    \
		.path = path_,                                  \
		.kind = RPC_UNARY,                              \
		.request = &webhooks__##request_##__descriptor, \
		.response = &response_##__descriptor,           \
	}

/* clang-format off */
ONE(webhook_create, PROTO_WEBHOOKS_CREATE, create_request, webhooks__new_webhook);
ONE(webhook_list, PROTO_WEBHOOKS_LIST, list_request, webhooks__list_response);
ONE(webhook_show, PROTO_WEBHOOKS_SHOW, webhook_request, webhooks__webhook);
ONE(webhook_enable, PROTO_WEBHOOKS_ENABLE, webhook_request, webhooks__webhook);
ONE(webhook_disable, PROTO_WEBHOOKS_DISABLE, webhook_request, webhooks__webhook);
ONE(webhook_rotate, PROTO_WEBHOOKS_ROTATE, webhook_request, webhooks__new_webhook);
ONE(webhook_delete, PROTO_WEBHOOKS_DELETE, webhook_request, google__protobuf__empty);
ONE(webhook_deliveries, PROTO_WEBHOOKS_DELIVERIES, deliveries_request, webhooks__deliveries_response);
ONE(webhook_redeliver, PROTO_WEBHOOKS_REDELIVER, redeliver_request, webhooks__delivery);
/* clang-format on */
