/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/service.h"

#include "agent.pb-c.h"
#include "agent/upload/uploads.h"
#include "agent_paths.h"
#include "attestation/channel/ea_request.h"
#include "common/base/cleanup.h"
#include "proto/descriptors.h"

static const struct rpc_handler handlers[] = {
	{
		.method = { PROTO_AGENT_ALGO, RPC_CLIENT_STREAM, &agent__algo_request__descriptor,
			    &agent__algo_response__descriptor },
		.start = service_upload_algorithm,
		.bytes = uploads_bytes,
		.half_close = uploads_half_close,
		.closed = uploads_closed,
	},
	{
		.method = { PROTO_AGENT_DATA, RPC_CLIENT_STREAM, &agent__data_request__descriptor,
			    &agent__data_response__descriptor },
		.start = service_upload_dataset,
		.bytes = uploads_bytes,
		.half_close = uploads_half_close,
		.closed = uploads_closed,
	},
	{
		.method = { PROTO_AGENT_RESULT, RPC_SERVER_STREAM,
			    &agent__result_request__descriptor,
			    &agent__result_response__descriptor },
		.message = service_result_message,
		.writable = service_result_writable,
		.delivered = service_result_delivered,
		.closed = service_result_closed,
	},
	{
		.method = { PROTO_AGENT_RECEIPT, RPC_UNARY, &agent__receipt_request__descriptor,
			    &agent__receipt_response__descriptor },
		.message = service_receipt_message,
	},
	{
		.method = { PROTO_AGENT_ATTESTATION, RPC_SERVER_STREAM,
			    &agent__attestation_request__descriptor,
			    &agent__attestation_response__descriptor },
		.message = service_attestation_message,
		.writable = service_evidence_writable,
		.closed = service_evidence_closed,
	},
	{
		.method = { PROTO_AGENT_IMA_MEASUREMENTS, RPC_SERVER_STREAM,
			    &agent__imameasurements_request__descriptor,
			    &agent__imameasurements_response__descriptor },
		.message = service_ima_message,
		.writable = service_evidence_writable,
		.closed = service_evidence_closed,
	},
	{
		.method = { PROTO_AGENT_AZURE_ATTESTATION_TOKEN, RPC_UNARY,
			    &agent__attestation_token_request__descriptor,
			    &agent__attestation_token_response__descriptor },
		.message = service_azure_message,
	},
	{
		.method = { PROTO_AGENT_STATUS, RPC_UNARY, &agent__status_request__descriptor,
			    &agent__status_response__descriptor },
		.message = service_status_message,
	},
	{
		.method = { PROTO_AGENT_LOG, RPC_UNARY, &agent__log_request__descriptor,
			    &agent__log_response__descriptor },
		.message = service_log_message,
	},
	{
		.method = { PROTO_AGENT_FORGET, RPC_UNARY, &agent__forget_request__descriptor,
			    &agent__forget_response__descriptor },
		.message = service_forget_message,
	},
	{
		.method = { PROTO_AGENT_ACTIVATE_CREDENTIAL, RPC_UNARY,
			    &agent__activate_credential_request__descriptor,
			    &agent__activate_credential_response__descriptor },
		.message = service_activate_message,
		.closed = service_evidence_closed,
	},
	{
		.method = { PROTO_AGENT_REATTEST, RPC_BIDI, &agent__reattest_request__descriptor,
			    &agent__reattest_response__descriptor },
		.request_max = 2 * EA_REQUEST_MAX,
		.message = service_reattest_message,
		.half_close = service_reattest_half_close,
		.closed = service_reattest_closed,
	},
};

const struct rpc_service service = {
	.name = PROTO_AGENT_SERVICE,
	.handlers = handlers,
	.count = ARRAY_LEN(handlers),
	.descriptors = &proto_agent_set,
};
