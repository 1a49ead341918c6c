/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attested_client.h — the client's half of attested TLS (wire.md, 'Attested TLS on the wire'), as a
 * prologue of a channel.
 *
 * Sends one request with a fresh context, reads one authenticator, verifies it against this very
 * session (authenticator_verify()), checks that its leaf's key is the key that the TLS handshake
 * was signed with, and then asks appraise() whether the evidence is good. Not one byte of HTTP/2
 * goes out before that said yes.
 *
 * The channel's TLS must be made with only_tls13. With judged_by_prologue the server's certificate
 * is judged by evidence alone; with a CA named, by both.
 */
#pragma once

#include "attestation/channel/authenticator.h"
#include "common/rpc/channel.h"

struct attested_client_config {
	uv_loop_t *loop; /* the channel's */

	/* EA_CONTEXT_LEN bytes for the very first request of all; NULL: random, as all others. */
	const uint8_t *first_context;

	/* Is the evidence good? Runs in the pool, never twice at a time; may block. 0, or the
	 * refusal in `*e`, which becomes the calls' error. `a` is lent: evidence, the leaf's SPKI,
	 * and the binding that the evidence must show. Called again for each new connection and by
	 * attested_reattest(). `data` must live until the loop has run empty. */
	int (*appraise)(void *data, const struct authenticator *a, struct err *e);
	void *data;
};

struct attested_client;
int attested_client_new(const struct attested_client_config *config,
			struct attested_client **client, struct err *e) MUST_CHECK;
/* Counted: connections and judgements under way hold their own. */
void attested_client_free(struct attested_client *client);
DEFINE_CLEANUP(struct attested_client *, attested_client_free)

/* The last connection was asked for evidence and has sent none. The protocol has no word for why: a
 * server that has no evidence hangs up. */
bool attested_client_is_waiting(const struct attested_client *client);

/* Of struct rpc_channel_config; prologue_data is the struct attested_client, which must live as
 * long as the channel. */
extern const struct rpc_prologue attested_client_prologue;
