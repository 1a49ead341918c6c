/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stranger can say before HTTP/2, cut anywhere: to a server in plaintext, under TLS, and with an
 * exchange behind TLS; and to a client from a server that has such an exchange.
 *
 * Input: mode(1), then orders: what(1) length(1) and so many bytes. RAW goes to the socket as it is; SHAKE
 * lets an honest OpenSSL go on, its bytes changed by those of the input (xor); SAY goes through it.
 * HTTP/2 begins where TLS is up and the exchange has passed, and nowhere else.
 */
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/crypto/key.h"
#include "common/rpc/conn.h"
#include "common/rpc/health.h"
#include "tests/fuzz/h2_peer.h"
#include "tests/fuzz/orders_rpc.h"
#include "tests/self_signed.h"

#include <string.h>
#include <openssl/err.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { ORDERS_MAX = 64, INPUT_MAX = 64, NETWORK_MAX = 65536 };

static uv_loop_t loop;
static struct rpc_server *server;
static struct rpc_tls *server_tls, *client_tls;

/* ---- the exchange: a byte says what follows, and how long ---- */

enum word { WORD_ON, WORD_PASS, WORD_REFUSE, WORD_HOLD, WORD_ANSWER, WORD_LATER };

static struct exchange {
	struct rpc_prologue_run *run;
	bool started, held, passed, refused, closed;
} exchange;

static void on_start(struct rpc_prologue_run *run, void *data)
{
	struct err e;

	assert(data == &exchange && !exchange.started && rpc_prologue_is_open(run));
	assert(SSL_is_init_finished(rpc_prologue_tls(run)));
	exchange.started = true;
	exchange.run = rpc_prologue_ref(run);
	rpc_prologue_set_user(run, &exchange);
	if (!SSL_is_server(rpc_prologue_tls(run)))
		assert(rpc_prologue_send(run, "hello", 5, &e) == 0);
}

static size_t on_bytes(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len)
{
	size_t follow = bytes[0] & 15;
	struct err e;

	assert(rpc_prologue_user(run) == &exchange && len > 0 && len <= INPUT_MAX);
	assert(!exchange.held && !exchange.passed && !exchange.refused && !exchange.closed);
	if (len < 1 + follow)
		return 0;
	switch ((enum word)(bytes[0] >> 4)) {
	case WORD_PASS:
		exchange.passed = true;
		rpc_prologue_pass(run);
		assert(rpc_prologue_send(run, "x", 1, &e) == -ERR_UNAVAILABLE);
		break;
	case WORD_HOLD:
		exchange.held = true;
		rpc_prologue_hold(run, true);
		break;
	case WORD_ANSWER:
		assert(rpc_prologue_send(run, bytes + 1, follow, &e) == 0);
		break;
	case WORD_ON:
	case WORD_LATER:
		break;
	default:
		exchange.refused = true;
		err_set(&e, ERR_DENIED, "refused");
		rpc_prologue_refuse(run, &e);
		rpc_prologue_refuse(run, &e);
	}
	return 1 + follow;
}

static void on_closed(struct rpc_prologue_run *run)
{
	assert(!exchange.closed && !rpc_prologue_is_open(run) && !rpc_prologue_tls(run));
	exchange.closed = true;
}

static const struct rpc_prologue prologue = {
	.input_max = INPUT_MAX, .start = on_start, .bytes = on_bytes, .closed = on_closed
};

static void lift(void)
{
	if (!exchange.run || !exchange.held)
		return;
	exchange.held = false;
	rpc_prologue_hold(exchange.run, false);
}

/* ---- a client's transport, without HTTP/2 above ---- */

static struct client {
	struct transport transport; /* first */
	bool secured, opened, failed, freed, wrote;
	size_t heard;
} client;
static struct transport_hub *hub;

static void on_secured(struct transport *t)
{
	assert(!client.secured && !exchange.started);
	client.secured = true;
}

static int on_open(struct transport *t, struct err *e)
{
	assert(!client.opened && client.secured && exchange.started == (t->prologue != NULL));
	assert(!t->prologue || exchange.passed);
	client.opened = true;
	return 0;
}

static void on_turn(struct transport *t)
{
	assert(client.opened);
}

