/* SPDX-License-Identifier: Apache-2.0 */
/* proof.h — who signs a run's receipts, as each of them will tell it (attestation/receipt/receipt.h). */
#pragma once

#include "agent/keeper/keeper.h"
#include "attestation/receipt/receipt.h"

/* `bytes` NULL: nothing vouches for a signer. */
struct agent_proof {
	uint8_t *bytes, digest[SHA256_LEN]; /* receipt_proof_write() */
	size_t len;
	enum evidence_kind platform;
	uint8_t image[RECEIPT_IMAGE_MAX];
	size_t image_len;
};

/* Of the run's statement and its evidence, which are copied. agent_proof_done() it. */
int agent_proof_make(struct span statement, const struct keeper_evidence *evidence,
		     struct agent_proof *proof, struct err *e) MUST_CHECK;
void agent_proof_done(struct agent_proof *proof);
