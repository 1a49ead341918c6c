/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_billing.h — billing.BillingService, on the administrators' listeners.
 */
#pragma once

#include "common/rpc/server.h"

extern const struct rpc_service billing_rpc;
