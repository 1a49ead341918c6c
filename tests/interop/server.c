/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_interop_server [--cert PEM --key PEM [--client-ca PEM]] [--small-limits] PORT|ADDRESS —
 * grpc.testing.TestService.
 *
 * Port 0 takes a free one; "listening on PORT" is printed when it is open. --small-limits makes
 * times and sizes small, for tests with hostile peers. SIGTERM drains and ends it.
 */
#include "common/rpc/server.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/rpc/health.h"
#include "common/rpc/reflection.h"
#include "proto/descriptors.h"
#include "tests/interop/methods.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESPONSE_MAX = 64 << 20, RESPONSES_MAX = 1000, PEM_FILE_MAX = 1 << 20 };

extern const struct descriptor_set proto_testing_set;

/* What a streaming call still has to send. */
struct response {
	struct response *next;
	size_t size;
	unsigned delay_ms;
};

struct duplex {
	struct response *first, **last;
	unsigned count;
	uv_timer_t timer;
	struct rpc_call *call; /* NULL once closed */
	size_t received;
	bool half_closed, is_waiting, handle_closed;
};

static const char echo_initial[] = "x-grpc-test-echo-initial";
static const char echo_trailing[] = "x-grpc-test-echo-trailing-bin";

static void echo_metadata(struct rpc_call *call)
{
	const struct rpc_metadata *m = rpc_call_metadata(call);
	const struct rpc_metadatum *trailing = rpc_metadata_get(m, echo_trailing, 0);
	const char *initial = rpc_metadata_text(m, echo_initial, 0);
	struct err e;

	if ((initial && rpc_call_add_header(call, echo_initial, initial, &e) < 0) ||
	    (trailing && rpc_call_add_trailer_bytes(call, echo_trailing, trailing->value,
						    trailing->len, &e) < 0))
		rpc_call_finish(call, &e);
}

static bool finish_as_asked(struct rpc_call *call, const Grpc__Testing__EchoStatus *status)
{
	struct err e = { .code = status ? (enum err_code)status->code : ERR_OK };

	if (e.code == ERR_OK)
		return false;
	/* As it is, with its white space: err_set() makes one line. */
	snprintf(e.text, sizeof(e.text), "%s", status->message);
	rpc_call_finish(call, &e);
	return true;
}

static void on_empty(struct rpc_call *call, const ProtobufCMessage *message)
{
	Grpc__Testing__Empty answer = GRPC__TESTING__EMPTY__INIT;

	rpc_call_reply(call, &answer.base);
}

static void on_unary(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Grpc__Testing__SimpleRequest *request = (const Grpc__Testing__SimpleRequest *)message;
	Grpc__Testing__SimpleResponse answer = GRPC__TESTING__SIMPLE_RESPONSE__INIT;
	Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
	struct err e;

	echo_metadata(call);
	if (finish_as_asked(call, request->response_status))
		return;
	if (request->response_size < 0 || request->response_size > RESPONSE_MAX) {
		err_set(&e, ERR_INVALID, "response_size");
		rpc_call_finish(call, &e);
		return;
	}
	payload.body.len = (size_t)request->response_size;
	payload.body.data = calloc(1, payload.body.len + 1);
	answer.payload = &payload;
	rpc_call_reply(call, &answer.base);
	free(payload.body.data);
}

