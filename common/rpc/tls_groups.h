/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_groups.h — the table of key exchanges (kex_group.h) as a TLS context gets it, and what a
 * connection has of it.
 */
#pragma once

#include "common/crypto/kex_group.h"

#include <openssl/ssl.h>

/* What this machine's OpenSSL has of them: hybrid ones from 3.5 on. */
uint32_t tls_groups_here(SSL_CTX *context, uint32_t groups);

/* The context may use these, of those that are here, and no others. A client sends shares of a hybrid one and of
 * one that is not, so that neither a new nor an old server asks for a second hello; a server takes the
 * hybrid one of who knows it. ERR_PRECONDITION if none is here. */
int tls_groups_set(SSL_CTX *context, uint32_t groups, struct err *e) MUST_CHECK;

/* The one that a handshake agreed on: the set that holds it alone; 0: none of ours. */
uint32_t tls_groups_agreed(SSL *ssl);
