/* SPDX-License-Identifier: Apache-2.0 */
/* relay_line.c — of relay_world.h, one who speaks and hears. */
#include "common/relay/relay_answer.h"
#include "tests/fuzz/relay_world.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/err.h>

static uint8_t stream_at(uint64_t at)
{
	return (uint8_t)(at * 7 + (at >> 8) * 13 + 1);
}

/* How much was taken. */
static size_t give(struct relay_line *l, const uint8_t *bytes, size_t len)
{
	size_t taken = 0;
	ssize_t n;

	if (l->tls) {
		if (!l->is_up || l->is_broken)
			return 0;
		ERR_clear_error();
		if (SSL_write_ex(l->tls, bytes, len, &taken) == 1) {
			l->waits = false;
			return taken;
		}
		l->waits = SSL_get_error(l->tls, 0) == SSL_ERROR_WANT_WRITE;
		l->is_broken = !l->waits;
		return 0;
	}
	n = send(l->fd, bytes, len, MSG_NOSIGNAL);
	return n > 0 ? (size_t)n : 0;
}

void relay_line_say(struct relay_line *l, const uint8_t *bytes, size_t len)
{
	if (!len || l->waits || !give(l, bytes, len))
		return;
	if (l->tls && !l->has_headed && len == (l->kind == RELAY_COMER ? RELAY_HEADER_LEN : 1))
		l->has_headed = true;
	else
		relay_world.is_impure = true;
}

void relay_line_much(struct relay_line *l, unsigned pieces)
{
	uint8_t piece[RELAY_WORLD_PIECE];

	if (l->tls && !l->has_headed)
		relay_world.is_impure = true;
	for (; pieces > 0; pieces--) {
		size_t taken;

		for (size_t i = 0; i < sizeof(piece); i++)
			piece[i] = stream_at(l->said + i);
		taken = give(l, piece, sizeof(piece));
		l->said += taken;
		if (taken < sizeof(piece))
			break;
	}
}

void relay_line_raw(const struct relay_line *l, const uint8_t *bytes, size_t len)
{
	if (!l->tls)
		relay_world.is_impure = true;
	if (len)
		(void)send(l->fd, bytes, len, MSG_NOSIGNAL);
}

static ssize_t take_some(struct relay_line *l, uint8_t *bytes, size_t len)
{
	size_t n = 0;

	if (!l->tls)
		return recv(l->fd, bytes, len, 0);
	if (!l->is_up || l->is_broken)
		return -1;
	ERR_clear_error();
	if (SSL_read_ex(l->tls, bytes, len, &n) == 1)
		return (ssize_t)n;
	l->is_broken = SSL_get_error(l->tls, 0) != SSL_ERROR_WANT_READ;
	return -1;
}

/* A header that the front wrote is one; an answer is one of those that there are. */
static void check_head(const struct relay_line *l)
{
	struct relay_header header;
	struct err e;

	if (l->kind == RELAY_COMER)
		assert(l->head[0] < RELAY_ANSWERS);
	else
		assert(relay_header_read(l->head, sizeof(l->head), &header, &e) == 0 &&
		       strcmp(header.instance, "b") == 0);
}

static void heard(struct relay_line *l, const uint8_t *bytes, size_t len)
{
	const size_t head = !l->tls ? 0 : l->kind == RELAY_COMER ? 1 : RELAY_HEADER_LEN;

	if (!l->tls && l->kind == RELAY_COMER) /* records of TLS, which it can't read */
		return;
	for (size_t i = 0; i < len; i++) {
		if (l->head_len < head) {
			l->head[l->head_len++] = bytes[i];
			if (l->head_len == head)
				check_head(l);
			continue;
		}
		assert(relay_world.is_impure || bytes[i] == stream_at(l->heard));
		l->heard++;
	}
}

void relay_line_hear(struct relay_line *l, unsigned pieces)
{
	uint8_t piece[RELAY_WORLD_PIECE];

	for (; pieces > 0; pieces--) {
		const ssize_t n = take_some(l, piece, sizeof(piece));

		if (n <= 0)
			return;
		heard(l, piece, (size_t)n);
	}
}

void relay_line_end(struct relay_line *l)
{
	if (l->tls && l->is_up && !l->is_broken) {
		ERR_clear_error();
		(void)SSL_shutdown(l->tls);
	} else {
		(void)shutdown(l->fd, SHUT_WR);
	}
}

void relay_line_close(struct relay_line *l)
{
	if (l->fd < 0)
		return;
	SSL_free(l->tls);
	l->tls = NULL;
	close(l->fd);
	l->fd = -1;
}
