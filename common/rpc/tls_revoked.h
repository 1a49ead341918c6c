/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_revoked.h — revocation lists at a TLS connection: its handshake, and as long as it is open. For this folder only.
 */
#pragma once

#include "common/rpc/revocation.h"

#include <openssl/ssl.h>

/* The peers of all connections of this context are judged; `revocation` has to outlive it. */
void tls_revoked_use(SSL_CTX *context, struct revocation *revocation);

/* Why a handshake was refused, as the one line; NULL: lists had nothing to do with it. Lives as long as `ssl`. */
const char *tls_revoked_why(SSL *ssl);
/* Counts that, and tells it of the peer of this name. Nothing, where tls_revoked_why() is NULL. */
void tls_revoked_tell(SSL *ssl, const char *peer);

/* Where lists have changed since the last time: whether one names a certificate of this connection now, which then has to end;
 * `why` says so, and it was told. */
bool tls_revoked_now(SSL *ssl, const char *peer, struct err *why);
