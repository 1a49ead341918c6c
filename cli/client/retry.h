/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry.h — a transfer that begins again if its connection breaks after bytes have moved.
 */
#pragma once

#include "cli/client/client.h"

enum { RETRY_MAX = 5 /* attempts of one transfer */ };

struct retry {
	int (*attempt)(void *data, struct err *e); /* over a connection of its own */
	void *data;
	const uint64_t *moved; /* bytes that the last attempt has moved */
	const char *again;     /* what the user is told: "fetching again" */
};

/* Tries until it succeeds. Gives up after RETRY_MAX broken connections, if none of them has moved a
 * byte, and on any other failure; then it hints at what to do. */
int retry_run(struct client *client, const struct retry *retry, struct err *e) MUST_CHECK;
