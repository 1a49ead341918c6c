/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attested_server [OPTION...] — a listener with attested TLS and the tests' own evidence (kit.h),
 * for independent peers, soak and load tests.
 *
 *   --client-ca PEM   client certificates are required (maTLS)
 *   --never           evidence never comes
 *   --short           times of seconds, for tests with peers that stall
 *   --plain           TLS without attestation, for comparison
 *   --certificate F   writes the identity's certificate there
 *
 * "listening on PORT" is printed when it is open, then for each line on standard input a line of
 * JSON: connections, requests for evidence, calls, bytes of uploads, bytes allocated. Ends with
 * standard input.
 */
#include "common/rpc/server.h"

#include "agent.pb-c.h"
#include "agent/core/service.h"
#include "agent_paths.h"
#include "common/base/file.h"
#include "common/rpc/server_state.h"
#include "tests/attested/kit.h"
#include "tests/interop/methods.h"

#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

struct program {
	uv_loop_t loop;
	struct rpc_server *server;
	struct attested_server *attested;
	struct kit_identity identity;
	struct kit_source source;
	uv_pipe_t input;
	char line[256];
	size_t calls, uploaded;
	bool is_plain;
	const char *client_ca, *certificate;
};

static void on_empty(struct rpc_call *call, const ProtobufCMessage *message)
{
	Grpc__Testing__Empty answer = GRPC__TESTING__EMPTY__INIT;
	struct program *p = rpc_call_service(call);

	p->calls++;
	rpc_call_reply(call, &answer.base);
}

static void on_upload(struct rpc_call *call)
{
	rpc_call_prove(call);
	rpc_call_bulk(call);
}

static void on_chunk(struct rpc_call *call, uint8_t *bytes, size_t len)
{
	struct program *p = rpc_call_service(call);

	p->uploaded += len;
	free(bytes);
}

static void on_uploaded(struct rpc_call *call)
{
	Grpc__Testing__StreamingInputCallResponse answer =
		GRPC__TESTING__STREAMING_INPUT_CALL_RESPONSE__INIT;
	struct program *p = rpc_call_service(call);

	p->calls++;
	rpc_call_reply(call, &answer.base);
}

static const struct rpc_handler test_handlers[] = {
	{ .method = TEST_EMPTY_CALL, .message = on_empty },
	{ .method = TEST_STREAMING_INPUT_CALL,
	  .start = on_upload,
	  .bytes = on_chunk,
	  .half_close = on_uploaded },
};
static const struct rpc_service test_service = { TEST_SERVICE, test_handlers,
						 ARRAY_LEN(test_handlers), NULL };

static const struct rpc_handler agent_handlers[] = {
	{ .method = { PROTO_AGENT_REATTEST, RPC_BIDI, &agent__reattest_request__descriptor,
		      &agent__reattest_response__descriptor },
	  .message = service_reattest_message,
	  .half_close = service_reattest_half_close,
	  .closed = service_reattest_closed },
};
static const struct rpc_service agent_service = { PROTO_AGENT_SERVICE, agent_handlers, 1, NULL };

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct program *p = handle->data;

	*buf = uv_buf_init(p->line, sizeof(p->line));
}

static void on_input(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct program *p = stream->data;

	if (len < 0) {
		uv_close((uv_handle_t *)stream, NULL);
		rpc_server_free(p->server);
		return;
	}
	for (ssize_t i = 0; i < len; i++) {
		if (buf->base[i] != '\n')
			continue;
		printf("{\"connections\": %u, \"asked\": %u, \"answered\": %u, \"cancelled\": %u, "
		       "\"calls\": %zu, \"uploaded\": %zu, \"allocated\": %zu}\n",
		       p->server->conn_count, p->source.asked, p->source.answered,
		       p->source.cancelled, p->calls, p->uploaded, mallinfo2().uordblks);
		fflush(stdout);
	}
}

static int make(struct program *p, const struct rpc_limits *limits, struct err *e)
{
	CLEANUP(free) char *client_ca = NULL;
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	struct attested_server_config config = { .source = kit_source_of(&p->source) };
	struct rpc_listen listen = { .address = "127.0.0.1:0" };
	unsigned port;

	p->source.loop = &p->loop;
	p->source.identity = &p->identity;
	if (p->client_ca && file_read_text(p->client_ca, RPC_TLS_PEM_MAX, &client_ca, e) < 0)
		return err_code(e);
	if (kit_identity_make(&p->identity, e) < 0 ||
	    (p->certificate && file_write(p->certificate, p->identity.cert_pem,
					  strlen(p->identity.cert_pem), 0644, e) < 0) ||
	    kit_server_tls(&p->identity, client_ca, &tls, e) < 0)
		return err_code(e);
	config.key = p->identity.key;
	config.leaf_der = p->identity.leaf;
	config.leaf_len = p->identity.leaf_len;
	if (attested_server_new(&config, &p->attested, e) < 0 ||
	    rpc_server_new(&p->loop, limits, &p->server, e) < 0 ||
	    rpc_server_add(p->server, &test_service, p, e) < 0 ||
	    rpc_server_add(p->server, &agent_service, p, e) < 0)
		return err_code(e);
	listen.tls = tls;
	listen.prologue = p->is_plain ? NULL : &attested_server_prologue;
	listen.prologue_data = p->attested;
	if (rpc_server_listen(p->server, &listen, &port, e) < 0)
		return err_code(e);
	printf("listening on %u\n", port);
	fflush(stdout);
	return 0;
}

static int serve(struct program *p, const struct rpc_limits *limits, struct err *e)
{
	if (make(p, limits, e) < 0)
		return err_code(e);
	uv_pipe_init(&p->loop, &p->input, 0);
	p->input.data = p;
	uv_pipe_open(&p->input, 0);
	uv_read_start((uv_stream_t *)&p->input, on_alloc, on_input);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	attested_server_free(p->attested);
	kit_identity_done(&p->identity);
	return uv_loop_close(&p->loop) == 0 ? 0 : err_set(e, ERR_INTERNAL, "handles are left");
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "client-ca", required_argument, NULL, 'c' },
						 { "never", no_argument, NULL, 'n' },
						 { "short", no_argument, NULL, 's' },
						 { "plain", no_argument, NULL, 'p' },
						 { "certificate", required_argument, NULL, 'o' },
						 { 0 } };
	struct rpc_limits limits = rpc_limits_default();
	static struct program p;
	struct err e;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'c':
			p.client_ca = optarg;
			break;
		case 'o':
			p.certificate = optarg;
			break;
		case 'n':
			p.source.mode = KIT_NEVER;
			break;
		case 's':
			limits.handshake_ms = limits.prologue_ms = limits.preface_ms = 10000;
			break;
		case 'p':
			p.is_plain = true;
			break;
		default:
			return 2;
		}
	}
	uv_loop_init(&p.loop);
	if (serve(&p, &limits, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	return 0;
}
