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
#include "attestation/tpm/tpm_evidence.h"

enum { TPM_ATTESTATION_MAX = 16 << 20 /* bytes */ };

/* Spans of `*a` point into the message. */
int tpm_attestation_parse(struct span bytes, struct tpm_evidence *a, struct err *e) MUST_CHECK;

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
