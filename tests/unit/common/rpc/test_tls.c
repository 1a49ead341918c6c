/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: TLS, its exporter, and who is at the other end. */
#include "common/rpc/tls_conn.h"
#include "common/rpc/transport.h"
#include "tests/self_signed.h"
#include "tests/unit/common/rpc/tls_pair.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/x509.h>

/* The exporter's values of both ends, and who the client is. */
struct session {
	uint8_t exported[32];
	uint8_t *spki;
	size_t spki_len;
	bool is_tls;
};

static void on_start_session(struct rpc_call *call)
{
	struct pair *p = rpc_call_service(call);
	struct session *session = p->user;
	const uint8_t *spki;
	struct err e;

	pair_on_start(call);
	session->is_tls = rpc_call_is_tls(call);
	spki = rpc_call_peer_spki(call, &session->spki_len);
	if (spki) {
		session->spki = malloc(session->spki_len);
		memcpy(session->spki, spki, session->spki_len);
	}
	if (!session->is_tls)
		assert_refused(
			rpc_call_exporter(call, "EXPORTER-x", NULL, 0, session->exported, 32, &e),
			e, ERR_PRECONDITION, "no TLS");
	else
		assert_ok(rpc_call_exporter(call, "EXPORTER-x", "", 0, session->exported, 32, &e),
			  e);
}

static const struct rpc_handler session_handlers[] = {
	{ .method = TEST_STREAMING_INPUT_CALL,
	  .start = on_start_session,
	  .half_close = pair_on_half_close_reply,
	  .closed = pair_on_closed },
};
static const struct rpc_service session_service = { .name = TEST_SERVICE,
						    .handlers = session_handlers,
						    .count = 1 };

static void both_ends_export_the_same(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = tls_pair_server(tls_pair_cert);
	CLEANUP(rpc_tls_free)
	struct rpc_tls *client = tls_pair_client(&(struct rpc_tls_config){
		.ca = tls_pair_cert, .cert = tls_pair_cert, .key = tls_pair_key });
	struct session session = { 0 };
	struct pair p = { .user = &session };
	uint8_t exported[32], *spki = NULL;
	size_t spki_len;
	EVP_PKEY *own = NULL;
	struct err e;

	pair_open(&p, &(struct pair_setup){ .service = &session_service,
					    .server_tls = server,
					    .client_tls = client });
	pair_call_once(&p);
	assert_ok(rpc_channel_exporter(p.channel, "EXPORTER-x", "", 0, exported, 32, &e), e);
	assert_memory_equal(exported, session.exported, 32);
	assert_ok(rpc_channel_exporter(p.channel, "EXPORTER-y", "", 0, exported, 32, &e), e);
	assert_memory_not_equal(exported, session.exported, 32);
	assert_ok(key_from_private_pem(tls_pair_key, strlen(tls_pair_key), NULL, NULL, &own, &e),
		  e);
	assert_ok(key_to_spki(own, &spki, &spki_len, &e), e);
	assert_int_equal(session.spki_len, spki_len);
	assert_memory_equal(session.spki, spki, spki_len);
	EVP_PKEY_free(own);
	free(spki);
	free(session.spki);
	pair_close(&p);
}

static void plaintext_has_no_exporter(void **state)
{
	struct session session = { 0 };
	struct pair p = { .user = &session };
	uint8_t exported[32];
	struct err e;

	pair_open(&p, &(struct pair_setup){ .service = &session_service });
	pair_call_once(&p);
	assert_false(session.is_tls);
	assert_null(session.spki);
	assert_refused(rpc_channel_exporter(p.channel, "x", NULL, 0, exported, 32, &e), e,
		       ERR_PRECONDITION, "no TLS");
	pair_close(&p);
}

