/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/channel/attested_server.h"

#include "attestation/channel/attested_session.h"
#include "common/base/log.h"

#include <string.h>
#include <openssl/x509.h>

struct attested_server {
	EVP_PKEY *key;
	uint8_t *leaf, *spki;
	size_t leaf_len, spki_len;
	struct attested_source source;
};

/* One connection, for as long as it lives. */
struct attested_conn {
	struct attested_server *server;
	struct rpc_prologue_run *run;
	struct attested_answer *answer;      /* the one that is being made */
	uint8_t (*contexts)[EA_CONTEXT_LEN]; /* seen so far */
	size_t context_count;
};

struct attested_answer {
	struct attested_conn *conn; /* NULL: the connection is gone */
	struct authenticator_session session;
	uint8_t *request;
	size_t request_len;
	void *collecting;
	attested_answer_fn *done;
	void *data;
};

/* ---- the server's identity ---- */

static int check_identity(const struct attested_server_config *config, struct err *e)
{
	const uint8_t *der = config->leaf_der;
	CLEANUP(X509_free) X509 *leaf = d2i_X509(NULL, &der, (long)config->leaf_len);
	char curve[32] = "";

	if (key_kind_of(config->key) != KEY_ECDSA ||
	    EVP_PKEY_get_group_name(config->key, curve, sizeof(curve), NULL) != 1 ||
	    strcmp(curve, "prime256v1") != 0)
		return err_set(e, ERR_INVALID,
			       "attested TLS: the identity's key must be ECDSA P-256");
	if (!leaf || der != config->leaf_der + config->leaf_len ||
	    X509_check_private_key(leaf, config->key) != 1)
		return err_openssl(e, ERR_INVALID,
				   "attested TLS: not a certificate of the identity's key");
	return 0;
}

int attested_server_new(const struct attested_server_config *config,
			struct attested_server **server, struct err *e)
{
	CLEANUP(attested_server_free) struct attested_server *s = NULL;

	if (check_identity(config, e) < 0)
		return err_code(e);
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem(e);
	if (key_to_spki(config->key, &s->spki, &s->spki_len, e) < 0)
		return err_code(e);
	s->leaf = malloc(config->leaf_len);
	if (!s->leaf)
		return err_nomem(e);
	memcpy(s->leaf, config->leaf_der, config->leaf_len);
	s->leaf_len = config->leaf_len;
	s->source = config->source;
	EVP_PKEY_up_ref(config->key);
	s->key = config->key;
	*server = TAKE_PTR(s);
	return 0;
}

void attested_server_free(struct attested_server *server)
{
	if (!server)
		return;
	EVP_PKEY_free(server->key);
	free(server->leaf);
	free(server->spki);
	free(server);
}

/* ---- one answer ---- */

/* Remembers the context; one that is known is refused. */
static int remember(struct attested_conn *conn, const uint8_t context[EA_CONTEXT_LEN],
		    struct err *e)
{
	void *grown;

	for (size_t i = 0; i < conn->context_count; i++)
		if (bytes_equal(conn->contexts[i], context, EA_CONTEXT_LEN))
			return err_set(e, ERR_DENIED,
				       "request: its context was used before on this connection");
	if (conn->context_count == ATTESTED_CONTEXTS_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "request: %d on one connection are enough; connect anew",
			       ATTESTED_CONTEXTS_MAX);
	grown = realloc(conn->contexts, (conn->context_count + 1) * sizeof(*conn->contexts));
	if (!grown)
		return err_nomem(e);
	conn->contexts = grown;
	memcpy(conn->contexts[conn->context_count++], context, EA_CONTEXT_LEN);
	return 0;
}

static void answer_free(struct attested_answer *answer)
{
	free(answer->request);
	OPENSSL_cleanse(&answer->session, sizeof(answer->session));
	free(answer);
}

static void tell(struct attested_answer *answer, const uint8_t *bytes, size_t len,
		 const struct err *e)
{
	attested_answer_fn *done = answer->done;
	void *data = answer->data;

	answer->conn->answer = NULL;
	answer_free(answer);
	done(data, bytes, len, e);
}

static void on_token(void *data, const uint8_t *token, size_t len, const struct err *failed)
{
	struct attested_answer *answer = data;
	const struct attested_server *server = answer->conn->server;
	const struct authenticator_input input = { .request = answer->request,
						   .request_len = answer->request_len,
						   .leaf_der = server->leaf,
						   .leaf_len = server->leaf_len,
						   .key = server->key,
						   .spki = server->spki,
						   .spki_len = server->spki_len,
						   .evidence = token,
						   .evidence_len = len };
	CLEANUP_WRITER struct writer w = writer_up_to(AUTHENTICATOR_MAX);
	struct err e;

	answer->collecting = NULL;
	if (failed) {
		e = *failed;
		err_wrap(&e, "collect evidence for a connection");
	} else if (authenticator_write(&answer->session, &input, &w, &e) == 0) {
		tell(answer, w.bytes, w.len, NULL);
		return;
	}
	tell(answer, NULL, 0, &e);
}

