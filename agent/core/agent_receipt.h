/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_receipt.h — the receipt for a computation's results (attestation/receipt/receipt.h): put together
 * when they are packed, signed by the keeper, kept with the computation.
 *
 * Only an agent with a TEE or TPM makes one: what vouches for the signer is the evidence over the run
 * statement.
 */
#pragma once

#include "attestation/receipt/receipt.h"

struct agent;

/* Will there be a receipt? */
bool agent_receipt_is_due(const struct agent *agent);

/* Before a run whose receipt would be too long: what is in it is known by then. ERR_EXHAUSTED. */
int agent_receipt_fits(const struct agent *agent, struct err *e) MUST_CHECK;

/* Has the computation's receipt made; `done` comes from the loop, once, or from agent_receipt_abandon().
 * With `e` NULL the receipt is the computation's. */
typedef void agent_receipt_done_fn(void *data, const struct err *e);
struct agent_receipt_call {
	struct agent *agent;
	const struct receipt_results *results; /* lent for the call */
	agent_receipt_done_fn *done;
	void *data;
};
int agent_receipt_make(const struct agent_receipt_call *call, struct err *e) MUST_CHECK;
/* The keeper is gone, and with it the answer that somebody waits for. */
void agent_receipt_abandon(struct agent *agent);
