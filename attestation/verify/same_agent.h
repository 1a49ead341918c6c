/* SPDX-License-Identifier: Apache-2.0 */
/*
 * same_agent.h — is this still the agent that was verified first? What a later session, or evidence asked
 * for again in the middle of one, has to have in common with the first.
 *
 * Each piece of evidence was verified by itself before (verify.h); that says 'an agent as the policy
 * wants it'. Here it becomes 'that very agent': the same chip, key, launch and manifest, on a
 * platform that has not been put back to older firmware.
 */
#pragma once

#include "attestation/verify/verify_input.h"

/* What is kept of a session that was verified. */
struct same_agent {
	uint8_t key[SHA256_LEN]; /* of the SPKI that the channel's evidence is bound to */
	struct verify_result result;
};

/* Adds and requires the checks "same.kind", "same.key", "same.identity", "same.manifest"; of SNP
 * "same.chip", "same.measurement", "same.report_id", "same.host_data", "same.tcb"; of TDX
 * "same.chip", "same.measurement", "same.rtmrs", "same.mrconfigid", "same.mrowner",
 * "same.mrownerconfig", "same.tcb"; of a TPM "same.ak", "same.boot". Both results come from verdicts that were a yes. */
void same_agent_judge(const struct same_agent *first, const struct same_agent *now,
		      struct verdict *v);
