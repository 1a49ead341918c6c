/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper_played.h — the keeper's process that is none: child_start() and uv_process_kill(), wrapped. Who
 * plays it holds the other end of its socket.
 */
#pragma once

#include <uv.h>

struct keeper_played {
	int sock; /* -1: there is none */
	uv_process_t *process;
	uv_exit_cb on_exit;
};

extern struct keeper_played keeper_played;

/* The process has ended by a signal, if it was started; the socket is the caller's to close. */
void keeper_played_ends(void);
