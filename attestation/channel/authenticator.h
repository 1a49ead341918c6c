/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authenticator.h — exported authenticators (RFC 9261, section 5) that carry evidence.
 *
 * Pure functions over bytes: the values that TLS exports come in as parameters, so that the same
 * code serves a live session and a recorded one. Verifying proves that whoever ended this TLS
 * session holds the leaf's key and put this evidence there; that the evidence is genuine, and made
 * for this session, the caller asks next, with the report data from authenticator_verify().
 */
#pragma once

#include "attestation/channel/ea_request.h"
#include "attestation/token/binding.h"
#include "common/crypto/key.h"

enum {
	AUTHENTICATOR_MAX = EA_FRAME_MAX,
	AUTHENTICATOR_CERTIFICATES_MAX = 8,
};

/* What TLS says about the connection. */
struct authenticator_session {
	enum digest_kind hash; /* of the cipher suite: DIGEST_SHA256 or DIGEST_SHA384 */
	uint8_t handshake_context[DIGEST_MAX]; /* EXPORTER-server authenticator handshake context */
	uint8_t finished_key[DIGEST_MAX];      /* EXPORTER-server authenticator finished key */
	uint8_t exporter[BINDING_EXPORTER_LEN];
};

/* Builds Certificate ‖ CertificateVerify ‖ Finished in answer to `request`, whose context and
 * schemes were parsed before. `leaf_der` is the certificate of `key`, which is P-256, and `spki` its
 * public half (the caller's, who makes it once: to encode it costs more than to sign); `evidence` is
 * the EAT. ERR_EXHAUSTED if the evidence does not fit the extension's two-byte length. */
struct authenticator_input {
	const uint8_t *request;
	size_t request_len;
	const uint8_t *leaf_der;
	size_t leaf_len;
	EVP_PKEY *key;
	const uint8_t *spki;
	size_t spki_len;
	const uint8_t *evidence;
	size_t evidence_len;
};
int authenticator_write(const struct authenticator_session *session,
			const struct authenticator_input *input, struct writer *w,
			struct err *e) MUST_CHECK;

/* What a good authenticator held. Free with authenticator_done(). */
struct authenticator {
	uint8_t *evidence; /* the EAT */
	size_t evidence_len;
	uint8_t *spki; /* of the leaf */
	size_t spki_len;
	uint32_t
		group; /* the session's key exchange (tls_groups.h), by who judges; not in the bytes */
	struct binding binding; /* what the evidence's report data and TPM nonce have to be */
};

/* Checks everything that RFC 9261 and the extension ask: exactly three messages, the request's
 * context, each certificate signed by the next, 0xFF00 once and on the leaf, the CertificateVerify
 * by the leaf with an offered scheme, Finished, the JSON, and the binder recomputed from this
 * session. ERR_DENIED or ERR_INVALID says which. */
int authenticator_verify(const struct authenticator_session *session, const uint8_t *request,
			 size_t request_len, const uint8_t *bytes, size_t len,
			 struct authenticator *out, struct err *e) MUST_CHECK;
void authenticator_done(struct authenticator *a);
