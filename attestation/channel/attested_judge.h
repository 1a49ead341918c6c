/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attested_judge.h — one authenticator judged in the pool: verified against its session, its leaf
 * compared with the TLS certificate, its evidence appraised. For attested_*.c only.
 */
#pragma once

#include "attestation/channel/attested_client.h"

/* A fresh request on the connection of this run. Its context is random, or the given one if this is
 * the client's first. */
struct attested_question {
	struct authenticator_session session;
	uint32_t group; /* its key exchange */
	uint8_t request[EA_REQUEST_MAX];
	size_t request_len;
	uint8_t *tls_spki; /* malloc'ed */
	size_t tls_spki_len;
};
int attested_question_ask(struct attested_client *client, SSL *tls,
			  struct attested_question *question, struct err *e) MUST_CHECK;
void attested_question_done(struct attested_question *question);

/* `e` is NULL only if all is good. Called once, on the loop, never from within. */
typedef void attested_judged_fn(void *data, const struct err *e);

/* Takes the question and a copy of the authenticator. */
int attested_judge(struct attested_client *client, struct attested_question *question,
		   const uint8_t *authenticator, size_t len, attested_judged_fn *done, void *data,
		   struct err *e) MUST_CHECK;

struct attested_client *attested_client_ref(struct attested_client *client);
/* What attested_client_is_waiting() says. */
void attested_client_wait(struct attested_client *client, bool waiting);
