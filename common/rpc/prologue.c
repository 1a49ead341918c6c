/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/prologue_run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct rpc_prologue_run {
	unsigned refs;
	struct prologue_place at; /* no transport once closed */
	const struct rpc_prologue *prologue;
	void *user;
	bool is_held, is_feeding, has_passed, is_refused;
	struct err why; /* it is refused */
	uint8_t *kept;  /* input that is not used yet */
	size_t kept_len;
};

struct rpc_prologue_run *prologue_run_new(const struct prologue_place *place,
					  const struct rpc_prologue *prologue, struct err *e)
{
	struct rpc_prologue_run *run = calloc(1, sizeof(*run));

	if (!run) {
		err_nomem(e);
		return NULL;
	}
	run->refs = 1;
	run->at = *place;
	run->prologue = prologue;
	return run;
}

static int keep(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len, struct err *e)
{
	uint8_t *grown;

	if (len > run->prologue->input_max - run->kept_len)
		return err_set(e, ERR_EXHAUSTED, "more than %zu bytes before HTTP/2",
			       run->prologue->input_max);
	grown = realloc(run->kept, run->kept_len + len + 1);
	if (!grown)
		return err_nomem(e);
	run->kept = grown;
	if (len)
		memcpy(run->kept + run->kept_len, bytes, len);
	run->kept_len += len;
	return 0;
}

/* What the prologue decided while it was being called takes effect when it has returned. */
static void settle(struct rpc_prologue_run *run)
{
	if (run->is_feeding || !run->at.transport)
		return;
	if (run->is_refused)
		run->at.carrier->fail(run->at.transport, &run->why);
	else if (run->has_passed)
		run->at.carrier->pass(run->at.transport);
}

static bool may_feed(const struct rpc_prologue_run *run)
{
	return run->at.transport && !run->is_held && !run->has_passed && !run->is_refused &&
	       run->kept_len;
}

/* Hands over what is kept until the prologue uses no more of it. */
static void feed(struct rpc_prologue_run *run)
{
	if (run->is_feeding)
		return;
	run->is_feeding = true;
	rpc_prologue_ref(run);
	while (may_feed(run)) {
		size_t used = run->prologue->bytes(run, run->kept, run->kept_len);

		assert(used <= run->kept_len);
		run->kept_len -= used;
		memmove(run->kept, run->kept + used, run->kept_len);
		if (used == 0)
			break;
	}
	run->is_feeding = false;
	settle(run);
	rpc_prologue_unref(run);
}

void prologue_run_start(struct rpc_prologue_run *run, void *data)
{
	rpc_prologue_ref(run);
	run->is_feeding = true;
	run->prologue->start(run, data);
	run->is_feeding = false;
	settle(run);
	rpc_prologue_unref(run);
}

int prologue_run_input(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len,
		       struct err *e)
{
	if (keep(run, bytes, len, e) < 0)
		return err_code(e);
	feed(run);
	return 0;
}

bool prologue_run_is_held(const struct rpc_prologue_run *run)
{
	return run->is_held;
}

uint8_t *prologue_run_rest(struct rpc_prologue_run *run, size_t *len)
{
	uint8_t *rest = run->kept;

	*len = run->kept_len;
	run->kept = NULL;
	run->kept_len = 0;
	return rest;
}

void prologue_run_close(struct rpc_prologue_run *run)
{
	run->at.transport = NULL;
	run->at.tls = NULL;
	run->prologue->closed(run);
	rpc_prologue_unref(run);
}

void rpc_prologue_set_user(struct rpc_prologue_run *run, void *user)
{
	run->user = user;
}

void *rpc_prologue_user(const struct rpc_prologue_run *run)
{
	return run->user;
}

void rpc_prologue_hold(struct rpc_prologue_run *run, bool hold)
{
	run->is_held = hold;
	if (hold || !run->at.transport || run->has_passed)
		return;
	run->at.carrier->kick(run->at.transport);
	feed(run);
}

struct rpc_prologue_run *rpc_prologue_ref(struct rpc_prologue_run *run)
{
	run->refs++;
	return run;
}

void rpc_prologue_unref(struct rpc_prologue_run *run)
{
	if (!run || --run->refs > 0)
		return;
	free(run->kept);
	free(run);
}

bool rpc_prologue_is_open(const struct rpc_prologue_run *run)
{
	return run->at.transport != NULL;
}

int rpc_prologue_send(struct rpc_prologue_run *run, const void *bytes, size_t len, struct err *e)
{
	if (!run->at.transport || run->has_passed)
		return err_set(e, ERR_UNAVAILABLE, "the exchange before HTTP/2 is over");
	return run->at.carrier->send(run->at.transport, bytes, len, e);
}

void rpc_prologue_pass(struct rpc_prologue_run *run)
{
	if (!run->at.transport || run->has_passed || run->is_refused)
		return;
	run->has_passed = true;
	run->is_held = false;
	settle(run);
}

void rpc_prologue_refuse(struct rpc_prologue_run *run, const struct err *e)
{
	if (!run->at.transport || run->has_passed || run->is_refused)
		return;
	run->is_refused = true;
	run->why = *e;
	settle(run);
}

SSL *rpc_prologue_tls(const struct rpc_prologue_run *run)
{
	return run->at.tls;
}

struct rpc_source rpc_prologue_source(const struct rpc_prologue_run *run)
{
	return run->at.source;
}
