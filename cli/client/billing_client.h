/* SPDX-License-Identifier: Apache-2.0 */
/*
 * billing_client.h — the methods of the computation service's accounts.
 */
#pragma once

#include "billing.pb-c.h"
#include "cli/client/people_client.h"

extern const struct rpc_method billing_create, billing_list, billing_show, billing_set_plan,
	billing_give, billing_take, billing_remove, billing_plans;
