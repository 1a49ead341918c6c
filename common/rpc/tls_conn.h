/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_conn.h — TLS of one connection, made from a struct rpc_tls. For this folder only.
 */
#pragma once

#include "common/rpc/contact.h"
#include "common/rpc/tls.h"

#include <stddef.h>
#include <stdint.h>

enum {
	/* Of a client's chain, as its message counts them: 16 certificates of 2 KiB. */
	TLS_CLIENT_CHAIN_MAX = 32 << 10,
	/* What a client may send before its handshake is done: two hellos and a chain. Behind them may
	 * be the beginning of what the connection is for. */
	TLS_HANDSHAKE_MAX = 64 << 10,
};

bool rpc_tls_is_judged_by_prologue(const struct rpc_tls *tls);

/* `host` is the name to check in the server's certificate (unless the settings name another); NULL
 * makes a server's side. NULL on failure. */
SSL *tls_conn_new(struct rpc_tls *tls, const char *host, struct err *e);

/* The socket it reads and writes; not closed with it. No SIGPIPE comes of it. What a client sends to a
 * server is limited until tls_conn_established(). */
int tls_conn_set_socket(SSL *ssl, int fd, struct err *e) MUST_CHECK;

/* The handshake is done: its limits are over. */
void tls_conn_established(SSL *ssl);
/* NULL, or why the client was not heard to the end: it asked for more room than a handshake has. */
const struct err *tls_conn_refused(SSL *ssl);

/* Of a client's connection: what the server's first bytes were of. */
enum rpc_contact tls_conn_contact(SSL *ssl);

/* What is written next is less than all: the kernel may wait for the rest and send full segments. */
void tls_conn_more_follows(SSL *ssl, bool more);

/* After a failed handshake: why, from the verification's result and OpenSSL's queue. */
int tls_conn_error(SSL *ssl, struct err *e);

/* Both sides insist on ALPN. */
int tls_conn_check_alpn(SSL *ssl, struct err *e) MUST_CHECK;

/* What is demanded of key exchanges was agreed on. Nothing else was offered; this looks again. */
int tls_conn_check_group(SSL *ssl, struct err *e) MUST_CHECK;

struct tls_export {
	const char *label;
	const void *context; /* NULL: none, which is not the same as an empty one */
	size_t context_len;
	uint8_t *out;
	size_t len;
};
int tls_conn_exporter(SSL *ssl, const struct tls_export *x, struct err *e) MUST_CHECK;
