/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/billing_client.h"

#include "billing_paths.h"
#include "google/protobuf/empty.pb-c.h"

#define ONE(variable, path_, request_, response_)              \
	const struct rpc_method variable = {                   \
		.path = path_,                                 \
		.kind = RPC_UNARY,                             \
		.request = &billing__##request_##__descriptor, \
		.response = &response_##__descriptor,          \
	}

/* clang-format off */
ONE(billing_create, PROTO_BILLING_CREATE, create_request, billing__account);
ONE(billing_list, PROTO_BILLING_LIST, list_request, billing__list_response);
ONE(billing_show, PROTO_BILLING_SHOW, account_request, billing__account);
ONE(billing_set_plan, PROTO_BILLING_SET_PLAN, set_plan_request, billing__account);
ONE(billing_give, PROTO_BILLING_GIVE, place_request, billing__account);
ONE(billing_take, PROTO_BILLING_TAKE, place_request, billing__account);
ONE(billing_remove, PROTO_BILLING_REMOVE, account_request, google__protobuf__empty);
ONE(billing_plans, PROTO_BILLING_PLANS, plans_request, billing__plans_response);
/* clang-format on */
