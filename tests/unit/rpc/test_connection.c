/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: TLS, prologue, drain, reconnecting, blocking calls. */
#include "tests/unit/rpc/pair.h"

#include "common/rpc/health.h"
#include "common/rpc/job.h"
#include "common/rpc/sync.h"

#include <netinet/in.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct rpc_method input_call = TEST_STREAMING_INPUT_CALL;

static void on_half_close_reply(struct rpc_call *call)
{
	pair_on_half_close(call);
	pair_reply(call);
}

static const struct rpc_handler handlers[] = {
	{ .method = TEST_STREAMING_INPUT_CALL,
	  .start = pair_on_start,
	  .message = pair_on_message,
	  .half_close = on_half_close_reply,
	  .closed = pair_on_closed },
};
static const struct rpc_service service = { .name = TEST_SERVICE, .handlers = handlers, .count = 1 };

/* One call to its good end. */
static void call_once(struct pair *p)
{
	p->closed = 0;
	rpc_stream_half_close(pair_call(p, &input_call, 0));
	pair_until(p, p->closed);
	if (p->status.code != ERR_OK)
		fail_msg("%s", p->status.text);
}

static char *cert, *key;

static int make_pki(void **state)
{
	pki_make(&cert, &key);
	return 0;
}

static int free_pki(void **state)
{
	free(cert);
	free(key);
	return 0;
}

static struct rpc_tls *server_tls(const char *client_ca)
{
	const struct rpc_tls_config config = { .cert = cert, .key = key, .ca = client_ca };
	struct rpc_tls *tls = NULL;
	struct err e;

	assert_ok(rpc_tls_new_server(&config, &tls, &e), e);
	return tls;
}

static struct rpc_tls *client_tls(const struct rpc_tls_config *config)
{
	struct rpc_tls *tls = NULL;
	struct err e;

	assert_ok(rpc_tls_new_client(config, &tls, &e), e);
	return tls;
}

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
		assert_refused(rpc_call_exporter(call, "EXPORTER-x", NULL, 0, session->exported, 32, &e),
			       e, ERR_PRECONDITION, "no TLS");
	else
		assert_ok(rpc_call_exporter(call, "EXPORTER-x", "", 0, session->exported, 32, &e), e);
}

static const struct rpc_handler session_handlers[] = {
	{ .method = TEST_STREAMING_INPUT_CALL,
	  .start = on_start_session,
	  .half_close = on_half_close_reply,
	  .closed = pair_on_closed },
};
static const struct rpc_service session_service = { .name = TEST_SERVICE,
						    .handlers = session_handlers,
						    .count = 1 };

static void both_ends_export_the_same(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = server_tls(cert);
	CLEANUP(rpc_tls_free) struct rpc_tls *client =
		client_tls(&(struct rpc_tls_config){ .ca = cert, .cert = cert, .key = key });
	struct session session = { 0 };
	struct pair p = { .user = &session };
	uint8_t exported[32], *spki = NULL;
	size_t spki_len;
	EVP_PKEY *own = NULL;
	struct err e;
	X509 *peer;

	pair_open(&p, &(struct pair_setup){ .service = &session_service,
					    .server_tls = server,
					    .client_tls = client });
	call_once(&p);
	assert_ok(rpc_channel_exporter(p.channel, "EXPORTER-x", "", 0, exported, 32, &e), e);
	assert_memory_equal(exported, session.exported, 32);
	assert_ok(rpc_channel_exporter(p.channel, "EXPORTER-y", "", 0, exported, 32, &e), e);
	assert_memory_not_equal(exported, session.exported, 32);
	assert_ok(key_from_private_pem(key, strlen(key), NULL, NULL, &own, &e), e);
	assert_ok(key_to_spki(own, &spki, &spki_len, &e), e);
	assert_int_equal(session.spki_len, spki_len);
	assert_memory_equal(session.spki, spki, spki_len);
	peer = rpc_channel_peer_cert(p.channel);
	assert_non_null(peer);
	X509_free(peer);
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
	call_once(&p);
	assert_false(session.is_tls);
	assert_null(session.spki);
	assert_refused(rpc_channel_exporter(p.channel, "x", NULL, 0, exported, 32, &e), e,
		       ERR_PRECONDITION, "no TLS");
	pair_close(&p);
}

