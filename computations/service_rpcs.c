/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/service_rpcs.h"

#include "computations/admin/admin_billing.h"
#include "computations/admin/admin_certificate.h"
#include "computations/admin/admin_people.h"
#include "computations/admin/admin_webhook.h"
#include "computations/admin/admin_workflow.h"
#include "computations/core/service.h"

const struct rpc_service *const service_rpcs[SERVICE_RPCS] = {
	&session_rpc,  &admin_rpc,     &people_rpc,  &certificates_rpc,
	&webhooks_rpc, &workflows_rpc, &billing_rpc,
};
