/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_receipt.h — what was verified, kept: for each session the evidence as it came, and the verdict
 * with everything that is needed to reach it again.
 */
#pragma once

#include "attestation/channel/authenticator.h"
#include "attestation/verdict/verdict.h"

struct session_receipt {
	const char *dir;
	unsigned number; /* of this process, so that names differ */
	int64_t at;      /* when it was judged */
	const struct authenticator *authenticator;
	const struct verdict *verdict;
	struct span claims; /* of the verdict, as claims_json() wrote them */
};

/* DIR/session-TIME-PID-NUMBER.eat and .json, mode 0600, both whole or neither there; makes the folder.
 * Nothing is ever replaced. */
int session_receipt_keep(const struct session_receipt *r, struct err *e) MUST_CHECK;