/* The call must fail for this reason, and the text says where. */
static void must_fail(const struct pair_setup *setup, const char *words)
{
	struct pair p = { 0 };

	pair_open(&p, setup);
	rpc_stream_half_close(pair_call(&p, &input_call, 0));
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	if (strncmp(p.status.text, p.target, strlen(p.target)) != 0 ||
	    !strstr(p.status.text, words))
		fail_msg("'%s' does not begin with %s, or speak of '%s'", p.status.text, p.target,
			 words);
	assert_int_equal(p.started, 0);
	pair_close(&p);
}

static void tls_that_must_not_be(void **state)
{
	char *other_cert, *other_key;

	pki_make(&other_cert, &other_key);
	CLEANUP(rpc_tls_free) struct rpc_tls *server = server_tls(NULL);
	CLEANUP(rpc_tls_free) struct rpc_tls *strict = server_tls(cert);
	CLEANUP(rpc_tls_free) struct rpc_tls *stranger =
		client_tls(&(struct rpc_tls_config){ .ca = other_cert });
	CLEANUP(rpc_tls_free) struct rpc_tls *misnamed =
		client_tls(&(struct rpc_tls_config){ .ca = cert, .name = "other.example" });
	CLEANUP(rpc_tls_free) struct rpc_tls *nobody = client_tls(&(struct rpc_tls_config){ .ca = cert });
	CLEANUP(rpc_tls_free) struct rpc_tls *forger =
		client_tls(&(struct rpc_tls_config){ .ca = cert, .cert = other_cert, .key = other_key });
	CLEANUP(rpc_tls_free) struct rpc_tls *system_store = client_tls(&(struct rpc_tls_config){ 0 });

	must_fail(&(struct pair_setup){ .service = &service, .server_tls = server, .client_tls = stranger },
		  "certificate");
	must_fail(&(struct pair_setup){ .service = &service, .server_tls = server, .client_tls = misnamed },
		  "ostname mismatch");
	must_fail(&(struct pair_setup){ .service = &service,
					.server_tls = server,
					.client_tls = system_store },
		  "certificate");
	must_fail(&(struct pair_setup){ .service = &service, .server_tls = strict, .client_tls = nobody },
		  "");
	must_fail(&(struct pair_setup){ .service = &service, .server_tls = strict, .client_tls = forger },
		  "");
	must_fail(&(struct pair_setup){ .service = &service, .server_tls = server }, "TLS");
	must_fail(&(struct pair_setup){ .service = &service, .client_tls = nobody }, "");
	free(other_cert);
	free(other_key);
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
	assert_refused(rpc_tls_new_server(&(struct rpc_tls_config){ .cert = cert }, &tls, &e), e,
		       ERR_INVALID, "go together");
	assert_refused(rpc_tls_new_server(&(struct rpc_tls_config){ .cert = key, .key = key }, &tls, &e),
		       e, ERR_INVALID, "no PEM certificate");
	assert_refused(rpc_tls_new_server(
			       &(struct rpc_tls_config){ .cert = cert, .key = key, .ca = "" }, &tls, &e),
		       e, ERR_INVALID, "no PEM certificate");
	assert_refused(rpc_tls_new_client(&(struct rpc_tls_config){ .ca = "junk" }, &tls, &e), e,
		       ERR_INVALID, "no PEM certificate");
	assert_refused(rpc_tls_new_client(&(struct rpc_tls_config){ .judged_by_prologue = true }, &tls,
					  &e),
		       e, ERR_INVALID, "TLS 1.3");
	assert_ok(rpc_tls_new_client(
			  &(struct rpc_tls_config){ .judged_by_prologue = true, .only_tls13 = true },
			  &tls, &e),
		  e);
	uv_loop_init(&loop);
	config.tls = tls;
	assert_refused(rpc_channel_new(&loop, &config, &channel, &e), e, ERR_INVALID,
		       "nobody would judge");
	uv_loop_close(&loop);
	rpc_tls_free(tls);
}

