/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idblock.h — the ID block that an owner signs for a launch, and its authentication (56860, tables
 * 75 and 76; SNP_LAUNCH_FINISH).
 *
 * The firmware starts the guest only if it matches, and puts the digests of both keys into the
 * report. Here they are made, and compared to a report.
 */
#pragma once

#include "attestation/snp/snp_report.h"
#include "attestation/verdict/verdict.h"
#include "common/base/err.h"
#include "common/base/span.h"

#include <openssl/evp.h>

enum { IDBLOCK_LEN = 96, IDAUTH_LEN = 4096 };

struct idblock {
	uint8_t measurement[SNP_DIGEST_LEN];
	uint8_t family_id[SNP_ID_LEN], image_id[SNP_ID_LEN];
	uint32_t guest_svn;
	uint64_t policy;
};

void idblock_write(const struct idblock *block, uint8_t bytes[IDBLOCK_LEN]);

/* Signs the block with the ID key, and the ID key with the author's key unless that is NULL. */
int idblock_sign(const uint8_t block[IDBLOCK_LEN], EVP_PKEY *id_key, EVP_PKEY *author_key,
		 uint8_t auth[IDAUTH_LEN], struct err *e) MUST_CHECK;

/* SHA-384 of the key as the authentication has it: ID_KEY_DIGEST, AUTHOR_KEY_DIGEST. */
int idblock_key_digest(const EVP_PKEY *key, uint8_t digest[SNP_DIGEST_LEN],
		       struct err *e) MUST_CHECK;

/* The format and both signatures by themselves; `*author` says whether an author key signed. */
int idblock_verify(struct span block, struct span auth, bool *author, struct err *e) MUST_CHECK;

/* Requires what idblock_judge() checks, whether it is reached or not. */
void idblock_require(struct verdict *v);

/* Adds the checks "idblock.…": the block is well signed, says what the report says, and the digests
 * of its keys are the report's. */
void idblock_judge(struct span block, struct span auth, const struct snp_report *report,
		   struct verdict *v);
