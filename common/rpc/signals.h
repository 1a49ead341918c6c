/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals.h — SIGTERM and SIGINT of a daemon, caught from its start to its very end.
 *
 * A second signal while it ends must not cut short what it still wipes, removes or writes.
 */
#pragma once

#include <uv.h>

struct signals {
	uv_signal_t handles[2], hangup;
	void (*asked)(void *data, int number);
	void (*hung_up)(void *data); /* NULL: SIGHUP ends the program, as ever */
	void *data;
};

/* Calls asked(data, number) on the loop for each signal, and ignores SIGPIPE. */
void signals_start(struct signals *signals, uv_loop_t *loop, void (*asked)(void *data, int number),
		   void *data);

/* Calls hung_up(data) for SIGHUP, too: that files are to be opened anew. Behind signals_start(). */
void signals_on_hangup(struct signals *signals, void (*hung_up)(void *data));

/* Still caught, but nothing that the loop waits for. */
void signals_unref(struct signals *signals);

/* And back: the loop goes on. */
void signals_ref(struct signals *signals);

/* The last thing before the loop is closed, which is run out here; ignored from then on. */
void signals_done(struct signals *signals);