/* A prologue: the client sends "hello", the server answers after a while "welcome", done. */
struct greeting {
	struct pair *pair;
	struct rpc_prologue_run *run;
	bool passes;
};

static unsigned greetings_closed;

static void greet_work(void *data)
{
	usleep(1000);
}

static void greet_done(void *data)
{
	struct greeting *greeting = data;
	struct err e;

	if (rpc_prologue_is_open(greeting->run)) {
		if (greeting->passes) {
			assert_ok(rpc_prologue_send(greeting->run, "welcome", 7, &e), e);
			rpc_prologue_pass(greeting->run);
		} else {
			err_set(&e, ERR_DENIED, "not welcome");
			rpc_prologue_refuse(greeting->run, &e);
		}
	} else {
		assert_int_equal(rpc_prologue_send(greeting->run, "x", 1, &e), -ERR_UNAVAILABLE);
		rpc_prologue_pass(greeting->run);
	}
	rpc_prologue_unref(greeting->run);
	free(greeting);
}

static void server_greets(struct rpc_prologue_run *run, void *data)
{
	assert_true(rpc_prologue_is_server(run));
	assert_non_null(rpc_prologue_tls(run));
	rpc_prologue_set_user(run, data);
}

static size_t server_hears(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	struct greeting *greeting;
	struct pair *p = rpc_prologue_user(run);
	struct err e;

	if (len < 5)
		return 0;
	greeting = calloc(1, sizeof(*greeting));
	greeting->run = rpc_prologue_ref(run);
	greeting->passes = memcmp(bytes, "hello", 5) == 0;
	rpc_prologue_hold(run, true);
	assert_ok(rpc_job_start(&p->loop, greet_work, greet_done, greeting, &e), e);
	return 5;
}

static void client_greets(struct rpc_prologue_run *run, void *data)
{
	struct pair *p = data;
	const char *word = p->user ? p->user : "hello";
	struct err e;

	/* In two pieces: the other side has to put them together. */
	assert_ok(rpc_prologue_send(run, word, 2, &e), e);
	assert_ok(rpc_prologue_send(run, word + 2, strlen(word) - 2, &e), e);
}

static size_t client_hears(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	if (len < 7)
		return 0;
	assert_memory_equal(bytes, "welcome", 7);
	rpc_prologue_pass(run);
	return 7; /* what is behind is the server's HTTP/2 */
}

static void greeting_closed(struct rpc_prologue_run *run)
{
	assert_false(rpc_prologue_is_open(run));
	greetings_closed++;
}

static const struct rpc_prologue server_prologue = {
	.input_max = 100, .start = server_greets, .bytes = server_hears, .closed = greeting_closed
};
static const struct rpc_prologue client_prologue = {
	.input_max = 65536, .start = client_greets, .bytes = client_hears, .closed = greeting_closed
};

static void a_prologue_comes_before_http2(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = server_tls(NULL);
	CLEANUP(rpc_tls_free) struct rpc_tls *client = client_tls(
		&(struct rpc_tls_config){ .judged_by_prologue = true, .only_tls13 = true });
	struct pair p = { 0 };

	greetings_closed = 0;
	pair_open(&p, &(struct pair_setup){ .service = &service,
					    .server_tls = server,
					    .client_tls = client,
					    .server_prologue = &server_prologue,
					    .client_prologue = &client_prologue });
	call_once(&p);
	assert_non_null(rpc_channel_prologue(p.channel));
	call_once(&p);
	assert_int_equal(greetings_closed, 0);
	pair_close(&p);
	assert_int_equal(greetings_closed, 2);
}

