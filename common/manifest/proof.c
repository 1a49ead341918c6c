/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/proof.h"

#include "common/crypto/digest.h"

#include <string.h>

void proof_parameter(struct writer *parameters, const char *key, const void *value, size_t len)
{
	writer_be32(parameters, (uint32_t)strlen(key));
	writer_text(parameters, key);
	if (len > PROOF_PARAMETERS_MAX)
		parameters->bad = true;
	writer_be32(parameters, (uint32_t)len);
	writer_bytes(parameters, value, len);
}

void proof_parameter_text(struct writer *parameters, const char *key, const char *value)
{
	proof_parameter(parameters, key, value, strlen(value));
}

/* With its final zero, which separates it from what follows. */
static void text_and_zero(struct writer *w, const char *text)
{
	writer_bytes(w, text, strlen(text) + 1);
}

int proof_message(const struct proof *proof, const struct writer *parameters, uint8_t **bytes,
		  size_t *len, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4096);
	uint8_t parameters_digest[SHA3_256_LEN];
	int failed;

	if (parameters && (failed = writer_check(parameters, "parameters of the call", e)))
		return failed;
	failed = digest(DIGEST_SHA3_256, parameters ? parameters->bytes : NULL,
			parameters ? parameters->len : 0, parameters_digest, e);
	if (failed)
		return failed;
	text_and_zero(&w, "cocos-proof-v1");
	text_and_zero(&w, proof->role);
	text_and_zero(&w, proof->method);
	writer_bytes(&w, proof->manifest, sizeof(proof->manifest));
	writer_bytes(&w, proof->session, sizeof(proof->session));
	writer_bytes(&w, proof->asset, sizeof(proof->asset));
	writer_bytes(&w, parameters_digest, sizeof(parameters_digest));
	failed = writer_check(&w, "proof", e);
	if (failed)
		return failed;
	*bytes = writer_take(&w, len);
	return 0;
}
