/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpc_bench TARGET SECONDS CONNECTIONS STREAMS [--ca PEM [--cert PEM --key PEM]] [--idle | --anew] —
 * load on EmptyCall: CONNECTIONS
 * connections with STREAMS calls open on each all the time. Prints calls per second, and the median
 * and 99th percentile of a call's time in microseconds, as one line of JSON.
 *
 * --idle opens the connections, prints "ready" and does nothing until standard input ends.
 * --anew makes a connection for each call, one after the other: a time is that of both.
 */
#include "common/base/file.h"
#include "common/rpc/sync.h"
#include "tests/interop/methods.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PEM_FILE_MAX = 1 << 20, CONNECTIONS_MAX = 4096, SAMPLES_MAX = 4 << 20 };

static const struct rpc_method empty_call = TEST_EMPTY_CALL;

struct bench {
	uv_loop_t loop;
	struct rpc_channel *channels[CONNECTIONS_MAX];
	unsigned connections, streams;
	uint64_t ends_at;
	unsigned open;
	bool is_idle;
	size_t calls, failures;
	uint32_t *samples; /* nanoseconds */
	struct err first_failure;
	struct rpc_tls *tls; /* NULL: none */
};

struct slot {
	struct bench *bench;
	struct rpc_channel *channel;
	uint64_t began;
};

static void begin(struct slot *slot);

static void on_closed(struct rpc_stream *stream, const struct err *status)
{
	struct slot *slot = rpc_stream_user(stream);
	struct bench *b = slot->bench;
	uint64_t now = uv_hrtime(), took = now - slot->began;

	b->open--;
	if (status->code != ERR_OK && b->failures++ == 0)
		b->first_failure = *status;
	if (b->calls < SAMPLES_MAX)
		b->samples[b->calls] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
	b->calls++;
	if (now < b->ends_at && status->code == ERR_OK)
		begin(slot);
}

static const struct rpc_stream_events events = { .closed = on_closed };

