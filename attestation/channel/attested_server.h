/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attested_server.h — the server's half of attested TLS (wire.md, 'Attested TLS on the wire'), as a
 * prologue of a listener, and the same answer again later on the same connection (Reattest).
 *
 * Reads exactly one request frame, refuses what is no request or a context that this connection has
 * seen before, has evidence made for E exported from this very session, and writes the
 * authenticator. Whatever comes between the request and our answer, HTTP/2 included, ends the
 * connection. All of it happens on the loop thread.
 *
 * The listener's TLS must be made with only_tls13.
 */
#pragma once

#include "attestation/channel/ea_request.h"
#include "attestation/token/binding.h"
#include "common/crypto/key.h"
#include "common/rpc/prologue.h"

enum {
	/* Requests that one connection may make in its life: each context is remembered. */
	ATTESTED_CONTEXTS_MAX = 1024,
};

/* `token` is the EAT, lent until it returns; NULL with `e` if there is none. */
typedef void attested_token_fn(void *data, const uint8_t *token, size_t len, const struct err *e);

/* Where evidence comes from. */
struct attested_source {
	void *data;
	/* Asks for evidence of form CHANNEL over `exporter`, whose connection has a cipher suite
	 * with this hash, and that comes from `peer`. `done` is called later, once, never from within. `*handle` is for
	 * cancel(). */
	int (*collect)(void *source, const struct rpc_source *peer, enum digest_kind hash,
		       const uint8_t exporter[BINDING_EXPORTER_LEN], attested_token_fn *done,
		       void *data, void **handle, struct err *e);
	/* The connection is gone: `done` does not come any more. */
	void (*cancel)(void *source, void *handle);
};

struct attested_server_config {
	EVP_PKEY *key; /* the identity, P-256, which is the listener's TLS key; a reference is taken
			*/
	const uint8_t *leaf_der; /* its certificate, the one that the listener shows; copied */
	size_t leaf_len;
	struct attested_source source;
};

struct attested_server;

/* Refused: a key that is not P-256, a certificate of another key. */
int attested_server_new(const struct attested_server_config *config,
			struct attested_server **server, struct err *e) MUST_CHECK;
/* After the rpc_server that listens with it is freed. NULL is fine. */
void attested_server_free(struct attested_server *server);
DEFINE_CLEANUP(struct attested_server *, attested_server_free)

/* Of struct rpc_listen; prologue_data is the struct attested_server. */
extern const struct rpc_prologue attested_server_prologue;

/* ---- Reattest ---- */

struct attested_answer; /* one that is being made */

/* `authenticator` is lent until it returns; NULL with `e` if there is none. */
typedef void attested_answer_fn(void *data, const uint8_t *authenticator, size_t len,
				const struct err *e);

/* Answers a request on a connection whose prologue (rpc_call_prologue(); may be NULL) has passed.
 * `done` comes later, once, unless the answer is cancelled, or its connection ends: then call
 * attested_answer_cancel() all the same. INVALID: it is no request. DENIED: its context was used
 * before. EXHAUSTED: an answer is being made on this connection, or it had too many. PRECONDITION:
 * the connection is not attested. */
int attested_answer_start(struct rpc_prologue_run *run, const uint8_t *request, size_t len,
			  attested_answer_fn *done, void *data, struct attested_answer **answer,
			  struct err *e) MUST_CHECK;
/* Once, and only while `done` has not been called. */
void attested_answer_cancel(struct attested_answer *answer);
