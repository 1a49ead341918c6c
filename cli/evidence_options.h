/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence_options.h — the options of `attestation validate` as input to the verifier.
 */
#pragma once

#include "attestation/verify.h"
#include "cli/command.h"

enum { EVIDENCE_FILES_MAX = 64, EVIDENCE_BUNDLES_MAX = 4, EVIDENCE_FILE_MAX = 16 << 20 };

/* The table of options; ends with a row that has no name. */
extern const struct cli_option evidence_option_table[];

/* What the options name, read, and the verifier's input that points into it. */
struct evidence_options {
	struct verify_input input;
	struct policy policy;
	struct binding_nonce nonce;
	uint8_t report_data[BINDING_REPORT_DATA_LEN], tee[BINDING_TEE_NONCE_MAX],
		vtpm[BINDING_VTPM_NONCE_MAX], tpm_nonce[64];
	uint8_t manifests[VERIFY_MANIFESTS_MAX][SHA3_256_LEN];
	struct span intermediates[EVIDENCE_BUNDLES_MAX * X509_CHAIN_MAX];
	struct x509_chain bundles[EVIDENCE_BUNDLES_MAX];
	size_t bundle_count;
	EVP_PKEY *key;
	struct tdx_collateral collateral;
	uint8_t *files[EVIDENCE_FILES_MAX]; /* what was read, to be freed */
	size_t file_count;
};

/* ERR_INVALID and the like for what is not there, can't be read, or contradicts itself. Free with
 * evidence_options_done(), also after a failure. `path` is the file with the evidence. */
int evidence_options_read(const struct cli *cli, const char *path, struct evidence_options *o,
			  struct err *e) MUST_CHECK;
void evidence_options_done(struct evidence_options *o);

/* "2026-06-15T00:00:00Z" (RFC 3339, any offset) to seconds since 1970. */
int evidence_time(const char *text, int64_t *seconds, struct err *e) MUST_CHECK;
