/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An authority that is asked for certificates by tokens, and of agents for evidence besides, over a store in memory that may
 * fail. Input: commands, as orders_certificate.h has them. What an attestation is worth says the input, in the appraisal's
 * place.
 *
 * No agent has a certificate without evidence of the key that has signed this very request; each token is worth one
 * certificate, and what is refused uses none up.
 */
#include "certificates_paths.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/crypto/key.h"
#include "common/protobuf/protobuf.h"
#include "common/rpc/conn.h"
#include "computations/admin/admin_certificate.h"
#include "computations/admin/admin_certificate_call.h"
#include "computations/ca/authority.h"
#include "computations/core/appraisal.h"
#include "computations/core/service.h"
#include "tests/fuzz/grpc_peer.h"
#include "tests/fuzz/orders_certificate.h"
#include "tests/fuzz/store_memory.h"

#include <sys/socket.h>
#include <openssl/x509.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int __wrap_appraisal_start(struct appraisal *a, const struct appraisal_case *which,
			   const uint8_t *token, size_t len,
			   void (*done)(void *data, const struct appraisal_verdict *verdict),
			   void *data, struct err *e);

enum { COMMANDS_MAX = 64 };

static uv_loop_t loop;
static struct store store;
static struct store_queue *queue;
static struct service service;
static struct authority *authority;
static struct rpc_server *server;
static struct grpc_peer *peer;

static EVP_PKEY *keys[2];
static uint8_t *spki, *wanted; /* of the first one; the request for a certificate */
static size_t spki_len, wanted_len;
static char token[CA_TOKEN_TEXT_LEN + 1];
static enum ca_role role; /* that the token is for */
static bool is_open;      /* it has been worth nothing yet */
static uint8_t operand;   /* of what is asked now */
static bool was_judged;

static void make_request(void)
{
	X509_REQ *request = X509_REQ_new();
	unsigned char *der = NULL;
	int len;

	assert(request && X509_REQ_set_pubkey(request, keys[1]) == 1);
	assert(X509_REQ_sign(request, keys[1], EVP_sha256()) > 0);
	len = i2d_X509_REQ(request, &der);
	assert(len > 0 && (wanted = malloc((size_t)len)));
	wanted_len = (size_t)len;
	memcpy(wanted, der, wanted_len);
	OPENSSL_free(der);
	X509_REQ_free(request);
}

static void prepare(void)
{
	char dir[] = "/tmp/cocos-fuzz-ca-XXXXXX";
	CLEANUP(free) char *cert = NULL, *key = NULL;
	struct err e;
	bool is_new;

	log_set(LOG_LEVEL_ERROR);
	setenv("UV_THREADPOOL_SIZE", "1", 1);
	assert(uv_loop_init(&loop) == 0);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert(key_generate(KEY_ECDSA, &keys[i], &e) == 0);
	assert(key_to_spki(keys[0], &spki, &spki_len, &e) == 0);
	make_request();
	assert(mkdtemp(dir) && text_format(&cert, &e, "%s/ca.pem", dir) == 0 &&
	       text_format(&key, &e, "%s/ca-key.pem", dir) == 0);
	assert(authority_make("example.org", cert, key, store_now(), &is_new, &e) == 0);
	assert(authority_load(cert, key, store_now(), &authority, &e) == 0);
	assert(dir_remove(dir, &e) == 0);
	loop.data = &service;
}

int __wrap_appraisal_start(struct appraisal *a, const struct appraisal_case *which,
			   const uint8_t *evidence, size_t len,
			   void (*done)(void *data, const struct appraisal_verdict *verdict),
			   void *data, struct err *e)
{
	struct appraisal_verdict verdict = { .verified = !(operand & CERTIFICATE_UNVERIFIED),
					     .has_identity = true };
	struct issue_evidence about;

	(void)a;
	assert(len && evidence && !which->has_manifest && role == CA_AGENT);
	assert(issue_evidence_make(token, (struct span){ wanted, wanted_len }, &about, e) == 0);
	assert((operand & CERTIFICATE_BAD_REQUEST) ||
	       memcmp(about.nonce, which->nonce, sizeof(about.nonce)) == 0);
	if (operand & CERTIFICATE_NO_TURN)
		return err_set(e, ERR_EXHAUSTED, "too many wait");
	assert(digest(DIGEST_SHA256, spki, spki_len, verdict.identity, e) == 0);
	verdict.identity[0] ^= operand & CERTIFICATE_OTHER_IDENTITY;
	was_judged = true;
	done(data, &verdict);
	return 0;
}

static void on_answer(void *data, unsigned number, const uint8_t *bytes, size_t len)
{
	struct err e;

	(void)data;
	(void)number;
	assert(protobuf_check(&certificates__issue_response__descriptor, bytes, len, &e) == 0);
}

static void connect_again(void)
{
	const struct listener listener = { .server = server };
	struct err e;
	int ends[2];

	grpc_peer_free(peer);
	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	assert(conn_accept(server, &listener, ends[0], &e) == 0);
	peer = grpc_peer_new(&loop, ends[1], on_answer, NULL);
}