static void a_prologue_may_refuse(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = server_tls(NULL);
	CLEANUP(rpc_tls_free) struct rpc_tls *client = client_tls(&(struct rpc_tls_config){ .ca = cert });
	struct pair p = { .user = (char *)(uintptr_t) "other" };

	pair_open(&p, &(struct pair_setup){ .service = &service,
					    .server_tls = server,
					    .client_tls = client,
					    .server_prologue = &server_prologue,
					    .client_prologue = &client_prologue });
	rpc_stream_half_close(pair_call(&p, &input_call, 0));
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	assert_int_equal(p.started, 0);
	pair_close(&p);
}

static void a_prologue_has_its_time_and_room(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = server_tls(NULL);
	CLEANUP(rpc_tls_free) struct rpc_tls *client = client_tls(&(struct rpc_tls_config){ .ca = cert });
	struct rpc_limits limits = rpc_limits_default();
	static char much[300];
	struct pair p = { .user = (char *)(uintptr_t) "he" }, q = { .user = much };
	struct pair_setup setup = { .service = &service,
				    .server_tls = server,
				    .client_tls = client,
				    .server_prologue = &server_prologue,
				    .client_prologue = &client_prologue,
				    .limits = &limits };

	limits.prologue_ms = 100;
	pair_open(&p, &setup);
	rpc_stream_half_close(pair_call(&p, &input_call, 0));
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	pair_close(&p);

	memset(much, 'x', sizeof(much) - 1);
	limits.prologue_ms = 60000;
	pair_open(&q, &setup);
	rpc_stream_half_close(pair_call(&q, &input_call, 0));
	pair_until(&q, q.closed);
	assert_int_equal(q.status.code, ERR_UNAVAILABLE);
	pair_close(&q);
}

static void a_client_that_speaks_no_prologue_is_not_served(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = server_tls(NULL);
	CLEANUP(rpc_tls_free) struct rpc_tls *client = client_tls(&(struct rpc_tls_config){ .ca = cert });

	must_fail(&(struct pair_setup){ .service = &service,
					.server_tls = server,
					.client_tls = client,
					.server_prologue = &server_prologue },
		  "");
}

static int silent_connection(const struct pair *p)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons((uint16_t)p->port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void those_who_say_nothing_push_out_each_other(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *server = server_tls(NULL);
	CLEANUP(rpc_tls_free) struct rpc_tls *client = client_tls(&(struct rpc_tls_config){ .ca = cert });
	struct rpc_limits limits = rpc_limits_default();
	struct pair p = { 0 };
	int silent[12];
	char byte;

	limits.unready_max = 4;
	pair_open(&p, &(struct pair_setup){ .service = &service,
					    .server_tls = server,
					    .client_tls = client,
					    .limits = &limits });
	struct rpc_stream *served = pair_call(&p, &input_call, 0);
	pair_until(&p, p.started);
	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		silent[i] = silent_connection(&p);
		uv_run(&p.loop, UV_RUN_ONCE);
	}
	/* The last four are there, the others were closed, and who is served has not noticed. */
	pair_until(&p, recv(silent[ARRAY_LEN(silent) - 5], &byte, 1, MSG_DONTWAIT) >= 0);
	assert_int_equal(rpc_server_connections(p.server), 5);
	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		if (i >= ARRAY_LEN(silent) - 4)
			assert_int_equal(recv(silent[i], &byte, 1, MSG_DONTWAIT), -1);
		close(silent[i]);
	}
	rpc_stream_half_close(served);
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_OK);
	pair_close(&p);
}

static void on_drained(void *data)
{
	unsigned *drained = data;

	(*drained)++;
}

