/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_interop_client HOST PORT CASE [--ca PEM [--name NAME] [--cert PEM --key PEM]] — one case of
 * gRPC's interoperability tests (doc/interop-test-descriptions.md). Exit code 0: passed.
 */
#include "common/base/file.h"
#include "common/rpc/sync.h"
#include "tests/interop/methods.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEM_FILE_MAX = 1 << 20, LARGE_REQUEST = 271828, LARGE_RESPONSE = 314159 };

static const struct rpc_method empty_call = TEST_EMPTY_CALL;
static const struct rpc_method unary_call = TEST_UNARY_CALL;
static const struct rpc_method streaming_output_call = TEST_STREAMING_OUTPUT_CALL;
static const struct rpc_method streaming_input_call = TEST_STREAMING_INPUT_CALL;
static const struct rpc_method full_duplex_call = TEST_FULL_DUPLEX_CALL;
static const struct rpc_method unimplemented_call = TEST_UNIMPLEMENTED_CALL;
static const struct rpc_method unimplemented_service_call = {
	"/grpc.testing.UnimplementedService/UnimplementedCall", RPC_UNARY,
	&grpc__testing__empty__descriptor, &grpc__testing__empty__descriptor
};

static const int input_sizes[] = { 27182, 8, 1828, 45904 };
static const int output_sizes[] = { 31415, 9, 2653, 58979 };

static void free_message(ProtobufCMessage *message)
{
	protobuf_c_message_free_unpacked(message, NULL);
}
DEFINE_CLEANUP(ProtobufCMessage *, free_message)

/* The call must fail with this status. */
static int want_status(int failed, enum err_code code, const char *text, struct err *e)
{
	struct err got = *e;

	if (failed >= 0)
		return err_set(e, ERR_INTERNAL, "the call succeeded; wanted %s",
			       err_code_name(code));
	if (got.code != code || (text && !strstr(got.text, text)))
		return err_set(e, ERR_INTERNAL, "status %s '%s'; wanted %s '%s'",
			       err_code_name(got.code), got.text, err_code_name(code),
			       text ? text : "");
	return 0;
}

static int call_unary(struct rpc_channel *channel, const struct rpc_method *method,
		      const Grpc__Testing__SimpleRequest *request, size_t size, struct err *e)
{
	CLEANUP(free_message) ProtobufCMessage *message = NULL;
	const Grpc__Testing__SimpleResponse *answer;

	if (rpc_sync_unary(channel, method, NULL, &request->base, &message, e) < 0)
		return err_code(e);
	answer = (const Grpc__Testing__SimpleResponse *)message;
	if (!answer->payload || answer->payload->body.len != size)
		return err_set(e, ERR_INTERNAL, "wanted %zu bytes of payload", size);
	return 0;
}

static int case_empty_unary(struct rpc_channel *channel, struct err *e)
{
	CLEANUP(free_message) ProtobufCMessage *message = NULL;
	const Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;

	return rpc_sync_unary(channel, &empty_call, NULL, &request.base, &message, e);
}

static int case_large_unary(struct rpc_channel *channel, struct err *e)
{
	CLEANUP(free) uint8_t *body = calloc(1, LARGE_REQUEST);
	Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
	Grpc__Testing__SimpleRequest request = GRPC__TESTING__SIMPLE_REQUEST__INIT;

	payload.body = (ProtobufCBinaryData){ LARGE_REQUEST, body };
	request.payload = &payload;
	request.response_size = LARGE_RESPONSE;
	return call_unary(channel, &unary_call, &request, LARGE_RESPONSE, e);
}

static int send_input(struct rpc_sync *sync, size_t size, struct err *e)
{
	Grpc__Testing__StreamingInputCallRequest request =
		GRPC__TESTING__STREAMING_INPUT_CALL_REQUEST__INIT;
	Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
	CLEANUP(free) uint8_t *body = calloc(1, size + 1);

	payload.body = (ProtobufCBinaryData){ size, body };
	request.payload = &payload;
	return rpc_sync_send(sync, &request.base, e);
}

