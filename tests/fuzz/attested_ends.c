/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/attested_ends.h"

#include "attestation/channel/attested_session.h"

#include <assert.h>
#include <string.h>

struct attested_ends ends;

static void handshake(void)
{
	BIO *server_end, *client_end;

	assert(BIO_new_bio_pair(&server_end, 0, &client_end, 0) == 1);
	SSL_set_bio(ends.server, server_end, server_end);
	SSL_set_bio(ends.client, client_end, client_end);
	SSL_set_accept_state(ends.server);
	SSL_set_connect_state(ends.client);
	for (int i = 0; i < 10; i++) {
		(void)SSL_do_handshake(ends.client);
		(void)SSL_do_handshake(ends.server);
	}
	assert(SSL_is_init_finished(ends.client) && SSL_is_init_finished(ends.server));
}

void attested_ends_open(void)
{
	const struct rpc_tls_config client_config = { .only_tls13 = true,
						      .judged_by_prologue = true };
	static struct rpc_tls *tls[2]; /* for the life of the program */
	struct err e;

	assert(kit_identity_make(&ends.identity, &e) == 0);
	assert(kit_server_tls(&ends.identity, NULL, &tls[0], &e) == 0);
	assert(rpc_tls_new_client(&client_config, &tls[1], &e) == 0);
	ends.server = SSL_new(rpc_tls_context(tls[0]));
	ends.client = SSL_new(rpc_tls_context(tls[1]));
	assert(ends.server && ends.client);
	handshake();
}

static void make_token(const struct kit_identity *identity, enum digest_kind hash,
		       const uint8_t exporter[BINDING_EXPORTER_LEN], char token[ENDS_TOKEN_MAX])
{
	struct binding binding;
	struct err e;
	int at = snprintf(token, ENDS_TOKEN_MAX, "%s", KIT_TOKEN_PREFIX);

	assert(binding_channel(hash, identity->spki, identity->spki_len, exporter, NULL, &binding,
			       &e) == 0);
	for (size_t i = 0; i < sizeof(binding.report_data); i++)
		at += snprintf(token + at, ENDS_TOKEN_MAX - (size_t)at, "%02x",
			       binding.report_data[i]);
}

void attested_ends_token(enum digest_kind hash, const uint8_t exporter[BINDING_EXPORTER_LEN],
			 char token[ENDS_TOKEN_MAX])
{
	make_token(&ends.identity, hash, exporter, token);
}

void attested_ends_answer(const struct kit_identity *identity,
			  const uint8_t context[EA_CONTEXT_LEN], struct writer *w)
{
	CLEANUP_WRITER struct writer request = writer_up_to(EA_REQUEST_MAX);
	struct authenticator_input input = { .leaf_der = identity->leaf,
					     .leaf_len = identity->leaf_len,
					     .key = identity->key,
					     .spki = identity->spki,
					     .spki_len = identity->spki_len };
	struct authenticator_session session;
	char token[ENDS_TOKEN_MAX];
	struct err e;

	ea_request_write(context, &request);
	assert(attested_session_read(ends.server, context, &session, &e) == 0);
	make_token(identity, session.hash, session.exporter, token);
	input.request = request.bytes;
	input.request_len = request.len;
	input.evidence = (const uint8_t *)token;
	input.evidence_len = strlen(token);
	assert(authenticator_write(&session, &input, w, &e) == 0);
}
