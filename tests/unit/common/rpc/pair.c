/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/common/rpc/pair.h"

#include "tests/self_signed.h"

#include <stdio.h>

void pki_make(char **cert_pem, char **key_pem)
{
	static const struct self_signed_extension extensions[] = {
		{ NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1" },
		{ NID_basic_constraints, "critical,CA:TRUE" },
	};
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(X509_free) X509 *cert = NULL;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	cert = self_signed(key, "test", extensions, ARRAY_LEN(extensions));
	*cert_pem = self_signed_pem(cert);
	assert_non_null(*cert_pem);
	assert_ok(key_to_private_pem(key, key_pem, &e), e);
}

void pair_open(struct pair *p, const struct pair_setup *setup)
{
	const struct rpc_listen listen = { .address = "127.0.0.1:0",
					   .tls = setup->server_tls,
					   .prologue = setup->server_prologue,
					   .prologue_data = p };
	struct rpc_channel_config config = { .target = p->target,
					     .tls = setup->client_tls,
					     .prologue = setup->client_prologue,
					     .prologue_data = p,
					     .connect_ms = setup->connect_ms,
					     .limits = setup->client_limits };
	struct err e;

	assert_int_equal(uv_loop_init(&p->loop), 0);
	assert_ok(rpc_server_new(&p->loop, setup->limits, &p->server, &e), e);
	if (setup->service)
		assert_ok(rpc_server_add(p->server, setup->service, p, &e), e);
	assert_ok(rpc_server_listen(p->server, &listen, &p->port, &e), e);
	snprintf(p->target, sizeof(p->target), "127.0.0.1:%u", p->port);
	assert_ok(rpc_channel_new(&p->loop, &config, &p->channel, &e), e);
}

void pair_close(struct pair *p)
{
	rpc_channel_free(p->channel);
	rpc_server_free(p->server);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&p->loop), 0);
}

static void on_headers(struct rpc_stream *stream)
{
	struct pair *p = rpc_stream_user(stream);

	p->headers++;
}

static void on_bytes(struct rpc_stream *stream, uint8_t *bytes, size_t len)
{
	struct pair *p = rpc_stream_user(stream);

	p->messages++;
	p->bytes += len;
	free(bytes);
}

static void on_writable(struct rpc_stream *stream)
{
	struct pair *p = rpc_stream_user(stream);

	p->writable++;
}

static void on_closed(struct rpc_stream *stream, const struct err *status)
{
	struct pair *p = rpc_stream_user(stream);

	p->closed++;
	p->status = *status;
}

const struct rpc_stream_events pair_events = {
	.headers = on_headers,
	.bytes = on_bytes,
	.writable = on_writable,
	.closed = on_closed,
};

void pair_on_start(struct rpc_call *call)
{
	struct pair *p = rpc_call_service(call);

	p->started++;
	p->call = call;
}

void pair_on_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct pair *p = rpc_call_service(call);

	p->got++;
	p->got_bytes += protobuf_c_message_get_packed_size(message);
}

void pair_on_half_close(struct rpc_call *call)
{
	struct pair *p = rpc_call_service(call);

	p->half_closed++;
}

void pair_on_delivered(struct rpc_call *call)
{
	struct pair *p = rpc_call_service(call);

	p->delivered++;
}

void pair_on_closed(struct rpc_call *call)
{
	struct pair *p = rpc_call_service(call);

	p->server_closed++;
	if (p->call == call)
		p->call = NULL;
}

struct rpc_stream *pair_call(struct pair *p, const struct rpc_method *method, unsigned timeout_ms)
{
	const struct rpc_stream_options options = { .user = p, .timeout_ms = timeout_ms };
	struct rpc_stream *stream;
	struct err e;

	assert_ok(rpc_stream_open(p->channel, method, &pair_events, &options, &stream, &e), e);
	return stream;
}

void pair_send(struct rpc_stream *stream, size_t size)
{
	Grpc__Testing__StreamingInputCallRequest request =
		GRPC__TESTING__STREAMING_INPUT_CALL_REQUEST__INIT;
	Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
	CLEANUP(free) uint8_t *body = calloc(1, size + 1);
	struct err e;

	payload.body.data = body;
	payload.body.len = size;
	request.payload = &payload;
	assert_ok(rpc_stream_send(stream, &request.base, &e), e);
}

void pair_reply(struct rpc_call *call)
{
	Grpc__Testing__StreamingInputCallResponse answer =
		GRPC__TESTING__STREAMING_INPUT_CALL_RESPONSE__INIT;

	rpc_call_reply(call, &answer.base);
}

const struct rpc_method pair_input_call = TEST_STREAMING_INPUT_CALL;

void pair_on_half_close_reply(struct rpc_call *call)
{
	pair_on_half_close(call);
	pair_reply(call);
}

static const struct rpc_handler upload_handlers[] = {
	{ .method = TEST_STREAMING_INPUT_CALL,
	  .start = pair_on_start,
	  .message = pair_on_message,
	  .half_close = pair_on_half_close_reply,
	  .closed = pair_on_closed },
};
const struct rpc_service pair_upload_service = { .name = TEST_SERVICE,
						 .handlers = upload_handlers,
						 .count = 1 };

void pair_call_once(struct pair *p)
{
	p->closed = 0;
	rpc_stream_half_close(pair_call(p, &pair_input_call, 0));
	pair_until(p, p->closed);
	if (p->status.code != ERR_OK)
		fail_msg("%s", p->status.text);
}
