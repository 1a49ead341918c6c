/* SPDX-License-Identifier: Apache-2.0 */
/* h2_peer.h — for the fuzz targets of HTTP/2 sessions: one end of a socket pair; the other end
 * gets the input. */
#pragma once

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { PEER_PIECE = 8192, PEER_TURNS = 3 };

/* Runs what is due on the loop, without waiting. */
static inline void peer_spin(uv_loop_t *loop)
{
	for (int i = 0; i < PEER_TURNS; i++)
		uv_run(loop, UV_RUN_NOWAIT);
}

/* Throws away what the session says. */
static inline void peer_drain(int fd)
{
	uint8_t junk[PEER_PIECE];

	while (recv(fd, junk, sizeof(junk), MSG_DONTWAIT) > 0)
		;
}

/* Feeds the bytes, in pieces. */
static inline void peer_feed(uv_loop_t *loop, int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t piece = len < PEER_PIECE ? len : PEER_PIECE;
		ssize_t sent = send(fd, bytes, piece, MSG_NOSIGNAL | MSG_DONTWAIT);

		peer_spin(loop);
		peer_drain(fd);
		if (sent <= 0)
			return;
		bytes += sent;
		len -= (size_t)sent;
	}
}
