/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reaper.h — the life of the machine after boot: the agent runs, orphans are reaped, and the
 * machine ends with the agent.
 */
#pragma once

#include "guest/net.h"

enum {
	REAPER_STOP_MS = 20000,    /* the time that an agent has after it was told to stop */
	REAPER_NET_WAIT_MS = 5000, /* how long the agent waits for a first lease */
};

/* Starts the agent once the network has an address (or has not got one in time), and stays until
 * it has ended, by itself or because of the power button, ctrl-alt-del or SIGTERM. Returns 0 with
 * the line to print, or an error when it could not be started. */
int reaper_run(struct net *net, char *line, size_t line_size, struct err *e) MUST_CHECK;
