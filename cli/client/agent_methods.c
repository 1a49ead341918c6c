/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/agent_methods.h"

#include "agent_paths.h"

#define METHOD(variable, path_, kind_, message)                       \
	const struct rpc_method variable = {                          \
		.path = path_,                                        \
		.kind = kind_,                                        \
		.request = &agent__##message##_request__descriptor,   \
		.response = &agent__##message##_response__descriptor, \
	}

/* clang-format off */
METHOD(agent_algo, PROTO_AGENT_ALGO, RPC_CLIENT_STREAM, algo);
METHOD(agent_data, PROTO_AGENT_DATA, RPC_CLIENT_STREAM, data);
METHOD(agent_result, PROTO_AGENT_RESULT, RPC_SERVER_STREAM, result);
METHOD(agent_forget, PROTO_AGENT_FORGET, RPC_UNARY, forget);
METHOD(agent_log, PROTO_AGENT_LOG, RPC_UNARY, log);
METHOD(agent_receipt, PROTO_AGENT_RECEIPT, RPC_UNARY, receipt);
METHOD(agent_status, PROTO_AGENT_STATUS, RPC_UNARY, status);
METHOD(agent_attestation, PROTO_AGENT_ATTESTATION, RPC_SERVER_STREAM, attestation);
METHOD(agent_ima_measurements, PROTO_AGENT_IMA_MEASUREMENTS, RPC_SERVER_STREAM, imameasurements);
METHOD(agent_azure_token, PROTO_AGENT_AZURE_ATTESTATION_TOKEN, RPC_UNARY, attestation_token);
METHOD(agent_activate_credential, PROTO_AGENT_ACTIVATE_CREDENTIAL, RPC_UNARY, activate_credential);
/* clang-format on */