static void enter(uint8_t flags)
{
	static const struct store_limits limits = {
		.computations = 3, .cvms = 3, .records = 8, .record_bytes = 4096, .audit_rows = 64
	};
	struct err e;

	store_memory_open(&store, &limits);
	assert(store_queue_new(&loop, &store, &queue, &e) == 0);
	service_init(&service, &loop, queue, limits.cvms);
	service.authority = flags & CERTIFICATE_NO_AUTHORITY ? NULL : authority;
	service.ca_evidence = flags & CERTIFICATE_WANTS_EVIDENCE;
	assert(rpc_server_new(&loop, NULL, &server, &e) == 0);
	assert(rpc_server_add(server, &certificates_rpc, &service, &e) == 0);
	is_open = false;
	snprintf(token, sizeof(token), "cocos_none");
	peer = NULL;
	connect_again();
}

static void leave(void)
{
	grpc_peer_settle(&loop);
	grpc_peer_free(TAKE_PTR(peer));
	rpc_server_free(server);
	while (uv_run(&loop, UV_RUN_DEFAULT))
		continue;
	store_queue_free(queue);
}

static void make_token(void)
{
	const struct ca_wish wish = { .name = "one.example.org",
				      .role = operand % CA_PERSON }; /* who has to be a user */
	struct ca_record made;
	struct err e;

	assert(ca_token_add(&store.db, &wish, "", store_now(), &made, token, &e) == 0);
	role = wish.role;
	is_open = true;
}

static int send_request(const Certificates__IssueRequest *m, unsigned fails)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;
	int call = grpc_peer_call(peer, PROTO_CERTIFICATES_ISSUE, NULL, 0);

	if (call < 0) {
		connect_again();
		call = grpc_peer_call(peer, PROTO_CERTIFICATES_ISSUE, NULL, 0);
	}
	assert(call >= 0 && protobuf_pack(&m->base, &bytes, &len, &e) == 0);
	grpc_peer_say(peer, (unsigned)call, bytes, len, false);
	grpc_peer_half_close(peer, (unsigned)call);
	was_judged = false;
	store_memory_fails = fails;
	grpc_peer_move(peer);
	grpc_peer_move(peer);
	store_memory_fails = 0;
	return grpc_peer_said(peer, (unsigned)call)->status;
}

static void issue(unsigned fails)
{
	static uint8_t evidence[] = "evidence", signature[SIGNATURE_MAX];
	Certificates__IssueRequest m = CERTIFICATES__ISSUE_REQUEST__INIT;
	const uint8_t good =
		service.ca_evidence && role == CA_AGENT
			? 0
			: (uint8_t)~(CERTIFICATE_WRONG_TOKEN | CERTIFICATE_BAD_REQUEST);
	struct issue_evidence about;
	size_t len = sizeof(signature);
	struct err e;
	int status;

	assert(issue_evidence_make(token, (struct span){ wanted, wanted_len }, &about, &e) == 0);
	assert(key_sign(keys[operand & CERTIFICATE_OTHER_SIGNER ? 1 : 0], false, about.message,
			sizeof(about.message), signature, &len, &e) == 0);
	m.token = operand & CERTIFICATE_WRONG_TOKEN ? (char *)(uintptr_t)"cocos_other" : token;
	m.request = (ProtobufCBinaryData){ operand & CERTIFICATE_BAD_REQUEST ? wanted_len / 2
									     : wanted_len,
					   wanted };
	if (!(operand & CERTIFICATE_NO_EVIDENCE))
		m.evidence = (ProtobufCBinaryData){ sizeof(evidence), evidence };
	m.identity = (ProtobufCBinaryData){ operand & CERTIFICATE_NO_KEY ? 9 : spki_len, spki };
	m.signature = (ProtobufCBinaryData){ len, signature };
	status = send_request(&m, fails);
	if (!fails)
		assert((status == 0) == (is_open && service.authority && !(operand & ~good)));
	assert(status != 0 || (is_open && !(operand & ~good)));
	assert(status != 0 || good || was_judged);
	is_open &= status != 0;
}

/* At a limit, and one byte longer. */
static void issue_long(void)
{
	static uint8_t bytes[APPRAISAL_TOKEN_MAX + 1];
	Certificates__IssueRequest m = CERTIFICATES__ISSUE_REQUEST__INIT;

	m.token = token;
	m.evidence = (ProtobufCBinaryData){ operand & 1 ? APPRAISAL_TOKEN_MAX + 1 : 64, bytes };
	m.identity = (ProtobufCBinaryData){ operand & 2 ? SPKI_MAX + 1 : SPKI_MAX, bytes };
	m.signature =
		(ProtobufCBinaryData){ operand & 4 ? SIGNATURE_MAX + 1 : SIGNATURE_MAX, bytes };
	assert(send_request(&m, 0) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	uint8_t flags = reader_u8(&r);

	if (!loop.data)
		prepare();
	enter(flags);
	for (int i = 0; i < COMMANDS_MAX && reader_ok(&r) && reader_left(&r); i++) {
		const uint8_t what = reader_u8(&r);

		operand = reader_u8(&r);
		switch ((enum certificate_order)((what & 15) % CERTIFICATE_ORDERS)) {
		case CERTIFICATE_TOKEN:
			make_token();
			break;
		case CERTIFICATE_ISSUE:
			issue(what >> CERTIFICATE_FAILS_SHIFT);
			break;
		default:
			issue_long();
		}
	}
	leave();
	return 0;
}
