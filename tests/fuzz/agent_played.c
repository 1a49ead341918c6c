/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/agent_played.h"

#include "agent/core/agent_listener.h"
#include "agent/jail/runner.h"
#include "agent/keeper/keeper_protocol.h"
#include "common/base/writer.h"
#include "tests/fuzz/keeper_played.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { WAITING_MAX = 32 };

/* ---- the keeper's process ---- */

static struct {
	enum world_keeper does;
	bool measured;
	uint8_t waiting[WAITING_MAX][5]; /* heads of requests */
	size_t count;
} keeper;

static void put_part(struct writer *w, size_t len)
{
	writer_be32(w, (uint32_t)len);
	writer_zeros(w, len);
}

static void content_of(enum keeper_request type, struct writer *w)
{
	enum evidence_kind kind = keeper.measured ? EVIDENCE_VTPM : EVIDENCE_NONE;
	const uint8_t platform = (uint8_t)evidence_kind_rows[kind].type;
	/* COSE_Sign1: ES256, no other header, one byte each of payload and signature. */
	static const uint8_t receipt[] = { 0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26,
					   0xa0, 0x41, 0x00, 0x41, 0x00 };

	switch (type) {
	case KEEPER_CHECK:
		writer_u8(w, keeper.measured);
		writer_u8(w, platform);
		break;
	case KEEPER_RUN:
	case KEEPER_CHANNEL:
	case KEEPER_NONCE:
		writer_u8(w, platform);
		put_part(w, 100);
		put_part(w, 0);
		put_part(w, BINDING_TPM_NONCE_LEN);
		put_part(w, 10);
		put_part(w, 10);
		break;
	case KEEPER_IMA:
		put_part(w, 3000);
		put_part(w, 32);
		break;
	case KEEPER_ENDORSEMENT:
		for (int i = 0; i < 4; i++)
			put_part(w, 50);
		break;
	case KEEPER_ACTIVATE:
		put_part(w, 32);
		break;
	case KEEPER_JOURNAL_KEY:
	case KEEPER_JOURNAL_SIGN:
		put_part(w, 91);
		break;
	case KEEPER_RECEIPT:
		writer_be32(w, sizeof(receipt));
		writer_bytes(w, receipt, sizeof(receipt));
		break;
	case KEEPER_LOG:
		break;
	default:
		writer_u8(w, keeper.measured);
		writer_u8(w, 0);
	}
}

static void answer(const uint8_t head[5])
{
	CLEANUP_WRITER struct writer w = writer_up_to(KEEPER_PIECE_MAX);

	writer_bytes(&w, head, 4);
	writer_u8(&w, keeper.does == WORLD_KEEPER_FAILS ? ERR_UNAVAILABLE : 0);
	writer_u8(&w, 0);
	if (keeper.does == WORLD_KEEPER_FAILS)
		writer_text(&w, "the device is away");
	else
		content_of((enum keeper_request)head[4], &w);
	assert(send(keeper_played.sock, w.bytes, w.len, MSG_NOSIGNAL) == (ssize_t)w.len);
}

/* Whether there was something. */
bool played_keeper_serve(void)
{
	uint8_t packet[KEEPER_REQUEST_MAX];
	bool any = false;

	while (keeper_played.sock >= 0 && keeper.count < WAITING_MAX &&
	       recv(keeper_played.sock, packet, sizeof(packet), 0) >= 5)
		memcpy(keeper.waiting[keeper.count++], packet, 5);
	if (keeper.does == WORLD_KEEPER_WAITS)
		return false;
	for (size_t i = 0; i < keeper.count; i++) {
		answer(keeper.waiting[i]);
		any = true;
	}
	keeper.count = 0;
	return any;
}

void played_keeper_begin(bool measured)
{
	keeper.does = WORLD_KEEPER_ANSWERS;
	keeper.measured = measured;
	keeper.count = 0;
}

void played_keeper_end(void)
{
	keeper_played_ends();
	close(TAKE_FD(keeper_played.sock));
}

void world_keeper_does(enum world_keeper what)
{
	keeper.does = what;
}

/* ---- the jail ---- */

int (*played_results)(void);

struct runner {
	struct runner_callbacks callbacks;
	bool stopped;
};

static struct runner *running;

int __wrap_runner_start(uv_loop_t *loop, const struct runner_spec *spec,
			const struct runner_callbacks *callbacks, struct runner **runner,
			struct err *e);
int __wrap_runner_start(uv_loop_t *loop, const struct runner_spec *spec,
			const struct runner_callbacks *callbacks, struct runner **runner,
			struct err *e)
{
	struct stat st;

	assert(!running && stat(spec->algorithm, &st) == 0 && S_ISREG(st.st_mode));
	assert(stat(spec->datasets, &st) == 0 && S_ISDIR(st.st_mode));
	running = calloc(1, sizeof(*running));
	assert(running);
	running->callbacks = *callbacks;
	*runner = running;
	return 0;
}

void __wrap_runner_stop(struct runner *runner);
void __wrap_runner_stop(struct runner *runner)
{
	assert(runner == running);
	runner->stopped = true;
}

void __wrap_runner_free(struct runner *runner);
void __wrap_runner_free(struct runner *runner)
{
	assert(runner == running);
	running = NULL;
	free(runner);
}

bool world_has_run(void)
{
	return running != NULL;
}

void world_run_ends(bool ok)
{
	struct jail_exit exit = { .ok = ok, .started = true, .code = ok ? 0 : 3 };
	int results = -1;

	if (!running)
		return;
	if (running->stopped)
		exit = (struct jail_exit){ .stopped = true, .started = true, .code = -1 };
	snprintf(exit.cause, sizeof(exit.cause), "%s", exit.ok ? "" : "it ended");
	if (exit.ok)
		results = played_results();
	running->callbacks.on_exit(running->callbacks.data, &exit, results);
}

void world_run_says(const char *line)
{
	if (running)
		running->callbacks.on_line(running->callbacks.data, 1, line, strlen(line));
}

/* ---- the listener ---- */

struct agent_listener {
	struct rpc_server *server;
};

static struct agent_listener *open_listener;

int __wrap_agent_listener_open(const struct agent_listener_options *options,
			       struct agent_listener **listener, struct err *e);
int __wrap_agent_listener_open(const struct agent_listener_options *options,
			       struct agent_listener **listener, struct err *e)
{
	assert(!open_listener);
	open_listener = calloc(1, sizeof(*open_listener));
	assert(open_listener);
	assert(rpc_server_new(options->loop, NULL, &open_listener->server, e) == 0);
	assert(rpc_server_add(open_listener->server, options->service, options->service_data, e) ==
	       0);
	*listener = open_listener;
	return 0;
}

void __wrap_agent_listener_close(struct agent_listener *listener, const char *why);
void __wrap_agent_listener_close(struct agent_listener *listener, const char *why)
{
	struct err e;

	if (!listener)
		return;
	assert(listener == open_listener);
	err_set(&e, ERR_ABORTED, "%s", why);
	rpc_server_end_calls(listener->server, &e);
	rpc_server_free(listener->server);
	open_listener = NULL;
	free(listener);
}

struct rpc_server *world_server(void)
{
	return open_listener ? open_listener->server : NULL;
}