static void tls_that_must_not_be(void **state)
{
	char *other_cert, *other_key;

	pki_make(&other_cert, &other_key);
	CLEANUP(rpc_tls_free) struct rpc_tls *server = tls_pair_server(NULL);
	CLEANUP(rpc_tls_free) struct rpc_tls *strict = tls_pair_server(tls_pair_cert);
	CLEANUP(rpc_tls_free)
	struct rpc_tls *stranger = tls_pair_client(&(struct rpc_tls_config){ .ca = other_cert });
	CLEANUP(rpc_tls_free)
	struct rpc_tls *misnamed = tls_pair_client(
		&(struct rpc_tls_config){ .ca = tls_pair_cert, .name = "other.example" });
	CLEANUP(rpc_tls_free)
	struct rpc_tls *nobody = tls_pair_client(&(struct rpc_tls_config){ .ca = tls_pair_cert });
	CLEANUP(rpc_tls_free)
	struct rpc_tls *forger = tls_pair_client(&(struct rpc_tls_config){
		.ca = tls_pair_cert, .cert = other_cert, .key = other_key });
	CLEANUP(rpc_tls_free)
	struct rpc_tls *system_store = tls_pair_client(&(struct rpc_tls_config){ 0 });

	tls_pair_must_fail(&(struct pair_setup){ .service = &pair_upload_service,
						 .server_tls = server,
						 .client_tls = stranger },
			   "certificate");
	tls_pair_must_fail(&(struct pair_setup){ .service = &pair_upload_service,
						 .server_tls = server,
						 .client_tls = misnamed },
			   "ostname mismatch");
	tls_pair_must_fail(&(struct pair_setup){ .service = &pair_upload_service,
						 .server_tls = server,
						 .client_tls = system_store },
			   "certificate");
	tls_pair_must_fail(&(struct pair_setup){ .service = &pair_upload_service,
						 .server_tls = strict,
						 .client_tls = nobody },
			   "");
	tls_pair_must_fail(&(struct pair_setup){ .service = &pair_upload_service,
						 .server_tls = strict,
						 .client_tls = forger },
			   "");
	tls_pair_must_fail(
		&(struct pair_setup){ .service = &pair_upload_service, .server_tls = server },
		"TLS");
	tls_pair_must_fail(
		&(struct pair_setup){ .service = &pair_upload_service, .client_tls = nobody }, "");
	free(other_cert);
	free(other_key);
}

/* OpenSSL has a place for each type of key, and takes both. */
static void a_key_of_another_type_is_not_the_certificates(void **state)
{
	static const enum key_kind kinds[] = { KEY_RSA, KEY_ECDSA, KEY_ED25519 };
	struct rpc_tls *tls;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
		CLEANUP(free) char *pem = NULL;

		assert_ok(key_generate(kinds[i], &key, &e), e);
		assert_ok(key_to_private_pem(key, &pem, &e), e);
		assert_refused(rpc_tls_new_server(&(struct rpc_tls_config){ .cert = tls_pair_cert,
									    .key = pem },
						  &tls, &e),
			       e, ERR_INVALID, "the key is not that of the certificate");
		assert_refused(rpc_tls_new_client(&(struct rpc_tls_config){ .ca = tls_pair_cert,
									    .cert = tls_pair_cert,
									    .key = pem },
						  &tls, &e),
			       e, ERR_INVALID, "the key is not that of the certificate");
	}
	assert_ok(rpc_tls_new_server(
			  &(struct rpc_tls_config){ .cert = tls_pair_cert, .key = tls_pair_key },
			  &tls, &e),
		  e);
	rpc_tls_free(tls);
}

static void tls_settings_that_make_no_sense(void **state)
{
	struct rpc_channel_config config = { .target = "localhost:1" };
	struct rpc_channel *channel;
	struct rpc_tls *tls;
	uv_loop_t loop;
	struct err e;

	assert_refused(rpc_tls_new_server(&(struct rpc_tls_config){ 0 }, &tls, &e), e, ERR_INVALID,
		       "needs a certificate");
	assert_refused(
		rpc_tls_new_server(&(struct rpc_tls_config){ .cert = tls_pair_cert }, &tls, &e), e,
		ERR_INVALID, "go together");
	assert_refused(rpc_tls_new_server(&(struct rpc_tls_config){ .cert = tls_pair_key,
								    .key = tls_pair_key },
					  &tls, &e),
		       e, ERR_INVALID, "no PEM certificate");
	assert_refused(rpc_tls_new_server(&(struct rpc_tls_config){ .cert = tls_pair_cert,
								    .key = tls_pair_key,
								    .ca = "" },
					  &tls, &e),
		       e, ERR_INVALID, "no PEM certificate");
	assert_refused(rpc_tls_new_client(&(struct rpc_tls_config){ .ca = "junk" }, &tls, &e), e,
		       ERR_INVALID, "no PEM certificate");
	assert_refused(rpc_tls_new_client(&(struct rpc_tls_config){ .judged_by_prologue = true },
					  &tls, &e),
		       e, ERR_INVALID, "TLS 1.3");
	assert_refused(rpc_tls_new_client(&(struct rpc_tls_config){ .judged_by_prologue = true,
								    .only_tls13 = true,
								    .ca = tls_pair_cert },
					  &tls, &e),
		       e, ERR_INVALID, "neither CA nor name");
	assert_refused(rpc_tls_new_client(&(struct rpc_tls_config){ .judged_by_prologue = true,
								    .only_tls13 = true,
								    .name = "agent" },
					  &tls, &e),
		       e, ERR_INVALID, "neither CA nor name");
	assert_ok(rpc_tls_new_client(&(struct rpc_tls_config){ .judged_by_prologue = true,
							       .only_tls13 = true },
				     &tls, &e),
		  e);
	uv_loop_init(&loop);
	config.tls = tls;
	assert_refused(rpc_channel_new(&loop, &config, &channel, &e), e, ERR_INVALID,
		       "nobody would judge");
	uv_loop_close(&loop);
	rpc_tls_free(tls);
}

