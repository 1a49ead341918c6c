/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_appraise.h — the whole judgement of TPM evidence: quotes, whose key signed them, event log,
 * policy.
 *
 * A quote alone proves nothing about which TPM made it. So at least one binding of the attestation
 * key (AK) has to be given, and every one that is given has to hold. Stages of the checks: parse,
 * quote, ak, log, policy. No globals, nothing allocated is left behind, thread-safe.
 */
#pragma once

#include "attestation/tpm/ak_cert.h"
#include "attestation/tpm/credential.h"
#include "attestation/tpm/tpm_evidence.h"
#include "attestation/tpm/tpm_policy.h"

enum { TPM_NONCE_MIN = 16, TPM_REPORT_DATA_LEN = 64 };

/* Whose key is it? Each that is given is judged. */
struct tpm_binding {
	/* The relying party named that very AK: TPMT_PUBLIC, or its public key, PEM or DER. */
	struct span named;

	/* An AK certificate (else the message's) to a root that the relying party named. */
	struct span cert, root;
	const struct span *intermediates; /* beside those of the message; for the EK as well */
	size_t intermediate_count;

	/* An EK certificate to a root that the relying party named, and the credential by which the
	 * TPM showed that it has that EK and the AK. A root alone is a refusal. */
	struct span ek_cert, ek_root;
	const struct credential *activated;

	/* REPORT_DATA, 64 bytes, of a TEE report that was verified before; NULL: there is none. It
	 * is SHA3-512(report_data ‖ AK public area), or with `runtime` (Azure) the digest of the
	 * paravisor's runtime data, which name the AK. */
	const uint8_t *tee_report_data;
	const uint8_t *report_data;
	struct span runtime;

	/* That report may be of an agent which has one made over whatever it is given, runtime data of
	 * anybody's, too: another of these has to be there as well. */
	bool by_anybody;
};

struct tpm_input {
	/* The message that came; or why it can't be read, which is a refusal. Both NULL: one bare
	 * quote. */
	const struct tpm_evidence *evidence;
	const struct err *unreadable;
	struct span quote, signature, ak_public; /* TPMS_ATTEST, TPMT_SIGNATURE, TPMT_PUBLIC */
	const struct tpm_pcrs *pcrs;

	struct span event_log; /* in place of the message's; empty: that one, if any */
	struct span nonce;     /* all of extraData, TPM_NONCE_MIN bytes or more */
	struct tpm_binding binding;
	int64_t at; /* for certificates */

	/* A revocation list of each issuer is demanded. None is read for certificates of TPMs yet,
	 * so that an AK or EK certificate is refused then. */
	bool require_crl;

	/* NULL with VERDICT_SCOPE_FULL is a refusal; ignored for VERDICT_SCOPE_GENUINE_ONLY, whose
	 * answer covers quotes, nonce, binding and log. */
	const struct tpm_policy *policy;
};

/* What was found out on the way, for further binding; to be used only after a yes. */
struct tpm_result {
	bool has_ak;
	uint8_t ak[SHA256_LEN];              /* of the AK's SPKI */
	uint32_t reset_count, restart_count; /* which boot of that TPM */
};

/* `v` has been through verdict_init() and may hold checks already. Adds its own
 * and requires them; verdict_ok(v) is the answer. `result` may be NULL. */
void tpm_appraise(const struct tpm_input *in, struct tpm_result *result, struct verdict *v);

/* The REPORT_DATA that binds an AK to a TEE: SHA3-512(report_data ‖ AK public area). */
int tpm_report_data(const uint8_t report_data[TPM_REPORT_DATA_LEN], struct span ak_public,
		    uint8_t out[TPM_REPORT_DATA_LEN], struct err *e) MUST_CHECK;
