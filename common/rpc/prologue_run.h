/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prologue_run.h — a prologue as its transport drives it. For this folder only.
 */
#pragma once

#include "common/rpc/prologue.h"

/* What carries the exchange, as it needs it: the connection's transport. */
struct transport;
struct prologue_carrier {
	/* Copies the bytes, and sends them as soon as the socket takes them. */
	int (*send)(struct transport *t, const void *bytes, size_t len, struct err *e);
	/* Input may have to be read again. */
	void (*kick)(struct transport *t);
	/* How it ended: HTTP/2 follows, or nothing. */
	void (*pass)(struct transport *t);
	void (*fail)(struct transport *t, const struct err *e);
};

struct prologue_place {
	const struct prologue_carrier *carrier;
	struct transport *transport;
	SSL *tls;
	struct rpc_source source;
};

/* NULL on failure. `place` is copied; what it points to lives until prologue_run_close(). */
struct rpc_prologue_run *prologue_run_new(const struct prologue_place *place,
					  const struct rpc_prologue *prologue, struct err *e);
void prologue_run_start(struct rpc_prologue_run *run, void *data);
/* Bytes that came: handed on, what is not used is kept. EXHAUSTED past input_max. */
int prologue_run_input(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len,
		       struct err *e) MUST_CHECK;
bool prologue_run_is_held(const struct rpc_prologue_run *run);
/* What came behind the prologue's end; malloc'ed, may be NULL. */
uint8_t *prologue_run_rest(struct rpc_prologue_run *run, size_t *len);
/* The connection ends: closed() is called and the transport's reference given up. */
void prologue_run_close(struct rpc_prologue_run *run);
