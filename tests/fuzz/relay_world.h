/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_world.h — for fuzz_relay_hub: an instance that passes on, one that serves, and all who speak with them, on one loop
 * whose clock stands still (loop_time.h), over unix sockets in place of TCP, so that what was sent has come.
 *
 * Whoever is to be passed on says one and the same stream, and whoever hears has to hear its beginning.
 */
#pragma once

#include "common/relay/relay_front.h"
#include "common/relay/relay_inner.h"

#include <uv.h>

enum { RELAY_WORLD_LINES = 40, RELAY_WORLD_PIECE = 4096, RELAY_WORLD_FENCE = 7 };

enum relay_line_kind {
	RELAY_CALLER,  /* at the front's door */
	RELAY_COMER,   /* at the inner listener */
	RELAY_DIALLED, /* by the front, in place of an inner listener */
	RELAY_SERVED,  /* what the inner listener handed over */
};

struct relay_line {
	enum relay_line_kind kind;
	int fd;                /* -1: closed */
	SSL *tls;              /* NULL: bytes */
	bool is_up, is_broken; /* TLS */
	bool waits;            /* some of the stream is half said in TLS */
	bool has_headed;       /* its header, or its answer, is said */
	uint64_t said, heard;  /* of the stream */
	size_t head_len;       /* heard before it */
	uint8_t head[RELAY_HEADER_LEN];
};

struct relay_world {
	uv_loop_t loop;
	struct relay_front *front; /* NULL: it has left */
	struct relay_inner *inner;
	struct relay_line lines[RELAY_WORLD_LINES];
	size_t count;
	unsigned flags, lacks, takes;
	uint8_t address; /* of who calls */
	bool is_slow;    /* peers do not shake hands */
	bool is_impure;  /* somebody has said something else than the stream */
};

extern struct relay_world relay_world;

void relay_world_enter(unsigned flags);
/* All leave; nothing may be left. */
void relay_world_leave(void);
/* What can happen now does, and what must hold is asserted. */
void relay_world_settle(void);

/* NULL: there is none. */
struct relay_line *relay_world_line(uint8_t back);
/* NULL: there is no room, or nobody takes it. */
struct relay_line *relay_world_call(void);
struct relay_line *relay_world_come(unsigned by);
void relay_world_lead(unsigned how);

/* Behind its header or answer: something that is not the stream. */
void relay_line_say(struct relay_line *l, const uint8_t *bytes, size_t len);
/* Pieces of the stream. */
void relay_line_much(struct relay_line *l, unsigned pieces);
void relay_line_raw(const struct relay_line *l, const uint8_t *bytes, size_t len);
void relay_line_hear(struct relay_line *l, unsigned pieces);
void relay_line_end(struct relay_line *l);
void relay_line_close(struct relay_line *l);
