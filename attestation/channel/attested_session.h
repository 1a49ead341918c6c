/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attested_session.h — what both halves of attested TLS read from the live TLS session. For
 * attested_*.c only.
 */
#pragma once

#include "attestation/channel/authenticator.h"

#include <openssl/ssl.h>

/* Is this a session that evidence may be bound to: TLS 1.3, a full handshake of its own (neither
 * resumed nor with early data), ALPN h2, a suite with SHA-256 or SHA-384? ERR_DENIED. */
int attested_session_check(SSL *tls, struct err *e) MUST_CHECK;

/* The checked session's values for a request with this context. */
int attested_session_read(SSL *tls, const uint8_t context[EA_CONTEXT_LEN],
			  struct authenticator_session *session, struct err *e) MUST_CHECK;

/* Malloc'ed SPKI of the peer's TLS certificate. */
int attested_session_peer_spki(SSL *tls, uint8_t **spki, size_t *len, struct err *e) MUST_CHECK;