static void begin(struct slot *slot)
{
	const Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;
	const struct rpc_stream_options options = { .user = slot };
	struct rpc_stream *stream;
	struct err e;

	slot->began = uv_hrtime();
	slot->bench->open++;
	if (rpc_stream_open(slot->channel, &empty_call, &events, &options, &stream, &e) < 0 ||
	    rpc_stream_send(stream, &request.base, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void print_result(struct bench *b, double seconds)
{
	size_t count = b->calls < SAMPLES_MAX ? b->calls : SAMPLES_MAX;

	qsort(b->samples, count, sizeof(*b->samples), compare);
	printf("{\"calls\": %zu, \"failures\": %zu, \"per_second\": %.0f, \"p50_us\": %.1f, "
	       "\"p99_us\": %.1f}\n",
	       b->calls, b->failures, (double)b->calls / seconds, b->samples[count / 2] / 1e3,
	       b->samples[count * 99 / 100] / 1e3);
	if (b->failures)
		fprintf(stderr, "%s\n", b->first_failure.text);
}

static int measure(struct bench *b, unsigned seconds, struct err *e)
{
	size_t count = (size_t)b->connections * b->streams;
	CLEANUP(free) struct slot *slots = calloc(count + 1, sizeof(*slots));
	uint64_t began = uv_hrtime();

	b->samples = malloc(SAMPLES_MAX * sizeof(*b->samples));
	if (!slots || !b->samples)
		return err_nomem(e);
	b->ends_at = began + (uint64_t)seconds * 1000000000;
	for (size_t i = 0; i < count; i++) {
		slots[i] = (struct slot){ b, b->channels[i % b->connections], 0 };
		begin(&slots[i]);
	}
	while (b->open)
		uv_run(&b->loop, UV_RUN_ONCE);
	print_result(b, (double)(uv_hrtime() - began) / 1e9);
	free(b->samples);
	return b->failures ? err_set(e, ERR_UNAVAILABLE, "%zu calls failed", b->failures) : 0;
}

/* Connections that exist and do nothing, until our parent closes the pipe. */
static int idle(void)
{
	printf("ready\n");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}

/* Calls one after the other, each on a connection of its own. */
static int measure_anew(struct bench *b, const char *target, unsigned seconds, struct err *e)
{
	const Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;
	const struct rpc_channel_config config = { .target = target, .tls = b->tls };
	uint64_t began = uv_hrtime(), ends_at = began + (uint64_t)seconds * 1000000000;

	b->samples = malloc(SAMPLES_MAX * sizeof(*b->samples));
	if (!b->samples)
		return err_nomem(e);
	while (uv_hrtime() < ends_at && b->calls < SAMPLES_MAX) {
		uint64_t call_began = uv_hrtime();
		struct rpc_channel *channel;
		ProtobufCMessage *answer = NULL;
		int r = rpc_channel_new(&b->loop, &config, &channel, e);

		if (r < 0)
			return r;
		r = rpc_sync_unary(channel, &empty_call, NULL, &request.base, &answer, e);
		b->samples[b->calls++] = (uint32_t)(uv_hrtime() - call_began);
		if (answer)
			protobuf_c_message_free_unpacked(answer, NULL);
		rpc_channel_free(channel);
		if (r < 0)
			return r;
	}
	print_result(b, (double)(uv_hrtime() - began) / 1e9);
	free(b->samples);
	return 0;
}

/* What TLS is made of, as files. */
struct pem_paths {
	const char *ca, *cert, *key;
};

static int read_tls(struct bench *b, const struct pem_paths *paths, struct err *e)
{
	CLEANUP(free) char *ca = NULL, *cert = NULL, *key = NULL;
	struct rpc_tls_config config = { 0 };

	if (!paths->ca)
		return 0;
	if (file_read_text(paths->ca, PEM_FILE_MAX, &ca, e) < 0 ||
	    (paths->cert && (file_read_text(paths->cert, PEM_FILE_MAX, &cert, e) < 0 ||
			     file_read_text(paths->key, PEM_FILE_MAX, &key, e) < 0)))
		return err_code(e);
	config.ca = ca;
	config.cert = cert;
	config.key = key;
	return rpc_tls_new_client(&config, &b->tls, e);
}

static int connect_all(struct bench *b, const char *target, struct err *e)
{
	const struct rpc_channel_config config = { .target = target, .tls = b->tls };

	for (unsigned i = 0; i < b->connections; i++)
		if (rpc_channel_new(&b->loop, &config, &b->channels[i], e) < 0 ||
		    rpc_sync_connect(b->channels[i], e) < 0)
			return err_code(e);
	return 0;
}

static const struct option options[] = {
	{ "ca", required_argument, NULL, 'a' },  { "cert", required_argument, NULL, 'c' },
	{ "key", required_argument, NULL, 'k' }, { "idle", no_argument, NULL, 'i' },
	{ "anew", no_argument, NULL, 'n' },      { 0 },
};

int main(int argc, char **argv)
{
	static struct bench b;
	struct pem_paths paths = { 0 };
	bool is_anew = false;
	unsigned seconds;
	struct err e;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			paths.ca = optarg;
		else if (option == 'c')
			paths.cert = optarg;
		else if (option == 'k')
			paths.key = optarg;
		else if (option == 'i')
			b.is_idle = true;
		else if (option == 'n')
			is_anew = true;
		else
			return 2;
	}
	if (optind + 4 == argc) {
		b.connections = (unsigned)strtoul(argv[optind + 2], NULL, 10);
		b.streams = (unsigned)strtoul(argv[optind + 3], NULL, 10);
	}
	if (b.connections == 0 || b.connections > CONNECTIONS_MAX || b.streams == 0 ||
	    !paths.cert != !paths.key || (paths.cert && !paths.ca)) {
		fprintf(stderr,
			"usage: %s TARGET SECONDS CONNECTIONS STREAMS [--ca PEM [--cert PEM --key PEM]] "
			"[--idle | --anew]\n",
			argv[0]);
		return 2;
	}
	uv_loop_init(&b.loop);
	seconds = (unsigned)strtoul(argv[optind + 1], NULL, 10);
	r = read_tls(&b, &paths, &e);
	if (r == 0 && !is_anew)
		r = connect_all(&b, argv[optind], &e);
	if (r == 0)
		r = is_anew     ? measure_anew(&b, argv[optind], seconds, &e)
		    : b.is_idle ? idle()
				: measure(&b, seconds, &e);
	if (r < 0)
		fprintf(stderr, "%s\n", e.text);
	for (unsigned i = 0; i < b.connections; i++)
		rpc_channel_free(b.channels[i]);
	rpc_tls_free(b.tls);
	uv_run(&b.loop, UV_RUN_DEFAULT);
	uv_loop_close(&b.loop);
	return r < 0;
}
