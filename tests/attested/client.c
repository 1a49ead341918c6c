/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attested_client TARGET [OPTION...] — attested connections to one server, each with one call. It
 * accepts only the tests' own evidence (kit.h).
 *
 *   --count N, --parallel P   N connections, P at a time (1, 1)
 *   --context HEX             the context of the very first request
 *   --reattest N              attest N times more after the call, on the first connection
 *   --upload MIB              then upload this much, on the first connection
 *   --connect-ms N            how long a connection may take (20 s)
 *   --cert PEM --key PEM      the client's own (maTLS)
 *   --ca PEM                  TLS without attestation to a server with this certificate
 *   --agent                   load on a real agent: any evidence, and Status as the call
 *   --signatures              also: microseconds of one P-256 signature and of verifying it
 *
 * Prints a line of JSON. Exits with 1 and the reason if anything was refused.
 */
#include "agent.pb-c.h"
#include "agent_paths.h"
#include "attestation/channel/attested_reattest.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/rpc/sync.h"
#include "tests/attested/kit.h"
#include "tests/interop/methods.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { COUNT_MAX = 100000, PARALLEL_MAX = 256, CHUNK = 1 << 20, SIGNATURES = 500 };

static const struct rpc_method empty_call = TEST_EMPTY_CALL;
static const struct rpc_method status_call = { PROTO_AGENT_STATUS, RPC_UNARY,
					       &agent__status_request__descriptor,
					       &agent__status_response__descriptor };
static const struct rpc_method input_call = TEST_STREAMING_INPUT_CALL;

struct slot {
	struct program *program;
	struct rpc_channel *channel;
	uint64_t began;
};

struct program {
	uv_loop_t loop;
	const char *target;
	struct rpc_tls *tls;
	struct attested_client *client;
	struct kit_judge judge;
	struct slot slots[PARALLEL_MAX];
	unsigned count, parallel, begun, ended, reattests, upload_mib, connect_ms;
	double upload_seconds, sign_us, verify_us;
	uint64_t *samples;
	struct err failure;
	bool is_plain, is_agent;
};

static int open_channel(struct program *p, struct rpc_channel **channel, struct err *e)
{
	const struct rpc_channel_config config = { .target = p->target,
						   .tls = p->tls,
						   .prologue = p->is_plain
								       ? NULL
								       : &attested_client_prologue,
						   .prologue_data = p->client,
						   .connect_ms = p->connect_ms };

	return rpc_channel_new(&p->loop, &config, channel, e);
}

/* ---- many connections ---- */

static void begin(struct slot *slot);

static void on_closed(struct rpc_stream *stream, const struct err *status)
{
	struct slot *slot = rpc_stream_user(stream);
	struct program *p = slot->program;

	p->samples[p->ended++] = uv_hrtime() - slot->began;
	if (status->code != ERR_OK && p->failure.code == ERR_OK)
		p->failure = *status;
	rpc_channel_free(TAKE_PTR(slot->channel));
	if (p->failure.code == ERR_OK && p->begun < p->count)
		begin(slot);
}

static const struct rpc_stream_events events = { .closed = on_closed };

static void begin(struct slot *slot)
{
	const Grpc__Testing__Empty empty = GRPC__TESTING__EMPTY__INIT;
	const Agent__StatusRequest status = AGENT__STATUS_REQUEST__INIT;
	const struct rpc_stream_options options = { .user = slot };
	struct program *p = slot->program;
	const struct rpc_method *method = p->is_agent ? &status_call : &empty_call;
	const ProtobufCMessage *request = p->is_agent ? &status.base : &empty.base;
	struct rpc_stream *stream;
	struct err e;

	p->begun++;
	slot->began = uv_hrtime();
	if (open_channel(p, &slot->channel, &e) < 0 ||
	    rpc_stream_open(slot->channel, method, &events, &options, &stream, &e) < 0 ||
	    rpc_stream_send(stream, request, &e) < 0)
		p->failure = e;
}

