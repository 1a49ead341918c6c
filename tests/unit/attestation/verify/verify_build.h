/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_build.h — one whole verification in the making: a token of a kind, right in everything, with
 * its run statement, and the call that judges it.
 */
#pragma once

#include "attestation/token/run_statement.h"
#include "common/crypto/key.h"
#include "tests/unit/attestation/verify/verify_kind.h"

enum { VERIFY_BUILD_SKEW = 60 };

/* Between begin and seal, change what is signed; after that, what is asked. */
struct verify_build {
	const struct verify_kind *kind;
	EVP_PKEY *key, *other;
	uint8_t *spki, *other_spki;
	size_t spki_len, other_spki_len;
	uint8_t tee[64], vtpm[32], manifest[1][SHA3_256_LEN], report_data[BINDING_REPORT_DATA_LEN];
	uint8_t tpm_nonce[BINDING_TPM_NONCE_LEN];
	struct binding_nonce nonce;
	struct binding channel, bound; /* `bound`: what the token's evidence is bound to */
	bool by_channel, no_run, run_by_channel, cut_run, relayed;
	enum verify_twist twist;       /* of the statement's own evidence */
	struct eat_bytes run_evidence; /* in place of the right one */
	struct run_statement run;
	struct eat_content content;
	struct policy policy;
	struct verify_input in;
	struct writer token, evidence, run_bytes, run_quote;
};

void verify_build_begin(struct verify_build *b, const struct verify_kind *kind);
/* The statement, its evidence, the evidence and the token around all of it. */
void verify_build_seal(struct verify_build *b);
void verify_build_end(struct verify_build *b);

/* Binds the call to report data and TPM nonce themselves, in place of what they follow from. */
void verify_build_raw_binding(struct verify_build *b);

/* The policy takes stock agents. Beside a TEE it speaks of no registers then: the report of such an agent does not say whose
 * they are. */
void verify_build_stock(struct verify_build *b);
