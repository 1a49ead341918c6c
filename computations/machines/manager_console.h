/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manager_console.h — what a manager tells of a CVM's console, on the loop: piece by piece, and the next one only when the
 * last was taken.
 */
#pragma once

#include "computations/machines/manager_link.h"

enum { CONSOLE_PIECE_MAX = 32 << 10, CONSOLE_LINES_MAX = 100000 }; /* as managers have them */

/* Where to begin, and whether it goes on. */
struct console_wish {
	uint32_t lines; /* the last so many; 0: all that is kept */
	bool follow;    /* until the CVM is gone */
};

struct manager_console;

struct manager_console_events {
	/* Lent; nothing more comes until manager_console_go_on(). */
	void (*piece)(void *data, const uint8_t *bytes, size_t len, bool skipped);
	/* Once and last, never from within manager_console_open(); `e` NULL: that was all. It is freed afterwards.
	 * ERR_DATA_LOSS: what a manager can't say; else what it or the connection fails with, in its name. */
	void (*ended)(void *data, const struct err *e);
};

/* `m` is a CVM of that manager's; `events` is kept. */
int manager_console_open(struct manager_link *link, const struct machine *m,
			 const struct console_wish *wish,
			 const struct manager_console_events *events, void *data,
			 struct manager_console **console, struct err *e) MUST_CHECK;
void manager_console_go_on(struct manager_console *console);
/* ended() comes from the loop. */
void manager_console_cancel(struct manager_console *console);