static struct duplex *duplex_new(struct rpc_call *call)
{
	struct duplex *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	d->last = &d->first;
	d->call = call;
	uv_timer_init(rpc_call_loop(call), &d->timer);
	d->timer.data = d;
	rpc_call_set_user(call, d);
	return d;
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_stream_closed(struct rpc_call *call)
{
	struct duplex *d = rpc_call_user(call);

	if (!d)
		return;
	d->call = NULL;
	while (d->first) {
		struct response *next = d->first->next;

		free(d->first);
		d->first = next;
	}
	uv_close((uv_handle_t *)&d->timer, on_timer_closed);
}

static void send_due(struct duplex *d);

static void on_delay_over(uv_timer_t *timer)
{
	struct duplex *d = timer->data;

	d->first->delay_ms = 0;
	d->is_waiting = false;
	send_due(d);
}

static int send_one(struct duplex *d, size_t size, struct err *e)
{
	Grpc__Testing__StreamingOutputCallResponse answer =
		GRPC__TESTING__STREAMING_OUTPUT_CALL_RESPONSE__INIT;
	Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
	int failed;

	payload.body.len = size;
	payload.body.data = calloc(1, size + 1);
	answer.payload = &payload;
	failed = rpc_call_send(d->call, &answer.base, e);
	free(payload.body.data);
	return failed;
}

/* Sends what is due, as fast as the peer reads. */
static void send_due(struct duplex *d)
{
	struct err e;

	while (d->first && !d->is_waiting && rpc_call_is_open(d->call)) {
		struct response *r = d->first;

		if (rpc_call_queued(d->call) > RPC_HIGH_WATER)
			return;
		if (r->delay_ms) {
			d->is_waiting = true;
			uv_timer_start(&d->timer, on_delay_over, r->delay_ms, 0);
			return;
		}
		if (send_one(d, r->size, &e) < 0)
			return;
		d->first = r->next;
		if (!d->first)
			d->last = &d->first;
		d->count--;
		free(r);
	}
	if (!d->first && d->half_closed)
		rpc_call_finish(d->call, NULL);
	else if (d->count < RESPONSES_MAX)
		rpc_call_resume(d->call);
}

static void on_writable(struct rpc_call *call)
{
	struct duplex *d = rpc_call_user(call);

	if (d)
		send_due(d);
}

static void queue_responses(struct duplex *d,
			    const Grpc__Testing__StreamingOutputCallRequest *request)
{
	for (size_t i = 0; i < request->n_response_parameters; i++) {
		const Grpc__Testing__ResponseParameters *p = request->response_parameters[i];
		struct response *r = calloc(1, sizeof(*r));

		if (!r || p->size < 0 || p->size > RESPONSE_MAX)
			abort();
		r->size = (size_t)p->size;
		r->delay_ms = p->interval_us > 0 ? (unsigned)p->interval_us / 1000 : 0;
		*d->last = r;
		d->last = &r->next;
		d->count++;
	}
	if (d->count >= RESPONSES_MAX)
		rpc_call_pause(d->call);
}

static void on_output_start(struct rpc_call *call)
{
	duplex_new(call);
	echo_metadata(call);
}

static void on_output(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct duplex *d = rpc_call_user(call);

	d->half_closed = true;
	queue_responses(d, (const Grpc__Testing__StreamingOutputCallRequest *)message);
	send_due(d);
}

static void on_duplex(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Grpc__Testing__StreamingOutputCallRequest *request =
		(const Grpc__Testing__StreamingOutputCallRequest *)message;
	struct duplex *d = rpc_call_user(call);

	if (finish_as_asked(call, request->response_status))
		return;
	queue_responses(d, request);
	send_due(d);
}

static void on_duplex_half_close(struct rpc_call *call)
{
	struct duplex *d = rpc_call_user(call);

	d->half_closed = true;
	send_due(d);
}

static void on_half_duplex(struct rpc_call *call, const ProtobufCMessage *message)
{
	queue_responses(rpc_call_user(call),
			(const Grpc__Testing__StreamingOutputCallRequest *)message);
}

static void on_input_start(struct rpc_call *call)
{
	duplex_new(call);
}

static void on_input(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Grpc__Testing__StreamingInputCallRequest *request =
		(const Grpc__Testing__StreamingInputCallRequest *)message;
	struct duplex *d = rpc_call_user(call);

	d->received += request->payload ? request->payload->body.len : 0;
}

static void on_input_end(struct rpc_call *call)
{
	struct duplex *d = rpc_call_user(call);
	Grpc__Testing__StreamingInputCallResponse answer =
		GRPC__TESTING__STREAMING_INPUT_CALL_RESPONSE__INIT;

	answer.aggregated_payload_size = (int32_t)d->received;
	rpc_call_reply(call, &answer.base);
}

static const struct rpc_handler handlers[] = {
	{ .method = TEST_EMPTY_CALL, .message = on_empty },
	{ .method = TEST_UNARY_CALL, .message = on_unary },
	{ .method = TEST_STREAMING_OUTPUT_CALL,
	  .start = on_output_start,
	  .message = on_output,
	  .writable = on_writable,
	  .closed = on_stream_closed },
	{ .method = TEST_STREAMING_INPUT_CALL,
	  .start = on_input_start,
	  .message = on_input,
	  .half_close = on_input_end,
	  .closed = on_stream_closed },
	{ .method = TEST_FULL_DUPLEX_CALL,
	  .start = on_output_start,
	  .message = on_duplex,
	  .half_close = on_duplex_half_close,
	  .writable = on_writable,
	  .closed = on_stream_closed },
	{ .method = TEST_HALF_DUPLEX_CALL,
	  .start = on_output_start,
	  .message = on_half_duplex,
	  .half_close = on_duplex_half_close,
	  .writable = on_writable,
	  .closed = on_stream_closed },
};

static const struct rpc_service service = {
	.name = TEST_SERVICE,
	.handlers = handlers,
	.count = sizeof(handlers) / sizeof(handlers[0]),
	.descriptors = &proto_testing_set,
};

struct program {
	uv_loop_t loop;
	struct rpc_server *server;
	struct rpc_health *health;
	struct rpc_reflection *reflection;
	uv_signal_t term;
	const char *port, *cert, *key, *client_ca;
	bool small_limits;
};

static void on_drained(void *data)
{
	struct program *p = data;

	rpc_server_free(p->server);
	uv_close((uv_handle_t *)&p->term, NULL);
}

static void on_term(uv_signal_t *signal, int number)
{
	struct program *p = signal->data;

	rpc_server_drain(p->server, 2000, on_drained, p);
}

/* Times short enough to wait for, sizes small enough to fill. */
static struct rpc_limits small_limits(void)
{
	struct rpc_limits limits = rpc_limits_default();