static int connect_many(struct program *p, struct err *e)
{
	for (unsigned i = 0; i < p->parallel && i < p->count; i++) {
		p->slots[i].program = p;
		begin(&p->slots[i]);
	}
	uv_run(&p->loop, UV_RUN_DEFAULT);
	if (p->failure.code == ERR_OK)
		return 0;
	*e = p->failure;
	return err_code(e);
}

/* ---- one connection ---- */

static int upload(struct program *p, struct rpc_channel *channel, struct err *e)
{
	Grpc__Testing__StreamingInputCallRequest request =
		GRPC__TESTING__STREAMING_INPUT_CALL_REQUEST__INIT;
	Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;
	CLEANUP(free) uint8_t *chunk = calloc(1, CHUNK);
	ProtobufCMessage *answer = NULL;
	uint64_t began = uv_hrtime();

	if (!chunk)
		return err_nomem(e);
	payload.body.data = chunk;
	payload.body.len = CHUNK;
	request.payload = &payload;
	if (rpc_sync_open(channel, &input_call, NULL, &sync, e) < 0)
		return err_code(e);
	for (unsigned i = 0; i < p->upload_mib; i++)
		if (rpc_sync_send(sync, &request.base, e) < 0)
			return err_code(e);
	if (rpc_sync_finish(sync, &answer, e) < 0)
		return err_code(e);
	protobuf_c_message_free_unpacked(answer, NULL);
	p->upload_seconds = (double)(uv_hrtime() - began) / 1e9;
	return 0;
}

static int use_one(struct program *p, struct err *e)
{
	struct rpc_channel *channel = NULL;
	int failed = open_channel(p, &channel, e);

	if (!failed)
		failed = rpc_sync_connect(channel, e);
	for (unsigned i = 0; !failed && i < p->reattests; i++)
		failed = attested_reattest(channel, p->client, 0, e);
	if (!failed && p->upload_mib)
		failed = upload(p, channel, e);
	rpc_channel_free(channel);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	return failed;
}

static int time_signatures(struct program *p, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	uint8_t sig[SIGNATURE_MAX], text[130] = { 0 };
	size_t len = 0;

	if (key_generate(KEY_ECDSA, &key, e) < 0)
		return err_code(e);
	uint64_t began = uv_hrtime();
	for (unsigned i = 0; i < SIGNATURES; i++)
		if (key_sign(key, false, text, sizeof(text), sig, &len, e) < 0)
			return err_code(e);
	uint64_t between = uv_hrtime();
	for (unsigned i = 0; i < SIGNATURES; i++)
		if (key_verify(key, text, sizeof(text), sig, len, e) < 0)
			return err_code(e);
	p->sign_us = (double)(between - began) / 1e3 / (double)SIGNATURES;
	p->verify_us = (double)(uv_hrtime() - between) / 1e3 / (double)SIGNATURES;
	return 0;
}

/* ---- the program ---- */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void print(const struct program *p, double seconds)
{
	qsort(p->samples, p->ended, sizeof(*p->samples), compare);
	printf("{\"connections\": %u, \"appraised\": %u, \"seconds\": %.6f", p->ended,
	       p->judge.asked, seconds);
	if (p->ended)
		printf(", \"p50_us\": %.1f, \"p99_us\": %.1f",
		       (double)p->samples[p->ended / 2] / 1e3,
		       (double)p->samples[p->ended * 99 / 100] / 1e3);
	printf(", \"upload_seconds\": %.6f, \"sign_us\": %.2f, \"verify_us\": %.2f}\n",
	       p->upload_seconds, p->sign_us, p->verify_us);
}

struct options {
	const char *context, *cert, *key, *ca;
	bool signatures, agent;
};

