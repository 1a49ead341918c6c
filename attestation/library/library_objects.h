/* SPDX-License-Identifier: Apache-2.0 */
/*
 * library_objects.h — what the public header's types hold. Private to attestation/library.
 */
#pragma once

#include "attestation/library/cocos/attestation.h"
#include "attestation/library/library_store.h"
#include "attestation/policy/policy.h"
#include "attestation/tpm/credential.h"
#include "attestation/verdict/verdict.h"
#include "attestation/verify/verify.h"

struct cocos_policy {
	struct policy policy;
};

struct cocos_endorsements {
	struct library_store store;
};

struct cocos_credential {
	struct credential credential;
};

struct cocos_memory {
	struct signatures *signatures;
};

struct cocos_request {
	enum cocos_mode mode;
	struct library_store store;
	bool has_at;
	int64_t at;
	uint32_t skew;
	unsigned flags;
	enum snp_product product;
	struct signatures *signatures; /* the caller's memory's, or NULL */
	struct credential credential;  /* counts if it was answered */
	bool has_channel;
	struct binding channel;
	uint8_t *channel_spki; /* malloc'ed */
	size_t channel_spki_len;
};

/* Only what points nowhere: its inputs may be gone. */
struct cocos_verdict {
	struct verdict verdict;
	char reason[ERR_TEXT_MAX];
	enum cocos_mode mode;
	bool has_identity, has_manifest;
	uint8_t identity[SHA256_LEN], manifest[SHA3_256_LEN];
	uint8_t *claims; /* claims_json()'s, malloc'ed */
	size_t claims_len;
	const char *tdx_status; /* a constant, or NULL */
	size_t advisory_count;
	char advisories[TDX_RESULT_ADVISORIES_MAX][TDX_ADVISORY_LEN_MAX];
};