	limits.handshake_ms = limits.preface_ms = limits.headers_ms = limits.body_ms = 2000;
	limits.request_ms = limits.stall_ms = 3000;
	limits.ping_ms = 4000; /* later than those: a peer that has only begun is not asked */
	limits.ping_answer_ms = 1000;
	limits.connections_max = 200;
	limits.message_max = 1 << 20;
	limits.held_max = 8 << 20;
	limits.buffered_max = 32 << 20;
	return limits;
}

static int load_tls(const struct program *p, struct rpc_tls **tls, struct err *e)
{
	CLEANUP(free) char *cert = NULL, *key = NULL, *ca = NULL;
	struct rpc_tls_config config = { 0 };

	if (!p->cert)
		return 0;
	if (file_read_text(p->cert, PEM_FILE_MAX, &cert, e) < 0 ||
	    file_read_text(p->key, PEM_FILE_MAX, &key, e) < 0 ||
	    (p->client_ca && file_read_text(p->client_ca, PEM_FILE_MAX, &ca, e) < 0))
		return err_code(e);
	config.cert = cert;
	config.key = key;
	config.ca = ca;
	return rpc_tls_new_server(&config, tls, e);
}

static int run(struct program *p, struct err *e)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	const struct rpc_limits limits = small_limits();
	char address[300];
	unsigned port;

	if (strchr(p->port, ':'))
		snprintf(address, sizeof(address), "%s", p->port);
	else
		snprintf(address, sizeof(address), ":%s", p->port);
	if (load_tls(p, &tls, e) < 0 ||
	    rpc_server_new(&p->loop, p->small_limits ? &limits : NULL, &p->server, e) < 0)
		return err_code(e);
	const struct rpc_listen listen = { .address = address, .tls = tls };
	if (rpc_server_add(p->server, &service, NULL, e) < 0 ||
	    rpc_health_new(p->server, &p->health, e) < 0 ||
	    rpc_health_set(p->health, TEST_SERVICE, true, e) < 0 ||
	    rpc_reflection_new(p->server, &p->reflection, e) < 0 ||
	    rpc_server_listen(p->server, &listen, &port, e) < 0)
		return err_code(e);
	uv_signal_init(&p->loop, &p->term);
	p->term.data = p;
	uv_signal_start(&p->term, on_term, SIGTERM);
	printf("listening on %u\n", port);
	fflush(stdout);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	rpc_health_free(p->health);
	rpc_reflection_free(p->reflection);
	return 0;
}

static const struct option options[] = {
	{ "cert", required_argument, NULL, 'c' },
	{ "key", required_argument, NULL, 'k' },
	{ "client-ca", required_argument, NULL, 'a' },
	{ "small-limits", no_argument, NULL, 's' },
	{ 0 },
};

int main(int argc, char **argv)
{
	struct program p = { 0 };
	struct err e;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			p.cert = optarg;
			break;
		case 'k':
			p.key = optarg;
			break;
		case 'a':
			p.client_ca = optarg;
			break;
		case 's':
			p.small_limits = true;
			break;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc || !p.cert != !p.key) {
		fprintf(stderr,
			"usage: %s [--cert PEM --key PEM [--client-ca PEM]] "
			"[--small-limits] PORT|ADDRESS\n",
			argv[0]);
		return 2;
	}
	p.port = argv[optind];
	log_open("grpc_interop_server");
	if (getenv("COCOS_LOG_LEVEL") && log_set_level(getenv("COCOS_LOG_LEVEL"), &e) < 0)
		return 2;
	uv_loop_init(&p.loop);
	if (run(&p, &e) < 0) {
		log_error("%s", e.text);
		return 1;
	}
	return uv_loop_close(&p.loop) == 0 ? 0 : 3;
}
