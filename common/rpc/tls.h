/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.h — one side's TLS settings: TLS 1.2 and 1.3, ALPN "h2", AEAD suites with forward secrecy.
 *
 * Made once from PEM texts, then shared by any number of listeners and channels. Key exchange
 * beside them by kex_group.h. No session tickets, no resumption, no 0-RTT, no renegotiation, no compression.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

enum { RPC_TLS_PEM_MAX = 1 << 20, RPC_TLS_CHAIN_MAX = 16 };

struct revocation;

/* PEM texts end with a zero; all is copied. */
struct rpc_tls_config {
	const char *cert; /* leaf first, then intermediates; a server must have one */
	const char *key;  /* unencrypted private key for it, */
	EVP_PKEY *pkey;   /* or the key itself (a reference is taken) */

	/* Server: client certificates are demanded and must chain to these (mTLS).
	 * Client: the server's must chain to these; NULL means the system's store. */
	const char *ca;

	/* Client: the name that the certificate must bear, DNS name or address; NULL means the
	 * target's host. */
	const char *name;

	bool only_tls13;

	/* Key exchanges that are demanded (kex_group.h), which implies only_tls13; 0: all that are here,
	 * hybrid ones first. Refused where this machine's OpenSSL has none of them. */
	uint32_t groups;

	/* Client: the certificate is not judged here at all, because the channel's prologue does
	 * (attested TLS). A channel without a prologue refuses such settings. Needs only_tls13. */
	bool judged_by_prologue;

	/* With `ca`: the lists that the peers' chains are judged by (revocation.h); NULL: none. A reference is taken. */
	struct revocation *revocation;
};

struct rpc_tls;
int rpc_tls_new_server(const struct rpc_tls_config *config, struct rpc_tls **tls,
		       struct err *e) MUST_CHECK;
int rpc_tls_new_client(const struct rpc_tls_config *config, struct rpc_tls **tls,
		       struct err *e) MUST_CHECK;

/* Counted references; users below take their own. */
struct rpc_tls *rpc_tls_ref(struct rpc_tls *tls);
void rpc_tls_free(struct rpc_tls *tls);
DEFINE_CLEANUP(struct rpc_tls *, rpc_tls_free)

SSL_CTX *rpc_tls_context(struct rpc_tls *tls);
