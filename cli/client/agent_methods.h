/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_methods.h — the methods of an agent's service that commands call.
 */
#pragma once

#include "agent.pb-c.h"
#include "common/rpc/sync.h"

/* What anybody may ask (agent_evidence.h), and where the computation stands. */
extern const struct rpc_method agent_forget, agent_log, agent_status, agent_attestation,
	agent_ima_measurements, agent_azure_token, agent_activate_credential;

/* What has to be signed (agent_client.h). */
extern const struct rpc_method agent_algo, agent_data, agent_result, agent_receipt;
