/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_attestation.h — attest.Attestation of go-tpm-tools, the protobuf in which TPM evidence
 * travels, and sevsnp.Attestation of go-sev-guest inside of it. Parsing only.
 *
 * Read in one way: a field twice, a PCR twice, another wire type, reports of two TEEs (they are one
 * `oneof`) are refused; unknown fields are stepped over and mean nothing.
 */
#pragma once

#include "attestation/snp/snp_report.h"
#include "attestation/tpm/tpm_pcrs.h"

enum {
	TPM_ATTESTATION_MAX = 16 << 20, /* bytes */
	TPM_QUOTES_MAX = 8,
	TPM_INTERMEDIATES_MAX = 8,
};

struct tpm_attestation_quote {
	struct span quote, signature;
	struct tpm_pcrs pcrs;
};

/* Spans point into the message; empty where the field is not there. */
struct tpm_attestation {
	struct span ak_public;
	size_t quote_count; /* at least one */
	struct tpm_attestation_quote quotes[TPM_QUOTES_MAX];
	struct span event_log;
	struct span ak_cert;
	size_t intermediate_count;
	struct span intermediates[TPM_INTERMEDIATES_MAX];
	struct span sev_snp; /* sevsnp.Attestation */
	struct span tdx;
};

int tpm_attestation_parse(struct span bytes, struct tpm_attestation *a, struct err *e) MUST_CHECK;

/* sevsnp.Attestation: the report put together again, byte for byte, and the certificates. */
struct sevsnp_attestation {
	uint8_t report[SNP_REPORT_LEN];
	struct span vcek, vlek, ask, ark; /* DER */
};

int sevsnp_attestation_parse(struct span bytes, struct sevsnp_attestation *a,
			     struct err *e) MUST_CHECK;

/* The other way: a report of SNP_REPORT_LEN bytes taken apart, and the certificates of a host's
 * table, which may be empty. sevsnp_attestation_parse() gives the same bytes again. */
struct writer;
int sevsnp_attestation_write(struct span report, struct span table, struct writer *out,
			     struct err *e) MUST_CHECK;