static int on_input(struct transport *t, const uint8_t *bytes, size_t len, struct err *e)
{
	assert(client.opened && len > 0);
	client.heard += len;
	return bytes[0] == 'x' ? err_set(e, ERR_INVALID, "x") : 0;
}

static int on_output(struct transport *t, struct err *e)
{
	static const char words[] = "PRI * HTTP/2.0";
	uint8_t *room;

	assert(client.opened);
	if (client.wrote)
		return 0;
	client.wrote = true;
	room = transport_room(t, sizeof(words));
	assert(room);
	memcpy(room, words, sizeof(words));
	transport_put(t, sizeof(words));
	return 0;
}

static void on_settled(struct transport *t)
{
	assert(client.opened);
}

static void on_failed(struct transport *t, const struct err *e)
{
	assert(!client.failed && e->text[0]);
	client.failed = true;
	transport_close(t);
}

static void on_freed(struct transport *t)
{
	client.freed = true;
}

static const struct transport_user client_user = { .secured = on_secured,
						   .open = on_open,
						   .turn = on_turn,
						   .input = on_input,
						   .output = on_output,
						   .settled = on_settled,
						   .failed = on_failed,
						   .freed = on_freed };

/* ---- the other end ---- */

static struct {
	int fd;
	SSL *tls; /* NULL: none */
	BIO *in, *out;
} other;

