/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_tls.h — TLS 1.3 between two instances that have one secret, and nothing else: no certificate, one cipher, no ticket,
 * no early data. Each proves to the other that it has the secret in the handshake (RFC 8446, 4.2.11: the binder, and the server's
 * Finished), with fresh keys in each (psk_dhe_ke), so what was recorded can't be played again, nor read by who learns the secret
 * later.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <openssl/ssl.h>

enum { RELAY_SECRET_LEN = 32, RELAY_IDENTITY_MAX = 40 };

struct relay_tls;

/* `number` says which secret is meant, and goes over the wire in the clear: a lease's fence. The secret is copied, and wiped in
 * the end. */
int relay_tls_new(const uint8_t secret[RELAY_SECRET_LEN], int64_t number, bool is_server,
		  struct relay_tls **tls, struct err *e) MUST_CHECK;
/* What was opened with it has to be freed before. */
void relay_tls_free(struct relay_tls *tls);
DEFINE_CLEANUP(struct relay_tls *, relay_tls_free)

/* A connection over `fd`, which stays the caller's. NULL on failure. */
SSL *relay_tls_open(struct relay_tls *tls, int fd, struct err *e);
/* Behind the handshake: that it was by the secret. */
bool relay_tls_is_proven(SSL *ssl);
