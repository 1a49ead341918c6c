/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both halves of attested TLS against bytes of any kind in pieces of any size, over the exporters
 * of a real TLS session; this file stands in for prologue and pool.
 *
 * Input: a byte that chooses the half (bit 0), then commands: 0x00 the pending work is done; 0x01
 * the honest frame, with a byte of it (16-bit place) changed by an XOR that may be zero; 0xff a client
 * asks again through HTTP/2, by the request of the next length (one byte); 0xfe its call is cancelled;
 * 0xfd evidence can't be had; any other n the next n - 1 bytes as they are.
 */
#include "attestation/channel/attested_client.h"
#include "attestation/channel/attested_server.h"
#include "common/rpc/job.h"
#include "common/rpc/prologue.h"
#include "tests/fuzz/attested_ends.h"

#include <assert.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20, ORDERS_MAX = 64 };

/* ---- one connection, as a transport would drive it ---- */

struct rpc_prologue_run {
	const struct rpc_prologue *prologue;
	void *user;
	unsigned refs;
	bool is_held, is_open, has_passed, is_refused;
	uint8_t *kept;
	size_t kept_len, kept_room, sent;
	uint8_t first_sent;
	SSL *tls;
};

void rpc_prologue_set_user(struct rpc_prologue_run *run, void *user)
{
	run->user = user;
}

struct rpc_source rpc_prologue_source(const struct rpc_prologue_run *run)
{
	return (struct rpc_source){ { '4' } };
}

void *rpc_prologue_user(const struct rpc_prologue_run *run)
{
	return run->user;
}

static void feed(struct rpc_prologue_run *run)
{
	while (run->kept_len && !run->is_held && !run->has_passed && !run->is_refused) {
		size_t used = run->prologue->bytes(run, run->kept, run->kept_len);

		assert(used <= run->kept_len);
		memmove(run->kept, run->kept + used, run->kept_len - used);
		run->kept_len -= used;
		if (!used)
			return;
	}
}

void rpc_prologue_hold(struct rpc_prologue_run *run, bool hold)
{
	run->is_held = hold;
	if (!hold && run->is_open)
		feed(run);
}

struct rpc_prologue_run *rpc_prologue_ref(struct rpc_prologue_run *run)
{
	run->refs++;
	return run;
}

void rpc_prologue_unref(struct rpc_prologue_run *run)
{
	if (--run->refs)
		return;
	free(run->kept);
	free(run);
}

bool rpc_prologue_is_open(const struct rpc_prologue_run *run)
{
	return run->is_open;
}

int rpc_prologue_send(struct rpc_prologue_run *run, const void *bytes, size_t len, struct err *e)
{
	assert(run->is_open && !run->is_refused && !run->has_passed);
	if (!run->sent)
		run->first_sent = *(const uint8_t *)bytes;
	run->sent += len;
	return 0;
}

void rpc_prologue_pass(struct rpc_prologue_run *run)
{
	if (run->is_open && !run->is_refused)
		run->has_passed = true;
}

void rpc_prologue_refuse(struct rpc_prologue_run *run, const struct err *e)
{
	assert(e->code != ERR_OK && e->text[0]);
	if (run->is_open && !run->has_passed)
		run->is_refused = true;
}

SSL *rpc_prologue_tls(const struct rpc_prologue_run *run)
{
	return run->is_open ? run->tls : NULL;
}

/* ---- work that is done when the input says so ---- */

static struct {
	void (*done)(void *data);
	void *data;
} job;

int rpc_job_start(uv_loop_t *loop, void (*work)(void *data), void (*done)(void *data), void *data,
		  struct err *e)
{
	assert(!job.done);
	work(data);
	job.done = done;
	job.data = data;
	return 0;
}

static struct {
	attested_token_fn *done;
	void *data;
	char token[ENDS_TOKEN_MAX];
} evidence;

static int collect(void *source, const struct rpc_source *peer, enum digest_kind hash,
		   const uint8_t exporter[BINDING_EXPORTER_LEN], attested_token_fn *done,
		   void *data, void **handle, struct err *e)
{
	assert(!evidence.done);
	attested_ends_token(hash, exporter, evidence.token);
	evidence.done = done;
	evidence.data = data;
	*handle = &evidence;
	return 0;
}

static void cancel(void *source, void *handle)
{
	assert(handle == &evidence && evidence.done);
	evidence.done = NULL;
}

static void finish_work(void)
{
	if (job.done)
		TAKE_PTR(job.done)(job.data);
	if (evidence.done)
		TAKE_PTR(evidence.done)
	(evidence.data, (const uint8_t *)evidence.token, strlen(evidence.token), NULL);
}

/* ---- the TLS session, made once ---- */

static struct attested_server *server;

static void prepare(void)
{
	struct attested_server_config config = { .source = { .collect = collect,
							     .cancel = cancel } };
	struct err e;

	attested_ends_open();
	config.key = ends.identity.key;
	config.leaf_der = ends.identity.leaf;
	config.leaf_len = ends.identity.leaf_len;
	assert(attested_server_new(&config, &server, &e) == 0);
}

/* ---- the commands ---- */

static const uint8_t context[EA_CONTEXT_LEN] = { 1, 2, 3 };