static void take(void)
{
	uint8_t bytes[4096];
	ssize_t n;

	while (other.fd >= 0 && (n = recv(other.fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		if (other.tls)
			assert(BIO_write(other.in, bytes, (int)n) == n);
}

static void give(const uint8_t *bytes, size_t len)
{
	if (other.fd >= 0 && len)
		(void)!send(other.fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	peer_spin(&loop);
	take();
}

/* What OpenSSL has to send, changed; at most so much at once. */
static void flush(const uint8_t *change, size_t change_len, size_t piece)
{
	uint8_t bytes[NETWORK_MAX];
	int n = other.tls ? BIO_read(other.out, bytes, sizeof(bytes)) : 0;

	for (size_t i = 0; n > 0 && i < change_len && i < (size_t)n; i++)
		bytes[i] ^= change[i];
	for (size_t at = 0; n > 0 && at < (size_t)n; at += piece)
		give(bytes + at, piece < (size_t)n - at ? piece : (size_t)n - at);
}

static void other_open(int fd, enum mode mode)
{
	static const unsigned char h2[] = { 2, 'h', '2' };
	bool is_client = mode < CLIENT_TLS;

	other.fd = fd;
	other.tls = NULL;
	if (mode == PLAIN)
		return;
	other.tls = SSL_new(rpc_tls_context(is_client ? client_tls : server_tls));
	other.in = BIO_new(BIO_s_mem());
	other.out = BIO_new(BIO_s_mem());
	assert(other.tls && other.in && other.out);
	SSL_set_bio(other.tls, other.in, other.out);
	if (is_client) {
		SSL_set_connect_state(other.tls);
		assert(SSL_set_alpn_protos(other.tls, h2, sizeof(h2)) == 0);
	} else {
		SSL_set_accept_state(other.tls);
	}
}

static void other_close(void)
{
	if (other.fd >= 0)
		close(TAKE_FD(other.fd));
	SSL_free(other.tls);
	other.tls = NULL;
	ERR_clear_error();
}

/* ---- what there is once ---- */

static void hub_freed(struct transport_hub *h)
{
}

static void prepare(void)
{
	static struct transport_hub one;
	struct rpc_limits limits = rpc_limits_default();
	struct rpc_tls_config config = { .only_tls13 = false };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(X509_free) X509 *cert = NULL;
	struct rpc_health *health;
	CLEANUP(free) char *pem = NULL;
	struct err e;

	log_set(LOG_LEVEL_ERROR);
	assert(uv_loop_init(&loop) == 0 && key_generate(KEY_ECDSA, &key, &e) == 0);
	cert = self_signed(key, "host", NULL, 0);
	pem = self_signed_pem(cert);
	config.cert = pem;
	config.pkey = key;
	assert(rpc_tls_new_server(&config, &server_tls, &e) == 0);
	config = (struct rpc_tls_config){ .only_tls13 = true, .judged_by_prologue = true };
	assert(rpc_tls_new_client(&config, &client_tls, &e) == 0);
	limits.unready_max = 2;
	assert(rpc_server_new(&loop, &limits, &server, &e) == 0);
	assert(rpc_health_new(server, &health, &e) == 0);
	assert(transport_hub_init(&one, &loop, &e) == 0);
	one.freed = hub_freed;
	hub = &one;
}

static void begin(enum mode mode, int fd)
{
	const struct listener listener = { .server = server,
					   .tls = mode == PLAIN ? NULL : server_tls,
					   .prologue = mode == EXCHANGE ? &prologue : NULL,
					   .prologue_data = &exchange };
	const struct transport_config config = { .fd = fd,
						 .tls = client_tls,
						 .host = "host",
						 .prologue =
							 mode == CLIENT_EXCHANGE ? &prologue : NULL,
						 .prologue_data = &exchange };
	struct err e;

	exchange = (struct exchange){ .run = NULL };
	client = (struct client){ .opened = false };
	if (mode < CLIENT_TLS)
		assert(conn_accept(server, &listener, fd, &e) == 0);
	else
		assert(transport_start(&client.transport, hub, &client_user, &config, &e) == 0);
}

/* ---- what must hold ---- */

static void check(void)
{
	struct rpc_conn *c;

	TAILQ_FOREACH(c, &server->conns, others) {
		const struct transport *t = &c->h2.transport;

		if (t->stage != TRANSPORT_OPEN)
			assert(!c->h2.session && TAILQ_EMPTY(&c->h2.streams));
		else
			assert((!t->tls || SSL_is_init_finished(t->tls)) &&
			       (!t->prologue || exchange.passed));
		assert(t->pending_at <= t->pending_len);
	}
	if (client.failed)
		assert(client.transport.stage == TRANSPORT_CLOSED);
	if (exchange.refused)
		assert(exchange.closed && server->conn_count == 0);
}

static void clock_moves(uint8_t by)
{
	struct rpc_conn *c = TAILQ_FIRST(&server->conns);

	if (c)
		conn_tick(c, uv_now(&loop) + by * 1000u);
}

static void follow(struct reader *r)
{
	enum order order = reader_u8(r) % ORDERS;
	size_t len = reader_u8(r);
	const uint8_t *bytes;

	if (len > reader_left(r))
		len = reader_left(r);
	bytes = reader_take(r, len);
	if (order == RAW) {
		give(bytes, len);
	} else if (order == SHAKE && other.tls) {
		(void)SSL_do_handshake(other.tls);
		flush(bytes, len, len ? len : NETWORK_MAX);
	} else if (order == SAY && other.tls && SSL_is_init_finished(other.tls) && len) {
		(void)SSL_write(other.tls, bytes, (int)len);
		flush(NULL, 0, NETWORK_MAX);
	} else if (order == LIFT) {
		lift();
	} else if (order == CLOCK) {
		clock_moves((uint8_t)len);
	} else if (order == SHUT && other.fd >= 0) {
		(void)shutdown(other.fd, SHUT_WR);
	} else if (order == DRAIN && TAILQ_FIRST(&server->conns)) {
		conn_drain(TAILQ_FIRST(&server->conns));
	}
	ERR_clear_error();
	peer_spin(&loop);
	take();
	check();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	enum mode mode = reader_u8(&r) % MODES;
	int ends[2];

	if (!server)
		prepare();
	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	other_open(ends[1], mode);
	begin(mode, ends[0]);
	peer_spin(&loop);
	for (int i = 0; i < ORDERS_MAX && reader_ok(&r) && reader_left(&r) >= 2; i++)
		follow(&r);
	other_close();
	while (server->conn_count > 0 ||
	       (mode >= CLIENT_TLS && client.transport.stage != TRANSPORT_CLOSED)) {
		lift(); /* what was kept may hold again */
		uv_run(&loop, UV_RUN_ONCE);
	}
	while (mode >= CLIENT_TLS && !client.freed)
		uv_run(&loop, UV_RUN_ONCE);
	peer_spin(&loop);
	assert(exchange.closed == exchange.started && server->buffered == 0);
	rpc_prologue_unref(exchange.run);
	return 0;
}