static void nothing(struct transport *t)
{
}

static void hub_freed(struct transport_hub *hub)
{
}

/* Since when the stage TLS is, as it begins after a connect or accept at 0. */
static uint64_t tls_since(bool is_server, struct rpc_tls *tls)
{
	static const struct transport_user user = { .freed = nothing };
	struct transport_hub hub = { .freed = hub_freed };
	struct transport t = { 0 };
	uint64_t since;
	uv_loop_t loop;
	int ends[2];
	struct err e;

	uv_loop_init(&loop);
	assert_ok(transport_hub_init(&hub, &loop, &e), e);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_ok(transport_start(&t, &hub, &user,
				  &(struct transport_config){ .fd = ends[0],
							      .is_server = is_server,
							      .tls = tls,
							      .host = "localhost" },
				  &e),
		  e);
	t.stage_since = 0;
	assert_int_equal(write(ends[1], "\x16", 1), 1);
	while (t.stage == TRANSPORT_CONNECTING)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(t.stage, TRANSPORT_TLS);
	since = t.stage_since;
	transport_close(&t);
	transport_hub_release(&hub);
	close(ends[1]);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	return since;
}

/* A server has accepted a client that says nothing; a client's own TLS begins when it is connected. */
static void who_begins_late_has_no_more_time(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = tls_pair_server(NULL);
	CLEANUP(rpc_tls_free)
	struct rpc_tls *client = tls_pair_client(&(struct rpc_tls_config){ .ca = tls_pair_cert });

	assert_int_equal(tls_since(true, server), 0);
	assert_int_not_equal(tls_since(false, client), 0);
}

/* ---- what a stranger may make us hold ---- */

