/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence_options.h — options as input to the verifier: those of `attestation validate`, and those
 * that every command which talks to an attested agent has as well.
 */
#pragma once

#include "attestation/verify/verify.h"
#include "cli/base/command.h"
#include "cli/evidence/endorse.h"

enum { EVIDENCE_FILES_MAX = 64, EVIDENCE_BUNDLES_MAX = 4, EVIDENCE_FILE_MAX = 16 << 20 };

/* Whom to trust and what to expect; read by evidence_trust_read(). */
/* clang-format off */
#define EVIDENCE_TRUST_OPTIONS \
	{ .name = "manifest", .value = "FILE", .times = CLI_MANY, \
	  .help = "the computation's manifest (JSON)" }, \
	EVIDENCE_ROOT_OPTIONS

/* Without the manifest, which follows from something else. */
#define EVIDENCE_ROOT_OPTIONS \
	{ .name = "product", .value = "NAME", .help = "Milan, Genoa or Turin", .rare = true }, \
	{ .name = "vcek", .value = "FILE", .help = "the chip's certificate", .rare = true }, \
	{ .name = "vlek", .value = "FILE", .help = "the cloud's certificate", .rare = true }, \
	{ .name = "CA_bundles_paths", .value = "FILE[,FILE]", \
	  .help = "vendor's intermediate and root", .rare = true }, \
	{ .name = "trusted_root", .value = "FILE", \
	  .help = "a root to trust in place of the vendor's", .rare = true }, \
	{ .name = "crl", .value = "FILE", .times = CLI_MANY, .help = "a revocation list", .rare = true }, \
	{ .name = "check_crl", .help = "refuse if there is no revocation list", .rare = true }, \
	{ .name = "collateral", .value = "DIR", .help = "Intel's documents", .rare = true }, \
	{ .name = "ak", .value = "FILE", .help = "the TPM's attestation key, named by you", .rare = true }, \
	{ .name = "skew", .value = "SECONDS", \
	  .help = "by how much clocks may differ, up to 86400 (300; where there is --at: 0)", .rare = true }, \
	ENDORSE_OPTIONS
/* clang-format on */

/* The table of `attestation validate`; ends with a row that has no name. */
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
	struct corim_values corim;
	uint8_t *files[EVIDENCE_FILES_MAX]; /* what was read, to be freed */
	size_t file_count;
	char problem[ERR_TEXT_MAX]; /* why the evidence's JSON can't be read; empty: it can */
};

void evidence_options_init(struct evidence_options *o);

/* Into an initialized one. ERR_INVALID and the like as below. */
int evidence_trust_read(const struct cli *cli, struct evidence_options *o,
			struct err *e) MUST_CHECK;
/* The files that the option names, all together one policy; `fallback` (may be NULL) is the one
 * where none is given. Without either there is no policy, which the verifier refuses. */
int evidence_policies(const struct cli *cli, const char *option, const char *fallback,
		      struct evidence_options *o, struct err *e) MUST_CHECK;
/* ERR_INVALID for --genuine-only beside --policy or --manifest, which say what has to run: of a command
 * that has all three. */
int evidence_check_genuine(const struct cli *cli, struct err *e) MUST_CHECK;
/* The moment to judge at; one that is named is meant to the second, unless --skew says otherwise. */
int evidence_moment(const struct cli *cli, struct evidence_options *o, struct err *e) MUST_CHECK;
/* NULL: none is named. */
int evidence_product(const char *name, struct evidence_options *o, struct err *e) MUST_CHECK;

/* ERR_INVALID and the like for what is not there, can't be read, or contradicts itself. Free with
 * evidence_options_done(), also after a failure. `path` is the file with the evidence. */
int evidence_options_read(const struct cli *cli, const char *path, struct evidence_options *o,
			  struct err *e) MUST_CHECK;
void evidence_options_done(struct evidence_options *o);
