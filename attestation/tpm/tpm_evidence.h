/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_evidence.h — what a TPM's evidence holds, in whatever form it came
 * (envelope/tpm_attestation.h reads the one that is sent).
 */
#pragma once

#include "attestation/tpm/tpm_pcrs.h"

enum { TPM_QUOTES_MAX = 8, TPM_INTERMEDIATES_MAX = 8 };

struct tpm_evidence_quote {
	struct span quote, signature; /* TPMS_ATTEST, TPMT_SIGNATURE */
	struct tpm_pcrs pcrs;
};

/* Spans point into the message; empty where the field is not there. */
struct tpm_evidence {
	struct span ak_public; /* TPMT_PUBLIC */
	size_t quote_count;    /* at least one */
	struct tpm_evidence_quote quotes[TPM_QUOTES_MAX];
	struct span event_log;
	struct span ak_cert;
	size_t intermediate_count;
	struct span intermediates[TPM_INTERMEDIATES_MAX];
	struct span sev_snp; /* sevsnp.Attestation */
	struct span tdx;
};
