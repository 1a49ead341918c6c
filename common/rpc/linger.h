/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linger.h — the last moments of a socket whose peer may still be sending. For this folder only.
 *
 * Closed at once, the kernel would answer what comes with RST, which overtakes, at the peer, the
 * status that was sent just before.
 */
#pragma once

#include <uv.h>

enum { LINGER_MS = 1000 };

/* Sends no more, throws away what comes until the peer has closed, for LINGER_MS at most; closes
 * `fd`, which is taken over. */
void linger_start(uv_loop_t *loop, int fd);