static size_t honest_request(uint8_t *out)
{
	CLEANUP_WRITER struct writer w = writer_up_to(EA_REQUEST_MAX);

	ea_request_write(context, &w);
	memcpy(out + EA_FRAME_HEAD, w.bytes, w.len);
	ea_frame_head(EA_FRAME_REQUEST, w.len, out);
	return w.len + EA_FRAME_HEAD;
}

static size_t honest_authenticator(uint8_t *out, size_t room)
{
	CLEANUP_WRITER struct writer w = writer_up_to(room - EA_FRAME_HEAD);

	attested_ends_answer(&ends.identity, context, &w);
	memcpy(out + EA_FRAME_HEAD, w.bytes, w.len);
	ea_frame_head(EA_FRAME_AUTHENTICATOR, w.len, out);
	return w.len + EA_FRAME_HEAD;
}

static void receive(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	/* A transport ends a peer that sends more than it may; here the rest is not sent. */
	if (!len || run->has_passed || run->is_refused ||
	    len > run->prologue->input_max - run->kept_len || run->kept_len + len > INPUT_MAX)
		return;
	if (run->kept_len + len > run->kept_room) {
		run->kept_room = 2 * (run->kept_len + len);
		run->kept = realloc(run->kept, run->kept_room);
		assert(run->kept);
	}
	memcpy(run->kept + run->kept_len, bytes, len);
	run->kept_len += len;
	feed(run);
}

/* What came, in order; only the honest frame and nothing else may lead to the pass. */
struct heard {
	unsigned honest, other;
};

/* A second answer, after the pass. */
static struct attested_answer *again;

static void on_again(void *data, const uint8_t *bytes, size_t len, const struct err *e)
{
	assert(again && !bytes == !!e);
	again = NULL;
}

/* One at a time. */
static void ask_again(struct rpc_prologue_run *run, struct reader *r)
{
	struct attested_answer *made;
	size_t len = reader_u8(r);
	struct reader request = reader_sub(r, len);
	struct err e;

	if (!run->has_passed)
		return;
	len = reader_left(&request);
	int failed = attested_answer_start(run, reader_take(&request, len), len, on_again, NULL,
					   &made, &e);
	assert(!again || err_is(failed, ERR_EXHAUSTED));
	if (!failed)
		again = made;
}

static void cancel_again(void)
{
	if (again)
		attested_answer_cancel(TAKE_PTR(again));
}

static void fail_work(void)
{
	struct err e;

	err_set(&e, ERR_UNAVAILABLE, "no device");
	if (evidence.done)
		TAKE_PTR(evidence.done)
	(evidence.data, NULL, 0, &e);
}

static void follow(struct rpc_prologue_run *run, struct reader *r, bool is_server,
		   struct heard *heard)
{
	static uint8_t frame[1 << 17];
	uint8_t order = reader_u8(r);

	if (order == 0) {
		finish_work();
	} else if (order == 1) {
		size_t len = is_server ? honest_request(frame)
				       : honest_authenticator(frame, sizeof(frame));
		uint16_t place = reader_be16(r);
		uint8_t change = reader_u8(r);

		frame[place % len] ^= change;
		*(change ? &heard->other : &heard->honest) += 1;
		receive(run, frame, len);
	} else if (order == 0xff && is_server) {
		ask_again(run, r);
	} else if (order == 0xfe && is_server) {
		cancel_again();
	} else if (order == 0xfd && is_server) {
		fail_work();
	} else {
		size_t len = order - 1u < reader_left(r) ? order - 1u : reader_left(r);

		heard->other++;
		receive(run, reader_take(r, len), len);
	}
}

/* A transport does this at the latest when the prologue has refused. */
static void end(struct rpc_prologue_run *run)
{
	if (!run->is_open)
		return;
	run->is_open = false;
	run->prologue->closed(run);
}

static void close_run(struct rpc_prologue_run *run)
{
	end(run);
	finish_work();
	cancel_again();
	rpc_prologue_unref(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	bool is_server = reader_u8(&r) & 1;
	struct kit_judge judge = { .refuses = false };
	const struct attested_client_config config = { .first_context = context,
						       .appraise = kit_appraise,
						       .data = &judge };
	struct attested_client *client = NULL;
	struct heard heard = { 0 };
	struct rpc_prologue_run *run;
	struct err e;

	if (!server)
		prepare();
	run = calloc(1, sizeof(*run));
	assert(run && attested_client_new(&config, &client, &e) == 0);
	*run = (struct rpc_prologue_run){ .refs = 1, .is_open = true };
	run->prologue = is_server ? &attested_server_prologue : &attested_client_prologue;
	run->tls = is_server ? ends.server : ends.client;
	run->prologue->start(run, is_server ? (void *)server : client);
	for (int i = 0; i < ORDERS_MAX && reader_left(&r) && run->is_open; i++) {
		size_t sent = run->sent;

		follow(run, &r, is_server, &heard);
		if (run->is_refused)
			end(run);
		/* A server sends once, when it passes; a client sends before it receives. */
		assert(run->sent == sent || (is_server && run->has_passed));
	}
	if (is_server && run->sent)
		assert(run->first_sent == EA_FRAME_AUTHENTICATOR);
	if (!is_server && run->has_passed)
		assert(heard.honest && judge.asked == 1);
	if (!is_server && heard.honest == 0)
		assert(!run->has_passed);
	close_run(run);
	attested_client_free(client);
	return 0;
}
