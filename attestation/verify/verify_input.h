/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_input.h — what verify() is asked, and what it learns on the way.
 */
#pragma once

#include "attestation/corim/corim_values.h"
#include "attestation/policy/policy.h"
#include "attestation/snp/snp_appraise.h"
#include "attestation/tdx/tdx_appraise.h"
#include "attestation/token/binding.h"
#include "attestation/token/eat.h"
#include "attestation/tpm/tpm_appraise.h"

enum { VERIFY_MANIFESTS_MAX = 4 };

/* What the evidence has to be bound to: exactly one of the first two for a TEE; a TPM needs
 * `tpm_nonce` or `nonce`. */
struct verify_binding {
	const uint8_t *report_data; /* 64 bytes, as the report has to have them */
	/* The nonces of `attestation get`: report data and TPM nonce follow from them and from the
	 * token's own key (binding.h, form NONCE). `type` is set by verify(). */
	const struct binding_nonce *nonce;
	struct span tpm_nonce; /* extraData, all of it */
	/* The channel's: report data and TPM nonce as authenticator_verify() computed them, and the
	 * key that the token has to name. */
	const struct binding *channel;
	struct span channel_spki;
	/* The key exchange of the connection that the evidence came by, as tls_groups_agreed() has it, 0: no TLS;
	 * NULL: it came by none, or nobody says. */
	const uint32_t *group;
};

struct verify_input {
	/* What the evidence has to be: SNP, a report with or without certificate table, or
	 * sevsnp.Attestation; TDX, a quote; VTPM, attest.Attestation; SNP_VTPM, the same with the
	 * report that binds its AK; TDX_VTPM, the same with `hcl_report` and `td_quote`; each but the
	 * last also in a token that says so. EAT: a token of any of these.
	 * Another kind is a refusal. */
	enum evidence_kind mode;
	struct span evidence;
	struct verify_binding binding;
	/* Evidence that was asked for over a run statement (binding.h, form RUN), as receipts keep it: the
	 * statement. It takes the place of `binding`, and is judged as one beside a token is. */
	struct span statement;

	/* Endorsements. verify() fills in evidence, binding, policy and time. */
	struct snp_input snp;
	struct tdx_input tdx;
	struct tpm_input tpm;

	/* Azure, modes snp-vtpm and tdx-vtpm: the paravisor's report, which binds the AK through its
	 * runtime data (given apart as tpm.binding.runtime, else those inside). Empty: there is none.
	 * On TDX it holds no signature; the quote made of it comes beside. Under a policy that takes stock
	 * agents, whose guests can be asked for such a report, it names no key unless the policy says that
	 * its measurements are of Azure's paravisor (run.azure_paravisor), or the caller vouches for the
	 * key, too. */
	struct span hcl_report, td_quote;

	enum snp_product product; /* named by the caller; SNP_PRODUCT_ANY: not */

	/* Who has to have signed the token, whatever key it names itself; NULL: that key alone counts.
	 * Beside evidence that is no token it is refused. */
	EVP_PKEY *token_key;

	const struct policy
		*policy; /* NULL is a refusal, but for `genuine_only`, which takes none */
	/* Reference values beside the policy, which corim_values_policy() has completed; NULL: none. */
	const struct corim_values *corim;
	bool genuine_only; /* is it real hardware's? Nothing about what runs: no policy, no manifest */

	/* An agent that has no manifest yet can't have a run statement. True: none is asked for; the
	 * token has to be of its own key, bound by a nonce, and the verdict says what is missing. A
	 * statement that is there is judged all the same. */
	bool before_run;

	/* This is a run statement's evidence, which whoever judges the statement has judged. Not the caller's to say. */
	bool beside_statement;

	/* SHA3-256 of canonical manifests, one of which the run statement must name. */
	const uint8_t (*manifests)[SHA3_256_LEN];
	size_t manifest_count;

	/* Signatures that were verified before (signatures.h), for who judges many; NULL: none are
	 * remembered. What they stand for is judged anew all the same. */
	struct signatures *signatures;

	int64_t at; /* seconds since 1970: the moment to judge at */
	/* Of a token that was kept, as journals do: when it came, by its keeper's word, not after `at`. It
	 * has to have been valid then, in place of `at`, at which all else is judged. 0: it was not kept. */
	int64_t token_at;
	uint32_t skew; /* seconds by which clocks may differ */
};

/* What was learnt on the way; for re-attestation, receipts and display. */
struct verify_result {
	enum evidence_kind mode; /* what it was: never EVIDENCE_EAT once a token was opened */
	struct snp_result snp;
	struct tdx_result tdx;
	struct tpm_result tpm;
	/* Neither where the policy takes stock agents, which vouch for any. */
	uint8_t identity[SHA256_LEN]; /* of the SPKI that the evidence binds; zero: none */
	bool has_identity;
	uint8_t manifest[SHA3_256_LEN];
	bool has_manifest;
};