static void a_drain_lets_calls_finish(void **state)
{
	struct pair p = { 0 };
	struct rpc_stream *stream;
	unsigned drained = 0;

	pair_open(&p, &(struct pair_setup){ .service = &service });
	stream = pair_call(&p, &input_call, 0);
	pair_until(&p, p.started);
	rpc_server_drain(p.server, 60000, on_drained, &drained);
	for (int i = 0; i < 200; i++)
		uv_run(&p.loop, UV_RUN_NOWAIT);
	assert_int_equal(drained + p.closed, 0);
	pair_send(stream, 100);
	rpc_stream_half_close(stream);
	pair_until(&p, drained);
	assert_int_equal(p.status.code, ERR_OK);
	assert_int_equal(p.closed, 1);
	assert_int_equal(rpc_server_connections(p.server), 0);
	/* Nobody listens any more. */
	rpc_stream_half_close(pair_call(&p, &input_call, 0));
	pair_until(&p, p.closed == 2);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	pair_close(&p);
}

static void a_drain_has_an_end(void **state)
{
	struct pair p = { 0 };
	unsigned drained = 0;

	pair_open(&p, &(struct pair_setup){ .service = &service });
	pair_call(&p, &input_call, 0);
	pair_until(&p, p.started);
	rpc_server_drain(p.server, 50, on_drained, &drained);
	pair_until(&p, drained && p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	assert_int_equal(p.server_closed, 1);
	pair_close(&p);
	assert_int_equal(drained, 1);
}

static void a_drain_of_nothing_ends_at_once(void **state)
{
	struct pair p = { 0 };
	unsigned drained = 0;

	pair_open(&p, &(struct pair_setup){ .service = &service });
	rpc_server_drain(p.server, 60000, on_drained, &drained);
	pair_until(&p, drained);
	pair_close(&p);
}

static void a_channel_connects_again(void **state)
{
	struct pair p = { 0 };
	struct rpc_listen listen = { 0 };
	struct err e;

	pair_open(&p, &(struct pair_setup){ .service = &service });
	call_once(&p);
	rpc_server_free(p.server);
	p.server = NULL;
	p.closed = 0;
	pair_until(&p, !rpc_channel_is_ready(p.channel));
	rpc_stream_half_close(pair_call(&p, &input_call, 0));
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	assert_non_null(strstr(p.status.text, "refused"));
	assert_non_null(strstr(p.status.text, p.target));
	assert_ok(rpc_server_new(&p.loop, NULL, &p.server, &e), e);
	assert_ok(rpc_server_add(p.server, &service, &p, &e), e);
	listen.address = p.target;
	assert_ok(rpc_server_listen(p.server, &listen, NULL, &e), e);
	call_once(&p);
	pair_close(&p);
}

static void a_name_that_is_not_known(void **state)
{
	const struct rpc_channel_config config = { .target = "no-such-host.invalid:1" };
	struct rpc_channel *channel;
	uv_loop_t loop;
	struct err e;

	uv_loop_init(&loop);
	assert_ok(rpc_channel_new(&loop, &config, &channel, &e), e);
	assert_refused(rpc_sync_connect(channel, &e), e, ERR_UNAVAILABLE, "no-such-host.invalid:1");
	rpc_channel_free(channel);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_server_that_says_nothing(void **state)
{
	CLEANUP(rpc_tls_free) struct rpc_tls *client = client_tls(&(struct rpc_tls_config){ .ca = cert });
	struct rpc_limits limits = rpc_limits_default();
	struct pair p = { 0 };

	/* A plaintext server waits for HTTP/2 while the client waits for TLS... within its limit. */
	limits.preface_ms = 60000;
	pair_open(&p, &(struct pair_setup){ .service = &service, .client_tls = client, .limits = &limits,
					    .connect_ms = 200 });
	rpc_stream_half_close(pair_call(&p, &input_call, 0));
	pair_until(&p, p.closed);
	assert_int_equal(p.status.code, ERR_UNAVAILABLE);
	pair_close(&p);
}

static void unix_sockets_work_and_are_private(void **state)
{
	char folder[] = "/tmp/rpc-unit-XXXXXX", address[80];
	struct pair p = { 0 };
	struct rpc_listen listen = { .address = address };
	struct rpc_channel_config config = { .target = address };
	struct rpc_channel *channel;
	struct err e;

	assert_non_null(mkdtemp(folder));
	snprintf(address, sizeof(address), "unix:%s/s", folder);
	pair_open(&p, &(struct pair_setup){ .service = &service });
	assert_ok(rpc_server_listen(p.server, &listen, NULL, &e), e);
	assert_refused(rpc_server_listen(p.server, &listen, NULL, &e), e, ERR_INTERNAL, "listen on");
	assert_ok(rpc_channel_new(&p.loop, &config, &channel, &e), e);
	assert_ok(rpc_sync_connect(channel, &e), e);
	rpc_channel_free(channel);
	pair_close(&p);
	assert_int_equal(rmdir(folder), 0); /* the socket went with the listener */
}

static void blocking_calls(void **state)
{
	const struct rpc_method check = { "/grpc.testing.TestService/EmptyCall", RPC_UNARY,
					  &grpc__testing__empty__descriptor,
					  &grpc__testing__empty__descriptor };
	const Grpc__Testing__Empty request = GRPC__TESTING__EMPTY__INIT;
	ProtobufCMessage *answer = NULL;
	struct rpc_sync *sync;
	struct pair p = { 0 };
	struct err e;

	pair_open(&p, &(struct pair_setup){ .service = &service });
	assert_ok(rpc_sync_connect(p.channel, &e), e);
	assert_refused(rpc_sync_unary(p.channel, &check, NULL, &request.base, &answer, &e), e,
		       ERR_UNIMPLEMENTED, p.target);
	assert_ok(rpc_sync_open(p.channel, &input_call, NULL, &sync, &e), e);
	for (int i = 0; i < 40; i++)
		assert_ok(rpc_sync_send_bytes(sync, NULL, 7, calloc(1, 1 << 20), 1 << 20, &e), e);
	assert_ok(rpc_sync_finish(sync, &answer, &e), e);
	assert_int_equal(p.got, 40);
	protobuf_c_message_free_unpacked(answer, NULL);
	rpc_sync_free(sync);
	assert_ok(rpc_sync_open(p.channel, &input_call, NULL, &sync, &e), e);
	rpc_sync_free(sync); /* open: is cancelled */
	pair_close(&p);
}

static void health_is_told(void **state)
{
	struct rpc_health *health;
	struct pair p = { 0 };
	char name[RPC_HEALTH_NAME_MAX + 1];
	struct err e;

	pair_open(&p, &(struct pair_setup){ .service = &service });
	assert_ok(rpc_health_new(p.server, &health, &e), e);
	for (int i = 1; i < RPC_HEALTH_SERVICES_MAX; i++) {
		snprintf(name, sizeof(name), "service %d", i);
		assert_ok(rpc_health_set(health, name, true, &e), e);
	}
	assert_ok(rpc_health_set(health, name, false, &e), e);
	assert_refused(rpc_health_set(health, "one more", true, &e), e, ERR_EXHAUSTED, "services");
	pair_close(&p);
	rpc_health_free(health);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_export_the_same),
		cmocka_unit_test(plaintext_has_no_exporter),
		cmocka_unit_test(tls_that_must_not_be),
		cmocka_unit_test(tls_settings_that_make_no_sense),
		cmocka_unit_test(a_prologue_comes_before_http2),
		cmocka_unit_test(a_prologue_may_refuse),
		cmocka_unit_test(a_prologue_has_its_time_and_room),
		cmocka_unit_test(a_client_that_speaks_no_prologue_is_not_served),
		cmocka_unit_test(those_who_say_nothing_push_out_each_other),
		cmocka_unit_test(a_drain_lets_calls_finish),
		cmocka_unit_test(a_drain_has_an_end),
		cmocka_unit_test(a_drain_of_nothing_ends_at_once),
		cmocka_unit_test(a_channel_connects_again),
		cmocka_unit_test(a_name_that_is_not_known),
		cmocka_unit_test(a_server_that_says_nothing),
		cmocka_unit_test(unix_sockets_work_and_are_private),
		cmocka_unit_test(blocking_calls),
		cmocka_unit_test(health_is_told),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
