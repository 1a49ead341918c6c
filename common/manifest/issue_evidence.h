/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue_evidence.h — what an agent shows an authority beside its token: evidence of its identity key, and that key's
 * signature over what it asks for.
 *
 *   message   "cocos-certificate-evidence-v1" 00 ‖ SHA-256(token) ‖ SHA-256(request)
 *   nonce     of the evidence: SHA-256(message)
 *   signature by the identity key, which that evidence binds, over message
 *
 * The token is random, works once and ends within days, so it is the challenge: no evidence of before its making fits. The
 * nonce alone would not do: agents give evidence for any caller's nonce (form NONCE, binding.h), and whoever reads the
 * token could ask a genuine one for that of a request of his own. The signature nobody gets: nothing else that an
 * identity key signs begins so (TLS, RFC 9261's authenticators, COSE).
 */
#pragma once

#include "common/base/span.h"
#include "common/crypto/digest.h"

#define ISSUE_EVIDENCE_LABEL "cocos-certificate-evidence-v1"

enum {
	ISSUE_EVIDENCE_NONCE_LEN = SHA256_LEN,
	ISSUE_EVIDENCE_LEN = sizeof(ISSUE_EVIDENCE_LABEL) + 2 * SHA256_LEN,
};

struct issue_evidence {
	uint8_t message[ISSUE_EVIDENCE_LEN], nonce[ISSUE_EVIDENCE_NONCE_LEN];
};

/* `request` is the PKCS#10 request, DER, as it is sent. */
int issue_evidence_make(const char *token, struct span request, struct issue_evidence *out,
			struct err *e) MUST_CHECK;