static int stranger(const struct pair *p)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons((uint16_t)p->port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void a_long_hello_ends_at_its_head(void **state)
{
	/* As long as OpenSSL would take. */
	static const uint8_t head[] = { 22, 3, 1, 0x40, 0, 1, 2, 1, 0x44 };
	CLEANUP(rpc_tls_free) struct rpc_tls *server = tls_pair_server(NULL);
	struct rpc_limits limits = rpc_limits_default();
	struct pair p = { 0 };
	uint8_t byte;
	int fd;

	limits.handshake_ms = UINT32_MAX / 2; /* it is not for want of time */
	pair_open(&p, &(struct pair_setup){ .service = &pair_upload_service,
					    .server_tls = server,
					    .limits = &limits });
	fd = stranger(&p);
	assert_int_equal(write(fd, head, sizeof(head)), sizeof(head));
	pair_until(&p, recv(fd, &byte, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN);
	close(fd);
	pair_close(&p);
}

/* Records that OpenSSL would skip for ever. */
static void send_records(int fd, size_t len)
{
	static const uint8_t record[1024] = { 23, 3, 3, 0x03, 0xfb };

	for (size_t sent = 0; sent < len; sent += sizeof(record))
		assert_int_equal(write(fd, record, sizeof(record)), sizeof(record));
}

static size_t read_all(SSL *ssl)
{
	static uint8_t bytes[4096];
	size_t all = 0, got;

	while (BIO_read_ex(SSL_get_rbio(ssl), bytes, sizeof(bytes), &got) == 1)
		all += got;
	return all;
}

static void a_handshake_has_a_limit_of_bytes(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = tls_pair_server(NULL);
	int ends[2];
	struct err e;
	SSL *ssl;

	for (int is_over = 0; is_over <= 1; is_over++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
		ssl = tls_conn_new(server, NULL, &e);
		assert_non_null(ssl);
		assert_ok(tls_conn_set_socket(ssl, ends[0], &e), e);
		send_records(ends[1], TLS_HANDSHAKE_MAX - 1024);
		assert_int_equal(read_all(ssl), TLS_HANDSHAKE_MAX - 1024);
		assert_null(tls_conn_refused(ssl));
		send_records(ends[1], 2048);
		if (is_over)
			tls_conn_established(ssl);
		assert_int_equal(read_all(ssl), is_over ? 2048 : 1024);
		assert_int_equal(tls_conn_refused(ssl) != NULL, !is_over);
		SSL_free(ssl);
		close(ends[0]);
		close(ends[1]);
	}
}

/* A certificate with a comment of so many bytes, in our service and at a client. */
static void client_of(size_t comment, bool is_taken)
{
	CLEANUP(free) char *text = calloc(1, comment + 1);
	const struct self_signed_extension extensions[] = {
		{ NID_basic_constraints, "critical,CA:TRUE" }, { NID_netscape_comment, text }
	};
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(X509_free) X509 *cert = NULL;
	CLEANUP(free) char *cert_pem = NULL, *key_pem = NULL;
	struct pair p = { 0 };
	struct err e;

	memset(text, 'x', comment);
	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	cert = self_signed(key, "client", extensions, ARRAY_LEN(extensions));
	assert_non_null(cert);
	cert_pem = self_signed_pem(cert);
	assert_ok(key_to_private_pem(key, &key_pem, &e), e);
	CLEANUP(rpc_tls_free) struct rpc_tls *server = tls_pair_server(cert_pem);
	CLEANUP(rpc_tls_free)
	struct rpc_tls *client = tls_pair_client(
		&(struct rpc_tls_config){ .ca = tls_pair_cert, .cert = cert_pem, .key = key_pem });
	const struct pair_setup setup = { .service = &pair_upload_service,
					  .server_tls = server,
					  .client_tls = client };

	if (!is_taken) {
		tls_pair_must_fail(&setup, "");
		return;
	}
	pair_open(&p, &setup);
	pair_call_once(&p);
	pair_close(&p);
}

static void a_clients_chain_has_a_limit(void **state)
{
	client_of(TLS_CLIENT_CHAIN_MAX - 1024, true);
	client_of(TLS_CLIENT_CHAIN_MAX, false);
}

static void our_own_chain_has_a_limit(void **state)
{
	const size_t len = strlen(tls_pair_cert);
	CLEANUP(free) char *chain = calloc(RPC_TLS_CHAIN_MAX + 1, len + 1);
	const struct rpc_tls_config config = { .cert = chain, .key = tls_pair_key };
	struct rpc_tls *tls;
	struct err e;

	for (size_t i = 0; i < RPC_TLS_CHAIN_MAX; i++)
		memcpy(chain + i * len, tls_pair_cert, len);
	assert_ok(rpc_tls_new_server(&config, &tls, &e), e);
	rpc_tls_free(tls);
	memcpy(chain + RPC_TLS_CHAIN_MAX * len, tls_pair_cert, len);
	assert_refused(rpc_tls_new_server(&config, &tls, &e), e, ERR_INVALID, "a chain of more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_export_the_same),
		cmocka_unit_test(plaintext_has_no_exporter),
		cmocka_unit_test(tls_that_must_not_be),
		cmocka_unit_test(a_key_of_another_type_is_not_the_certificates),
		cmocka_unit_test(tls_settings_that_make_no_sense),
		cmocka_unit_test(our_own_chain_has_a_limit),
		cmocka_unit_test(who_begins_late_has_no_more_time),
		cmocka_unit_test(a_long_hello_ends_at_its_head),
		cmocka_unit_test(a_handshake_has_a_limit_of_bytes),
		cmocka_unit_test(a_clients_chain_has_a_limit),
	};

	return cmocka_run_group_tests(tests, tls_pair_enter, tls_pair_leave);
}
