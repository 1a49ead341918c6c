/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/transport_io.h"

#include "common/rpc/tls_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/err.h>

/* 0: TLS waits for the socket; negative: it failed. */
static int tls_result(struct transport *t, int result, struct err *e)
{
	switch (SSL_get_error(t->tls, result)) {
	case SSL_ERROR_WANT_READ:
		return 0;
	case SSL_ERROR_WANT_WRITE:
		t->tls_wants_write = true;
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		return err_set(e, ERR_UNAVAILABLE, "the peer closed the connection");
	case SSL_ERROR_SYSCALL:
		if (ERR_peek_error() == 0 && !tls_conn_refused(t->tls))
			return err_set(e, ERR_UNAVAILABLE, "connection lost: %s",
				       errno ? strerror(errno) : "closed");
		return tls_conn_error(t->tls, e);
	default:
		return tls_conn_error(t->tls, e);
	}
}

int transport_handshake(struct transport *t, struct err *e)
{
	int r;

	ERR_clear_error();
	errno = 0;
	t->tls_wants_write = false;
	r = SSL_do_handshake(t->tls);
	if (r == 1)
		tls_conn_established(t->tls);
	return r == 1 ? 1 : tls_result(t, r, e);
}

static int read_tls(struct transport *t, size_t *len, bool *is_drained, struct err *e)
{
	size_t have = 0;

	/* A record is 16 KiB at most: gather several before they are handed on. */
	t->tls_wants_write = false;
	while (TRANSPORT_IN - have >= SSL3_RT_MAX_PLAIN_LENGTH) {
		size_t got = 0;
		int r;

		ERR_clear_error();
		errno = 0;
		r = SSL_read_ex(t->tls, t->hub->in + have, TRANSPORT_IN - have, &got);
		if (r == 1) {
			have += got;
			continue;
		}
		r = tls_result(t, r, e);
		/* What came before an end or a failure still counts; it shows itself again. */
		if (have == 0)
			return r;
		*is_drained = r == 0;
		break;
	}
	*len = have;
	return 1;
}

static int read_plain(struct transport *t, size_t *len, bool *is_drained, struct err *e)
{
	ssize_t n;

	do {
		n = recv(t->fd, t->hub->in, TRANSPORT_IN, 0);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		if (t->contact == RPC_CONTACT_SILENT)
			t->contact = rpc_contact_of(t->hub->in, (size_t)n);
		*len = (size_t)n;
		*is_drained = n < TRANSPORT_IN;
		return 1;
	}
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	return err_set(e, ERR_UNAVAILABLE, "%s",
		       n == 0 ? "the peer closed the connection" : strerror(errno));
}

int transport_read(struct transport *t, size_t *len, bool *is_drained, struct err *e)
{
	*is_drained = false;
	return t->tls ? read_tls(t, len, is_drained, e) : read_plain(t, len, is_drained, e);
}

/* Writes until the socket takes no more. Returns 0 with the count, or negative. */
static int write_some(struct transport *t, const uint8_t *bytes, size_t len, size_t *written,
		      struct err *e)
{
	*written = 0;
	while (*written < len) {
		size_t n = 0;

		if (t->tls) {
			int r;

			ERR_clear_error();
			errno = 0;
			tls_conn_more_follows(t->tls, len - *written > SSL3_RT_MAX_PLAIN_LENGTH);
			r = SSL_write_ex(t->tls, bytes + *written, len - *written, &n);
			if (r != 1)
				return tls_result(t, r, e);
		} else {
			ssize_t sent = send(t->fd, bytes + *written, len - *written, MSG_NOSIGNAL);

			if (sent < 0 && errno == EINTR)
				continue;
			if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
				return 0;
			if (sent < 0)
				return err_set(e, ERR_UNAVAILABLE, "%s", strerror(errno));
			n = (size_t)sent;
		}
		t->last_write = uv_now(t->hub->loop);
		*written += n;
	}
	return 0;
}

int transport_write(struct transport *t, const uint8_t *bytes, size_t len, struct err *e)
{
	size_t written;

	if (write_some(t, bytes, len, &written, e) < 0)
		return err_code(e);
	if (written == len)
		return 0;
	t->pending_len = len - written;
	t->pending_at = 0;
	t->pending = malloc(t->pending_len);
	if (!t->pending)
		return err_nomem(e);
	memcpy(t->pending, bytes + written, t->pending_len);
	t->last_write = uv_now(t->hub->loop); /* from here on it counts how long this waits */
	return 0;
}

int transport_write_pending(struct transport *t, struct err *e)
{
	size_t written;

	if (write_some(t, t->pending + t->pending_at, t->pending_len - t->pending_at, &written, e) <
	    0)
		return err_code(e);
	t->pending_at += written;
	if (t->pending_at < t->pending_len)
		return 0;
	free(TAKE_PTR(t->pending));
	t->pending_len = t->pending_at = 0;
	return 1;
}

void transport_say_goodbye(struct transport *t)
{
	ERR_clear_error();
	(void)SSL_shutdown(t->tls);
	ERR_clear_error();
}
