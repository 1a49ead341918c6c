/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpc_bench TARGET SECONDS CONNECTIONS STREAMS [--ca PEM] [--idle] — load on EmptyCall: CONNECTIONS
 * connections with STREAMS calls open on each all the time. Prints calls per second, and the median
 * and 99th percentile of a call's time in microseconds, as one line of JSON.
 *
 * --idle opens the connections, prints "ready" and does nothing until standard input ends.
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
	const char *ca;
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

static int connect_all(struct bench *b, const char *target, struct err *e)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *tls = NULL;
	CLEANUP(free) char *ca = NULL;
	struct rpc_channel_config config = { .target = target };

	if (b->ca) {
		struct rpc_tls_config tls_config = { 0 };

		if (file_read_text(b->ca, PEM_FILE_MAX, &ca, e) < 0)
			return err_code(e);
		tls_config.ca = ca;
		if (rpc_tls_new_client(&tls_config, &tls, e) < 0)
			return err_code(e);
		config.tls = tls;
	}
	for (unsigned i = 0; i < b->connections; i++)
		if (rpc_channel_new(&b->loop, &config, &b->channels[i], e) < 0 ||
		    rpc_sync_connect(b->channels[i], e) < 0)
			return err_code(e);
	return 0;
}

static const struct option options[] = {
	{ "ca", required_argument, NULL, 'a' },
	{ "idle", no_argument, NULL, 'i' },
	{ 0 },
};

int main(int argc, char **argv)
{
	static struct bench b;
	struct err e;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			b.ca = optarg;
		else if (option == 'i')
			b.is_idle = true;
		else
			return 2;
	}
	if (optind + 4 == argc) {
		b.connections = (unsigned)strtoul(argv[optind + 2], NULL, 10);
		b.streams = (unsigned)strtoul(argv[optind + 3], NULL, 10);
	}
	if (b.connections == 0 || b.connections > CONNECTIONS_MAX || b.streams == 0) {
		fprintf(stderr,
			"usage: %s TARGET SECONDS CONNECTIONS STREAMS [--ca PEM] [--idle]\n",
			argv[0]);
		return 2;
	}
	uv_loop_init(&b.loop);
	r = connect_all(&b, argv[optind], &e);
	if (r == 0)
		r = b.is_idle ? idle()
			      : measure(&b, (unsigned)strtoul(argv[optind + 1], NULL, 10), &e);
	if (r < 0)
		fprintf(stderr, "%s\n", e.text);
	for (unsigned i = 0; i < b.connections; i++)
		rpc_channel_free(b.channels[i]);
	uv_run(&b.loop, UV_RUN_DEFAULT);
	uv_loop_close(&b.loop);
	return r < 0;
}
