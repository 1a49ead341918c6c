/* SPDX-License-Identifier: Apache-2.0 */
/*
 * binding.h — what ties evidence to a connection, a nonce or a run: the three forms and no other.
 *
 * The bytes that a TEE signs as report data, and a TPM as extraData, always come out of one of
 * these functions, on the attester's side and on the verifier's. A caller's bytes never get there
 * as they are, and the agent's identity key (SPKI) is always inside.
 */
#pragma once

#include "common/crypto/digest.h"

enum {
	BINDING_REPORT_DATA_LEN = 64,
	BINDING_TPM_NONCE_LEN = 32,
	BINDING_EXPORTER_LEN = 32, /* E = TLS-Exporter("Attestation", request context, 32) */
	BINDING_TEE_NONCE_MAX = 64,
	BINDING_VTPM_NONCE_MAX = 32,
};

#define BINDING_EXPORTER_LABEL "Attestation"

struct binding {
	uint8_t report_data[BINDING_REPORT_DATA_LEN];
	uint8_t tpm_nonce[BINDING_TPM_NONCE_LEN];
};

/* What the authenticator's binder says. Both have the length of the suite's hash. */
struct binding_binder {
	uint8_t aik_pub_hash[DIGEST_MAX], binding[DIGEST_MAX];
	size_t len;
};

/* CHANNEL: aik_pub_hash = H(SPKI), binding = H(SPKI ‖ E), report data = SHA-512(binding), TPM
 * nonce = SHA-256(E). `hash` is that of the connection's cipher suite. `binder` may be NULL. */
int binding_channel(enum digest_kind hash, const uint8_t *spki, size_t spki_len,
		    const uint8_t exporter[BINDING_EXPORTER_LEN], struct binding_binder *binder,
		    struct binding *out, struct err *e) MUST_CHECK;

/* NONCE: both are hashes of d = "cocos-nonce-v1" ‖ 0 ‖ type ‖ tee nonce padded to 64 ‖ vTPM nonce
 * padded to 32 ‖ SHA-256(SPKI). Nonces longer than their fields are refused. */
struct binding_nonce {
	uint8_t type; /* of evidence, as on the wire: 0 SNP, 1 vTPM, 2 both, 3 Azure, 4 TDX */
	const uint8_t *tee, *vtpm;
	size_t tee_len, vtpm_len;
};
int binding_nonce(const struct binding_nonce *nonce, const uint8_t *spki, size_t spki_len,
		  struct binding *out, struct err *e) MUST_CHECK;

/* RUN: both are hashes of r = "cocos-run-v1" ‖ 0 ‖ statement, which holds the SPKI itself. */
int binding_run(const uint8_t *statement, size_t len, struct binding *out,
		struct err *e) MUST_CHECK;

/* A TPM in a TEE: REPORT_DATA = SHA3-512(report data ‖ TPMT_PUBLIC of the AK). */
int binding_with_ak(const uint8_t report_data[BINDING_REPORT_DATA_LEN], const uint8_t *ak_public,
		    size_t ak_len, uint8_t out[BINDING_REPORT_DATA_LEN], struct err *e) MUST_CHECK;
