/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper_call.h — one request of the agent that waits for the keeper's answer, and who gets it; for
 * keeper_client.c only.
 */
#pragma once

#include "agent/keeper/keeper.h"

enum keeper_shape { SHAPE_CHECK, SHAPE_MEASURED, SHAPE_LOG, SHAPE_EVIDENCE, SHAPE_PARTS };

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

/* Hands the answer over, and notes in `facts` what it says of the machine; false if it is none of that
 * shape (nobody was called). */
bool keeper_call_answer(struct keeper_facts *facts, const struct keeper_call *call,
			const uint8_t *bytes, size_t len);
void keeper_call_fail(const struct keeper_call *call, const struct err *e);
