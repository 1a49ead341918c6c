/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_input.h — what one SEV-SNP report is judged by: the bytes, the certificates beside them, the
 * moment, and the owner's policy. Everything is lent.
 */
#pragma once

#include "attestation/snp/snp_parsed.h"
#include "attestation/snp/snp_policy.h"

enum {
	SNP_CRLS_MAX = 8,
	SNP_SKEW_MAX = 86400, /* seconds; a larger one is a refusal, as it would mean 'any time' */
};

struct snp_input {
	/* Taken apart before; NULL: `report` and `cert_table`, which count only then. */
	const struct snp_parsed *parsed;
	struct span report; /* SNP_REPORT_LEN bytes; see snp_parsed.h */

	/* The table of the extended guest request; empty: none. Certificates (and a CRL) are taken
	 * from it where none is given below. */
	struct span cert_table;

	/* DER or PEM, one certificate each; empty: not given. Never trusted for being here. */
	struct span vek;          /* VCEK or VLEK */
	struct span intermediate; /* ASK or ASVK */
	struct span ark;
	bool need_vcek, need_vlek; /* the caller said which kind `vek` is to be */

	/* DER or PEM. Each belongs to the issuer that it names, ARK or ASK/ASVK; one that can't be
	 * used is a refusal. */
	struct span crls[SNP_CRLS_MAX];
	size_t crl_count;
	bool require_crl; /* the ARK's has to be there; one in the table, which the host chose, is not
			     enough */
	uint64_t
		crl_max_age; /* seconds, of each in `crls` (crl_age.h); 0: nextUpdate alone counts */
	int64_t crl_asked[SNP_CRLS_MAX]; /* when a service last handed each out; 0: unknown */

	/* The one root to trust in place of AMD's, DER or PEM; empty: AMD's three, built in. Names
	 * under it are to be as AMD's (ARK-Milan, SEV-Milan, SEV-VCEK, …): products are told by
	 * them. A note in the verdict names its digest. */
	struct span trusted_root;

	struct span id_block, id_auth; /* both or none */

	/* Signatures that were verified before, for who judges many; may be NULL. */
	struct signatures *signatures;

	/* What REPORT_DATA has to be. NULL is a refusal: there is no verdict without a binding. */
	const uint8_t *report_data;

	int64_t at;    /* seconds since 1970: the moment to judge at */
	uint32_t skew; /* seconds by which clocks may differ, up to SNP_SKEW_MAX; 0: none, and
			   both boundary seconds count */

	/* NULL with VERDICT_SCOPE_FULL is a refusal; ignored for VERDICT_SCOPE_GENUINE_ONLY, whose
	 * answer covers report data, signature, chain, CRLs and consistency of the TCBs. */
	const struct snp_policy *policy;
};
