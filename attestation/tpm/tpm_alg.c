/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tpm/tpm_alg.h"

#include <string.h>

static const struct {
	uint16_t alg;
	enum digest_kind kind;
	const char *bank;
} digests[] = {
	{ TPM_ALG_SHA1, DIGEST_SHA1, "sha1" },
	{ TPM_ALG_SHA256, DIGEST_SHA256, "sha256" },
	{ TPM_ALG_SHA384, DIGEST_SHA384, "sha384" },
	{ TPM_ALG_SHA512, DIGEST_SHA512, "sha512" },
};

bool tpm_alg_digest(uint16_t alg, enum digest_kind *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(digests); i++)
		if (digests[i].alg == alg) {
			*kind = digests[i].kind;
			return true;
		}
	return false;
}

const char *tpm_bank_name(enum digest_kind kind)
{
	for (size_t i = 0; i < ARRAY_LEN(digests); i++)
		if (digests[i].kind == kind)
			return digests[i].bank;
	return "unknown";
}

bool tpm_bank_parse(const char *name, enum digest_kind *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(digests); i++)
		if (strcmp(digests[i].bank, name) == 0) {
			*kind = digests[i].kind;
			return true;
		}
	return false;
}

struct span tpm_sized(struct reader *r)
{
	size_t len = reader_be16(r);

	return span_take(r, len);
}