static int case_client_streaming(struct rpc_channel *channel, struct err *e)
{
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;
	CLEANUP(free_message) ProtobufCMessage *message = NULL;

	if (rpc_sync_open(channel, &streaming_input_call, NULL, &sync, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(input_sizes); i++)
		if (send_input(sync, (size_t)input_sizes[i], e) < 0)
			return err_code(e);
	if (rpc_sync_finish(sync, &message, e) < 0)
		return err_code(e);
	if (((Grpc__Testing__StreamingInputCallResponse *)message)->aggregated_payload_size !=
	    74922)
		return err_set(e, ERR_INTERNAL, "wanted 74922 bytes in all");
	return 0;
}

/* One request for `count` responses of these sizes, with a payload. */
static int send_output(struct rpc_sync *sync, const int *sizes, size_t count, size_t body_len,
		       struct err *e)
{
	Grpc__Testing__StreamingOutputCallRequest request =
		GRPC__TESTING__STREAMING_OUTPUT_CALL_REQUEST__INIT;
	Grpc__Testing__ResponseParameters parameters[4], *pointers[4];
	Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
	CLEANUP(free) uint8_t *body = calloc(1, body_len + 1);

	for (size_t i = 0; i < count; i++) {
		parameters[i] =
			(Grpc__Testing__ResponseParameters)GRPC__TESTING__RESPONSE_PARAMETERS__INIT;
		parameters[i].size = sizes[i];
		pointers[i] = &parameters[i];
	}
	payload.body = (ProtobufCBinaryData){ body_len, body };
	request.payload = &payload;
	request.response_parameters = pointers;
	request.n_response_parameters = count;
	return rpc_sync_send(sync, &request.base, e);
}

static int receive_output(struct rpc_sync *sync, size_t size, struct err *e)
{
	CLEANUP(free_message) ProtobufCMessage *message = NULL;
	const Grpc__Testing__StreamingOutputCallResponse *answer;

	if (rpc_sync_receive(sync, &message, e) < 0)
		return err_code(e);
	answer = (const Grpc__Testing__StreamingOutputCallResponse *)message;
	if (!answer || !answer->payload || answer->payload->body.len != size)
		return err_set(e, ERR_INTERNAL, "wanted a response of %zu bytes", size);
	return 0;
}

static int receive_end(struct rpc_sync *sync, struct err *e)
{
	CLEANUP(free_message) ProtobufCMessage *message = NULL;

	if (rpc_sync_receive(sync, &message, e) < 0)
		return err_code(e);
	return message ? err_set(e, ERR_INTERNAL, "a response too many") : 0;
}

static int case_server_streaming(struct rpc_channel *channel, struct err *e)
{
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;

	if (rpc_sync_open(channel, &streaming_output_call, NULL, &sync, e) < 0 ||
	    send_output(sync, output_sizes, ARRAY_LEN(output_sizes), 0, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(output_sizes); i++)
		if (receive_output(sync, (size_t)output_sizes[i], e) < 0)
			return err_code(e);
	return receive_end(sync, e);
}

static int case_ping_pong(struct rpc_channel *channel, struct err *e)
{
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;

	if (rpc_sync_open(channel, &full_duplex_call, NULL, &sync, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(output_sizes); i++)
		if (send_output(sync, &output_sizes[i], 1, (size_t)input_sizes[i], e) < 0 ||
		    receive_output(sync, (size_t)output_sizes[i], e) < 0)
			return err_code(e);
	rpc_sync_half_close(sync);
	return receive_end(sync, e);
}

static int case_empty_stream(struct rpc_channel *channel, struct err *e)
{
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;

	if (rpc_sync_open(channel, &full_duplex_call, NULL, &sync, e) < 0)
		return err_code(e);
	rpc_sync_half_close(sync);
	return receive_end(sync, e);
}

static int check_echo(struct rpc_sync *sync, struct err *e)
{
	const struct rpc_metadata *headers;
	const struct rpc_metadatum *trailing;
	const char *initial;

	if (rpc_sync_headers(sync, &headers, e) < 0)
		return err_code(e);
	initial = rpc_metadata_text(headers, "x-grpc-test-echo-initial", 0);
	trailing = rpc_metadata_get(rpc_sync_trailers(sync), "x-grpc-test-echo-trailing-bin", 0);
	if (!initial || strcmp(initial, "test_initial_metadata_value") != 0)
		return err_set(e, ERR_INTERNAL, "initial metadata did not come back");
	if (!trailing || trailing->len != 3 || memcmp(trailing->value, "\xab\xab\xab", 3) != 0)
		return err_set(e, ERR_INTERNAL, "trailing metadata did not come back");
	return 0;
}

static int custom_metadata_unary(struct rpc_channel *channel,
				 const struct rpc_stream_options *options, struct err *e)
{
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;
	CLEANUP(free_message) ProtobufCMessage *message = NULL;
	Grpc__Testing__SimpleRequest request = GRPC__TESTING__SIMPLE_REQUEST__INIT;

	request.response_size = LARGE_RESPONSE;
	if (rpc_sync_open(channel, &unary_call, options, &sync, e) < 0 ||
	    rpc_sync_send(sync, &request.base, e) < 0 || rpc_sync_finish(sync, &message, e) < 0)
		return err_code(e);
	return check_echo(sync, e);
}

static int case_custom_metadata(struct rpc_channel *channel, struct err *e)
{
	struct rpc_metadata metadata = { 0 };
	const struct rpc_stream_options options = { .metadata = &metadata };
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;
	static const int size = LARGE_RESPONSE;

	if (rpc_metadata_add(&metadata, "x-grpc-test-echo-initial", "test_initial_metadata_value",
			     e) < 0 ||
	    rpc_metadata_add_bytes(&metadata, "x-grpc-test-echo-trailing-bin", "\xab\xab\xab", 3,
				   e) < 0 ||
	    custom_metadata_unary(channel, &options, e) < 0 ||
	    rpc_sync_open(channel, &full_duplex_call, &options, &sync, e) < 0)
		return err_code(e);
	rpc_metadata_done(&metadata);
	if (send_output(sync, &size, 1, LARGE_REQUEST, e) < 0 || receive_output(sync, size, e) < 0)
		return err_code(e);
	rpc_sync_half_close(sync);
	return receive_end(sync, e) < 0 ? err_code(e) : check_echo(sync, e);
}

static int unary_status(struct rpc_channel *channel, const char *text, struct err *e)
{
	Grpc__Testing__SimpleRequest request = GRPC__TESTING__SIMPLE_REQUEST__INIT;
	Grpc__Testing__EchoStatus status = GRPC__TESTING__ECHO_STATUS__INIT;

	status.code = ERR_UNKNOWN;
	status.message = (char *)(uintptr_t)text;
	request.response_status = &status;
	return want_status(call_unary(channel, &unary_call, &request, 0, e), ERR_UNKNOWN, text, e);
}

static int case_status_code_and_message(struct rpc_channel *channel, struct err *e)
{
	static const char text[] = "test status message";
	Grpc__Testing__StreamingOutputCallRequest request =
		GRPC__TESTING__STREAMING_OUTPUT_CALL_REQUEST__INIT;
	Grpc__Testing__EchoStatus status = GRPC__TESTING__ECHO_STATUS__INIT;
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;

	if (unary_status(channel, text, e) < 0 ||
	    rpc_sync_open(channel, &full_duplex_call, NULL, &sync, e) < 0)
		return err_code(e);
	status.code = ERR_UNKNOWN;
	status.message = (char *)(uintptr_t)text;
	request.response_status = &status;
	if (rpc_sync_send(sync, &request.base, e) < 0)
		return err_code(e);
	rpc_sync_half_close(sync);
	return want_status(receive_end(sync, e), ERR_UNKNOWN, text, e);
}

static int case_special_status_message(struct rpc_channel *channel, struct err *e)
{
	return unary_status(channel,
			    "\t\ntest with whitespace\r\nand Unicode BMP \xe2\x98\xba and non-BMP "
			    "\xf0\x9f\x98\x88\t\n",
			    e);
}

static int unimplemented(struct rpc_channel *channel, const struct rpc_method *method,
			 struct err *e)
{
	CLEANUP(free_message) ProtobufCMessage *message = NULL;
	const Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;

	return want_status(rpc_sync_unary(channel, method, NULL, &request.base, &message, e),
			   ERR_UNIMPLEMENTED, NULL, e);
}

static int case_unimplemented_method(struct rpc_channel *channel, struct err *e)
{
	return unimplemented(channel, &unimplemented_call, e);
}

static int case_unimplemented_service(struct rpc_channel *channel, struct err *e)
{
	return unimplemented(channel, &unimplemented_service_call, e);
}

/* A call of which only the end counts. */
struct ending {
	struct err status;
	bool is_closed;
	unsigned messages;
};

static void on_counted(struct rpc_stream *stream, const ProtobufCMessage *message)
{
	struct ending *ending = rpc_stream_user(stream);

	ending->messages++;
	rpc_stream_cancel(stream);
}

static void on_closed(struct rpc_stream *stream, const struct err *status)
{
	struct ending *ending = rpc_stream_user(stream);

	ending->status = *status;
	ending->is_closed = true;
}

static const struct rpc_stream_events ending_events = { .message = on_counted,
							.closed = on_closed };

static int wait_for_end(struct rpc_channel *channel, struct ending *ending, enum err_code code,
			struct err *e)
{
	while (!ending->is_closed)
		uv_run(rpc_channel_loop(channel), UV_RUN_ONCE);
	*e = ending->status;
	return want_status(err_code(e), code, NULL, e);
}

static int case_cancel_after_begin(struct rpc_channel *channel, struct err *e)
{
	struct ending ending = { 0 };
	const struct rpc_stream_options options = { .user = &ending };
	struct rpc_stream *stream;

	if (rpc_stream_open(channel, &streaming_input_call, &ending_events, &options, &stream, e) <
	    0)
		return err_code(e);
	/* Begun means that the server knows about it. */
	for (int i = 0; i < 20; i++)
		uv_run(rpc_channel_loop(channel), UV_RUN_NOWAIT);
	rpc_stream_cancel(stream);
	return wait_for_end(channel, &ending, ERR_CANCELLED, e);
}

static int case_cancel_after_first_response(struct rpc_channel *channel, struct err *e)
{
	struct ending ending = { 0 };
	const struct rpc_stream_options options = { .user = &ending };
	Grpc__Testing__StreamingOutputCallRequest request =
		GRPC__TESTING__STREAMING_OUTPUT_CALL_REQUEST__INIT;
	Grpc__Testing__ResponseParameters parameters = GRPC__TESTING__RESPONSE_PARAMETERS__INIT,
					  *pointer = &parameters;
	struct rpc_stream *stream;

	parameters.size = output_sizes[0];
	request.response_parameters = &pointer;
	request.n_response_parameters = 1;
	if (rpc_stream_open(channel, &full_duplex_call, &ending_events, &options, &stream, e) < 0 ||
	    rpc_stream_send(stream, &request.base, e) < 0 ||
	    wait_for_end(channel, &ending, ERR_CANCELLED, e) < 0)
		return err_code(e);
	return ending.messages == 1 ? 0 : err_set(e, ERR_INTERNAL, "wanted one response before");
}

static int case_timeout_on_sleeping_server(struct rpc_channel *channel, struct err *e)
{
	const struct rpc_stream_options options = { .timeout_ms = 1 };
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;

	if (rpc_sync_open(channel, &full_duplex_call, &options, &sync, e) < 0)
		return err_code(e);
	/* The call may already end while we send. */
	if (send_output(sync, NULL, 0, 27182, e) < 0)
		return want_status(err_code(e), ERR_DEADLINE, NULL, e);
	return want_status(receive_end(sync, e), ERR_DEADLINE, NULL, e);
}

static const struct test_case {
	const char *name;
	int (*run)(struct rpc_channel *channel, struct err *e);
} cases[] = {
	{ "empty_unary", case_empty_unary },
	{ "large_unary", case_large_unary },
	{ "client_streaming", case_client_streaming },
	{ "server_streaming", case_server_streaming },
	{ "ping_pong", case_ping_pong },
	{ "empty_stream", case_empty_stream },
	{ "custom_metadata", case_custom_metadata },
	{ "status_code_and_message", case_status_code_and_message },
	{ "special_status_message", case_special_status_message },
	{ "unimplemented_method", case_unimplemented_method },
	{ "unimplemented_service", case_unimplemented_service },
	{ "cancel_after_begin", case_cancel_after_begin },
	{ "cancel_after_first_response", case_cancel_after_first_response },
	{ "timeout_on_sleeping_server", case_timeout_on_sleeping_server },
};

struct program {
	const char *ca, *name, *cert, *key;
};

static int load_tls(const struct program *p, struct rpc_tls **tls, struct err *e)
{
	CLEANUP(free) char *ca = NULL, *cert = NULL, *key = NULL;
	struct rpc_tls_config config = { .name = p->name };

	if (!p->ca)
		return 0;
	if (file_read_text(p->ca, PEM_FILE_MAX, &ca, e) < 0 ||
	    (p->cert && (file_read_text(p->cert, PEM_FILE_MAX, &cert, e) < 0 ||
			 file_read_text(p->key, PEM_FILE_MAX, &key, e) < 0)))
		return err_code(e);
	config.ca = ca;
	config.cert = cert;
	config.key = key;
	return rpc_tls_new_client(&config, tls, e);
}

static int run(const struct program *p, const char *target, const struct test_case *test,
	       struct err *e)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	struct rpc_channel_config config = { .target = target };
	struct rpc_channel *channel;
	uv_loop_t loop;
	int failed;

	if (load_tls(p, &tls, e) < 0)
		return err_code(e);
	config.tls = tls;
	uv_loop_init(&loop);
	if (rpc_channel_new(&loop, &config, &channel, e) < 0)
		return err_code(e);
	failed = test->run(channel, e);
	rpc_channel_free(channel);
	uv_run(&loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&loop) != 0)
		return err_set(e, ERR_INTERNAL, "the channel left handles behind");
	return failed;
}

static const struct option options[] = {
	{ "ca", required_argument, NULL, 'a' },
	{ "name", required_argument, NULL, 'n' },
	{ "cert", required_argument, NULL, 'c' },
	{ "key", required_argument, NULL, 'k' },
	{ 0 },
};

int main(int argc, char **argv)
{
	struct program p = { 0 };
	char target[300];
	struct err e = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		const char **field = option == 'a'   ? &p.ca
				     : option == 'n' ? &p.name
				     : option == 'c' ? &p.cert
						     : &p.key;

		if (option == '?')
			return 2;
		*field = optarg;
	}
	if (optind + 3 != argc || !p.cert != !p.key) {
		fprintf(stderr,
			"usage: %s HOST PORT CASE [--ca PEM [--name NAME] "
			"[--cert PEM --key PEM]]\n",
			argv[0]);
		return 2;
	}
	snprintf(target, sizeof(target), strchr(argv[optind], ':') ? "[%s]:%s" : "%s:%s",
		 argv[optind], argv[optind + 1]);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (strcmp(cases[i].name, argv[optind + 2]) != 0)
			continue;
		if (run(&p, target, &cases[i], &e) == 0)
			return 0;
		fprintf(stderr, "%s: %s (%s)\n", cases[i].name, e.text, err_code_name(e.code));
		return 1;
	}
	fprintf(stderr, "no case '%s'\n", argv[optind + 2]);
	return 2;
}
