/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/proof.h"

#include "common/base/writer.h"

#include <stdlib.h>

/* The log that this kind of evidence is judged with: the firmware's, whole or none, since it has to explain
 * every register. What the agent extended is in the statement. */
static struct span log_of(const struct keeper_evidence *evidence)
{
	const struct evidence_kind_row *row = &evidence_kind_rows[evidence->platform];
	const struct span none = { NULL, 0 };

	return row->tpm || row->tee == TEE_TDX ? evidence->log : none;
}

int agent_proof_make(struct span statement, const struct keeper_evidence *evidence,
		     struct agent_proof *proof, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(RECEIPT_PROOF_MAX);
	const struct receipt_proof parts = { statement, evidence->raw, log_of(evidence) };
	struct agent_proof made = { .platform = evidence->platform };

	if (receipt_proof_write(&parts, &w, e) < 0 ||
	    digest(DIGEST_SHA256, w.bytes, w.len, made.digest, e) < 0 ||
	    receipt_image(made.platform, evidence->raw, made.image, &made.image_len, e) < 0)
		return err_code(e);
	made.bytes = writer_take(&w, &made.len);
	if (!made.bytes)
		return err_nomem(e);
	*proof = made;
	return 0;
}

void agent_proof_done(struct agent_proof *proof)
{
	free(proof->bytes);
	*proof = (struct agent_proof){ .bytes = NULL };
}
