/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/issue_evidence.h"

#include <string.h>

int issue_evidence_make(const char *token, struct span request, struct issue_evidence *out,
			struct err *e)
{
	static const char label[] = ISSUE_EVIDENCE_LABEL; /* its final zero belongs to it */
	uint8_t *at = out->message + sizeof(label);

	memcpy(out->message, label, sizeof(label));
	if (digest(DIGEST_SHA256, token, strlen(token), at, e) < 0 ||
	    digest(DIGEST_SHA256, request.bytes, request.len, at + SHA256_LEN, e) < 0)
		return err_code(e);
	return digest(DIGEST_SHA256, out->message, sizeof(out->message), out->nonce, e);
}