static int answer_start(struct attested_conn *conn, struct attested_answer *answer, struct err *e)
{
	const struct attested_source *source = &conn->server->source;
	SSL *tls = rpc_prologue_tls(conn->run);
	struct ea_request request;

	if (!tls)
		return err_set(e, ERR_UNAVAILABLE, "the connection is over");
	if (ea_request_parse(answer->request, answer->request_len, &request, e) < 0)
		return err_code(e);
	if (!ea_request_offers(&request, EA_ECDSA_P256_SHA256))
		return err_set(e, ERR_INVALID, "request: ecdsa_secp256r1_sha256 is not offered");
	if (remember(conn, request.context, e) < 0 ||
	    attested_session_read(tls, request.context, &answer->session, e) < 0)
		return err_code(e);
	const struct rpc_source peer = rpc_prologue_source(conn->run);
	return source->collect(source->data, &peer, answer->session.hash, answer->session.exporter,
			       on_token, answer, &answer->collecting, e);
}

int attested_answer_start(struct rpc_prologue_run *run, const uint8_t *request, size_t len,
			  attested_answer_fn *done, void *data, struct attested_answer **answer,
			  struct err *e)
{
	struct attested_conn *conn = run ? rpc_prologue_user(run) : NULL;
	struct attested_answer *made;

	if (!conn)
		return err_set(e, ERR_PRECONDITION,
			       "this connection was not attested when it began");
	if (conn->answer)
		return err_set(e, ERR_EXHAUSTED, "an answer is being made on this connection");
	if (len == 0 || len > EA_REQUEST_MAX)
		return err_set(e, ERR_INVALID, "request: %zu bytes; 1 to %d", len, EA_REQUEST_MAX);
	made = calloc(1, sizeof(*made));
	if (!made)
		return err_nomem(e);
	made->conn = conn;
	made->done = done;
	made->data = data;
	made->request_len = len;
	made->request = malloc(len + 1);
	if (!made->request) {
		answer_free(made);
		return err_nomem(e);
	}
	memcpy(made->request, request, len);
	if (answer_start(conn, made, e) < 0) {
		answer_free(made);
		return err_code(e);
	}
	conn->answer = made;
	*answer = made;
	return 0;
}

static void stop_collecting(struct attested_answer *answer)
{
	const struct attested_source *source = &answer->conn->server->source;

	source->cancel(source->data, answer->collecting);
	answer->conn->answer = NULL;
	answer->conn = NULL;
}

void attested_answer_cancel(struct attested_answer *answer)
{
	if (answer->conn)
		stop_collecting(answer);
	answer_free(answer);
}

/* ---- the prologue ---- */

static void on_answer(void *data, const uint8_t *bytes, size_t len, const struct err *failed)
{
	struct rpc_prologue_run *run = data;
	uint8_t head[EA_FRAME_HEAD];
	struct err e;

	if (failed) {
		log_warn("attested TLS: %s", failed->text);
		rpc_prologue_refuse(run, failed);
		return;
	}
	ea_frame_head(EA_FRAME_AUTHENTICATOR, len, head);
	if (rpc_prologue_send(run, head, sizeof(head), &e) < 0 ||
	    rpc_prologue_send(run, bytes, len, &e) < 0)
		rpc_prologue_refuse(run, &e);
	else
		rpc_prologue_pass(run);
}

static void server_start(struct rpc_prologue_run *run, void *data)
{
	struct attested_conn *conn = calloc(1, sizeof(*conn));
	struct err e;

	if (!conn) {
		err_nomem(&e);
		rpc_prologue_refuse(run, &e);
		return;
	}
	conn->server = data;
	conn->run = run;
	rpc_prologue_set_user(run, conn);
	if (attested_session_check(rpc_prologue_tls(run), &e) < 0)
		rpc_prologue_refuse(run, &e);
}

/* Not held while evidence is made: a client that goes on talking is caught, and one that hangs up
 * gives its place in the queue back. */
static size_t server_bytes(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	static const struct ea_frame_want want = { EA_FRAME_REQUEST, EA_REQUEST_MAX };
	struct attested_conn *conn = rpc_prologue_user(run);
	struct attested_answer *answer;
	struct reader request;
	size_t used = 0;
	struct err e;
	int failed = 0;

	if (conn->answer)
		failed = err_set(&e, ERR_INVALID, "bytes that do not wait for the authenticator");
	else
		failed = ea_frame_take(bytes, len, &want, &request, &used, &e);
	if (!failed && used && used < len)
		failed = err_set(&e, ERR_INVALID, "bytes behind the request");
	if (!failed && used)
		failed = attested_answer_start(run, bytes + EA_FRAME_HEAD, used - EA_FRAME_HEAD,
					       on_answer, run, &answer, &e);
	if (!failed)
		return used;
	err_wrap(&e, "attested TLS");
	rpc_prologue_refuse(run, &e);
	return 0;
}

static void server_closed(struct rpc_prologue_run *run)
{
	struct attested_conn *conn = rpc_prologue_user(run);
	struct attested_answer *answer = conn ? conn->answer : NULL;

	if (!conn)
		return;
	if (answer) {
		stop_collecting(answer);
		if (answer->done == on_answer) /* nobody else holds it */
			answer_free(answer);
	}
	free(conn->contexts);
	free(conn);
}

const struct rpc_prologue attested_server_prologue = {
	/* One request and a byte more: what comes too early is seen. */
	.input_max = EA_FRAME_HEAD + EA_REQUEST_MAX + 1,
	.start = server_start,
	.bytes = server_bytes,
	.closed = server_closed,
};
