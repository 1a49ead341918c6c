/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/agent_evidence.h"

#include <inttypes.h>

/* Takes one message's part of the file, and what comes with it. */
typedef void take_fn(const ProtobufCMessage *message, struct writer *file, struct writer *beside);

/* -ERR_DATA_LOSS where the agent announced another size; stock agents announce it always. */
static int check_size(struct rpc_sync *sync, size_t len, struct err *e)
{
	uint64_t size;

	if (client_announced_size(sync, &size, e) < 0)
		return err_code(e);
	if (size != CLIENT_SIZE_UNKNOWN && size != len)
		return err_set(e, ERR_DATA_LOSS, "%zu bytes came of %" PRIu64, len, size);
	return 0;
}

static int fetch(struct client *client, const struct rpc_method *method,
		 const ProtobufCMessage *request, take_fn *take, struct writer *file,
		 struct writer *beside, struct err *e)
{
	const struct rpc_stream_options options = { .timeout_ms = client_timeout(client) };
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;
	size_t before = file->len;
	ProtobufCMessage *message;

	if (rpc_sync_open(client->channel, method, &options, &sync, e) < 0 ||
	    rpc_sync_send(sync, request, e) < 0)
		return err_code(e);
	rpc_sync_half_close(sync);
	for (;;) {
		if (rpc_sync_receive(sync, &message, e) < 0)
			return err_code(e);
		if (!message)
			break;
		take(message, file, beside);
		protobuf_c_message_free_unpacked(message, NULL);
		if (writer_check(file, "what the agent sends", e) < 0)
			return err_code(e);
	}
	return check_size(sync, file->len - before, e);
}

static void take_evidence(const ProtobufCMessage *message, struct writer *file,
			  struct writer *beside)
{
	const Agent__AttestationResponse *piece = (const Agent__AttestationResponse *)message;

	(void)beside;
	writer_bytes(file, piece->file.data, piece->file.len);
}

int agent_evidence_fetch(struct client *client, const struct agent_evidence *wanted,
			 struct writer *file, struct err *e)
{
	Agent__AttestationRequest request = AGENT__ATTESTATION_REQUEST__INIT;

	request.type = wanted->type;
	request.teenonce =
		(ProtobufCBinaryData){ wanted->tee.len, (uint8_t *)(uintptr_t)wanted->tee.bytes };
	request.vtpmnonce =
		(ProtobufCBinaryData){ wanted->vtpm.len, (uint8_t *)(uintptr_t)wanted->vtpm.bytes };
	return fetch(client, &agent_attestation, &request.base, take_evidence, file, NULL, e);
}

static void take_ima(const ProtobufCMessage *message, struct writer *file, struct writer *beside)
{
	const Agent__IMAMeasurementsResponse *piece =
		(const Agent__IMAMeasurementsResponse *)message;

	writer_bytes(file, piece->file.data, piece->file.len);
	if (!beside->len)
		writer_bytes(beside, piece->pcr10.data, piece->pcr10.len);
}

int agent_evidence_ima(struct client *client, struct writer *file, struct writer *pcr10,
		       struct err *e)
{
	Agent__IMAMeasurementsRequest request = AGENT__IMAMEASUREMENTS_REQUEST__INIT;

	if (fetch(client, &agent_ima_measurements, &request.base, take_ima, file, pcr10, e) < 0)
		return err_code(e);
	return writer_check(pcr10, "PCR10", e);
}
