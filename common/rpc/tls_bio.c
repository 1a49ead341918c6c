/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's own socket BIO writes with write(2), and a peer that has gone away then kills the program
 * by SIGPIPE. This one is the same but for MSG_NOSIGNAL.
 */
#include "common/rpc/tls_conn.h"
#include "common/rpc/tls_hello.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <openssl/bio.h>

/* A flag of ours beside the BIO's own. */
enum { MORE_FOLLOWS = 0x40000000 };

/* A client whose handshake is not done. */
struct tls_stranger {
	size_t left; /* bytes that it may still send for it */
	struct tls_hello hello;
	struct err refused;
};

struct tls_socket {
	int fd;
	struct tls_stranger *stranger;    /* NULL: no longer, or we are the client */
	uint8_t first[RPC_CONTACT_BYTES]; /* of what came */
	size_t first_len, ahead;          /* read, and waiting behind it when that was read */
};

static int fd_of(BIO *bio)
{
	const struct tls_socket *s = BIO_get_data(bio);

	return s->fd;
}

static int io_result(BIO *bio, ssize_t n, size_t *done, int retry)
{
	BIO_clear_retry_flags(bio);
	if (n > 0) {
		*done = (size_t)n;
		return 1;
	}
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
	else if (n == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	return 0;
}

static int bio_write(BIO *bio, const char *bytes, size_t len, size_t *written)
{
	int flags = MSG_NOSIGNAL | (BIO_test_flags(bio, MORE_FOLLOWS) ? MSG_MORE : 0);

	return io_result(bio, send(fd_of(bio), bytes, len, flags), written, BIO_FLAGS_WRITE);
}

/* Of a stranger: what OpenSSL would make room for has a limit before it comes to know of it. */
static int read_stranger(BIO *bio, char *bytes, size_t len, size_t *got)
{
	struct tls_stranger *s = ((struct tls_socket *)BIO_get_data(bio))->stranger;
	size_t most = len < s->left ? len : s->left;
	int r;

	if (most == 0)
		err_set(&s->refused, ERR_EXHAUSTED, "a handshake of more than %d bytes",
			TLS_HANDSHAKE_MAX);
	if (s->refused.code != ERR_OK) {
		BIO_clear_retry_flags(bio);
		return 0;
	}
	r = io_result(bio, recv(fd_of(bio), bytes, most, 0), got, BIO_FLAGS_READ);
	if (r == 1 && tls_hello_add(&s->hello, (const uint8_t *)bytes, *got, &s->refused) < 0) {
		*got = 0;
		return 0;
	}
	if (r == 1)
		s->left -= *got;
	return r;
}

/* OpenSSL 3.5 reads the head of a record alone, and no more if it is none; what came with it tells more. */
static void keep_first(struct tls_socket *s, const char *bytes, size_t len)
{
	size_t room = sizeof(s->first) - s->first_len, n = len < room ? len : room;
	ssize_t ahead;

	memcpy(s->first + s->first_len, bytes, n);
	s->first_len += n;
	ahead = recv(s->fd, s->first + s->first_len, room - n, MSG_PEEK | MSG_DONTWAIT);
	s->ahead = ahead > 0 ? (size_t)ahead : 0;
}

static int bio_read(BIO *bio, char *bytes, size_t len, size_t *got)
{
	struct tls_socket *s = BIO_get_data(bio);
	int r;

	if (s->stranger)
		return read_stranger(bio, bytes, len, got);
	r = io_result(bio, recv(s->fd, bytes, len, 0), got, BIO_FLAGS_READ);
	if (r == 1 && s->first_len < sizeof(s->first))
		keep_first(s, bytes, *got);
	return r;
}

static int bio_destroy(BIO *bio)
{
	struct tls_socket *s = BIO_get_data(bio);

	if (s)
		free(s->stranger);
	free(s);
	BIO_set_data(bio, NULL);
	return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	switch (command) {
	case BIO_CTRL_FLUSH:
	case BIO_CTRL_DUP:
		return 1;
	case BIO_CTRL_EOF:
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	default:
		return 0;
	}
}

static BIO_METHOD *method(void)
{
	static BIO_METHOD *m; /* for the life of the program; loops have one thread */

	if (m)
		return m;
	m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
	if (m &&
	    (BIO_meth_set_write_ex(m, bio_write) != 1 || BIO_meth_set_read_ex(m, bio_read) != 1 ||
	     BIO_meth_set_ctrl(m, bio_ctrl) != 1 || BIO_meth_set_destroy(m, bio_destroy) != 1)) {
		BIO_meth_free(m);
		m = NULL;
	}
	return m;
}

int tls_conn_set_socket(SSL *ssl, int fd, struct err *e)
{
	const BIO_METHOD *m = method();
	CLEANUP(free) struct tls_socket *s = calloc(1, sizeof(*s));
	CLEANUP(free) struct tls_stranger *stranger = calloc(1, sizeof(*stranger));
	BIO *bio = m ? BIO_new(m) : NULL;

	if (!bio || !s || !stranger) {
		BIO_free(bio);
		return err_nomem(e);
	}
	s->fd = fd;
	stranger->left = TLS_HANDSHAKE_MAX;
	if (SSL_is_server(ssl) == 1)
		s->stranger = TAKE_PTR(stranger);
	BIO_set_data(bio, TAKE_PTR(s));
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	return 0;
}

void tls_conn_more_follows(SSL *ssl, bool more)
{
	BIO *bio = SSL_get_wbio(ssl);

	if (more)
		BIO_set_flags(bio, MORE_FOLLOWS);
	else
		BIO_clear_flags(bio, MORE_FOLLOWS);
}

void tls_conn_established(SSL *ssl)
{
	struct tls_socket *s = BIO_get_data(SSL_get_rbio(ssl));

	free(TAKE_PTR(s->stranger));
}

enum rpc_contact tls_conn_contact(SSL *ssl)
{
	const struct tls_socket *s = BIO_get_data(SSL_get_rbio(ssl));

	return rpc_contact_of(s->first, s->first_len + s->ahead);
}

const struct err *tls_conn_refused(SSL *ssl)
{
	const struct tls_socket *s = BIO_get_data(SSL_get_rbio(ssl));

	return s->stranger && s->stranger->refused.code != ERR_OK ? &s->stranger->refused : NULL;
}