static int make_tls(struct program *p, const struct options *o, struct err *e)
{
	CLEANUP(free) char *cert = NULL, *key = NULL, *ca = NULL;
	struct rpc_tls_config config = { .only_tls13 = true };

	p->is_agent = p->judge.takes_any = o->agent;

	if ((o->cert && file_read_text(o->cert, RPC_TLS_PEM_MAX, &cert, e) < 0) ||
	    (o->key && file_read_text(o->key, RPC_TLS_PEM_MAX, &key, e) < 0) ||
	    (o->ca && file_read_text(o->ca, RPC_TLS_PEM_MAX, &ca, e) < 0))
		return err_code(e);
	p->is_plain = o->ca != NULL;
	config.cert = cert;
	config.key = key;
	config.ca = ca;
	config.name = ca ? "agent" : NULL;
	config.judged_by_prologue = !p->is_plain;
	return rpc_tls_new_client(&config, &p->tls, e);
}

static int run(struct program *p, const struct options *o, struct err *e)
{
	struct attested_client_config config = { .loop = &p->loop,
						 .appraise = kit_appraise,
						 .data = &p->judge };
	uint8_t context[EA_CONTEXT_LEN];
	int failed = make_tls(p, o, e);

	if (!failed && o->context) {
		failed = hex_decode(o->context, context, sizeof(context), e);
		config.first_context = context;
	}
	if (!failed)
		failed = attested_client_new(&config, &p->client, e);
	if (!failed && o->signatures)
		failed = time_signatures(p, e);
	if (!failed && (p->reattests || p->upload_mib))
		failed = use_one(p, e);
	uint64_t began = uv_hrtime();
	if (!failed)
		failed = connect_many(p, e);
	if (!failed)
		print(p, (double)(uv_hrtime() - began) / 1e9);
	attested_client_free(p->client);
	rpc_tls_free(p->tls);
	return failed;
}

static const struct option names[] = {
	{ "agent", no_argument, NULL, 'g' },
	{ "count", required_argument, NULL, 'n' },
	{ "parallel", required_argument, NULL, 'p' },
	{ "context", required_argument, NULL, 'x' },
	{ "reattest", required_argument, NULL, 'r' },
	{ "upload", required_argument, NULL, 'u' },
	{ "cert", required_argument, NULL, 'c' },
	{ "key", required_argument, NULL, 'k' },
	{ "ca", required_argument, NULL, 'a' },
	{ "connect-ms", required_argument, NULL, 'm' },
	{ "signatures", no_argument, NULL, 's' },
	{ 0 },
};

static bool read_options(struct program *p, struct options *o, int argc, char **argv)
{
	unsigned unused;

	for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		const struct {
			int option;
			const char **text;
			unsigned *number;
		} row[] = { { 'n', NULL, &p->count },      { 'p', NULL, &p->parallel },
			    { 'r', NULL, &p->reattests },  { 'u', NULL, &p->upload_mib },
			    { 'm', NULL, &p->connect_ms }, { 'x', &o->context, NULL },
			    { 'c', &o->cert, NULL },       { 'k', &o->key, NULL },
			    { 'a', &o->ca, NULL },         { 's', NULL, &unused },
			    { 'g', NULL, &unused } };
		size_t i = 0;

		while (i < ARRAY_LEN(row) && row[i].option != c)
			i++;
		if (i == ARRAY_LEN(row))
			return false;
		if (c == 's')
			o->signatures = true;
		else if (c == 'g')
			o->agent = true;
		else if (row[i].text)
			*row[i].text = optarg;
		else
			*row[i].number = (unsigned)strtoul(optarg, NULL, 10);
	}
	return optind + 1 == argc && p->count <= COUNT_MAX && p->parallel >= 1 &&
	       p->parallel <= PARALLEL_MAX;
}

int main(int argc, char **argv)
{
	static struct program p = { .count = 1, .parallel = 1 };
	struct options o = { 0 };
	struct err e;
	int failed;

	if (!read_options(&p, &o, argc, argv)) {
		fprintf(stderr, "usage: %s TARGET [OPTION...]\n", argv[0]);
		return 2;
	}
	p.target = argv[optind];
	p.samples = calloc(p.count + 1, sizeof(*p.samples));
	uv_loop_init(&p.loop);
	failed = p.samples ? run(&p, &o, &e) : err_nomem(&e);
	if (failed)
		fprintf(stderr, "%s\n", e.text);
	free(p.samples);
	uv_loop_close(&p.loop);
	return failed ? 1 : 0;
}
