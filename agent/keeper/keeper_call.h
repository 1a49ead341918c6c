/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper_call.h — the client's handle and what waits in it; for keeper_client.c (process, packets)
 * and keeper_call.c (what each request and its answer look like) only.
 */
#pragma once

#include "agent/keeper/keeper.h"
#include "agent/keeper/keeper_protocol.h"
#include "common/base/writer.h"

enum { KEEPER_CALLS_MAX = 16 };

enum keeper_shape { SHAPE_CHECK, SHAPE_MEASURED, SHAPE_LOG, SHAPE_EVIDENCE, SHAPE_PARTS };

/* One that waits for its answer; the keeper answers in order. */
struct keeper_call {
	uint32_t number;
	enum keeper_shape shape;
	union {
		keeper_measured_fn *measured;
		keeper_log_fn *log;
		keeper_evidence_fn *evidence;
		keeper_parts_fn *parts;
	} done;
	void *data;
};

struct keeper {
	uv_process_t process;
	uv_poll_t poll;
	uv_timer_t timer;
	int sock;
	int open_handles;
	bool freed, dead, exited;
	uint32_t next_number;
	struct keeper_call calls[KEEPER_CALLS_MAX];
	size_t count;
	void (*died)(void *data);
	void *died_data;
	struct keeper_facts facts;
	uint8_t packet[KEEPER_ANSWER_HEAD_LEN + KEEPER_PIECE_MAX + 1];
	struct writer answer; /* the pieces so far */
};

/* keeper_client.c: `content` may be NULL; `call` is copied. */
int keeper_ask(struct keeper *keeper, enum keeper_request type, const struct writer *content,
	       const struct keeper_call *call, struct err *e) MUST_CHECK;

/* keeper_call.c: hands the answer over; false if it is none of that shape (nobody was called). */
bool keeper_call_answer(struct keeper *keeper, const struct keeper_call *call, const uint8_t *bytes,
			size_t len);
void keeper_call_fail(const struct keeper_call *call, const struct err *e);
