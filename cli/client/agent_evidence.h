/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_evidence.h — what an agent hands out about itself to anybody who asks: evidence over a
 * nonce, IMA's log, Azure's token, an activated credential. Nothing here is trusted.
 */
#pragma once

#include "cli/client/agent_methods.h"
#include "cli/client/client.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/base/writer.h"

struct agent_evidence {
	uint8_t type;          /* on the wire: 0 SNP, 1 vTPM, 2 both, 3 Azure, 4 TDX */
	struct span tee, vtpm; /* nonces */
};

/* Appends the whole of it to `file`, whose maximum is the limit. ERR_DATA_LOSS if it is not as long
 * as announced. */
int agent_evidence_fetch(struct client *client, const struct agent_evidence *wanted,
			 struct writer *file, struct err *e) MUST_CHECK;

/* IMA's binary log and the value of PCR10 beside it, which may be empty. */
int agent_evidence_ima(struct client *client, struct writer *file, struct writer *pcr10,
		       struct err *e) MUST_CHECK;
